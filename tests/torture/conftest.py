"""Fixtures: a launcher of processes, and databases of each engine."""

from collections.abc import Iterator

import pytest

from tests.places import Places
from tests.torture.launcher import Launcher


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """Run one launcher for this test process."""
    with Launcher.running() as launcher:
        yield launcher


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest) -> Places:
    """Give what makes databases of each engine."""
    places: Places = request.getfixturevalue(f"{request.param}_places")
    return places
