"""TOML files: everything that TOML can express there and back, everything else refused with its path."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document, RevisionData
from openg2g.formats.limits import MAX_DEPTH
from openg2g.formats.toml.files import TOML
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError
from tests.builders import make_spec, make_workload, published_fleet
from tests.formats.configs import EXAMPLES, OFFLINE_0_2
from tests.formats.views import document_of, documents_of, message_of, nested, outcomes_of, value, written
from tests.strategies import HOSTILE_TEXTS, documents, examples

MODEL = """\
model_label = "a"
num_replicas = 2
gpus_per_replica = 4
initial_batch_size = 8
itl_deadline_s = 0.1
feasible_batch_sizes = [8, 16]
"""
ONE = f"[[models]]\n{MODEL}"
SEVERAL = f'[[workloads]]\nname = "a"\n[[workloads.models]]\n{MODEL}\n[[workloads]]\n[[workloads.models]]\n{MODEL}'


def unfit_paths(item: Any, path: str) -> list[str]:
    """Where a value holds what no TOML file can stand for: the oracle of the tests below. A key may be left out."""
    if isinstance(item, dict):
        members = [(key, inner) for key, inner in item.items() if inner is not None]
        return [found for key, inner in members for found in unfit_paths(inner, f"{path}.{key}")]
    if isinstance(item, list):
        return [found for index, inner in enumerate(item) for found in unfit_paths(inner, f"{path}[{index}]")]
    is_large = isinstance(item, int) and not -(2**63) <= item < 2**63
    return [path] if item is None or is_large else []


def expressible(item: Any) -> Any:
    """The value without what TOML cannot express."""
    if isinstance(item, dict):
        return {key: expressible(inner) for key, inner in item.items() if unfit_paths(inner, "") != [""]}
    if isinstance(item, list):
        return [expressible(inner) for inner in item if unfit_paths(inner, "") != [""]]
    return item


def without_null_keys(item: Any) -> Any:
    """The value without the keys that are left out."""
    if isinstance(item, dict):
        return {key: without_null_keys(inner) for key, inner in item.items() if inner is not None}
    return [without_null_keys(inner) for inner in item] if isinstance(item, list) else item


def unordered(document: Document) -> tuple[object, ...]:
    """Everything a document says; tables come after plain values in TOML, so the order of keys is not kept."""
    return document.workload, document.name, json.dumps(document.annotations, sort_keys=True), document.revision


# What is read.


def test_a_file_as_a_person_writes_it() -> None:
    text = """\
# Why these: see the plan.
name = "fleet"

[[models]]
model_label = "Llama-3.1-70B"
num_replicas = 1_80
gpus_per_replica = 0x4
initial_batch_size = 128
itl_deadline_s = 1e-1
feasible_batch_sizes = [
    8, 16,  # measured
]

[[models]]
model_label = 'on'
num_replicas = 0
gpus_per_replica = 1
initial_batch_size = 8
itl_deadline_s = 2

[annotations]
"a.b".c = true

[revision]
author = "Ada"
effective_from = 2026-03-01T13:00:00.5+01:00
"""
    document = document_of(text, "toml")
    assert (document.name, document.where) == ("fleet", "f")
    assert document.workload.models == (
        make_spec(feasible_batch_sizes=(8, 16)),
        make_spec(
            model_label="on",
            num_replicas=0,
            gpus_per_replica=1,
            initial_batch_size=8,
            itl_deadline_s=2.0,
            feasible_batch_sizes=(128,),
        ),
    )
    assert document.annotations == {"a.b": {"c": True}}
    assert str(document.revision.effective_from) == "2026-03-01 12:00:00.500000+00:00"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_both_ends_of_line_are_read(newline: str, beginning: bytes) -> None:
    assert document_of(beginning + ONE.replace("\n", newline).encode(), "toml").workload.total_gpus == 8


def test_dates_and_times_become_their_iso_texts() -> None:
    text = f"""{ONE}
[annotations]
a = 2026-03-01T12:00:00Z
b = 2026-03-01 12:00:00.25+02:00
c = 2026-03-01T12:00:00
d = 2026-03-01
e = [12:30:00, {{f = 1979-05-27}}]
g = "2026-03-01"
"""
    assert document_of(text, "toml").annotations == {
        "a": "2026-03-01T12:00:00Z",
        "b": "2026-03-01T12:00:00.250000+02:00",
        "c": "2026-03-01T12:00:00",
        "d": "2026-03-01",
        "e": ["12:30:00", {"f": "1979-05-27"}],
        "g": "2026-03-01",
    }


@pytest.mark.parametrize("time", ["2026-03-01T12:00:00", "2026-03-01", "12:00:00"])
def test_a_local_time_is_refused_where_a_time_is_needed(time: str) -> None:
    message = f"must be a time with its offset (2026-03-01T12:00:00Z), got '{time}'."
    assert message_of(f"{ONE}\n[revision]\nrecorded_at = {time}", "toml") == f"f:10:1: revision.recorded_at {message}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_configurations_of_openg2g_are_recognised(example: str) -> None:
    version, config = EXAMPLES[example]
    wanted = document_of({key: item for key, item in config.items() if item is not None})
    found = document_of(_toml({key: item for key, item in config.items() if item is not None}), "toml")
    assert unordered(found) == unordered(wanted)
    assert found.annotations["openg2g"]["version"] == version


def _toml(table: Mapping[str, Any]) -> str:
    """Write a table on as few lines as TOML allows, without tomli-w."""

    def inline(item: Any) -> str:
        if isinstance(item, dict):
            return "{" + ", ".join(f"{json.dumps(key)} = {inline(inner)}" for key, inner in item.items()) + "}"
        return f"[{', '.join(map(inline, item))}]" if isinstance(item, list) else json.dumps(item, ensure_ascii=False)

    return "".join(f"{json.dumps(key)} = {inline(item)}\n" for key, item in table.items())


def test_one_workload_and_several_know_their_places() -> None:
    assert [document.where for document in documents_of(ONE, "toml")] == ["f"]
    assert [(document.where, document.name) for document in documents_of(SEVERAL, "toml")] == [
        ("f[0]", "a"),
        ("f[1]", None),
    ]
    assert [document.where for document in documents_of(f"[[workloads]]\n[[workloads.models]]\n{MODEL}", "toml")] == [
        "f[0]"
    ]
    assert documents_of("workloads = []", "toml") == []


def test_workloads_may_have_different_shapes_and_bad_ones_stand_beside_good_ones() -> None:
    text = _toml({"workloads": [value(name="a"), 5, value(annotations={"x": 2**64}), OFFLINE_0_2, {"models": []}]})
    assert [str(o) if isinstance(o, InvalidDocumentError) else o.where for o in outcomes_of(text, "toml")] == [
        "f[0]",
        "f:1:196: a workload must be an object, got 5.",
        "f:1:381: annotations.x must fit into 64 bits: TOML has no larger integers. "
        "Use JSON or YAML, or write it as a string.",
        "f[3]",
        "f:1:2297: models LLMInferenceWorkload requires at least one model.",
    ]


# What is refused.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: is empty."),
        (" \n\t", "f: is empty."),
        ("# nothing\n", "f:1:1: models is missing."),
        ("workloads = 5", "f:1:1: workloads must be a list, got 5."),
        (
            f"model = 1\n{SEVERAL}",
            "f:1:1: model is not a known field. Known fields: workloads.",
        ),
        (f"{ONE}itl = nan\n", "f:8:1: models[0].itl is not a known field. Known fields: model_label, num_replicas, "),
        (ONE.replace("0.1", "nan"), "f:6:1: models[0].itl_deadline_s must be finite, got nan."),
        (ONE.replace("0.1", "-inf"), "f:6:1: models[0].itl_deadline_s must be > 0, got -inf."),
        (f"{ONE}[annotations]\nx = [inf]", "f:9:6: annotations.x[0] must be finite, got inf."),
        (ONE.replace("0.1", "2026-03-01"), "f:6:1: models[0].itl_deadline_s must be a number, got '2026-03-01'."),
        (
            ONE.replace("= 2", "= 0x" + "f" * 9999),
            "f:3:1: models[0].num_replicas must fit into 64 bits: TOML has no larger",
        ),
        (f"{ONE}[annotations]\nx = -9223372036854775809", "f:9:1: annotations.x must fit into 64 bits: "),
    ],
)
def test_what_is_no_workload_is_refused_with_its_path(text: str, message: str) -> None:
    assert message_of(text, "toml").startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "f:1:5: is not TOML: invalid value."),
        ("a = 1\nb = [1, 2", "f:2:10: is not TOML: unclosed array."),
        ("a = 1\né = 2", "f:2:1: is not TOML: invalid statement."),
        ("a = 1\na = 2", "f:2:6: is not TOML: cannot overwrite a value."),
        ("[a]\n[a]\n", "f:2:3: is not TOML: cannot declare ('a',) twice."),
        ("[[models]]\na = 1 b", "f:2:7: is not TOML: expected newline or end of document after a statement."),
        ("a = 1\n b: 2", "f:2:3: is not TOML: expected '=' after a key in a key/value pair."),
        ('a = "x', "f:1:7: is not TOML: unterminated string."),
        ('a = "\n"', "f:1:6: is not TOML: illegal character '\\n'."),
        ('a = """x\n\n', "f:3:1: is not TOML: unterminated string."),
        ("a = 'x", 'f:1:7: is not TOML: expected "\'".'),
        ('a = "\\ud800"', "f:1:12: is not TOML: escaped character is not a unicode scalar value."),
        ("a = 2026-02-30T00:00:00Z", "f:1:5: is not TOML: invalid date or datetime."),
        ("a = null", "f:1:5: is not TOML: invalid value."),
        ("a = \0", "f:1:5: is not TOML: invalid value."),
        ('{"models": []}', "f:1:1: is not TOML: invalid statement."),
    ],
)
def test_what_is_no_toml_is_refused_with_line_and_column(text: str, message: str) -> None:
    # Other releases of Python word some of them differently, and add where there was nothing to add.
    where, _, what = message_of(text, "toml").partition(": ")
    assert where == message.partition(": ")[0]
    assert what.startswith("is not TOML: ") and what.endswith(".")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a = 1\nb = \xff", "f:2:5: is not UTF-8 text (byte 10)."),
        ("a = 1".encode("utf-16"), "f:1:1: is not UTF-8 text (byte 0). It looks like UTF-16: save it as UTF-8."),
    ],
)
def test_other_encodings_are_refused(data: bytes, message: str) -> None:
    assert message_of(data, "toml") == message


def test_a_file_that_is_too_large_is_refused() -> None:
    assert isinstance(outcomes_of(ONE.ljust(2**20), "toml", 2**20)[0], Document)
    assert message_of(ONE.ljust(2**20 + 1), "toml", 2**20) == (
        "f: must have at most 1 MiB to be read at a time. Split it, or use JSON Lines, which streams."
    )
    assert message_of(ONE.ljust(8 * 2**20 + 1), "toml").startswith("f: must have at most 8 MiB ")
    assert isinstance(outcomes_of(ONE.ljust(8 * 2**20 + 1), "toml", 2**24)[0], Document)


# Malice.


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = " + "[" * 200_000, "f:1:5"),
        ("a = " + "[\n" * 200_000, "f:1:5"),
        ("a = " + "{a = " * 200_000, "f:1:5"),
        ("a." * 1_200 + "a = 1", "f:1:1"),
        ('b = 1\n  "a" . ' + '"." . ' * 1_200 + "a = 1", "f:2:3"),
        ("[" + "a." * 1_200 + "a]", "f:1:2"),
        ("a = {" + "'b'." * 1_200 + "a = 1}", "f:1:6"),
    ],
)
def test_endless_nesting_is_refused_where_it_begins(text: str, place: str) -> None:
    assert MAX_DEPTH == 128
    assert message_of(text, "toml") == f"{place}: must not be nested more than 128 levels deep."


@pytest.mark.parametrize("text", ["a." * 200_000 + "a = 1", "[" + "a." * 200_000 + "a]"])
def test_keys_of_endless_parts_are_refused(text: str) -> None:
    assert message_of(text, "toml") == "f: has more keys of many parts than are read. Write fewer dots, or use JSON."


def test_endless_nesting_by_brackets_and_dots_together_is_refused() -> None:
    text = "a = " + ("{" + "a." * 100 + "a = ") * 100 + "1" + "}" * 100
    assert message_of(text, "toml").endswith(" must not be nested more than 128 levels deep.")


def test_brackets_and_dots_within_strings_and_comments_are_no_nesting() -> None:
    texts = ("[" * 300, "a." * 300 + "a", '"' + "[" * 300, "'" + "[" * 300, "#" + "[" * 300, "{" * 300, "9" * 9999)
    for text in texts:
        for quoted in (
            json.dumps(text),
            f'"""\n{text}\n""a"""""',
            *([f"'''{text}'''", f"'{text}'"] * ("'" not in text)),
        ):
            content = f"{ONE}# {text}\n[annotations]\n'{text.replace(chr(39), '')}' = {quoted}\n"
            assert len(document_of(content, "toml").annotations) == 1, quoted


def test_long_numbers_are_refused_with_their_place() -> None:
    for number in ("9" * 5_001, "9" * 1_000_000, "-" + "9" * 5_000, "1_" * 6_000 + "1"):
        assert message_of(f"\na = {number}", "toml") == "f:2:5: has a number of more than 4000 digits."


@pytest.mark.parametrize(
    "text", [part * 10**5 for part in ('\\"""\n', "'''\n\\", '"', "'\n", '""""', '\\"', '"\\', "'a\"b")]
)
def test_endless_quotes_are_refused_in_time_that_grows_with_their_number(text: str) -> None:
    for content in (text, f"a = {text}", f"a = '''{text}"):
        assert "is not TOML" in message_of(content, "toml")


# What is written.


def test_a_document_is_written_in_this_very_text() -> None:
    document = Document(
        make_workload(1, model_label="通义 “é”", itl_deadline_s=1e-7, feasible_batch_sizes=(16, 8)),
        name="fleet",
        annotations={"note": [1, "on"], "a b": {"deep": True}, "é": "\x7f\t\n"},
        revision=RevisionData(number=1, author="Ada"),
    )
    assert written([document], "toml") == (
        'format = "openg2g-workload/1"\n'
        'name = "fleet"\n'
        "\n"
        "[[models]]\n"
        'model_label = "通义 “é”"\n'
        "num_replicas = 100\n"
        "gpus_per_replica = 4\n"
        "initial_batch_size = 128\n"
        "itl_deadline_s = 1e-07\n"
        "feasible_batch_sizes = [\n"
        "    16,\n"
        "    8,\n"
        "]\n"
        "\n"
        "[annotations]\n"
        "note = [\n"
        "    1,\n"
        '    "on",\n'
        "]\n"
        '"é" = "\\u007f\t\\n"\n'
        "\n"
        '[annotations."a b"]\n'
        "deep = true\n"
        "\n"
        "[revision]\n"
        "number = 1\n"
        'author = "Ada"\n'
    )


@given(documents())
@examples(50)
def test_a_document_comes_back_or_is_refused_for_exactly_what_toml_cannot_express(document: Document) -> None:
    unfit = unfit_paths(document.annotations, "annotations")
    if unfit:
        with pytest.raises(InvalidDocumentError) as caught:
            written([document], "toml")
        assert [problem.path for problem in caught.value.problems] == unfit
        document = replace(document, annotations=expressible(document.annotations))
    text = written([document], "toml")
    found = document_of(text, "toml")
    kept = replace(document, annotations=without_null_keys(document.annotations))
    assert unordered(found) == unordered(kept)
    assert (kept == document) == (not TOML.losses(document))
    assert workload_digest(found.workload) == workload_digest(document.workload)
    assert written([found], "toml") == text
    assert tomllib.loads(text)["models"][0]["model_label"] == document.workload.models[0].model_label


@given(st.lists(documents(), min_size=2, max_size=3))
@examples(25)
def test_documents_come_back_in_order(given_documents: list[Document]) -> None:
    given_documents = [replace(each, annotations=expressible(each.annotations)) for each in given_documents]
    text = written(given_documents, "toml")
    found = documents_of(text, "toml")
    assert list(map(unordered, found)) == list(map(unordered, given_documents))
    assert [document.where for document in found] == [f"f[{index}]" for index in range(len(found))]


@pytest.mark.parametrize("text", [*HOSTILE_TEXTS, "", "a.b", "[a]", "#", "=", '"""', "'''", "\x01"])
def test_hostile_texts_come_back_as_labels_keys_and_values(text: str) -> None:
    label = text if text.strip() and text.isprintable() else "a"
    document = Document(
        make_workload(1, model_label=label),
        annotations={text: text, "models": {text: {text: [text, {text: text}]}}},
    )
    assert unordered(document_of(written([document], "toml"), "toml")) == unordered(document)


def test_the_same_workload_through_every_format_has_the_same_digest() -> None:
    document = Document(published_fleet(), name="fleet", annotations={"a": [1, 1.0, True, "1"], "b": {"c": {}}})
    digests = {
        workload_digest(document_of(written([document], name), name).workload)
        for name in ("json", "jsonl", "yaml", "toml", "openg2g-0.1")
    }
    assert digests == {workload_digest(published_fleet())}
    found = [document_of(written([document], name), name) for name in ("json", "jsonl", "yaml", "toml")]
    assert len({str(unordered(each)) for each in found}) == 1


def test_several_documents_are_tables_and_none_is_an_empty_list() -> None:
    text = written([Document(make_workload(1), name=name) for name in "ab"], "toml")
    assert text.count("\n[[workloads]]\n") == 1 and text.startswith("[[workloads]]\n")
    assert text.count("\n[[workloads.models]]\n") == 2
    assert written([], "toml") == "workloads = []\n"


def test_what_toml_cannot_express_is_refused_with_every_path() -> None:
    annotations = {"a": [None], "b": [1, {"c d": [[None]]}], "e": 2**63, "f": -(2**63), "g": -(2**63) - 1, "h": "2"}
    document = Document(make_workload(), "fleet@3", annotations=annotations)
    with pytest.raises(InvalidDocumentError) as caught:
        written([Document(make_workload()), document], "toml")
    null = "is null, which TOML cannot express. Use JSON or YAML, or leave it out."
    large = "must fit into 64 bits: TOML has no larger integers. Use JSON or YAML, or write it as a string."
    assert str(caught.value).splitlines() == [
        f"fleet@3: annotations.a[0] {null}",
        f"fleet@3: annotations.b[1].c d[0][0] {null}",
        f"fleet@3: annotations.e {large}",
        f"fleet@3: annotations.g {large}",
    ]


def test_keys_that_are_null_are_left_out_and_told() -> None:
    document = Document(make_workload(), annotations={"a": None, "b": [1, {"c d": None, "e": 2}], "f": {"g": None}})
    assert document_of(written([document], "toml"), "toml").annotations == {"b": [1, {"e": 2}], "f": {}}
    assert [loss.path for loss in TOML.losses(document)] == [
        "annotations.a",
        "annotations.b[1].c d",
        "annotations.f.g",
    ]


@pytest.mark.parametrize("depth", [1, 50, 100])
def test_whatever_depth_the_catalog_stores_is_written_and_read(depth: int) -> None:
    by_tables: Any = 1
    for _ in range(depth):
        by_tables = {"a": by_tables}
    document = Document(make_workload(), annotations={"a": nested(depth - 1), "b": by_tables["a"]})
    for several in ([document], [document, document]):
        assert [unordered(found) for found in documents_of(written(several, "toml"), "toml")] == [
            unordered(each) for each in several
        ]


def test_what_is_nested_without_end_is_not_written() -> None:
    with pytest.raises(InvalidDocumentError, match=r"must not be nested more than 128 levels deep\.$"):
        written([Document(make_workload(), annotations={"a": nested(10_000)})], "toml")
