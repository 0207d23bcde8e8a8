"""Processes that fork while they load and save: parent and children get right answers and lose nothing."""

from collections import Counter
from dataclasses import dataclass

from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.upkeep.verify import verify_database
from tests.torture.launcher import Launcher, Outcome
from tests.torture.workers import workload_of

NAMES = 50
"""Names that everybody loads."""


@dataclass(frozen=True)
class ForkReport:
    """What came of it.

    Attributes:
        forks: Children.
        saves: Saves of parents and children.
        loads: Workloads that they loaded and compared.
    """

    forks: int
    saves: int
    loads: int

    def __str__(self) -> str:
        """One line."""
        return f"{self.forks} forks, {self.saves} saves, {self.loads} loads compared"


def fork_under_load(launcher: Launcher, url: str, parents: int, forks: int, seed: int) -> ForkReport:
    """Let processes fork at random moments while threads of theirs load and save, and so do their children.

    Raises:
        AssertionError: Something is lost, there twice, wrong, or hangs.
    """
    with Catalog.open(url) as catalog:
        drafts = [RevisionDraft(f"fleet-{number}", workload_of(number, number)) for number in range(NAMES)]
        digests = {revision.name: revision.digest for revision in catalog.save_many(drafts)}
        forking = [
            launcher.start("tests.torture.workers:fork_repeatedly", url, digests, forks, seed + number)
            for number in range(parents)
        ]
        lines = [line.split(" ", 1) for child in forking for line in _lines(child.outcome())]
        complaints = [text for kind, text in lines if kind not in ("saved", "loaded")]
        assert complaints == [], complaints[:3]
        acknowledged = [text for kind, text in lines if kind == "saved"]
        twice = [text for text, count in Counter(acknowledged).items() if count > 1]
        assert twice == [], f"acknowledged twice: {twice}"
        history = catalog.history("shared")
        stored = {f"{revision.number} {revision.digest}" for revision in history}
        assert stored == set(acknowledged), stored ^ set(acknowledged)
        assert [revision.number for revision in history] == list(range(1, len(history) + 1)), "a gap"
        assert verify_database(catalog.database) == []
        loads = sum(int(text) for kind, text in lines if kind == "loaded")
    return ForkReport(parents * forks, len(acknowledged), loads)


def _lines(outcome: Outcome) -> list[str]:
    assert outcome.exit_code == 0, outcome
    return outcome.out.splitlines()
