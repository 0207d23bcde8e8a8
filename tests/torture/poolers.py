"""A pooler killed and started again under clients: nothing that they were told of is lost, no answer is another's."""

import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from tests.pgbouncer import PgBouncer
from tests.torture.launcher import Launcher
from tests.torture.servers import ServerReport, check_client, wait_for_saves
from tests.torture.workers import workload_of

_CLIENTS = 4
_READERS = 2
_READ = "read"


@dataclass
class PoolerReport(ServerReport):
    """What became of clients whose pooler was killed.

    Attributes:
        reads: Reads of those that only read.
    """

    reads: int = 0

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.kills} kills of the pooler: {self.acknowledged} saves acknowledged and none lost, {self.failures} "
            f"failed, {self.unacknowledged} stored without a word; {self.reads} reads"
        )


def kill_pooler(launcher: Launcher, pooler: PgBouncer, direct_url: str, kills: int, seed: int) -> PoolerReport:
    """Kill a pooler again and again under clients that go on as soon as it is back.

    Raises:
        AssertionError: Something acknowledged is lost, something is half there, or an answer is wrong.
    """
    choose = random.Random(seed)
    report = PoolerReport()
    url = pooler.url(direct_url)
    with tempfile.TemporaryDirectory() as directory, Catalog.open(direct_url) as catalog:
        catalog.save(_READ, workload_of(99, 0))
        stop_file = Path(directory, "stop")
        clients = [
            launcher.start("tests.torture.workers:save_through_failures", url, number, str(stop_file))
            for number in range(_CLIENTS)
        ]
        readers = [
            launcher.start("tests.torture.workers:read_through_failures", url, _READ, str(stop_file))
            for _ in range(_READERS)
        ]
        for _ in range(kills):
            wait_for_saves(clients)
            time.sleep(choose.uniform(0, 0.2))
            pooler.kill()
            report.kills += 1
            time.sleep(choose.uniform(0, 0.1))
            pooler.start_again()
        wait_for_saves(clients)
        stop_file.touch()
        outcomes = [client.outcome() for client in clients]
        read = [reader.outcome() for reader in readers]
        assert [outcome.err for outcome in (*outcomes, *read) if outcome.exit_code] == []
        for number, outcome in enumerate(outcomes):
            check_client(catalog, number, outcome.out, report)
        for outcome in read:
            report.reads += outcome.json["reads"]
            assert outcome.json["complaints"] == []
        assert verify_database(catalog.database) == []
    return report
