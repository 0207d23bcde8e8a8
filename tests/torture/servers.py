"""A PostgreSQL server killed and started again under clients: nothing that it acknowledged is lost."""

import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.formats.document import Document
from openg2g.formats.files import write_documents
from openg2g.models.digest import workload_digest
from tests.builders import make_workload
from tests.postgres import PostgresServer
from tests.torture.launcher import Child, Launcher
from tests.torture.workers import workload_of

SIGNALS = (signal.SIGQUIT, signal.SIGKILL)
"""What kills a server: an immediate stop, and one that it does not even notice."""

_CLIENTS = 2
_DOCUMENTS = 300
_UNAVAILABLE = 5


@dataclass
class ServerReport:
    """What became of clients whose server was killed.

    Attributes:
        kills: How often it was.
        acknowledged: Saves that the clients were told of.
        unacknowledged: Saves that are there though the server died before it could tell.
        failures: Saves that failed.
        broken_imports: Imports that failed with the server.
    """

    kills: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    failures: int = 0
    broken_imports: int = 0

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.kills} kills of the server: {self.acknowledged} saves acknowledged and none lost, {self.failures} "
            f"failed, {self.unacknowledged} stored without a word; {self.broken_imports} imports broke off"
        )


def kill_server(launcher: Launcher, server: PostgresServer, url: str, kills: int, seed: int) -> ServerReport:
    """Kill a server again and again under clients that go on as soon as it is back, and under imports.

    Raises:
        AssertionError: Something acknowledged is lost, something is half there, or an error is not what it should be.
    """
    choose = random.Random(seed)
    report = ServerReport()
    with tempfile.TemporaryDirectory() as directory:
        stop_file = Path(directory, "stop")
        clients = [
            launcher.start("tests.torture.workers:save_through_failures", url, number, str(stop_file))
            for number in range(_CLIENTS)
        ]
        for number in range(kills):
            wait_for_saves(clients)
            _import_under_kill(launcher, server, url, Path(directory), number, choose, report)
        wait_for_saves(clients)
        stop_file.touch()
        outcomes = [client.outcome() for client in clients]
    assert [outcome.err for outcome in outcomes if outcome.exit_code] == []
    with Catalog.open(url) as catalog:
        for number, outcome in enumerate(outcomes):
            check_client(catalog, number, outcome.out, report)
        assert verify_database(catalog.database) == []
    return report


def wait_for_saves(clients: list[Child]) -> None:
    """Wait until every client has saved once more: until it has found the server again."""
    before = [client.out.count("saved") for client in clients]
    deadline = time.monotonic() + 60
    while any(client.out.count("saved") <= count for client, count in zip(clients, before, strict=True)):
        assert time.monotonic() < deadline, f"a client does not come back: {[client.err for client in clients]}"
        time.sleep(0.02)


def _import_under_kill(
    launcher: Launcher,
    server: PostgresServer,
    url: str,
    directory: Path,
    number: int,
    choose: random.Random,
    report: ServerReport,
) -> None:
    """Kill the server while documents are imported: all or none are there, and all after another run."""
    path = directory / f"{number}.jsonl"
    documents = (
        Document(make_workload(2, num_replicas=number, initial_batch_size=1 + n), name=f"sweep/{n}")
        for n in range(_DOCUMENTS)
    )
    write_documents(documents, str(path), None, replace=True)
    command = ("import", str(path), "--database", url)
    child = launcher.start_command(*command)
    time.sleep(choose.uniform(0, 0.5))
    server.kill(choose.choice(SIGNALS))
    report.kills += 1
    server.start_again()
    outcome = child.outcome()
    assert outcome.exit_code in (0, _UNAVAILABLE), outcome
    with Catalog.open(url) as catalog:
        latest = catalog.iter_in_force("sweep/*")
        stored = sum(revision.workload.models[0].num_replicas == number for revision in latest if revision.workload)
    assert stored in (0, _DOCUMENTS), f"{stored} of {_DOCUMENTS}"
    if outcome.exit_code:
        report.broken_imports += 1
        assert outcome.out == "" and outcome.err.count("\n") == 1 and outcome.err.startswith("Error: "), outcome
    else:
        assert stored == _DOCUMENTS, f"acknowledged and lost: {outcome}"
    again = launcher.run_command(*command)
    assert (again.exit_code, again.out.count("\n")) == (0, _DOCUMENTS), again


def check_client(catalog: Catalog, worker: int, said: str, report: ServerReport) -> None:
    """Hold what a client was told against the history of its name."""
    lines = [line.split() for line in said.splitlines()]
    acknowledged = {(int(words[1]), words[2]) for words in lines if words[0] == "saved"}
    history = catalog.history(f"worker-{worker}")
    stored = {(revision.number, revision.digest) for revision in history}
    assert acknowledged - stored == set(), f"acknowledged and lost: {sorted(acknowledged - stored)}"
    assert [revision.number for revision in history] == list(range(1, len(history) + 1)), "a gap"
    turns = [revision.workload.models[0].initial_batch_size for revision in history if revision.workload]
    assert turns == sorted(set(turns)), "out of order, or twice"
    digests = [workload_digest(workload_of(worker, turn - 1)) for turn in turns]
    assert digests == [revision.digest for revision in history], "not what was saved"
    report.acknowledged += len(acknowledged)
    report.unacknowledged += len(stored - acknowledged)
    report.failures += sum(int(words[1]) for words in lines if words[0] == "failures")
