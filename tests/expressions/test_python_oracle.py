"""A condition means what Python would make of it, were it evaluated as code; but for the differences on purpose.

`OPENG2G_ORACLE_CASES` says how many conditions are compared, others in every run; without it, the same 300.
"""

import os
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from openg2g.expressions.predicate import WorkloadPredicate, compile_predicate
from openg2g.models.errors import FilterError
from tests.expressions.catalog_contents import Contents, Subject, many_subjects
from tests.expressions.generated import conditions, contents
from tests.expressions.python_values import NotComparedError, compiled, evaluate
from tests.strategies import examples

IS_REPEATABLE = "OPENG2G_ORACLE_CASES" not in os.environ
CASES = int(os.environ.get("OPENG2G_ORACLE_CASES", "300"))
_EVERY = 23
"""Each condition is applied to what was generated with it, and to every so many of the subjects that stay the same."""


def applied(predicate: WorkloadPredicate, subject: Subject) -> bool:
    return predicate(subject.workload, subject.revision, tags=subject.tags, aliases=subject.aliases)


def test_a_condition_means_what_python_makes_of_it() -> None:
    seen: Counter[str] = Counter()
    others = many_subjects()

    @settings(examples(CASES), derandomize=IS_REPEATABLE)
    @given(conditions(), contents(), st.integers(0, _EVERY - 1))
    def compare(expression: str, held: Contents, first: int) -> None:
        try:
            predicate = compile_predicate(expression)
        except FilterError:
            seen["refused"] += 1
            return
        code = compiled(expression)
        answers = set()
        for subject in (*held.subjects(), *others[first::_EVERY]):
            try:
                expected = evaluate(code, subject)
            except NotComparedError:
                seen["subjects not compared"] += 1
                continue
            assert applied(predicate, subject) is expected
            seen["subjects"] += 1
            answers.add(expected)
        seen["compared"] += bool(answers)
        seen["true and false"] += len(answers) == 2
        seen["conditions"] += 1

    compare()
    assert seen["conditions"] >= 0.8 * CASES
    assert seen["compared"] > 0.5 * seen["conditions"]
    assert seen["subjects"] > 0.7 * seen["subjects not compared"]
    assert seen["true and false"] > 0.2 * seen["conditions"]
    assert seen["refused"] < 0.1 * seen["conditions"]
