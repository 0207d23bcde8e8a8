"""Processes whose clocks are wrong: what the others save is in force at once, and nobody's history goes back."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.models.digest import workload_digest
from tests.torture.launcher import Launcher
from tests.torture.workers import workload_of

AHEAD_S = (3_600.0, 86_400.0 * 365 * 73)
"""How far wrong clocks are ahead, seconds: an hour, and 73 years."""

_ALMOST = timedelta(seconds=5)


@dataclass(frozen=True)
class ClockReport:
    """What came of it.

    Attributes:
        saves: Saves by right clocks.
        wrong_saves: Saves by wrong ones.
    """

    saves: int
    wrong_saves: int

    def __str__(self) -> str:
        """One line."""
        return f"{self.saves} saves by right clocks in force at once, among {self.wrong_saves} by wrong ones"


class _WrongKind(type):
    """Takes every date for one of its own, as the code that it is given to would."""

    def __instancecheck__(cls, instance: object) -> bool:
        """Whether it is a date at all."""
        return isinstance(instance, datetime)


def set_clock_ahead(ahead_s: float) -> None:
    """Let this process believe that it is later: in every module of the package that asks for the time."""

    class Wrong(datetime, metaclass=_WrongKind):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            """Return a time in the future."""
            return datetime.now(tz) + timedelta(seconds=ahead_s)  # type: ignore[arg-type]

    for name, module in list(sys.modules.items()):
        if name.startswith("openg2g.") and getattr(module, "datetime", None) is datetime:
            module.datetime = Wrong  # type: ignore[attr-defined]


def save_with_wrong_clock(url: str, worker: int, saves: int, names: list[str], ahead_s: float) -> None:
    """Save under each name in turn by a clock that is ahead."""
    set_clock_ahead(ahead_s)
    with Catalog.open(url) as catalog:
        for index in range(saves):
            catalog.save(names[index % len(names)], workload_of(worker, index), author=f"wrong {worker}")
            time.sleep(0.01)


def save_with_right_clock(url: str, worker: int, saves: int, name: str) -> None:
    """Save under a name that wrong clocks save under too, and look whether it is in force at once."""
    with Catalog.open(url) as catalog:
        for index in range(saves):
            workload = workload_of(worker, index)
            before = datetime.now(UTC)
            revision = catalog.save(name, workload, author=f"right {worker}")
            after = datetime.now(UTC)
            if not before - _ALMOST <= revision.effective_from <= after:
                print(f"{revision.reference} applies from {revision.effective_from}, saved at {after}")
            elif catalog.load(name, as_of=after) != workload:
                print(f"{revision.reference} is not in force at {after}")
            found = [hit.reference for hit in catalog.search(f"name == {name!r}")]
            if found != [revision.reference]:
                print(f"the search finds {found} instead of {revision.reference}")


def save_by_wrong_clocks(
    launcher: Launcher, url: str, saves: int, seed: int, ahead_s: Sequence[float] = AHEAD_S
) -> ClockReport:
    """Let processes with right and wrong clocks save under the same names at once.

    Each name has one process with a right clock: what it has saved last is in force, whatever the wrong ones do.

    Raises:
        AssertionError: A right save is not in force, a number is missing, or a time goes back.
    """
    names = [f"fleet-{seed}-{number}" for number in range(2)]
    clocks = "tests.torture.clocks"
    wrong = [
        launcher.start(f"{clocks}:save_with_wrong_clock", url, 10 + number, saves, names, seconds)
        for number, seconds in enumerate(ahead_s)
    ]
    right = [
        launcher.start(f"{clocks}:save_with_right_clock", url, number, saves, name) for number, name in enumerate(names)
    ]
    outcomes = [child.outcome() for child in (*wrong, *right)]
    wrongs = [str(outcome) for outcome in outcomes if outcome.exit_code or outcome.out]
    assert wrongs == [], wrongs
    with Catalog.open(url) as catalog:
        for number, name in enumerate(names):
            history = catalog.history(name)
            assert [revision.number for revision in history] == list(range(1, len(history) + 1)), f"gaps in {name}"
            times = [revision.recorded_at for revision in history]
            assert times == sorted(times), f"the times of {name} go back"
            assert workload_digest(catalog.load(name, as_of=datetime.now(UTC))) == workload_digest(
                workload_of(number, saves - 1)
            ), f"{name} is not what was saved last by a right clock"
        problems = [problem for problem in verify_database(catalog.database) if "clock" not in problem]
        assert problems == [], problems
    return ClockReport(len(names) * saves, len(ahead_s) * saves)
