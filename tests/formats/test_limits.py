"""How much of a file is read, in every format."""

import json

import pytest

from openg2g.formats.document import Document
from openg2g.formats.limits import MAX_DEPTH, Limits
from openg2g.formats.registry import FORMAT_NAMES
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec, make_workload
from tests.formats.views import document_of, message_of, outcomes_of, value, written, written_bytes

WRITTEN = [name for name in FORMAT_NAMES if name != "openg2g-0.2"]  # It needs more than a workload says.


@pytest.mark.parametrize("format_name", WRITTEN)
def test_the_number_of_models_is_limited_in_every_format(format_name: str) -> None:
    data = written_bytes([Document(make_workload(3), name="fleet")], format_name)
    assert isinstance(outcomes_of(data, format_name, Limits(models=3))[0], Document)
    assert "(--max-models)" in message_of(data, format_name, Limits(models=2))


@pytest.mark.parametrize("format_name", WRITTEN)
def test_the_number_of_batch_sizes_is_limited_in_every_format(format_name: str) -> None:
    spec = make_spec(feasible_batch_sizes=(8, 16, 32), initial_batch_size=8)
    data = written_bytes([Document(LLMInferenceWorkload((spec,)), name="fleet")], format_name)
    assert isinstance(outcomes_of(data, format_name, Limits(batch_sizes=3))[0], Document)
    message = message_of(data, format_name, Limits(batch_sizes=2))
    assert "feasible_batch_sizes has 3 batch sizes; at most 2 are read (--max-batch-sizes)." in message


@pytest.mark.parametrize("format_name", ["json", "jsonl", "yaml", "toml", "csv", "parquet", "python"])
def test_the_depth_is_limited_in_every_format(format_name: str) -> None:
    annotations = {"a": [[[[[[[[[[1]]]]]]]]]]}
    data = written_bytes([Document(make_workload(), name="fleet", annotations=annotations)], format_name)
    assert isinstance(outcomes_of(data, format_name, Limits(depth=12))[0], Document)
    assert "must not be nested more than 9 levels deep (--max-depth)" in message_of(data, format_name, Limits(depth=9))


@pytest.mark.parametrize("format_name", ["json", "yaml", "toml", "python"])
def test_the_size_of_a_file_that_is_read_whole_is_limited(format_name: str) -> None:
    data = written_bytes([Document(make_workload(), name="fleet")], format_name)
    assert isinstance(outcomes_of(data, format_name, Limits(file_bytes=len(data)))[0], Document)
    assert "--max-file-size" in message_of(data, format_name, Limits(file_bytes=len(data) - 1))


def test_a_file_is_not_read_beyond_a_line_that_is_too_long() -> None:
    lines = [json.dumps(value(name=name)) for name in "ab"]
    long = json.dumps(value(annotations={"note": "x" * 5000}))
    limits = Limits(line_bytes=1000)
    for ending in ("\n", "\r\n"):
        data = ending.join([lines[0], long, lines[1]])
        first, error = outcomes_of(data, "jsonl", limits)
        assert isinstance(first, Document) and first.name == "a"
        assert str(error) == (
            "f:2: is a line of more than 1000 bytes (--max-line-length); the file was not read further."
        )
    assert len(outcomes_of(f"{lines[0]}\n{long}", "jsonl", limits)) == 2
    fits = lines[0].ljust(1000)
    assert isinstance(outcomes_of(f"{fits}\n", "jsonl", limits)[0], Document)
    assert isinstance(outcomes_of(fits, "jsonl", limits)[0], Document)
    assert isinstance(outcomes_of(f"{fits} \n", "jsonl", limits)[0], InvalidDocumentError)


def test_a_rejected_line_comes_along_as_its_file_has_it() -> None:
    bad = json.dumps(value(annotations=5))
    outcomes = outcomes_of(f"{bad}\r\n{{\n", "jsonl")
    assert [outcome.text for outcome in outcomes if isinstance(outcome, InvalidDocumentError)] == [bad, "{"]


@pytest.mark.parametrize("depth", [0, -1, MAX_DEPTH + 1])
def test_a_depth_that_would_exhaust_the_stack_is_no_limit(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth must be from 1 to 128, got {depth}"):
        Limits(depth=depth)


def test_what_a_catalog_stores_is_never_too_deep() -> None:
    deepest: object = 1
    for _ in range(99):
        deepest = [deepest]
    document = Document(make_workload(), annotations={"a": deepest})
    for format_name in ("json", "jsonl", "yaml", "toml"):
        assert document_of(written([document], format_name), format_name).annotations == document.annotations
