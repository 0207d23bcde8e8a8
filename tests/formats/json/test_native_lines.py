"""Lines of the catalog's own documents: read fast, they say what they say when each is read by itself."""

import io
import json
from typing import Any

import pytest

from openg2g.formats import limits
from openg2g.formats.document import Document
from openg2g.formats.json.lines import JSON_LINES
from openg2g.formats.json.native_lines import NativeLines
from openg2g.formats.json.text import decode_json
from openg2g.formats.shape import documents_from_value
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.formats.mutations import fuzz_inputs, mutated

_MODEL = '{"model_label":"a","num_replicas":1,"gpus_per_replica":2,"initial_batch_size":8,"itl_deadline_s":0.1}'
_BRACKETS = [_MODEL.replace('"a"', label) for label in ('"a},{b"', '"a}]"', '"a}"')]
_OTHER = '{"model_label": "b", "num_replicas": 3, "gpus_per_replica": 1, "initial_batch_size": 8, "itl_deadline_s": 1}'
_LINE = (
    f'{{"format":"openg2g-workload/1","name":"fleet","models":[{_MODEL},{_OTHER}],'
    '"annotations":{"models":[{"note":"}]"}]},"revision":{"author":"Ada","message":"\\"models\\":[{"}}'
)
_TOKENS = (b'"models":[{', b"}]", b"},{", b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b" ", b"\t", _MODEL.encode())


def _read_by_itself(text: str) -> Document | None:
    """Return the document of a line as it is read where nothing is known of its models; None if it is refused."""
    try:
        (outcome,) = documents_from_value(decode_json(text, "f", line=1), "f:1")
    except InvalidDocumentError:
        return None
    return outcome if isinstance(outcome, Document) else None


def _document(label: str) -> Any:
    return {"name": label, "models": [json.loads(_MODEL) | {"model_label": label}]}


def test_a_line_is_read_fast_whatever_white_space_is_between_its_models() -> None:
    workload = LLMInferenceWorkload(
        (LLMInferenceModelSpec("a", 1, 2, 8, 0.1), LLMInferenceModelSpec("b", 3, 1, 8, 1.0)),
    )
    lines = NativeLines()
    for text in (_LINE, json.dumps(json.loads(_LINE)), _LINE.replace("[{", "[ {").replace("},{", "}\t ,  {")):
        document = lines.find_document(text, "f:1")
        assert document is not None
        assert document == _read_by_itself(text)
        assert document.workload == workload


@pytest.mark.parametrize(
    "text",
    [
        f'{{"annotations":{{"models":[{_MODEL}]}},"models":[]}}',
        f'{{"annotations":{{"models":[{_MODEL}]}},"models":"the models of this line"}}',
        f'{{"annotations":{{"models":[{_MODEL}]}},"models":[{_OTHER}]}}',
        f'{{"annotations":{{"models":[{_MODEL}]}},"\\u006dodels":[{_OTHER}]}}',
        f'{{"models":[{_MODEL}],"models":[{_OTHER}]}}',
        f'{{"models":[{_MODEL}],"\\u006dodels":[{_OTHER}]}}',
        f'{{"models":[{_MODEL},{_MODEL}]}}',
        f'{{"models":[{_MODEL},]}}',
        f'{{"models":[{_MODEL}}}',
        f'{{"a\\"models":[{_MODEL}]}}',
        f'{{"models":[{_MODEL}],"deployments":[]}}',
        *(f'{{"models":[{model}]}}' for model in _BRACKETS),
        f'{{"models":[{_MODEL[:-1]},"num_replicas":2}}]}}',
        f'{{"models":[{_MODEL[:-1]},"note":2}}]}}',
        f'[{{"models":[{_MODEL}]}}]',
        f'{{"models":[{_MODEL}]}} {{}}',
    ],
)
def test_a_line_that_only_looks_like_one_is_read_as_by_itself(text: str) -> None:
    lines = NativeLines()
    assert lines.find_document(_LINE, "f:1") is not None  # Its models are known from here on.
    found = lines.find_document(text, "f:1")
    assert found is None or found == _read_by_itself(text)


def test_damaged_lines_are_read_as_by_themselves_or_left_to_others() -> None:
    lines = NativeLines()
    num_found = 0
    for data in mutated([_LINE.encode()], _TOKENS, fuzz_inputs(2_000)):
        text = data.decode(errors="replace")
        found = lines.find_document(text, "f:1")
        if found is not None:
            num_found += 1
            assert found == _read_by_itself(text), text
    assert num_found > 100


@pytest.mark.parametrize("limit", ["MAX_MODELS", "MAX_BATCH_SIZES"])
def test_limits_hold_for_models_that_are_known(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _LINE.replace('"itl_deadline_s":0.1', '"itl_deadline_s":0.1,"feasible_batch_sizes":[8,16]')
    assert NativeLines().find_document(text, "f:1") is not None
    monkeypatch.setattr(limits, limit, 1)
    assert NativeLines().find_document(text, "f:1") is None


def test_a_file_may_have_more_models_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openg2g.formats.json.native_lines._CACHED_MODELS", 2)
    labels = ["a", "b", "c", "a", "d" * 200, "b"]
    data = "".join(json.dumps(_document(label)) + "\n" for label in labels).encode()
    outcomes = list(JSON_LINES.read(io.BytesIO(data), "f"))
    assert [outcome.workload.model_labels for outcome in outcomes if isinstance(outcome, Document)] == [
        [label] for label in labels
    ]
