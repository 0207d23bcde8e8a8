"""A command that is killed leaves all or nothing, and completes when it is run again."""

from pathlib import Path

import pytest

from tests.places import Places
from tests.torture.kills import KILLED, Killer, Round
from tests.torture.launcher import Launcher

KILLS = 2


@pytest.mark.parametrize("kill", KILLED.values(), ids=KILLED)
def test_a_killed_command_leaves_all_or_nothing(
    places: Places, launcher: Launcher, tmp_path: Path, kill: Round
) -> None:
    report = kill(Killer(launcher, seed=7), places, tmp_path, KILLS)
    assert report.total == KILLS
