"""How much of a file is read, in every format."""

import json

import pytest

from openg2g.formats import limits
from openg2g.formats.document import Document
from openg2g.formats.registry import FORMAT_NAMES
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec, make_workload
from tests.formats.views import document_of, message_of, outcomes_of, value, written, written_bytes

WRITTEN = [name for name in FORMAT_NAMES if name != "openg2g-0.2"]  # It needs more than a workload says.


NESTED = f"{'[' * 128}1{']' * 128}"
ROW = "model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s"


@pytest.mark.parametrize("format_name", WRITTEN)
def test_the_number_of_models_is_limited_in_every_format(format_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = written_bytes([Document(make_workload(3), name="fleet")], format_name)
    monkeypatch.setattr(limits, "MAX_MODELS", 3)
    assert isinstance(outcomes_of(data, format_name)[0], Document)
    monkeypatch.setattr(limits, "MAX_MODELS", 2)
    message = message_of(data, format_name)
    assert "has 3 models; at most 2 are read." in message or "is row 3 of one workload: no more are read." in message


@pytest.mark.parametrize("format_name", WRITTEN)
def test_the_number_of_batch_sizes_is_limited_in_every_format(
    format_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(feasible_batch_sizes=(8, 16, 32), initial_batch_size=8)
    data = written_bytes([Document(LLMInferenceWorkload((spec,)), name="fleet")], format_name)
    monkeypatch.setattr(limits, "MAX_BATCH_SIZES", 3)
    assert isinstance(outcomes_of(data, format_name)[0], Document)
    monkeypatch.setattr(limits, "MAX_BATCH_SIZES", 2)
    assert "feasible_batch_sizes has 3 batch sizes; at most 2 are read." in message_of(data, format_name)


@pytest.mark.parametrize(
    ("text", "format_name"),
    [
        (f'{{"annotations": {NESTED}}}', "json"),
        (f'{{"annotations": {NESTED}}}', "jsonl"),
        (f'{{"annotations": {NESTED}}}', "yaml"),
        (f"annotations = {NESTED}", "toml"),
        (f'{ROW},annotations\na,1,1,1,1,"{NESTED[:128]}{NESTED}"', "csv"),
        (
            f'# annotations: {{"a": {NESTED}}}\n'
            "x = LLMInferenceWorkload((LLMInferenceModelSpec('a', 1, 1, 1, 1.0),))",
            "python",
        ),
    ],
)
def test_the_depth_is_limited_in_every_format(text: str, format_name: str) -> None:
    assert "must not be nested more than 128 levels deep" in message_of(text, format_name)


@pytest.mark.parametrize("format_name", ["json", "yaml", "toml", "python"])
def test_the_size_of_a_file_that_is_read_whole_is_limited(format_name: str) -> None:
    data = written_bytes([Document(make_workload(), name="fleet")], format_name)
    assert isinstance(outcomes_of(data, format_name, len(data))[0], Document)
    (error,) = outcomes_of(data, format_name, len(data) - 1)
    assert isinstance(error, InvalidDocumentError)
    assert [problem.setting for problem in error.problems] == ["file_bytes"]


def test_a_file_is_not_read_beyond_a_line_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.dumps(value(name=name)) for name in "ab"]
    long = json.dumps(value(annotations={"note": "x" * 5000}))
    monkeypatch.setattr(limits, "MAX_LINE_BYTES", 1000)
    for ending in ("\n", "\r\n"):
        data = ending.join([lines[0], long, lines[1]])
        first, error = outcomes_of(data, "jsonl")
        assert isinstance(first, Document) and first.name == "a"
        assert str(error) == "f:2: is a line of more than 1000 bytes; the file was not read further."
    assert len(outcomes_of(f"{lines[0]}\n{long}", "jsonl")) == 2
    fits = lines[0].ljust(1000)
    assert isinstance(outcomes_of(f"{fits}\n", "jsonl")[0], Document)
    assert isinstance(outcomes_of(fits, "jsonl")[0], Document)
    assert isinstance(outcomes_of(f"{fits} \n", "jsonl")[0], InvalidDocumentError)


def test_a_rejected_line_comes_along_as_its_file_has_it() -> None:
    bad = json.dumps(value(annotations=5))
    outcomes = outcomes_of(f"{bad}\r\n{{\n", "jsonl")
    assert [outcome.text for outcome in outcomes if isinstance(outcome, InvalidDocumentError)] == [bad, "{"]


def test_what_a_catalog_stores_is_never_too_deep() -> None:
    deepest: object = 1
    for _ in range(99):
        deepest = [deepest]
    document = Document(make_workload(), annotations={"a": deepest})
    for format_name in ("json", "jsonl", "yaml", "toml"):
        assert document_of(written([document], format_name), format_name).annotations == document.annotations
