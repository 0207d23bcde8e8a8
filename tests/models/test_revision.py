"""What a revision may be called and hold, before a database sees it."""

import re
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from openg2g.models.digest import workload_digest
from openg2g.models.errors import CatalogError, InvalidRevisionError
from openg2g.models.revision import (
    MAX_NAME_LENGTH,
    Revision,
    RevisionDraft,
    annotations_from_text,
    annotations_to_text,
    check_alias,
    check_name,
    same_annotations,
)
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_draft, make_spec, make_workload, published_fleet
from tests.strategies import annotations, examples, instants, messages, names, storable_texts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_revision(**overrides: Any) -> Revision:
    fields: dict[str, Any] = {
        "name": "fleet",
        "number": 3,
        "workload": make_workload(),
        "digest": workload_digest(make_workload()),
        "recorded_at": NOON,
        "effective_from": NOON,
        "author": "Ada",
    }
    return Revision(**(fields | overrides))


def says(text: str) -> str:
    """Match a message from its first to its last character."""
    return f"^{re.escape(text)}$"


# Names.


@given(names())
@examples(200)
def test_a_name_without_white_space_and_reserved_characters_is_kept_as_it_is(name: str) -> None:
    assert check_name(name) == name
    assert make_draft(name).name == name


@pytest.mark.parametrize("name", ["a", "fleet", "2026/march/plan-1", "a.b_c~d+e", "sha256", "x" * 200, "🚀" * 200, "–"])
def test_an_ordinary_name_is_legal(name: str) -> None:
    assert make_draft(name).name == name


@pytest.mark.parametrize(
    ("name", "shown"), [("", "''"), (None, "None"), (5, "5"), (b"fleet", "b'fleet'"), (["fleet"], "['fleet']")]
)
def test_a_name_that_is_no_text_is_refused(name: Any, shown: str) -> None:
    with pytest.raises(InvalidRevisionError, match=says(f"name must be a non-empty string, got {shown}.")):
        make_draft(name)


@pytest.mark.parametrize("name", ["x" * 201, "🚀" * 201])
def test_a_name_of_201_characters_is_refused(name: str) -> None:
    assert MAX_NAME_LENGTH == 200
    with pytest.raises(InvalidRevisionError, match=says("name must have at most 200 characters, got 201.")):
        make_draft(name)


@pytest.mark.parametrize("name", ["-", "--all", "-fleet"])
def test_a_name_that_looks_like_an_option_is_refused(name: str) -> None:
    with pytest.raises(InvalidRevisionError, match=says(f"name must not start with '-', got {name!r}.")):
        make_draft(name)


@pytest.mark.parametrize("character", [*"@:*?[", *" \t\n\r\0\x1b\x7f\x85", *"\u00a0\u2003\u2028\u2029\u3000"])
@pytest.mark.parametrize("frame", ["{}fleet", "fl{}eet", "fleet{}"])
def test_a_name_with_a_character_that_references_or_patterns_need_is_refused(character: str, frame: str) -> None:
    name = frame.format(character)
    message = f"name must not contain white space, control characters or any of @ : * ? [, got {name!r}."
    if character == "@":
        message += " A name is wanted here, not a reference."
    with pytest.raises(InvalidRevisionError, match=says(message)):
        make_draft(name)


@pytest.mark.parametrize("alias", ["production", "latest-plan", "v1.2", "/", "é", "x" * 200])
def test_an_alias_is_a_name_that_is_no_number_and_no_date(alias: str) -> None:
    assert check_alias(alias) == alias


@pytest.mark.parametrize("alias", ["1", "2026-03-01", "0x", "+1", "9lives"])
def test_an_alias_that_begins_like_a_number_or_a_date_is_refused(alias: str) -> None:
    message = f"alias must not begin like a number or a date, got {alias!r}."
    with pytest.raises(InvalidRevisionError, match=says(message)):
        check_alias(alias)


@pytest.mark.parametrize("alias", ["", "a b", "@production", "-x", "a:b", "x" * 201, "a\0", None])
def test_what_is_refused_of_a_name_is_refused_of_an_alias(alias: Any) -> None:
    with pytest.raises(InvalidRevisionError, match=r"^alias must "):
        check_alias(alias)


# Texts, times and the workload of a draft.


def test_a_draft_needs_only_a_name_and_a_workload() -> None:
    draft = RevisionDraft("fleet", published_fleet())
    assert (draft.message, draft.author, draft.effective_from, draft.source) == ("", None, None, "")
    assert draft.annotations == {}
    assert hash(draft) == hash(RevisionDraft("fleet", published_fleet()))


@pytest.mark.parametrize("workload", [None, make_spec(), (make_spec(),), "fleet"])
def test_a_draft_of_something_else_than_a_workload_is_refused(workload: Any) -> None:
    with pytest.raises(InvalidRevisionError, match=r"^workload must be an LLMInferenceWorkload, got "):
        make_draft(workload=workload)


def test_only_a_draft_that_retires_its_name_needs_no_workload() -> None:
    assert RevisionDraft("fleet", None, retires=True).workload is None
    with pytest.raises(InvalidRevisionError, match=says("workload must be an LLMInferenceWorkload, got None.")):
        RevisionDraft("fleet", None)


@given(messages(), storable_texts())
@examples(50)
def test_every_unicode_text_may_be_a_source_and_within_an_author_and_every_visible_one_a_message(
    message: str, text: str
) -> None:
    draft = make_draft(message=message, author=f"Ada {text}", source=text)
    assert (draft.message, draft.author, draft.source) == (message, f"Ada {text}", text)


@pytest.mark.parametrize("author", ["", " ", "\t\n", "\u00a0\u3000"])
def test_an_author_is_somebody(author: str) -> None:
    with pytest.raises(InvalidRevisionError, match=says("author must not be blank.")):
        make_draft(author=author)


def test_an_author_of_a_class_of_its_own_is_kept_as_plain_text() -> None:
    class Member(StrEnum):
        ADA = "Ada"

    author = make_draft(author=Member.ADA).author
    assert author == "Ada"
    assert type(author) is str


@pytest.mark.parametrize("field", ["message", "author", "source"])
@pytest.mark.parametrize("text", ["a\0b", "\ud800", "é\udfff", "\0é"])
def test_a_text_that_a_database_cannot_store_is_refused(field: str, text: str) -> None:
    with pytest.raises(InvalidRevisionError, match=says(f"{field} must be valid Unicode without NUL, got {text!r}.")):
        make_draft(**{field: text})


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [("message", None, "None"), ("source", None, "None"), ("author", 5, "5"), ("message", b"why", "b'why'")],
)
def test_a_text_that_is_no_string_is_refused(field: str, value: Any, shown: str) -> None:
    with pytest.raises(InvalidRevisionError, match=says(f"{field} must be a string, got {shown}.")):
        make_draft(**{field: value})


@given(instants())
@examples(50)
def test_a_time_in_utc_is_kept_as_it_is(instant: datetime) -> None:
    assert make_draft(effective_from=instant).effective_from == instant


def test_a_time_with_another_offset_is_converted_to_utc() -> None:
    effective_from = make_draft(effective_from=NOON.astimezone(timezone(timedelta(hours=5.5)))).effective_from
    assert effective_from == NOON
    assert effective_from is not None
    assert effective_from.tzinfo is UTC


def test_a_time_without_an_offset_is_refused() -> None:
    message = "effective_from must say its offset from UTC, got 2026-03-01T12:00:00."
    with pytest.raises(InvalidRevisionError, match=says(message)):
        make_draft(effective_from=datetime(2026, 3, 1, 12))


@pytest.mark.parametrize("value", [date(2026, 3, 1), 1772366400, np.datetime64("2026-03-01")])
def test_a_time_that_is_no_datetime_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRevisionError, match=r"^effective_from must be a datetime or ISO text, got "):
        make_draft(effective_from=value)


@pytest.mark.parametrize(
    "value",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_a_time_that_leaves_the_calendar_in_utc_is_refused(value: datetime) -> None:
    message = f"effective_from must lie between the years 1 and 9999 in UTC, got {value}."
    with pytest.raises(InvalidRevisionError, match=says(message)):
        make_draft(effective_from=value)


def test_what_a_draft_refuses_is_both_a_catalog_error_and_a_value_error() -> None:
    with pytest.raises(CatalogError):
        make_draft("")
    with pytest.raises(ValueError, match="name must be"):
        make_draft("")


# Annotations.


@given(annotations())
@examples(100)
def test_annotations_are_read_back_equal_and_in_order(value: dict[str, Any]) -> None:
    text = annotations_to_text(value)
    found = annotations_from_text(text)
    assert found == value
    assert repr(found) == repr(value)  # Equality alone takes 1, 1.0 and true for the same.
    assert "\n" not in text


def test_the_text_of_annotations_is_compact_and_readable() -> None:
    assert annotations_to_text({"note": "通义 “é”", "sizes": [1, 2.5, None, True]}) == (
        '{"note":"通义 “é”","sizes":[1,2.5,null,true]}'
    )


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"a": float("nan")}, "annotations.a must be finite, got nan."),
        ({"a": [1, float("inf")]}, "annotations.a[1] must be finite, got inf."),
        ({"a": {"b": [{"c": float("-inf")}]}}, "annotations.a.b[0].c must be finite, got -inf."),
        ({"a": "x\0y"}, "annotations.a must be valid Unicode without NUL, got 'x\\x00y'."),
        ({"a": ["\ud800"]}, "annotations.a[0] must be valid Unicode without NUL, got '\\ud800'."),
        ({"a\0b": 1}, "annotations must have strings as keys, got 'a\\x00b'."),
        ({"a": {"\udfff": 1}}, "annotations.a must have strings as keys, got '\\udfff'."),
        ({1: 2}, "annotations must have strings as keys, got 1."),
        ({"a": {None: 1}}, "annotations.a must have strings as keys, got None."),
        ({"a": {True: 1}}, "annotations.a must have strings as keys, got True."),
        ({"a": {8}}, "annotations.a must be a JSON value, got {8}."),
        ({"a": b"x"}, "annotations.a must be a JSON value, got b'x'."),
        ({"a": Decimal(1)}, "annotations.a must be a JSON value, got Decimal('1')."),
        ({"a": [date(2026, 3, 1)]}, "annotations.a[0] must be a JSON value, got datetime.date(2026, 3, 1)."),
        ({"a": np.int64(1)}, "annotations.a must be a JSON value, got np.int64(1)."),
        ({"a": np.array([1])}, "annotations.a must be a JSON value, got array([1])."),
        ({"a": 1j}, "annotations.a must be a JSON value, got 1j."),
        ({"a": [10**4000]}, "annotations.a[0] must have fewer than 4000 digits."),
        ({"a": -(10**5000)}, "annotations.a must have fewer than 4000 digits."),
    ],
)
def test_annotations_that_a_database_cannot_store_are_refused_with_their_place(annotations: Any, message: str) -> None:
    with pytest.raises(InvalidRevisionError, match=says(message)):
        make_draft(annotations=annotations)
    with pytest.raises(InvalidRevisionError, match=says(message)):
        annotations_to_text(annotations)


@pytest.mark.parametrize("value", [["a"], [], "text", "", 5, 0, None, True])
def test_annotations_that_are_no_object_are_refused(value: Any) -> None:
    for refusing in (annotations_to_text, lambda annotations: make_draft(annotations=annotations)):
        with pytest.raises(InvalidRevisionError, match=says(f"annotations must be a JSON object, got {value!r}.")):
            refusing(value)


def test_integers_of_almost_4000_digits_are_annotations() -> None:
    value = {"a": 10**4000 - 1, "b": -(10**3999)}
    assert annotations_from_text(annotations_to_text(value)) == value


def test_any_mapping_may_hold_the_annotations() -> None:
    assert make_draft(annotations=MappingProxyType({"a": 1})).annotations == {"a": 1}


def test_what_annotations_were_made_of_may_change_without_changing_the_draft() -> None:
    original: dict[str, Any] = {"a": [1, {"b": 2}]}
    draft = make_draft(annotations=original)
    original["a"][1]["b"] = float("nan")
    original["c"] = 3
    assert draft.annotations == {"a": [1, {"b": 2}]}


def test_annotations_may_be_nested_a_hundred_levels_and_no_deeper() -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: Any = "core"
        for _ in range(levels - 1):
            value = [value]
        return {"a": value}

    assert annotations_from_text(annotations_to_text(nested(100))) == nested(100)
    with pytest.raises(InvalidRevisionError, match=r"^annotations\.a(\[0\])+ must not be nested more than 100 levels"):
        make_draft(annotations=nested(101))


def test_annotations_that_contain_themselves_are_refused() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    with pytest.raises(InvalidRevisionError, match="must not be nested more than 100 levels deep"):
        make_draft(annotations=endless)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a":1}', '{"a":1}', True),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True),
        ('{"a":{"x":1,"y":2}}', '{"a":{"y":2,"x":1}}', True),
        ('{"a":1}', '{ "a" : 1 }', True),
        ('{"a":"é"}', '{"a":"\\u00e9"}', True),
        ('{"a":100.0}', '{"a":1e2}', True),
        ('{"a":1}', '{"a":1.0}', False),
        ('{"a":1}', '{"a":true}', False),
        ('{"a":1.0}', '{"a":true}', False),
        ('{"a":0}', '{"a":false}', False),
        ('{"a":0}', '{"a":null}', False),
        ('{"a":null}', "{}", False),
        ('{"a":[1,2]}', '{"a":[2,1]}', False),
        ('{"a":"1"}', '{"a":1}', False),
        ('{"a":0.1}', '{"a":0.10000000000000002}', False),
        ('{"a":9007199254740993}', '{"a":9007199254740992}', False),
        ('{"a":"\u00e9"}', '{"a":"e\u0301"}', False),
    ],
)
def test_annotations_are_the_same_whatever_the_order_of_keys_but_not_whatever_the_type(
    one: str, other: str, same: bool
) -> None:
    assert same_annotations(one, other) is same
    assert same_annotations(other, one) is same


@given(annotations())
@examples(50)
def test_annotations_with_their_keys_turned_round_are_the_same(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert same_annotations(annotations_to_text(value), annotations_to_text(turned))
    assert not same_annotations(annotations_to_text(value), annotations_to_text({**value, "another\x01key": 1}))


# The revision itself.


def test_the_reference_of_a_revision_is_its_name_and_number() -> None:
    assert make_revision(name="fleet", number=3).reference == "fleet@3"


def test_whether_a_call_made_a_revision_takes_no_part_in_comparisons() -> None:
    assert make_revision(is_new=True) == make_revision(is_new=False)
    assert hash(make_revision(is_new=True)) == hash(make_revision(is_new=False))


def test_revisions_with_different_annotations_differ_and_can_both_be_hashed() -> None:
    one, other = make_revision(annotations={"a": 1}), make_revision(annotations={"a": 2})
    assert one != other
    assert len({one, other}) == 2


def test_a_revision_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'number'"):
        make_revision().number = 4  # type: ignore[misc]
    assert replace(make_revision(), number=4).number == 4


def test_a_notebook_shows_a_revision_as_a_table_with_a_row_for_each_model() -> None:
    shown = make_revision(workload=published_fleet(), message="first plan")._repr_html_()
    assert shown.count("<tr>") == 1 + 5
    assert "<b>fleet@3</b> · 4,800 GPUs · effective from 2026-03-01 12:00 UTC · Ada: first plan" in shown
    assert "<td>Qwen3-235B-A22B</td><td>210</td><td>8</td><td>1680</td><td>128</td><td>0.14</td>" in shown


def test_a_notebook_runs_nothing_that_stands_in_a_revision() -> None:
    script = "<script>alert(1)</script>"
    workload = LLMInferenceWorkload((make_spec(model_label=script),))
    shown = make_revision(name="<b>", workload=workload, author=script, message=script)._repr_html_()
    assert "<script" not in shown
    assert "<b>&lt;b&gt;@3</b>" in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


def test_a_revision_that_retires_its_name_says_so() -> None:
    retired = make_revision(workload=None, digest=None)
    assert retired.is_retirement
    assert not make_revision().is_retirement
    shown = retired._repr_html_()
    assert "<b>fleet@3</b> · retired · effective from 2026-03-01 12:00 UTC · Ada" in shown
    assert shown.count("<tr>") == 1


def test_a_time_may_be_iso_text() -> None:
    assert make_draft(effective_from="2026-03-01T12:00+01:00").effective_from == datetime(2026, 3, 1, 11, tzinfo=UTC)
