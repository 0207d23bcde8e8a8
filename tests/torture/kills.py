"""Commands killed at random moments: whole or not at all, and whole when they are run again."""

import itertools
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from openg2g.catalog import Catalog, CatalogNotFoundError
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.formats.document import Document
from openg2g.formats.files import write_documents
from tests.builders import make_draft, make_workload
from tests.catalog.histories import archive_of
from tests.next_release import NEXT_REVISION, write_migrations
from tests.places import Places, path_of
from tests.torture.launcher import Launcher, Outcome

_LATEST = 1.2
"""Kills come until so many times what the command takes undisturbed: some come too late."""


@dataclass
class KillReport:
    """What became of commands that were to be killed.

    Attributes:
        killed: Those that were.
        undone: Of these, those that left nothing.
        partial: Those that left some of several transactions.
    """

    killed: int = 0
    undone: int = 0
    partial: int = 0
    total: int = 0

    def __str__(self) -> str:
        """One line."""
        done = self.killed - self.undone - self.partial
        return (
            f"{self.killed} of {self.total} killed in time: {self.undone} left nothing, {self.partial} a part, "
            f"{done} all"
        )


class Killer:
    """Runs commands and kills them, with moments from a seed."""

    def __init__(self, launcher: Launcher, seed: int) -> None:
        self._launcher = launcher
        self._program = "openg2g.cli.main:main"
        self._choose = random.Random(seed)
        self._usual_s: dict[str, float] = {}

    def of(self, program: str) -> "Killer":
        """Return one that runs another program, `module:function`, which takes a list of arguments."""
        other = copy(self)
        other._program = program
        return other

    def run(self, *arguments: str) -> Outcome:
        """Run a command to its end, which must be a good one; note what it takes."""
        started = time.monotonic()
        outcome = self._launcher.start(self._program, arguments).outcome()
        self._usual_s[_command(arguments)] = time.monotonic() - started
        assert outcome.exit_code == 0, outcome
        return outcome

    def kill(self, *arguments: str) -> Outcome:
        """Run a command, and kill it at a random moment of what it took the last time."""
        child = self._launcher.start(self._program, arguments)
        time.sleep(self._choose.uniform(0, _LATEST * self._usual_s[_command(arguments)]))
        child.signal(signal.SIGKILL)
        outcome = child.outcome()
        assert outcome.exit_code in (0, -signal.SIGKILL), outcome
        assert outcome.err.count("Error") == 0, outcome
        return outcome


Round = Callable[[Killer, Places, Path, int], KillReport]


def kill_imports(killer: Killer, places: Places, directory: Path, kills: int) -> KillReport:
    """Kill `import`: all of its documents are there, or none; all where one of its lines was printed."""
    report = KillReport()
    documents = 300
    with places.catalog() as url, Catalog.open(url) as catalog:
        for number in range(-1, kills):
            path = directory / f"import-{places.engine}-{number}.jsonl"
            _write_documents(path, number + 1, documents)
            command = ("import", str(path), "--database", url)
            before = catalog.count()["revisions"]
            if number >= 0:
                outcome = killer.kill(*command)
                _check_sound(url)
                stored = catalog.count()["revisions"] - before
                assert stored in (0, documents), f"{stored} of {documents}"
                assert stored == documents or outcome.out == "", f"acknowledged and lost: {outcome}"
                _note(report, outcome, stored / documents)
            killer.run(*command)
            assert catalog.count()["revisions"] - before == documents
            path.unlink()
        _check_sound(url)
    return report


def kill_sets(killer: Killer, places: Places, directory: Path, kills: int) -> KillReport:
    """Kill `set`: the next revision is there whole, or not at all; it is where its line was printed."""
    report = KillReport()
    with places.catalog() as url, Catalog.open(url) as catalog:
        catalog.save("fleet", make_workload(3))
        command = ("set", "fleet", "model-1.num_replicas+=1", "-m", "one more", "--database", url)
        killer.run(*command)
        for _ in range(kills):
            before = catalog.get("fleet")
            outcome = killer.kill(*command)
            _check_sound(url)
            after = catalog.get("fleet")
            assert after.number - before.number in (0, 1)
            assert after.number > before.number or outcome.out == "", f"acknowledged and lost: {outcome}"
            _note(report, outcome, after.number - before.number)
            assert f"revision {after.number} → {after.number + 1}" in killer.run(*command).out
        workloads = [revision.workload for revision in catalog.history("fleet")]
        replicas = [workload.models[1].num_replicas for workload in workloads if workload is not None]
        assert replicas == list(range(replicas[0], replicas[0] + len(replicas))), "a change was lost or made twice"
    return report


def kill_copies(killer: Killer, places: Places, _: Path, kills: int) -> KillReport:
    """Kill `copy`: what is there is the beginning of the source, and the next run completes it."""
    report = KillReport()
    with places.catalog() as source:
        _fill_with_histories(source)
        whole = _archive(source)
        for number in range(-1, kills):
            with places.empty() as target:
                command = ("copy", source, target)
                if number >= 0:
                    outcome = killer.kill(*command)
                    stored = _stored_revisions(target)
                    assert stored == _NUM_REVISIONS or outcome.out == "", f"acknowledged and lost: {outcome}"
                    _note(report, outcome, stored / _NUM_REVISIONS)
                killer.run(*command)
                _check_sound(target)
                assert _archive(target) == whole
    return report


def kill_inits(killer: Killer, places: Places, _: Path, kills: int) -> KillReport:
    """Kill `init`: there is a whole catalog or none."""
    report = KillReport()
    for number in range(-1, kills):
        with places.empty() as url:
            command = ("init", "--database", url)
            if number >= 0:
                outcome = killer.kill(*command)
                stored = _stored_revisions(url, where_none=-1) + 1
                assert stored or outcome.out == "", f"acknowledged and lost: {outcome}"
                _note(report, outcome, stored)
            killer.run(*command)
            _check_sound(url)
            with Catalog.open(url) as catalog:
                assert catalog.database.read(compare_definitions).lines == []
    return report


def kill_upgrades(killer: Killer, places: Places, directory: Path, kills: int) -> KillReport:
    """Kill `db upgrade` of a filled catalog: it has the older schema or the newer one, and everything it had."""
    report = KillReport()
    migrations = str(write_migrations(directory))
    killer = killer.of("tests.torture.workers:run_next_release")
    with places.catalog() as url:
        _fill_with_histories(url)
        whole = _archive(url)
        with closing(Database(locate(url))) as database:
            for number in range(-1, kills):
                if number >= 0:
                    outcome = killer.kill("db", "upgrade", "--database", url, migrations)
                    upgraded = find_schema_revision(database) == NEXT_REVISION
                    assert upgraded or outcome.out == "", f"acknowledged and lost: {outcome}"
                    _note(report, outcome, upgraded)
                    if not upgraded:
                        assert (_archive(url), database.read(compare_definitions).lines) == (whole, [])
                killer.run("db", "upgrade", "--database", url, migrations)
                assert find_schema_revision(database) == NEXT_REVISION
                killer.run("db", "downgrade", SCHEMA_HEAD, "--database", url, migrations)
                assert (_archive(url), database.read(compare_definitions).lines) == (whole, [])
                _check_sound(url)
        if places.engine == "sqlite":
            backups = list(path_of(url).parent.glob(f"{path_of(url).name}.{SCHEMA_HEAD}.*backup"))
            assert len(backups) > kills
            assert {_archive(str(path)) for path in backups} == {whole}
    return report


KILLED: dict[str, Round] = {
    "import": kill_imports,
    "set": kill_sets,
    "copy": kill_copies,
    "init": kill_inits,
    "upgrade": kill_upgrades,
}
"""Command → what kills it, again and again, and checks what is left."""

_NUM_NAMES = 350
_NUM_REVISIONS = 3 * _NUM_NAMES


def _command(arguments: Sequence[str]) -> str:
    """The command and, where it has some, the one below it."""
    return " ".join(itertools.takewhile(str.isalpha, arguments))


def _note(report: KillReport, outcome: Outcome, stored_share: float) -> None:
    report.total += 1
    if outcome.exit_code == -signal.SIGKILL:
        report.killed += 1
        report.undone += stored_share == 0
        report.partial += 0 < stored_share < 1


def _check_sound(url: str) -> None:
    with closing(Database(locate(url))) as database:
        assert verify_database(database) == []


def _stored_revisions(url: str, where_none: int = 0) -> int:
    """Count the revisions of a catalog that must be sound, if there is one."""
    try:
        with Catalog.open(url) as catalog:
            assert verify_database(catalog.database) == []
            return catalog.count()["revisions"]
    except CatalogNotFoundError:
        return where_none


def _archive(url: str) -> bytes:
    with Catalog.open(url) as catalog:
        return archive_of(catalog)


def _write_documents(path: Path, turn: int, count: int) -> None:
    """Write documents that differ from those of another turn."""
    documents = (
        Document(make_workload(2, num_replicas=1 + turn, initial_batch_size=1 + number), name=f"sweep/{number}")
        for number in range(count)
    )
    write_documents(documents, str(path), None, replace=True)


def _fill_with_histories(url: str) -> None:
    """Store histories that a copy needs several transactions for."""
    with Catalog.open(url) as catalog:
        for turn in range(3):
            catalog.save_many(
                make_draft(
                    f"sweep/{number}", workload=make_workload(2, num_replicas=turn, initial_batch_size=1 + number)
                )
                for number in range(_NUM_NAMES)
            )
        catalog.set_alias("sweep/0", "production", 2)
