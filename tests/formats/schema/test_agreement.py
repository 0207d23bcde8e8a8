"""A schema and the reader of its format agree on generated values, but for what a schema cannot say.

What the schema refuses, the reader refuses. What only the reader refuses is one of the few things that the docstrings
of the schemas list.
"""

import csv
import io
import re
import tomllib
from datetime import datetime
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import tomli_w
from hypothesis import assume, given
from hypothesis import strategies as st

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.openg2g.layout import recognise_version
from openg2g.formats.parquet.columns import ALL_COLUMNS, KINDS, written_schema
from openg2g.models.errors import InvalidDocumentError, Problem
from tests.formats.configs import EXAMPLES, deployment_0_2, entry_0_1, entry_0_2, with_other_word
from tests.formats.schema.near_valid import DIGEST, NUMBERS, TEXTS, near_valid
from tests.formats.schema.views import faults_of, row_of_cells, row_of_values
from tests.formats.views import model, outcomes_of, value
from tests.strategies import documents, examples

UNSAID = (
    r"has duplicate model labels: .*"
    r"|total_gpus must be <= .*"
    r"|must be an integer( >= 1)?, got -?[0-9]+(\.0|(\.[0-9]+)?e\+[0-9]+)\."
    r"|must be a time with its offset .*"
    r"|must be finite, got -?inf\."
    r"|must have fewer than 4000 digits\."
    r"|must not be nested more than (100|128) levels deep\."
    r"|is not a field of OpenG2G: did you mean .*"
    r"|is no label of the (models|deployments) of the file, got .*"
)
"""Messages of rules that no schema can express."""

REVISION = {
    "number": 3,
    "digest": DIGEST,
    "recorded_at": "2026-03-01T12:00:00Z",
    "effective_from": "2026-03-01T13:00+01:00",
    "author": "Ada",
    "message": "why",
    "source": "fleet.json",
}
FULL = value(
    model(),
    model(model_label="b", num_replicas=0),
    format=native.FORMAT,
    name="fleet",
    annotations={"models": {"a": {"note": [1, {"deep": None}]}}},
    revision=REVISION,
)


def native_values() -> st.SearchStrategy[Any]:
    """Valid documents of the catalog's own shape."""
    return st.just(FULL) | st.just(value(model())) | documents().map(native.value_from_document)


def problems_in(outcomes: list[Document | InvalidDocumentError]) -> list[Problem]:
    """List what a reader found."""
    return [p for outcome in outcomes if isinstance(outcome, InvalidDocumentError) for p in outcome.problems]


def check_agreement(faults: list[str], problems: list[Problem], *, unsaid: str = "") -> None:
    """Compare what the schema found with what the reader found.

    Args:
        faults: What the schema found.
        problems: What the reader found.
        unsaid: Messages of rules that no schema of this format can express, beside those of all formats.
    """
    if faults:
        assert problems, f"only the schema refuses: {faults}"
    else:
        pattern = re.compile(f"{UNSAID}|{unsaid}" if unsaid else UNSAID, re.DOTALL)
        assert [problem for problem in problems if not pattern.fullmatch(problem.message)] == []


def check_agreement_on_config(content: Any, version: str) -> None:
    """Compare what the schema and the reader of a version find in a configuration."""
    name = f"openg2g-{version}"
    check_agreement(faults_of(content, name), problems_in(outcomes_of(content, name)))


def without_text_of_annotations(problems: list[Problem]) -> list[Problem]:
    """Leave out what is wrong with the JSON in a text, into which a schema does not look."""
    return [problem for problem in problems if not problem.path.startswith("annotations")]


@given(near_valid(native_values()))
@examples(120)
def test_a_document_is_refused_by_the_schema_and_by_the_reader(content: Any) -> None:
    assume(isinstance(content, dict))
    try:
        native.document_from_value(content, "f")
        problems: list[Problem] = []
    except InvalidDocumentError as error:
        problems = list(error.problems)
    check_agreement(faults_of(content, "jsonl"), problems)


@given(st.lists(near_valid(native_values()), max_size=2) | near_valid(native_values()))
@examples(50)
def test_a_file_of_documents_is_refused_by_the_schema_and_by_the_reader(content: Any) -> None:
    assume(not any(_is_config(item) for item in (content if isinstance(content, list) else [content])))
    check_agreement(faults_of(content, "json"), problems_in(outcomes_of(content, "json")))


@given(near_valid(st.just(FULL) | st.just({"workloads": [FULL, value(model(), name="b")]})))
@examples(75)
def test_a_toml_file_is_refused_by_the_schema_and_by_the_reader(content: Any) -> None:
    assume(isinstance(content, dict))
    text = tomli_w.dumps(_without_null(content))
    try:
        decoded = tomllib.loads(text)
    except ValueError:  # An integer of hundreds of digits.
        assume(False)
    items = decoded.get("workloads", [decoded])
    assume(not any(_is_config(item) for item in (items if isinstance(items, list) else [])))
    problems = problems_in(outcomes_of(text, "toml"))
    check_agreement(faults_of(decoded, "toml"), problems, unsaid="must fit into 64 bits: .*")


LISTS: dict[str, list[dict[str, Any]]] = {
    "0.1": [
        {"models": [entry_0_1()], "note": 1},
        {"models": [entry_0_1(), with_other_word(entry_0_1(model_label="b"))]},  # Refused: each has another word.
        {"models": [with_other_word(entry_0_1()), with_other_word(entry_0_1(model_label="b"))]},
        {"deployments": [{"spec": entry_0_1(feasible_batch_sizes=[]), "x": 1}]},
    ],
    "0.2": [
        {"models": [entry_0_2(feasible_batch_sizes=None)]},
        {"deployments": [deployment_0_2(gpus_per_replica=2)]},
    ],
}
"""Version → what a file has at the top, or in a site if it has no models there."""

NAMED: list[dict[str, Any]] = [
    {"bus": "8"},
    {"models": None},
    {"models": ["Llama-3.1-8B", "Llama-3.1-8B"], "deployments": 1},
    {"models": ["b"]},
]
"""What a file has in a site if it has its models at the top."""

CONFIGS = {name: [config for version, config in EXAMPLES.values() if version == name] + LISTS[name] for name in LISTS}


@st.composite
def configs_with_sites(draw: st.DrawFn, version: str) -> dict[str, Any]:
    """A configuration with sites, most of which say their models as the file wants it."""
    top = draw(st.just({}) | st.sampled_from(LISTS[version]))
    wanted, other = (NAMED, LISTS[version]) if top else (LISTS[version], NAMED)
    ids = st.sampled_from(("z1", "z2", "a.b", "models", "site one"))  # The last is no name.
    return {**top, "dc_sites": draw(st.dictionaries(ids, st.sampled_from(wanted * 6 + other), max_size=3))}


@pytest.mark.parametrize("version", CONFIGS)
@given(data=st.data())
@examples(80)
def test_a_configuration_is_refused_by_the_schema_and_by_the_reader(version: str, data: st.DataObject) -> None:
    check_agreement_on_config(data.draw(near_valid(st.sampled_from(CONFIGS[version]))), version)


@pytest.mark.parametrize("version", CONFIGS)
@given(data=st.data())
@examples(80)
def test_a_configuration_with_sites_is_refused_by_the_schema_and_by_the_reader(
    version: str, data: st.DataObject
) -> None:
    check_agreement_on_config(data.draw(near_valid(configs_with_sites(version))), version)


CELLS = {
    "name": "fleet",
    "model_label": "a",
    "num_replicas": "2",
    "gpus_per_replica": "4",
    "initial_batch_size": "8",
    "itl_deadline_s": "0.1",
    "feasible_batch_sizes": "8 16",
    **{column: str(part) for column, part in REVISION.items()},
    "annotations": '{"a": 1}',
}
IN_CELLS = ("8", "8 16", "8  16", "8,16", "016", "2147483648 8", "1.5", "1_000", "٣", "'=1", "'-a", "'" * 201, *TEXTS)


@given(st.dictionaries(st.sampled_from([*CELLS, "nmae"]), st.sampled_from(IN_CELLS) | st.none(), max_size=2))
@examples(80)
def test_a_row_of_a_csv_file_is_refused_by_the_schema_and_by_the_reader(changed: dict[str, str | None]) -> None:
    cells = {column: text for column, text in (CELLS | changed).items() if text is not None}
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([cells.keys(), cells.values()])
    problems = problems_in(outcomes_of(stream.getvalue(), "csv"))
    unsaid = (
        r"must be an integer( >= 1)?, got '[0-9]+(\.0)?([eE][0-9]+)?'\..*"  # Whole to whoever recognises numbers.
        r"|must have at most 200 characters, got 201\."  # The first may be an apostrophe that does not count.
        r"|must not start with '-', got .*"  # After such an apostrophe.
        r"|must be <= 2147483647, got .*"  # Of batch sizes, which are a text.
    )
    faults = faults_of(row_of_cells(cells), "csv")
    check_agreement(faults, problems if faults else without_text_of_annotations(problems), unsaid=unsaid)


TYPED = {
    "workload_index": 0,
    "position": 0,
    "name": "fleet",
    **model(),
    **REVISION,
    "recorded_at": datetime.fromisoformat("2026-03-01T12:00:00Z"),
    "effective_from": datetime.fromisoformat("2026-03-01T12:00:00Z"),
    "annotations": '{"a": 1}',
}
OF_KIND: dict[str, tuple[Any, ...]] = {
    "text": (None, *TEXTS),
    "integer": (None, *(number for number in NUMBERS if isinstance(number, int) and abs(number) < 2**63)),
    "number": (None, *(float(number) for number in NUMBERS if number < 10**300)),
    "integers": (None, [], [8], [0], [8, 2**40]),
    "time": (None,),
}


@st.composite
def typed_rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of a Parquet file in which up to two cells were changed, and up to two columns are missing."""
    row = dict(TYPED)
    for column in draw(st.lists(st.sampled_from(ALL_COLUMNS), max_size=2)):
        row[column] = draw(st.sampled_from(OF_KIND[KINDS[column]]))
    for column in draw(st.sets(st.sampled_from(ALL_COLUMNS), max_size=2)):
        del row[column]
    return row


@given(typed_rows())
@examples(75)
def test_a_row_of_a_parquet_file_is_refused_by_the_schema_and_by_the_reader(row: dict[str, Any]) -> None:
    fields = [field.with_nullable(True) for field in written_schema(pyarrow) if field.name in row]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row], pyarrow.schema(fields)), sink)
    problems = problems_in(outcomes_of(sink.getvalue(), "parquet"))
    faults = faults_of(row_of_values(row), "parquet")
    unsaid = r"must be 0, got [0-9]+: rows of the workload are missing or moved\."
    check_agreement(faults, problems if faults else without_text_of_annotations(problems), unsaid=unsaid)


def _is_config(item: Any) -> bool:
    """Whether a reader of any shape takes an item for a configuration, which has a schema of its own."""
    return isinstance(item, dict) and recognise_version(item) is not None


def _without_null(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_null(item) for key, item in content.items() if item is not None}
    return [_without_null(item) for item in content if item is not None] if isinstance(content, list) else content
