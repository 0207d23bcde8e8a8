"""Processes that fork under load: right answers in every process, and nothing lost."""

from tests.places import Places
from tests.torture.forks import fork_under_load
from tests.torture.launcher import Launcher


def test_processes_that_fork_get_right_answers_and_lose_nothing(places: Places, launcher: Launcher) -> None:
    with places.catalog() as url:
        report = fork_under_load(launcher, url, parents=2, forks=4, seed=7)
    assert report.forks == 8
    assert report.saves >= 8
    assert report.loads >= 8 * 50
