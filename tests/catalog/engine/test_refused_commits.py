"""A commit that the database refuses ends the transaction: nobody else waits for it, in this process or another."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from openg2g.catalog import Catalog, CatalogLockedError, CatalogUnavailableError, RevisionDraft
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.engine import waiting
from openg2g.catalog.engine.migrate import downgrade
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_draft, make_workload
from tests.catalog.engine.alone import require_silent_success
from tests.catalog.engine.postgresql.cutting_proxy import CuttingProxy
from tests.catalog.plain_sql import PlainSql


def save_in_another_process(url: str, number: int) -> None:
    """Save the next revision of the name, and expect its number."""
    with Catalog.open(url) as catalog:
        assert catalog.save("fleet", make_workload(1, initial_batch_size=100 + number)).number == number


def write_in_a_block(catalog: Catalog) -> None:
    with catalog.writing() as writer:
        writer.append([make_draft("site")])


def copy_into(catalog: Catalog) -> None:
    path = Path(catalog.location).with_name("source.db")
    with Catalog.create(path) as source:
        source.save("site", make_workload(3))
        copy_catalog(source, catalog)


CHANGES: dict[str, Callable[[Catalog], object]] = {
    "save": lambda catalog: catalog.save("site", make_workload(3)),
    "save_many": lambda catalog: catalog.save_many(
        RevisionDraft(f"s/{number}", make_workload(2)) for number in range(9)
    ),
    "writing": write_in_a_block,
    "retire": lambda catalog: catalog.retire("fleet"),
    "tag": lambda catalog: catalog.tag("fleet", {"team": "grid"}),
    "copy": copy_into,
}


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite_file: Path) -> str:
    """Make a catalog in a file."""
    path = tmp_path / "fleet.db"
    path.write_bytes(migrated_sqlite_file.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def foreign_reader(sqlite_url: str) -> Iterator[PlainSql]:
    """Connect a program of somebody else, which reads and does not stop."""
    with PlainSql(sqlite_url) as reader:
        yield reader


@pytest.mark.parametrize("change", CHANGES)
def test_a_commit_that_a_reader_outlasts_leaves_no_lock(
    sqlite_url: str, foreign_reader: PlainSql, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(waiting, "LOCK_WAIT_S", 0.5)
    with Catalog.open(sqlite_url) as catalog:
        catalog.save("fleet", make_workload(1))
        foreign_reader.run("BEGIN")
        foreign_reader.run("SELECT count(*) FROM names")
        with pytest.raises(CatalogLockedError):
            CHANGES[change](catalog)
        assert catalog.list_names() == ["fleet"]  # Nor does it keep readers out.
        foreign_reader.run("ROLLBACK")
        require_silent_success(save_in_another_process, sqlite_url, 2)
        assert catalog.save("fleet", make_workload(2)).number == 3
        assert verify_database(catalog.database) == []


def test_a_migration_that_a_reader_outlasts_leaves_no_lock(
    sqlite_url: str, foreign_reader: PlainSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOCK_WAIT_S", 0.5)
    with Catalog.open(sqlite_url) as catalog:
        foreign_reader.run("BEGIN")
        foreign_reader.run("SELECT count(*) FROM names")
        with pytest.raises(CatalogLockedError):
            downgrade(catalog.database, "base")
        foreign_reader.run("ROLLBACK")
        require_silent_success(save_in_another_process, sqlite_url, 1)


def test_commits_that_are_refused_again_and_again_use_nothing_up(
    sqlite_url: str, foreign_reader: PlainSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOCK_WAIT_S", 0.02)
    with Catalog.open(sqlite_url) as catalog:
        foreign_reader.run("BEGIN")
        foreign_reader.run("SELECT count(*) FROM names")
        for _ in range(20):  # More often than there are connections in a pool.
            with pytest.raises(CatalogLockedError):
                catalog.save("fleet", make_workload())
        foreign_reader.run("ROLLBACK")
        assert catalog.save("fleet", make_workload()).number == 1


def test_a_commit_that_a_server_never_hears_of_leaves_no_lock(direct_url: str) -> None:
    with CuttingProxy.running(direct_url) as proxy, Catalog.open(proxy.url) as catalog:
        catalog.save("fleet", make_workload(1))
        proxy.cuts_before = 1
        with pytest.raises(CatalogUnavailableError):
            write_in_a_block(catalog)
        require_silent_success(save_in_another_process, direct_url, 2)
        assert catalog.save("fleet", make_workload(2)).number == 3
    with psycopg.connect(direct_url) as connection:
        query = "SELECT count(*) FROM pg_locks WHERE relation = 'catalog_info'::regclass"
        assert connection.execute(query).fetchone() == (0,)


def test_a_command_whose_commit_is_refused_says_so_and_leaves_no_lock(
    sqlite_url: str, foreign_reader: PlainSql
) -> None:
    command = (
        "import openg2g.catalog.engine.waiting as waiting; waiting.LOCK_WAIT_S = 0.5; "
        "from openg2g.cli.main import main; main()"
    )
    foreign_reader.run("BEGIN")
    foreign_reader.run("SELECT count(*) FROM names")
    arguments = ["import", "scripts/examples/five-models.json", "--name", "fleet", "--database", sqlite_url]
    result = subprocess.run(
        [sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (5, "", 1), result
    foreign_reader.run("ROLLBACK")
    require_silent_success(save_in_another_process, sqlite_url, 1)
