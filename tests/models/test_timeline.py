"""What a retirement ended, and what one that is to come will end."""

from datetime import UTC, datetime, timedelta

import pytest

from openg2g.models.errors import InvalidRevisionError
from openg2g.models.revision import Revision
from openg2g.models.timeline import find_ended
from tests.builders import make_workload

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=10)


def history(*steps: tuple[int | None, int]) -> list[Revision]:
    """Make revisions of replicas (None: a retirement) and the day from which they apply."""
    return [
        Revision(
            "fleet",
            number,
            None if replicas is None else f"sha256:{replicas}",
            START,
            START + timedelta(days=day),
            "Ada",
            workload=None if replicas is None else make_workload(1, num_replicas=replicas),
        )
        for number, (replicas, day) in enumerate(steps, 1)
    ]


@pytest.mark.parametrize(
    ("steps", "replicas", "ends_on"),
    [
        pytest.param([(1, 0), (None, 5)], 1, None, id="ended"),
        pytest.param([(1, 0), (2, 4), (None, 5), (3, 2)], 2, None, id="a correction of before does not matter"),
        pytest.param([(1, 0), (None, 5), (3, 4)], 3, None, id="one of just before does"),
        pytest.param([(1, 0), (None, 20)], 1, 20, id="to come"),
        pytest.param([(1, 0), (2, 15), (None, 20)], 2, 20, id="what is planned until then"),
        pytest.param([(1, 0), (None, 20), (None, 30), (4, 20)], 4, 30, id="the first was taken back"),
        pytest.param([(1, 0), (None, 3), (None, 5)], 1, None, id="retired twice"),
        pytest.param([(1, 5), (None, 5)], 1, None, id="at the same time"),
    ],
)
def test_what_was_there_before_a_retirement_comes_back(
    steps: list[tuple[int | None, int]], replicas: int, ends_on: int | None
) -> None:
    ended = find_ended(history(*steps), NOW)
    assert ended.workload is not None
    assert ended.workload.models[0].num_replicas == replicas
    assert ended.effective_from == (None if ends_on is None else START + timedelta(days=ends_on))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([(1, 0), (None, 5), (3, 6)], "fleet is not retired: fleet@3 is in force."),
        ([(1, 0), (None, 20), (2, 20)], "fleet is not retired: fleet@1 is in force."),
        ([(1, 20)], "fleet is not retired: nothing is in force yet."),
        ([(None, 5), (1, 20)], "fleet cannot be restored: it had no workload before fleet@1."),
    ],
)
def test_a_name_without_a_retirement_is_refused(steps: list[tuple[int | None, int]], message: str) -> None:
    with pytest.raises(InvalidRevisionError) as refused:
        find_ended(history(*steps), NOW)
    assert str(refused.value) == message
