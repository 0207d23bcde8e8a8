from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD
from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, write


def test_init_makes_a_catalog_once(run_cli: Cli, empty_database_url: str) -> None:
    made = run_cli("init", "--database", empty_database_url)
    assert made.exit_code == 0
    assert made.out.startswith("Made the catalog ")
    again = run_cli("--database", empty_database_url, "init")
    assert again.exit_code == 0
    assert again.out.startswith("Found the catalog ")


@on_each_engine
def test_status_counts_what_is_there(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    status = cli("db", "status", "--format", "json").json
    assert status["schema"] == status["newest_schema"] == SCHEMA_HEAD
    assert (status["names"], status["revisions"], status["workloads"], status["model_specs"]) == (1, 1, 1, 1)
    assert status["engine"].startswith(("SQLite 3.", "PostgreSQL 18"))
    assert "revisions      1\n" in cli("db", "status").out


def test_status_of_a_database_without_tables_says_so(run_cli: Cli, empty_database_url: str, tmp_path: Path) -> None:
    if empty_database_url.startswith("sqlite"):
        (tmp_path / "empty.db").touch()
    outcome = run_cli("db", "status", "--database", empty_database_url)
    assert outcome.exit_code == 0
    assert "none: no catalog yet" in outcome.out


@on_each_engine
def test_the_tables_of_a_new_catalog_are_those_of_this_release(cli: Cli) -> None:
    assert cli("db", "check").out == "The tables are those of this release.\n"


@on_each_engine
def test_upgrade_of_a_catalog_at_head_does_nothing(cli: Cli) -> None:
    assert cli("db", "upgrade").out == f"schema {SCHEMA_HEAD}\n"


@on_each_engine
def test_a_downgrade_that_would_lose_revisions_is_refused(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    outcome = cli("db", "downgrade", "base")
    assert outcome.exit_code == 6
    assert "would lose all 1 revisions" in outcome.err
    assert cli("list", "--format", "names").out == "small\n"


@on_each_engine
def test_an_unknown_schema_revision_is_refused(cli: Cli) -> None:
    outcome = cli("db", "upgrade", "9999")
    assert outcome.exit_code == 6
    assert "'9999' is no schema revision. Known: 0001, 0002, head." in outcome.err


def test_the_option_after_the_command_wins(run_cli: Cli, tmp_path: Path) -> None:
    before, after = tmp_path / "before.db", tmp_path / "after.db"
    assert run_cli("--database", before, "init", "--database", after).exit_code == 0
    assert (before.exists(), after.exists()) == (False, True)
    assert run_cli("db", "--database", after, "status").exit_code == 0


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DROP VIEW named_revisions", "the view named_revisions is missing"),
        (
            "DROP TRIGGER revisions_refuse_gap{on}",
            "the trigger revisions_refuse_gap of revisions is missing; expected: CREATE TRIGGER revisions_refuse_gap ",
        ),
        ("ALTER TABLE tags ADD COLUMN note TEXT", "the column note of tags is not the catalog's: "),
        (
            "DROP INDEX ix_revisions_recorded_at",
            "the index ix_revisions_recorded_at of revisions is missing; expected: CREATE",
        ),
    ],
)
@on_each_engine
def test_check_names_what_differs(cli: Cli, database_url: str, damage: str, message: str) -> None:
    with Catalog.open(database_url) as catalog, catalog.database.writing() as connection:
        connection.exec_driver_sql(
            damage.format(on="" if catalog.database.engine.dialect.name == "sqlite" else " ON revisions")
        )
    outcome = cli("db", "check")
    assert outcome.exit_code == 6
    assert message in outcome.err
