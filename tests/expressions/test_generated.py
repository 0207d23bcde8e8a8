"""The generated conditions are worth something: few are refused, and most are true of some revisions and not of all."""

from collections import Counter

from hypothesis import Phase, given, settings

from openg2g.expressions.predicate import compile_predicate
from openg2g.models.errors import FilterError
from tests.expressions.catalog_contents import many_subjects
from tests.expressions.generated import conditions
from tests.expressions.test_python_oracle import applied


def test_most_conditions_tell_revisions_apart() -> None:
    seen: Counter[str] = Counter()
    subjects = many_subjects()

    @settings(max_examples=200, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(conditions())
    def apply(expression: str) -> None:
        try:
            predicate = compile_predicate(expression)
        except FilterError:
            seen["refused"] += 1
            return
        answers = {applied(predicate, subject) for subject in subjects}
        seen["mixed" if len(answers) == 2 else f"always {answers.pop()}"] += 1

    apply()
    assert seen["refused"] < 0.1 * seen.total()
    assert seen["mixed"] > 0.5 * seen.total()
    assert seen["always True"] and seen["always False"]
