"""What something takes beside its limit: both measured in turn, in the same run, as a table and as JSON.

On a machine with other work the times of a run say little, and the ratio of two that were taken one after the other
says much: the ratio of a row is the median of those of its rounds.
"""

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """A job beside its limit, microseconds in each round.

    Attributes:
        job: What was done.
        engine: On which engine; empty where there is none.
        limit_us: What the limit took.
        ours_us: What the catalog took.
        most: The goal: at most so many times the limit.
        most_us: The goal instead: at most so long, whatever the limit.
    """

    job: str
    engine: str
    limit_us: list[float]
    ours_us: list[float]
    most: float | None = None
    most_us: float | None = None
    notes: str = field(default="", compare=False)

    @property
    def ratio(self) -> float:
        """Median over the rounds of ours over the limit."""
        return statistics.median(ours / limit for ours, limit in zip(self.ours_us, self.limit_us, strict=True))

    @property
    def goal(self) -> str:
        """The goal in words."""
        return f"<= {self.most:.2f} x" if self.most is not None else f"<= {self.most_us:,.0f} µs"

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        if self.most is not None:
            return self.ratio <= self.most
        return self.most_us is not None and statistics.median(self.ours_us) <= self.most_us

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        limit_us, ours_us = (f"{statistics.median(times):,.0f}" for times in (self.limit_us, self.ours_us))
        is_met = "yes" if self.is_met else "no"
        return self.job, self.engine, limit_us, ours_us, f"{self.ratio:.2f}", self.goal, is_met, self.notes

    def as_json(self) -> dict[str, object]:
        """The row for programs, with what each round took."""
        return {
            "job": self.job,
            "engine": self.engine,
            "limit_us": self.limit_us,
            "ours_us": self.ours_us,
            "ratio": self.ratio,
            "goal": self.goal,
            "is_met": self.is_met,
            "notes": self.notes,
        }


def in_turn(
    limit: Callable[[], float], ours: Callable[[], float], num_items: int, rounds: int = ROUNDS
) -> tuple[list[float], list[float]]:
    """Measure ours, the limit, ours, the limit, …; each returns its seconds for all items.

    Returns:
        Of each round, what an item took in microseconds: the limit, and ours.
    """
    limits, own = [], []
    for _ in range(rounds):
        own.append(ours() / num_items * 1e6)
        limits.append(limit() / num_items * 1e6)
    return limits, own


def seconds_of(work: Callable[[], object]) -> float:
    """Return what some work takes, seconds; what others left behind is tidied up before."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


_TITLES = ("job", "engine", "limit µs", "ours µs", "ratio", "goal", "met?", "")
_WIDTHS = (44, 12, 12, 12, 8, 14, 6, 0)


def print_titles() -> None:
    """Print the head of the table."""
    print(_line(_TITLES), flush=True)


def print_row(row: Row) -> None:
    """Print a row of the table."""
    print(_line(row.cells()), flush=True)


def _line(cells: Iterable[str]) -> str:
    padded = (
        f"{cell:<{width}}" if number < 2 or number == len(_WIDTHS) - 1 else f"{cell:>{width}}"
        for number, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return " ".join(padded).rstrip()


def write_json(rows: Iterable[Mapping[str, object]], path: str) -> None:
    """Write what was measured, and on what."""
    found = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()},
        "rows": list(rows),
    }
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(found, stream, ensure_ascii=False, indent=2)
        stream.write("\n")
