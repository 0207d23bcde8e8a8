"""Many processes that save at once, and others that read meanwhile."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.upkeep.verify import verify_database
from tests.torture.launcher import Launcher
from tests.torture.workers import workload_of

_START_AFTER_S = 0.3  # By then every process has connected.
_START_AFTER_EACH_S = 0.03


@dataclass(frozen=True)
class Load:
    """How much is asked of a catalog at once.

    Attributes:
        writers: Processes that save.
        saves: Saves of each.
        names: Names that all of them save under.
        readers: Processes that read meanwhile.
    """

    writers: int
    saves: int
    names: int
    readers: int


@dataclass(frozen=True)
class LoadReport:
    """What came of it.

    Attributes:
        saves: Saves of all.
        reads: Reads of all.
        seconds: How long it took.
        worst_wait_s: The longest that a save took, seconds.
    """

    saves: int
    reads: int
    seconds: float
    worst_wait_s: float

    def __str__(self) -> str:
        """One line."""
        rate = self.saves / self.seconds
        return f"{self.saves} saves, {rate:.0f} a second, {self.reads} reads, worst wait {self.worst_wait_s:.3f} s"


def put_under_load(launcher: Launcher, url: str, load: Load, seed: int) -> LoadReport:
    """Let processes save and read at once on an empty catalog, and hold all that they were told against it.

    Raises:
        AssertionError: Something is lost, there twice, half there, or an error.
    """
    names = [f"fleet-{number}" for number in range(load.names)]
    with Catalog.open(url) as catalog, tempfile.TemporaryDirectory() as directory:
        first = catalog.save_many([_first_draft(name) for name in names])
        stop_file = Path(directory, "stop")
        reading = [
            launcher.start("tests.torture.workers:read_repeatedly", url, names, seed + number, str(stop_file))
            for number in range(load.readers)
        ]
        start = time.monotonic() + _START_AFTER_S + _START_AFTER_EACH_S * load.writers
        writing = [
            launcher.start("tests.torture.workers:save_repeatedly", url, worker, load.saves, names, start)
            for worker in range(load.writers)
        ]
        written = [child.outcome().json for child in writing]
        seconds = time.monotonic() - start
        stop_file.touch()
        read = [child.outcome().json for child in reading]
        complaints = [complaint for _, found in read for complaint in found]
        assert complaints == [], complaints[:3]
        acknowledged = [tuple(saved) for saves, _ in written for saved in saves]
        acknowledged += [(revision.name, revision.number, revision.digest) for revision in first]
        _check_acknowledged(catalog, names, acknowledged)
        _check_order(catalog, names, load)
        assert verify_database(catalog.database) == []
    reads = sum(count for count, _ in read)
    return LoadReport(len(acknowledged), reads, seconds, max(worst_wait_s for _, worst_wait_s in written))


def _first_draft(name: str) -> RevisionDraft:
    return RevisionDraft(name, workload_of(-1 + 2**20, 0), author="first")


def _check_acknowledged(catalog: Catalog, names: list[str], acknowledged: list[tuple[str, int, str]]) -> None:
    """Every acknowledged revision is there as it was acknowledged, once, and there is nothing else."""
    twice = [saved for saved, count in Counter(acknowledged).items() if count > 1]
    assert twice == [], f"acknowledged twice: {twice}"
    stored = {(revision.name, revision.number, revision.digest) for name in names for revision in catalog.history(name)}
    assert set(acknowledged) - stored == set(), "acknowledged and lost"
    assert stored - set(acknowledged) == set(), "stored and not acknowledged"


def _check_order(catalog: Catalog, names: list[str], load: Load) -> None:
    """Numbers are dense, times ascend, and what one process saved one after the other has that order."""
    for name in names:
        history = catalog.history(name)
        assert [revision.number for revision in history] == list(range(1, len(history) + 1)), f"gaps in {name}"
        times = [revision.recorded_at for revision in history]
        assert times == sorted(times), f"times of {name}"
        for worker in map(str, range(load.writers)):
            workloads = [revision.workload for revision in history if revision.author == worker]
            turns = [workload.models[0].initial_batch_size for workload in workloads if workload is not None]
            assert turns == sorted(turns), f"the order of worker {worker} in {name}"
