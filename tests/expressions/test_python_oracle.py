"""A condition means what Python would make of it, were it evaluated as code; but for the differences on purpose."""

from collections import Counter

from hypothesis import given

from openg2g.expressions.predicate import compile_predicate
from openg2g.models.errors import FilterError
from tests.expressions.generated import Contents, conditions, contents
from tests.expressions.python_values import NotComparedError, evaluate
from tests.strategies import examples


def test_a_condition_means_what_python_makes_of_it() -> None:
    seen: Counter[str] = Counter()

    @examples(3000)
    @given(conditions(), contents())
    def compare(expression: str, held: Contents) -> None:
        try:
            predicate = compile_predicate(expression)
        except FilterError:
            seen["refused"] += 1
            return
        compared = 0
        for subject in held.subjects():
            answer = predicate(subject.workload, subject.revision, tags=subject.tags, aliases=subject.aliases)
            try:
                expected = evaluate(expression, subject)
            except NotComparedError:
                continue
            assert answer is expected
            compared += 1
        seen["compared" if compared else "not compared"] += 1

    compare()
    assert seen["compared"] > seen.total() / 2
    assert seen["refused"] < seen.total() / 10
