"""JSON files and JSON Lines: one document or many, good ones among bad ones."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.formats.registry import get_format
from openg2g.models.errors import InvalidDocumentError
from tests.builders import make_workload
from tests.formats.configs import OFFLINE_0_1, ONLINE_0_2
from tests.formats.views import content_of, document_of, documents_of, model, outcomes_of, value, written
from tests.strategies import documents, examples


def named(*names: str) -> list[Document]:
    return [Document(make_workload(), name=name) for name in names]


# One document, an array, and nothing.


def test_one_document_is_written_as_an_object_and_several_as_an_array() -> None:
    assert json.loads(written(named("a")))["name"] == "a"
    assert [item["name"] for item in json.loads(written(named("a", "b", "c")))] == ["a", "b", "c"]


def test_no_document_is_written_as_an_empty_file_of_the_format() -> None:
    assert written([]) == "[]\n"
    assert written([], "jsonl") == ""
    assert documents_of("[]") == []
    assert documents_of("", "jsonl") == []


def test_an_array_is_laid_out_like_its_documents() -> None:
    text = written(named("a", "b"))
    assert text.startswith('[\n  {\n    "format": "openg2g-workload/1",\n    "name": "a",\n    "models": [\n      {\n')
    assert '\n  },\n  {\n    "format"' in text
    assert text.endswith("\n    ]\n  }\n]\n")


def test_an_array_of_one_document_is_read() -> None:
    assert document_of([value(name="a")]).name == "a"


@given(st.lists(documents(), max_size=3), st.sampled_from(("json", "jsonl")))
@examples(25)
def test_documents_come_back_in_order_and_are_written_as_the_same_text_again(
    given_documents: list[Document], format_name: str
) -> None:
    text = written(given_documents, format_name)
    found = documents_of(text, format_name)
    assert list(map(content_of, found)) == list(map(content_of, given_documents))
    assert written(found, format_name) == text


def test_every_document_of_a_file_knows_its_place() -> None:
    assert [document.where for document in documents_of([value(), value()])] == ["f[0]", "f[1]"]
    assert document_of(value()).where == "f"
    lines = f"{json.dumps(value())}\n\n{json.dumps(value())}\n"
    assert [document.where for document in documents_of(lines, "jsonl")] == ["f:1", "f:3"]


def test_the_documents_of_an_array_may_have_different_shapes() -> None:
    first, second, third = documents_of([value(name="a"), OFFLINE_0_1, ONLINE_0_2])
    assert (first.name, first.annotations) == ("a", {})
    assert [document.annotations["openg2g"]["version"] for document in (second, third)] == ["0.1", "0.2"]


# Bad ones among good ones.


def test_good_documents_of_an_array_are_read_beside_bad_ones() -> None:
    outcomes = outcomes_of([value(name="a"), 5, value(model(num_replicas=-1)), value(name="b"), [value()]])
    assert [str(o) if isinstance(o, InvalidDocumentError) else o.name for o in outcomes] == [
        "a",
        "f:1:174: a workload must be an object, got 5.",
        "f:1:210: models[0].num_replicas must be >= 0, got -1.",
        "b",
        "f:1:509: a workload must be an object, got [{'models': [{'feasible_batch_sizes': [8, 16], "
        "'gpus_per_replica': 4, 'initial_batch_size': 8, 'itl_deadline_s': 0.1, ...}]}].",
    ]


def test_good_lines_are_read_beside_bad_ones_and_each_problem_names_its_line() -> None:
    good = json.dumps(value(name="a")).encode()
    lines = [
        good,
        b"",
        b"   \t",
        json.dumps(value(model(num_replicas=-1, itl_deadline_s=0))).encode(),
        good + b"\r",
        b'{"models": [',
        b"[]",
        b'{"a": "\xff"}',
        b'{"name": "a", "name": "b", "models": []}',
        b"\xef\xbb\xbf" + good,
        good,
    ]
    outcomes = outcomes_of(b"\n".join(lines), "jsonl")
    assert [o.where for o in outcomes if isinstance(o, Document)] == ["f:1", "f:5", "f:10", "f:11"]
    errors = [o for o in outcomes if isinstance(o, InvalidDocumentError)]
    assert [isinstance(o, Document) for o in outcomes] == [True, False, True, *[False] * 4, True, True]
    assert str(errors[0]) == (
        "f:4:34: models[0].num_replicas must be >= 0, got -1.\nf:4:102: models[0].itl_deadline_s must be > 0, got 0."
    )
    assert str(errors[1]).startswith("f:6:13: ")
    assert "is not JSON: expecting value" in str(errors[1])
    assert [str(error) for error in errors[2:]] == [
        "f:7:1: a workload must be an object, got [].",
        "f:8:8: is not UTF-8 text (byte 7).",
        "f:9:15: name stands more than once.",
    ]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\u000b", "\f"])
def test_only_a_newline_ends_a_line(separator: str) -> None:
    document = Document(make_workload(), annotations={"note": f"a{separator}b"})
    text = json.dumps(value(annotations={"note": f"a{separator}b"}), ensure_ascii=False)
    assert document_of(text, "jsonl").annotations == document.annotations
    assert document_of(written([document], "jsonl"), "jsonl").annotations == document.annotations


def test_a_last_line_without_a_newline_is_read() -> None:
    assert document_of(json.dumps(value(name="a")), "jsonl").name == "a"


def test_json_lines_are_compact_and_end_with_a_newline_each() -> None:
    text = written(named("a", "b"), "jsonl")
    assert text.startswith('{"format":"openg2g-workload/1","name":"a","models":[{"model_label":"model-0",')
    assert [line[-2:] for line in text.splitlines()] == ["]}", "]}"]
    assert text.endswith("]}\n")


def test_json_lines_are_read_as_they_arrive() -> None:
    """A sweep larger than the memory must pass: the second line is not touched before the first is used."""
    line = json.dumps(value()).encode() + b"\n"
    taken = []

    class Endless(io.RawIOBase):
        def readline(self, size: int | None = -1) -> bytes:
            taken.append(len(taken) + 1)
            return line

    outcomes = get_format("jsonl").read(Endless(), "f")  # type: ignore[arg-type]
    first = next(outcomes)
    assert isinstance(first, Document)
    assert (first.where, taken) == ("f:1", [1])


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_an_array_of_configurations_is_read_too(version: str) -> None:
    config = OFFLINE_0_1 if version == "0.1" else ONLINE_0_2
    assert [d.where for d in documents_of([config, config], f"openg2g-{version}")] == ["f[0]", "f[1]"]
