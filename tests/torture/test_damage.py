"""Damage to the file of a catalog is harmless, or named; never is an answer wrong in silence."""

from tests.places import SqlitePlaces
from tests.torture.damage import damage_files
from tests.torture.launcher import Launcher

DAMAGES = 16


def test_a_damaged_file_is_named_or_answers_as_before(launcher: Launcher, sqlite_places: SqlitePlaces) -> None:
    report = damage_files(launcher, sqlite_places, DAMAGES, seed=7)
    assert report.named.total() + report.harmless.total() == DAMAGES
    assert report.named.total() > 0 < report.harmless.total()
