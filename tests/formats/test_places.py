"""Every problem names the line and the column of its field, in every format that has them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.json import places as json_places
from openg2g.formats.json.text import encode_line, encode_pretty
from openg2g.formats.places import AnyPlace, Place
from openg2g.formats.toml import places as toml_places
from openg2g.models.errors import InvalidDocumentError
from tests.formats.views import message_of, model, outcomes_of, value
from tests.strategies import examples, json_values, storable_texts


def offset_of(place: AnyPlace, text: str) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1


def paths_of(found: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path, but those with a key that is empty or has a dot or bracket itself."""
    yield path, found
    if isinstance(found, dict):
        for key, item in found.items():
            if key and not set(key) & set(".["):
                yield from paths_of(item, f"{path}.{key}" if path else key)
    elif isinstance(found, list):
        for index, item in enumerate(found):
            yield from paths_of(item, f"{path}[{index}]")


def check_json(found: Any, place: json_places.JsonPlace, text: str) -> None:
    """At the place of each value stands what it says, or its key."""
    decoder = json.JSONDecoder()
    for path, item in paths_of(found):
        at = place.find(path)
        assert repr(decoder.raw_decode(text, at.value_index)[0]) == repr(item)
        if path and not path.endswith("]"):
            key = decoder.raw_decode(text, at.index)[0]
            assert path == key or path.endswith(f".{key}")
        assert offset_of(at, text) == at.index


@given(st.dictionaries(storable_texts(), json_values(), max_size=4), st.sampled_from(["", "\n", " \r\n\t"]))
@examples(75)
def test_every_value_of_a_json_text_is_found_where_it_stands(found: Any, before: str) -> None:
    for text in (encode_line(found), encode_pretty(found), json.dumps(found, indent="\t", ensure_ascii=True)):
        check_json(found, json_places.place_of(before + text), before + text)


@given(st.lists(json_values(), min_size=1, max_size=4))
@examples(50)
def test_the_items_of_an_array_are_found_one_after_the_other(items: list[Any]) -> None:
    text = f" {encode_pretty(items)}\n"
    for item, place in zip(items, json_places.places_of_items(text), strict=True):
        assert repr(json.JSONDecoder().raw_decode(text, offset_of(place, text))[0]) == repr(item)


@pytest.mark.parametrize(
    ("text", "path", "column"),
    [
        ('{"a": {"b": 1}, "a.b": 2}', "a.b", 17),
        ('{"a.b": 2, "a": {"b": 1}}', "a.b", 2),
        ('{"a[0]": {"b.c[1]": 2}}', "a[0].b.c[1]", 11),
        ('{"a": 1, "a": 2}', "a", 10),
        ('{"a": {"": 1}}', "a.", 8),
        ('{"a": [1, 2]}', "a[2]", 2),
        ('{"a": [1, 2]}', "a.b.c", 2),
        ("[1, 2]", "b", 1),
    ],
)
def test_of_keys_that_fit_the_longest_is_meant_and_else_what_is_nearest(text: str, path: str, column: int) -> None:
    assert json_places.place_of(text).find(path).column == column


def test_in_a_document_of_megabytes_only_the_document_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_places, "MAX_CHARACTERS", 100)
    assert message_of([value(model(num_replicas=-1))]) == "f:1:2: models[0].num_replicas must be >= 0, got -1."


def tables() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.one_of(
        st.integers(-9, 9), st.booleans(), st.text("ab\"'\\#[]{}.=,\n\u00e9 ", max_size=6), st.floats(-1, 1)
    )
    keys = st.text("ab\"' .[\u00e9", max_size=4)
    values = st.recursive(
        plain,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
        max_leaves=8,
    )
    return st.dictionaries(keys, values, max_size=4)


def check_toml(found: Any, place: Place, text: str) -> None:
    if isinstance(found, dict):
        assert isinstance(place.inner, dict) and place.inner.keys() == found.keys()
        for key, item in found.items():
            at = text[offset_of(place.inner[key], text) :]
            assert at.startswith(("[", tomli_w.dumps({key: 0}).removesuffix(" = 0\n")))
            check_toml(item, place.inner[key], text)
    elif isinstance(found, list):
        assert isinstance(place.inner, list) and len(place.inner) == len(found)
        for item, inner in zip(found, place.inner, strict=True):
            check_toml(item, inner, text)
    else:
        assert place.inner is None


@given(tables(), st.booleans())
@examples(100)
def test_every_value_of_a_toml_text_is_found_where_it_stands(found: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(found, multiline_strings=multiline)
    check_toml(found, toml_places.places_of(text), text)


@pytest.mark.parametrize(
    ("text", "path", "line", "column"),
    [
        ("a = 1\nb.c . d = 2", "b.c.d", 2, 1),
        ("[a.b]\nc = 1\n[a]\nd = 2", "a.d", 4, 1),
        ("[[a]]\nb = 1\n[[a]]\n[[a.c]]\nd = 1\n[a.e]\n  f = 2", "a[1].e.f", 7, 3),
        ("[[a]]\nb = 1\n[[a]]\n[[a.c]]\nd = 1", "a[1].c[0].d", 5, 1),
        ('a = [ # one ]\n  1,\n  "x]", {b = 1, c = [2, 3]},\n]', "a[2].c[1]", 3, 25),
        ('a = 1979-05-27 07:32:00 # a date\nb = \'\'\'\n]]\'\'\'\nc = """\\"""""\nd = 1', "d", 5, 1),
        ('"a.b" = {"c\\u0064" = 1}', "a.b.cd", 1, 10),
        ("\r\n\r\na = 1", "a", 3, 1),
    ],
)
def test_toml_as_people_write_it(text: str, path: str, line: int, column: int) -> None:
    found = toml_places.places_of(text).find(path)
    assert (found.line, found.column) == (line, column)


BAD = value(model(), model(model_label="b", feasible_batch_sizes=[8, 0]))
PROBLEM = "models[1].feasible_batch_sizes[1] must be > 0, got 0."


@pytest.mark.parametrize(
    ("format_name", "text", "place"),
    [
        ("json", encode_pretty(BAD), "f:17:35"),
        ("json", f"[\n{encode_pretty(BAD)}\n]", "f:18:35"),
        ("jsonl", "\n" + encode_line(BAD), "f:2:271"),
        ("toml", tomli_w.dumps(BAD), "f:20:5"),
        ("yaml", "models:\n- {}\n- feasible_batch_sizes: [8, 0]\n", "f:3:29"),
        ("openg2g-0.1", encode_pretty(BAD), "f:17:35"),
    ],
)
def test_a_problem_stands_where_an_editor_finds_it(format_name: str, text: str, place: str) -> None:
    messages = [
        line
        for o in outcomes_of(text, format_name)
        if isinstance(o, InvalidDocumentError)
        for line in str(o).split("\n")
    ]
    assert f"{place}: {PROBLEM}" in messages


def test_a_problem_tells_its_place_as_data() -> None:
    (error,) = outcomes_of(encode_pretty(BAD))
    assert isinstance(error, InvalidDocumentError)
    (problem,) = error.problems
    assert (problem.where, problem.line, problem.column, problem.place) == ("f", 17, 35, "f:17:35")
