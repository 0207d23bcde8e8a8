"""Expressions at the edge of what an engine takes: the same answer from both and from Python, or the same refusal."""

import base64
import json
from datetime import UTC, datetime

import pytest

from openg2g.catalog import Catalog, FilterError
from openg2g.expressions.predicate import compile_predicate
from tests.builders import make_workload

ANNOTATIONS = {"n": 1, "arr": ["x", "Ada"], "obj": {"Ada": 1}, "text": "an Ada", "null": None}


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """Fill a catalog with a workload of one model and one of two, with and without annotations."""
    march = datetime(2026, 3, 1, tzinfo=UTC)
    catalog.save("one", make_workload(1), author="Ada", annotations=ANNOTATIONS, effective_from=march)
    catalog.save("two", make_workload(2), author="bda", effective_from=march)
    return catalog


def answers(catalog: Catalog, expression: str) -> tuple[list[str], list[str]]:
    """Ask the catalog and the predicate."""
    found = [revision.name for revision in catalog.search(expression)]
    holds = compile_predicate(expression)
    return found, [name for name in ("one", "two") if holds(catalog.load(name), catalog.get(name))]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("annotations['zz'] not in annotations", []),
        ("models[1].model_label not in annotations['arr']", []),
        ("annotations['n'] not in annotations['obj']", []),
        ("author not in annotations['arr']", []),
        ("'y' not in annotations['arr']", ["one"]),
        ("author in annotations['obj'] and author in annotations['text']", ["one"]),
        ("'x' not in annotations['n']", []),
        ("fnmatch(author, '[z-a!b]da')", ["one"]),
        ("fnmatch(author, '[z-a!A]da')", ["two"]),
        ("fnmatch(author, '[!z-a]da')", ["one", "two"]),
        ("not fnmatch(author, '[z-a]da')", ["one", "two"]),
        ("any(x == author for x in ())", []),
        ("all(x == author for x in ())", ["one", "two"]),
        ("len([x for x in ()]) == 0", ["one", "two"]),
        ("min(x for x in ()) == 'a'", []),
        ("len(name) == 3 and len(author) == 3", ["one", "two"]),
        ("len(annotations['text']) == 6", ["one"]),
        ("sum(m.itl_deadline_s for m in models) > 0.15", ["two"]),
        ("sum(m.itl_deadline_s for m in models if m.num_replicas > 100) > 0.05", ["two"]),
        ("name.startswith('\U0010ffff')", []),
        ("fnmatch(name, 't\U0010ffff*')", []),
        ("name > 't\U0010ffff'", []),
    ],
)
def test_an_odd_expression_means_what_python_says(filled: Catalog, expression: str, expected: list[str]) -> None:
    assert answers(filled, expression) == (expected, expected)


@pytest.mark.parametrize(
    ("innermost", "around", "end"),
    [
        ("number", "({x} * 2 if number > {i} else 1)", " > 1"),
        ("author", "tags[{x}]", " == 'x'"),
        ("(total_gpus - 5)", "{x} % -1000", " > 1"),
        ("(total_gpus - 5)", "{x} // -2", " > 1"),
        ("number", "(2 / {x})", " > 1"),
        ("number", "({x} if number > {i} else 1)", " > 1"),
        ("annotations['n'] * 1", "({x} if number > {i} else 1.5) * 2", " > 1"),
        ("author", "('k' if {x} in annotations['arr'] else name)", " in annotations['obj']"),
        ("'a'", "(name if itl_deadline_by_model[{x}] > 1 else author)", " == 'x'"),
        ("number > 1", "(not {x})", ""),
        ("number > 1", "(number > {i} and (author == 'x' or {x}))", ""),
        ("number > 1", "any({x} for m{i} in models)", ""),
        ("name", "{x}.lower()", " == 'one'"),
    ],
)
def test_nesting_ends_in_a_refusal_before_a_database_gives_up(
    filled: Catalog, innermost: str, around: str, end: str
) -> None:
    text = innermost
    for index in range(40):
        text = around.format(x=text, i=index)
        expression = f"{text}{end} or (total_gpus < 0 and 'a' in model_labels)"
        try:
            found, expected = answers(filled, expression)
        except FilterError:
            assert index >= 2
            return
        assert found == expected, expression
    raise AssertionError("nothing was refused")


def test_a_list_of_ten_thousand_parameters_is_searched_for(filled: Catalog) -> None:
    numbers = [*range(-9_999, 1)]
    assert [r.name for r in filled.search("number not in numbers", {"numbers": numbers})] == ["one", "two"]
    assert [r.name for r in filled.search("any(x == number for x in few)", {"few": [1] * 200})] == ["one", "two"]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_token_with_an_impossible_time_is_refused(filled: Catalog, time: str) -> None:
    token = filled.search_page("True", limit=1).next_token
    assert token is not None
    question, _, num_renames, values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps([question, time, num_renames, values]).encode()).decode().rstrip("=")
    with pytest.raises(FilterError, match="no token of a search"):
        filled.search_page("True", limit=1, after=forged)


def forged(token: str, values: list[object]) -> str:
    """Put other values into a token."""
    question, as_of, num_renames, _ = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    text = json.dumps([question, as_of, num_renames, values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "values",
    [
        [5, 1],
        ["one", "1"],
        ["one", True],
        ["one", -1],
        ["one", 2**63],
        ["one", 1.0],
        ["\ud800", 1],
        ["a\0b", 1],
        ["one"],
        ["one", 1, 1],
    ],
)
def test_a_token_with_an_impossible_place_is_refused(filled: Catalog, values: list[object]) -> None:
    token = filled.search_page("True", limit=1).next_token
    assert token is not None
    assert filled.search_page("True", limit=1, after=forged(token, ["one", 1])).revisions[0].name == "two"
    with pytest.raises(FilterError, match="this is no token of a search"):
        filled.search_page("True", limit=1, after=forged(token, values))


@pytest.mark.parametrize("time", [5, "2026-03-01T00:00:00", "March"])
def test_a_token_with_a_place_in_time_that_is_none_is_refused(filled: Catalog, time: object) -> None:
    token = filled.search_page("True", sort="effective_from", limit=1).next_token
    assert token is not None
    with pytest.raises(FilterError, match="this is no token of a search"):
        filled.search_page("True", sort="effective_from", limit=1, after=forged(token, [time, "one", 1]))
