"""Fixtures: a fresh catalog on SQLite and on a real PostgreSQL for everything that touches a database."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.engine.creation import make_catalog
from openg2g.catalog.engine.location import locate
from tests.git_repository import GitRepository
from tests.pgbouncer import PACKAGE, PgBouncer, find_program
from tests.places import PostgresPlaces, SqlitePlaces
from tests.postgres import PostgresServer, memory_directory

_LEFT_OUT = pytest.StashKey[dict[str, int]]()


def _may_leave_out() -> bool:
    return os.environ.get("CI", "").lower() != "true" and find_program() is None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what takes longest first, and leave out what needs PgBouncer where it is not installed; the end says so."""
    items.sort(key=lambda item: "torture" not in item.nodeid)
    if not _may_leave_out():
        return
    left_out = [item for item in items if "pgbouncer" in getattr(item, "fixturenames", ())]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    counts = Counter(item.nodeid.partition("::")[0] for item in left_out)
    config.stash[_LEFT_OUT] = dict(counts)
    if hasattr(config, "workeroutput"):  # A process of pytest-xdist, which tells the one that prints.
        config.workeroutput["left_out"] = dict(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Hear from a process of pytest-xdist what it has left out; each of them leaves out the same."""
    left_out = getattr(node, "workeroutput", {}).get("left_out")
    if left_out:
        node.config.stash[_LEFT_OUT] = left_out


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say in one line what was left out, and what it takes to run it."""
    left_out = config.stash.get(_LEFT_OUT, {})
    if left_out:
        files = ", ".join(f"{file} ({count})" for file, count in sorted(left_out.items()))
        told = f"NOT RUN, since PgBouncer is not installed (sudo apt-get install {PACKAGE}): {files}"
        terminalreporter.write_line(told, red=True, bold=True)


@pytest.fixture(scope="session")
def pgbouncer() -> type[PgBouncer]:
    """Give what runs poolers; a test that has it needs the program, which CI must have."""
    assert find_program() is not None, f"PgBouncer is not installed: apt-get install {PACKAGE}"
    return PgBouncer


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Keep the user's own catalog, git identity and language out of the tests."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.delenv("OPENG2G_DATABASE", raising=False)
        patch.setenv("HOME", home)
        patch.setenv("XDG_DATA_HOME", f"{home}/data")
        patch.setenv("XDG_CONFIG_HOME", f"{home}/config")
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        Path(home, ".gitconfig").write_text("[user]\nname = Test Author\nemail = test@example.org\n")
        os.environ.pop("GIT_AUTHOR_NAME", None)
        # Hundreds of processes are started, each of which would compile the package anew.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Run one PostgreSQL server for this test process."""
    with PostgresServer.running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "catalog.db"
    make_catalog(locate(path))
    return path


@pytest.fixture(scope="session")
def migrated_postgres_template(postgres: PostgresServer) -> str:
    """Migrate one database, to be used as a template."""
    make_catalog(locate(postgres.create_database("migrated_template")))
    return "migrated_template"


@pytest.fixture
def sqlite_places(migrated_sqlite_file: Path) -> Iterator[SqlitePlaces]:
    """Make files in memory: for tests to which what a disk takes is not the question."""
    with tempfile.TemporaryDirectory(dir=memory_directory()) as directory:
        yield SqlitePlaces(Path(directory), migrated_sqlite_file)


@pytest.fixture
def postgres_places(postgres: PostgresServer, migrated_postgres_template: str) -> PostgresPlaces:
    """Make databases on the server."""
    return PostgresPlaces(postgres, migrated_postgres_template)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the place of a database without tables, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the place of an empty catalog, on each engine."""
    if request.param == "sqlite":
        path = tmp_path / "catalog.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite_file"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(template=request.getfixturevalue("migrated_postgres_template")) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the place of a catalog, on each engine, that the tests of a module share."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "catalog.db"
        migrated: Path = request.getfixturevalue("migrated_sqlite_file")
        shutil.copyfile(migrated, path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(template=request.getfixturevalue("migrated_postgres_template")) as url:
        yield url


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    """Open an empty catalog, on each engine."""
    with Catalog.open(database_url) as opened:
        yield opened


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """Make an empty git repository."""
    return GitRepository(tmp_path / "repository")


@pytest.fixture(scope="session", params=["transaction", "session"])
def pooler(request: pytest.FixtureRequest, postgres: PostgresServer, pgbouncer: type[PgBouncer]) -> Iterator[PgBouncer]:
    """Run a pooler in each of the modes that a catalog works behind, with fewer server connections than clients."""
    with pgbouncer.running(postgres, request.param, pool_size=4) as running:
        yield running


@pytest.fixture
def direct_url(postgres: PostgresServer, migrated_postgres_template: str) -> Iterator[str]:
    """Give the place of an empty catalog on PostgreSQL."""
    with postgres.database(template=migrated_postgres_template) as url:
        yield url


@pytest.fixture
def pooled_url(pooler: PgBouncer, direct_url: str) -> str:
    """Give the place of the catalog of `direct_url`, through a pooler."""
    return pooler.url(direct_url)


@pytest.fixture
def narrow_url(postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str) -> Iterator[str]:
    """Give the place of the catalog of `direct_url`, through a pooler whose clients share one server connection."""
    with pgbouncer.running(postgres, "transaction", pool_size=1) as running:
        yield running.url(direct_url)
