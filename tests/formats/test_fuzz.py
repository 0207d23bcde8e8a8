"""Whatever a file holds, reading it ends in documents or in errors that say what is wrong; never in anything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.formats.registry import FORMAT_NAMES
from openg2g.models.errors import InvalidDocumentError
from tests.builders import published_fleet
from tests.formats.configs import EXAMPLES, deployment_0_2, entry_0_1, entry_0_2
from tests.formats.mutations import fuzz_inputs, mutated
from tests.formats.views import content_of, document_of, model, outcomes_of, value, written
from tests.strategies import examples, json_values

_REVISION = {"number": 1, "author": "Ada", "effective_from": "2026-03-01T12:00:00Z"}
_DOCUMENT = value(name="fleet", annotations={"models": {"a": {"x": 1}}}, revision=_REVISION)
_SEEDS = (
    *(json.dumps(config).encode() for _, config in EXAMPLES.values()),
    json.dumps(_DOCUMENT).encode(),
    json.dumps([_DOCUMENT, {"models": [entry_0_1(model_id="x")]}]).encode(),
    json.dumps({"models": [entry_0_2()]}).encode(),
    json.dumps({"deployments": [deployment_0_2()]}).encode(),
    json.dumps({"models": [entry_0_1()], "dc_sites": {"z1": {"models": ["Llama-3.1-8B"]}, "z2": {}}}).encode(),
    json.dumps({"dc_sites": {"z1": {"models": [entry_0_1()]}, "z2": {"deployments": [deployment_0_2()]}}}).encode(),
    written([Document(published_fleet()), document_of(_DOCUMENT)], "jsonl").encode(),
)
_TOKENS = (
    *(b"NaN", b"-Infinity", b"1e999", b"-0.0", b"1E400", b"9" * 30, b"null", b"true", b"0", b"-1", b"1.5"),
    *(b'"', b'""', b"{", b"}", b"[", b"]", b"{}", b"[]", b",", b":", b"\\", b"\\u0000", b"\n", b" ", b"\0"),
    *(b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", "é🚀\u2028".encode()),
    *(b'"dc_sites":', b'"models"', b'"models": [],', b'"spec":', b'"model_label": "a",', b"[" * 150, b'{"a":' * 150),
)
_KEYS = (
    *("format", "name", "models", "annotations", "revision", "deployments", "spec", "data_sources", "openg2g"),
    *model().keys(),
    *("model_id", "batch_sizes", "simulated_num_replicas", "initial_num_replicas", "deployment", "omitted", "task"),
    *("number", "digest", "recorded_at", "effective_from", "author", "message", "source"),
)


def check(content: bytes, format_name: str) -> None:
    """Read; and what was accepted must survive being written in the catalog's own shape.

    An empty text of a revision is written like an absent one, so the fourth part is left to another test.
    """
    for outcome in outcomes_of(content, format_name):
        if isinstance(outcome, InvalidDocumentError):
            assert outcome.problems
            assert all(problem.message for problem in outcome.problems)
            continue
        assert isinstance(outcome, Document)
        assert content_of(document_of(written([outcome])))[:3] == content_of(outcome)[:3]


@st.composite
def mutated_files(draw: st.DrawFn) -> bytes:
    """A valid file with a few places cut out, repeated, or replaced by what does not belong there."""
    data = draw(st.sampled_from(_SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 5, 40))))
        inserted = draw(st.sampled_from(_TOKENS) | st.binary(max_size=3) | st.just(data[start:end] * 2))
        data = data[:start] + inserted + data[end:]
    return data


@st.composite
def mutated_values(draw: st.DrawFn) -> Any:
    """A valid document in which one value, anywhere, is replaced by any other, or one key by any other."""
    root: Any = json.loads(draw(st.sampled_from(_SEEDS[:-1])))
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = root
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(holder[key], dict | list) and draw(st.booleans()):
                holder = holder[key]
                continue
            if isinstance(holder, dict) and draw(st.booleans()):
                holder[draw(st.sampled_from(_KEYS))] = holder.pop(key)
            else:
                holder[key] = draw(json_values())
            break
    return root


@given(mutated_files(), st.sampled_from(FORMAT_NAMES))
@examples(150)
def test_a_file_with_some_bytes_changed_is_read_or_refused(content: bytes, format_name: str) -> None:
    check(content, format_name)


@pytest.mark.parametrize("format_name", ["json", "jsonl", "openg2g-0.1", "openg2g-0.2"])
def test_many_damaged_files_of_json_end_in_documents_or_in_errors_with_places(format_name: str) -> None:
    for content in mutated(_SEEDS, _TOKENS, fuzz_inputs(300)):
        check(content, format_name)
        num_lines = content.count(b"\n") + 1
        for outcome in outcomes_of(content, format_name):
            if isinstance(outcome, InvalidDocumentError):
                assert all(problem.line is None or 1 <= problem.line <= num_lines for problem in outcome.problems)


@given(mutated_values(), st.sampled_from(FORMAT_NAMES))
@examples(80)
def test_a_file_with_some_values_changed_is_read_or_refused(content: Any, format_name: str) -> None:
    check(json.dumps(content).encode(), format_name)


@given(
    st.recursive(
        json_values(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
        max_leaves=12,
    ),
    st.sampled_from(FORMAT_NAMES),
)
@examples(75)
def test_any_json_with_the_keys_of_a_document_is_read_or_refused(content: Any, format_name: str) -> None:
    check(json.dumps(content).encode(), format_name)


@given(st.binary(max_size=60), st.sampled_from(FORMAT_NAMES))
@examples(75)
def test_any_bytes_are_read_or_refused(content: bytes, format_name: str) -> None:
    check(content, format_name)
