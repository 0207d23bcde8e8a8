"""A server that dies, hangs or comes back: what it acknowledged is there, and whoever waits can end it."""

import signal
import time
from collections.abc import Iterator

import psycopg
import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload
from tests.catalog.engine.postgresql.cutting_proxy import CuttingProxy
from tests.catalog.histories import archive_of
from tests.postgres import PostgresServer
from tests.torture.launcher import Launcher
from tests.torture.servers import kill_server


@pytest.fixture(scope="module")
def mortal_server() -> Iterator[PostgresServer]:
    """Run a server for these tests alone: others would miss it."""
    with PostgresServer.running(may_be_killed=True) as server:
        yield server


@pytest.fixture
def url(mortal_server: PostgresServer) -> Iterator[str]:
    """Give the place of a catalog on that server."""
    with mortal_server.database() as url:
        Catalog.create(url).close()
        yield url


def test_a_server_that_is_killed_loses_nothing_that_it_acknowledged(
    launcher: Launcher, mortal_server: PostgresServer, url: str
) -> None:
    report = kill_server(launcher, mortal_server, url, kills=2, seed=7)
    assert report.acknowledged > 0  # A save that the server gave up is done again, so that few fail.


def test_a_save_that_a_dying_server_forgot_is_done_again_though_another_took_its_place(
    mortal_server: PostgresServer, url: str
) -> None:
    def die_and_serve_another() -> None:
        mortal_server.kill(signal.SIGKILL)
        mortal_server.start_again()
        with Catalog.open(url) as other:
            other.save("site", make_workload())  # By a transaction of the same id: that of the other was not written.

    with CuttingProxy.running(url) as proxy, Catalog.open(proxy.url) as catalog:
        catalog.list_names()
        proxy.cuts_before, proxy.at_cut = 1, die_and_serve_another
        assert catalog.save("fleet", make_workload()).number == 1
        assert proxy.cuts_before == 0
    with Catalog.open(url) as catalog:
        assert sorted(catalog.list_names()) == ["fleet", "site"]


def test_commands_wait_for_a_server_that_hangs_and_go_on_when_it_comes_back(
    launcher: Launcher, mortal_server: PostgresServer, url: str
) -> None:
    with Catalog.open(url) as catalog:
        catalog.save("fleet", make_workload(), author="Ada")
    with psycopg.connect(url) as holder:
        holder.execute("SELECT * FROM catalog_info FOR UPDATE")
        writing = launcher.start_command("retire", "fleet", "--database", url)
        while "Waiting" not in writing.err:
            time.sleep(0.05)
        with mortal_server.stopped():
            connecting = launcher.start_command("show", "fleet@1", "--database", url)
            time.sleep(0.5)  # Long enough to connect, were there an answer.
            assert connecting.out == ""
    assert connecting.outcome().exit_code == 0
    assert connecting.outcome().out.startswith("workload       fleet@1")
    assert writing.outcome().out == "fleet: revision 1 → 2, retired\n"


def test_ctrl_c_ends_a_command_whose_server_hangs(launcher: Launcher, mortal_server: PostgresServer, url: str) -> None:
    with mortal_server.stopped():
        connecting = launcher.start_command("list", "--database", url)
        time.sleep(0.5)
        connecting.signal(signal.SIGINT)
        outcome = connecting.outcome()
    assert (outcome.exit_code, outcome.out) == (130, "")
    assert outcome.err.strip() == "Interrupted."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["shut down", "crashed"])
def test_the_first_read_and_the_first_write_after_a_restart_succeed(
    mortal_server: PostgresServer, url: str, number: int
) -> None:
    def restart() -> None:
        mortal_server.kill(number)
        mortal_server.start_again()

    with Catalog.open(url) as catalog:
        catalog.save("fleet", make_workload(1))
        restart()
        assert catalog.load("fleet") == make_workload(1)
        restart()
        assert catalog.save("fleet", make_workload(2)).number == 2
        restart()
        assert archive_of(catalog).count(b"\n") > 3
        restart()
        assert verify_database(catalog.database) == []
