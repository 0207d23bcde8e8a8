"""Many clients behind PgBouncer in transaction mode: no error, no gap, every answer right, and also when it dies."""

import pytest

from tests.pgbouncer import Mode, PgBouncer
from tests.postgres import PostgresServer
from tests.torture.launcher import Launcher
from tests.torture.load import Load, put_under_load
from tests.torture.poolers import kill_pooler


def test_sixteen_writers_and_eight_readers_share_four_server_connections(
    launcher: Launcher, postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str
) -> None:
    with pgbouncer.running(postgres, "transaction", pool_size=4) as pooler:
        report = put_under_load(launcher, pooler.url(direct_url), Load(16, 50, names=3, readers=8), seed=7)
        assert pooler.server_connections() <= 4
    assert report.saves == 16 * 50 + 3
    assert report.reads > 0


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_that_is_killed_loses_nothing_that_was_acknowledged(
    launcher: Launcher, postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str, mode: Mode
) -> None:
    with pgbouncer.running(postgres, mode, pool_size=10) as pooler:
        report = kill_pooler(launcher, pooler, direct_url, kills=2, seed=7)
    assert report.kills == 2
    assert report.acknowledged > 0
    assert report.reads > 0
