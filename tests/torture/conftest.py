"""Fixtures: a launcher of processes, and databases of each engine."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import memory_directory
from tests.torture.launcher import Launcher
from tests.torture.places import Places, PostgresPlaces, SqlitePlaces


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """Run one launcher for this test process."""
    with Launcher.running() as launcher:
        yield launcher


@pytest.fixture
def sqlite_places(migrated_sqlite_file: Path) -> Iterator[SqlitePlaces]:
    """Make files in memory: here processes are killed, not the machine, and what a disk takes is not the question."""
    with tempfile.TemporaryDirectory(dir=memory_directory()) as directory:
        yield SqlitePlaces(Path(directory), migrated_sqlite_file)


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest) -> Places:
    """Give what makes databases of each engine."""
    if request.param == "sqlite":
        places: SqlitePlaces = request.getfixturevalue("sqlite_places")
        return places
    return PostgresPlaces(request.getfixturevalue("postgres"), request.getfixturevalue("migrated_postgres_template"))
