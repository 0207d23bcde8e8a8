"""No number leaves the bounds that its type promises: arithmetic is refused or not by these bounds."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from openg2g.expressions.predicate import compile_predicate
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Compare
from openg2g.expressions.types import Kind, Type
from openg2g.models.errors import FilterError
from tests.expressions.catalog_contents import many_subjects
from tests.expressions.generated import numbers
from tests.expressions.test_python_oracle import applied
from tests.strategies import examples

_EVERY = 37


def outside(number: str, kind: Type) -> str:
    """Write the condition that a number is outside of its bounds; it is false where it has no value."""
    if kind.kind is Kind.INTEGER:
        return f"{number} < {kind.low} or {number} > {kind.high}"
    small, large = repr(kind.smallest), repr(kind.largest)
    return f"{number} < -{large} or {number} > {large} or 0 < {number} < {small} or -{small} < {number} < 0"


def test_no_number_leaves_its_bounds() -> None:
    subjects = many_subjects()
    kinds: Counter[Kind] = Counter()

    @examples(300)
    @given(numbers(), st.integers(0, _EVERY - 1))
    def check(number: str, first: int) -> None:
        try:
            read = read_condition(f"{number} == 0")
            assert isinstance(read, Compare)
            is_outside = compile_predicate(outside(number, read.left.type))
        except FilterError:
            return
        assert not any(applied(is_outside, subject) for subject in subjects[first::_EVERY])
        kinds[read.left.type.kind] += 1

    check()
    assert kinds.total() > 150
    assert set(kinds) == {Kind.INTEGER, Kind.FLOAT}
