"""A wrong clock spoils nobody else's saves."""

from tests.places import Places
from tests.torture.clocks import save_by_wrong_clocks
from tests.torture.launcher import Launcher


def test_what_right_clocks_save_is_in_force_at_once(places: Places, launcher: Launcher) -> None:
    with places.catalog() as url:
        report = save_by_wrong_clocks(launcher, url, saves=6, seed=7)
    assert (report.saves, report.wrong_saves) == (12, 12)
