"""Many processes on one catalog: nothing lost, nothing twice, nothing half, and whoever waits says so."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from openg2g.catalog import Catalog
from tests.catalog.plain_sql import PlainSql
from tests.places import Places
from tests.torture.launcher import Launcher
from tests.torture.load import Load, put_under_load

IN_THE_SUITE = {"one name": Load(8, 12, names=1, readers=2), "many names": Load(8, 12, names=5, readers=2)}


@pytest.mark.parametrize("load", IN_THE_SUITE.values(), ids=IN_THE_SUITE)
def test_processes_save_and_read_at_once(places: Places, launcher: Launcher, load: Load) -> None:
    with places.catalog() as url:
        report = put_under_load(launcher, url, load, seed=7)
    assert report.saves == load.writers * load.saves + load.names
    assert report.reads > 0


@contextmanager
def locked_by_another_program(url: str) -> Iterator[None]:
    """Hold the lock with plain SQL."""
    with PlainSql(url) as sql:
        sql.run(sql.on("BEGIN IMMEDIATE", "BEGIN"))
        sql.run(sql.on("SELECT 1", "SELECT * FROM catalog_info FOR UPDATE"))
        yield


@contextmanager
def locked_by_another_writer(url: str) -> Iterator[None]:
    """Hold the lock as the package does."""
    with Catalog.open(url) as catalog, catalog.writing():
        yield


@pytest.mark.parametrize("locked", [locked_by_another_program, locked_by_another_writer])
def test_a_waiting_writer_says_so_and_ctrl_c_ends_it_at_once(
    places: Places, launcher: Launcher, locked: Callable[[str], AbstractContextManager[None]]
) -> None:
    with places.catalog() as url, locked(url):
        waiting = launcher.start_command("retire", "fleet", "--database", url)
        while "Waiting" not in waiting.err:
            time.sleep(0.05)
        waiting.signal(signal.SIGINT)
        outcome = waiting.outcome()
    assert (outcome.exit_code, outcome.out) == (130, "")
    assert outcome.err.split("\n") == [
        "Waiting for another process to finish with the catalog. Ctrl-C gives up.",
        "",
        "Interrupted.",
        "",
    ]
