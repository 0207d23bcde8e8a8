"""JSON as text: nothing lost silently on the way in, the same bytes on the way out."""

import json
from typing import Any

import pytest
from hypothesis import given

from openg2g.formats.json.text import decode_json, encode_line, encode_pretty
from openg2g.formats.text_files import decoded
from openg2g.models.errors import InvalidDocumentError
from tests.strategies import annotations, examples, json_values


def problems_of(data: bytes) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidDocumentError) as caught:
        decode_json(decoded(data, "f"), "f")
    return [(problem.place, problem.path, problem.message) for problem in caught.value.problems]


@given(json_values())
@examples(150)
def test_every_json_value_is_read_back_from_one_line_and_from_many(value: Any) -> None:
    for text in (encode_line(value), encode_pretty(value)):
        assert repr(decode_json(text, "f")) == repr(value)


@given(annotations())
@examples(50)
def test_a_line_holds_no_line_break_that_splits_bytes(value: dict[str, Any]) -> None:
    assert len(encode_line(value).encode().split(b"\n")) == 1


@given(json_values())
@examples(50)
def test_the_standard_library_reads_the_same(value: Any) -> None:
    assert repr(json.loads(encode_pretty(value))) == repr(value)


def test_integers_and_floats_are_told_apart_and_lose_no_digit() -> None:
    value = decode_json("[1, 1.0, 123456789012345678901234567890, 1e2, true, null]", "f")
    assert repr(value) == "[1, 1.0, 123456789012345678901234567890, 100.0, True, None]"


def test_text_is_indented_for_people_and_lists_of_plain_values_stay_on_one_line() -> None:
    value = {
        "models": [{"label": '通义 "é"', "sizes": [8, 16], "nested": [[1], {}]}],
        "rows": [[1], ["a", "b"]],
        "empty": [],
        "none": {},
        "x": None,
    }
    assert encode_pretty(value) == (
        "{\n"
        '  "models": [\n'
        "    {\n"
        '      "label": "通义 \\"é\\"",\n'
        '      "sizes": [8, 16],\n'
        '      "nested": [\n'
        "        [1],\n"
        "        {}\n"
        "      ]\n"
        "    }\n"
        "  ],\n"
        '  "rows": [\n'
        "    [1],\n"
        '    ["a", "b"]\n'
        "  ],\n"
        '  "empty": [],\n'
        '  "none": {},\n'
        '  "x": null\n'
        "}"
    )
    assert encode_line(value) == (
        '{"models":[{"label":"通义 \\"é\\"","sizes":[8,16],"nested":[[1],{}]}],'
        '"rows":[[1],["a","b"]],"empty":[],"none":{},"x":null}'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_json_number_is_not_written(number: float) -> None:
    for encode in (encode_line, encode_pretty):
        with pytest.raises(ValueError, match="JSON compliant"):
            encode({"a": [number]})


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode_json(decoded(b'\xef\xbb\xbf{"a": 1}', "f"), "f") == {"a": 1}


@pytest.mark.parametrize("data", [b"", b" ", b"\n\n\t "])
def test_an_empty_file_is_called_empty(data: bytes) -> None:
    assert problems_of(data) == [("f", "", "is empty.")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_recognised(encoding: str) -> None:
    data = '{"a": 1}'.encode(encoding) if encoding == "utf-16" else b"\xfe\xff" + '{"a": 1}'.encode(encoding)
    assert problems_of(data) == [("f:1:1", "", "is not UTF-8 text (byte 0). It looks like UTF-16: save it as UTF-8.")]


def test_utf_16_without_a_byte_order_mark_is_no_json() -> None:
    ((_, _, message),) = problems_of('{"a": 1}'.encode("utf-16-le"))
    assert message.startswith("is not JSON: ")


@pytest.mark.parametrize(
    ("data", "position"),
    [(b'{"a": "\xff"}', 7), (b"\xe9", 0), (b'"\xed\xa0\x80"', 1), (b'"\xf0\x9f"', 1), (b'"\xc0\x80"', 1)],
)
def test_bytes_that_are_no_utf_8_are_refused_with_their_position(data: bytes, position: int) -> None:
    assert problems_of(data) == [(f"f:1:{position + 1}", "", f"is not UTF-8 text (byte {position}).")]


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"tru", "f:1:1", "is not JSON: expecting value."),
        (b"\0", "f:1:1", "is not JSON: expecting value."),
        (b"models: []", "f:1:1", "is not JSON: expecting value."),
        (b'{"a": }', "f:1:7", "is not JSON: expecting value."),
        (b'{\n  "a": 1\n  "b": 2\n}', "f:3:3", "is not JSON: expecting ',' delimiter."),
        (b'{\n"a" 1}', "f:2:5", "is not JSON: expecting ':' delimiter."),
        (b"{'a': 1}", "f:1:2", "is not JSON: expecting property name enclosed in double quotes."),
        (b'{"a": "b', "f:1:7", "is not JSON: unterminated string starting at."),
        (b'{"a": "\\x"}', "f:1:8", "is not JSON: invalid \\escape."),
        (b'{"a": 1} # why', "f:1:10", "is not JSON: extra data. Is it JSON Lines? Then its format is jsonl."),
        (b'{"a": 1}\n{"a": 2}\n', "f:2:1", "is not JSON: extra data. Is it JSON Lines? Then its format is jsonl."),
    ],
)
def test_what_is_no_json_is_refused_with_line_and_column(data: bytes, place: str, message: str) -> None:
    ((where, path, found),) = problems_of(data)
    assert (where, path) == (place, "")
    # Python 3.13 appends more to some messages than Python 3.11 does.
    assert found.startswith(message.rstrip("."))


@pytest.mark.parametrize("brackets", ["[", '{"a":'])
def test_endless_nesting_is_refused(brackets: str) -> None:
    place = f"f:1:{1 + 128 * len(brackets)}"
    message = "must not be nested more than 128 levels deep."
    assert problems_of(brackets.encode() * 100_000) == [(place, "", message)]


def test_an_integer_with_thousands_of_digits_is_refused() -> None:
    ((where, path, message),) = problems_of(b'{"a": ' + b"1" * 5000 + b"}")
    assert (where, path) == ("f", "")
    assert message.startswith("is not JSON that we read: ")
    assert "4300 digits" in message


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"a": 1, "a": 1}', {"a": 10}),
        ('{"a": 1, "b": 2, "a": 3, "b": 4, "c": 5}', {"a": 18, "b": 26}),
        ('{"a": 1, "a": 2, "a": 3}', {"a": 18}),
        ('{"a": {"b": 1, "b": 2}}', {"a.b": 16}),
        (
            '{"models": [{}, {"x": 1, "x": 1}], "y": {"z": [[{"w": 1, "w": 1}]]}}',
            {"models[1].x": 26, "y.z[0][0].w": 58},
        ),
        ('{"\\u0061": 1, "a": 2}', {"a": 15}),
        ('{"": 1, "": 2}', {"": 1}),
        ('{"a": {"x": 1, "x": 2}, "a": 1}', {"a": 25}),
    ],
)
def test_every_key_that_stands_more_than_once_is_reported_with_its_place(text: str, paths: dict[str, int]) -> None:
    assert problems_of(text.encode()) == [(f"f:1:{c}", path, "stands more than once.") for path, c in paths.items()]


def test_a_key_may_stand_in_several_objects() -> None:
    assert decode_json('[{"a": 1}, {"a": {"a": 2}}]', "f") == [{"a": 1}, {"a": {"a": 2}}]
