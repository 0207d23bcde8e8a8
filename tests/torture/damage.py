"""An SQLite file damaged at random: the damage is harmless, or `verify` names it; no answer is wrong in silence."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from openg2g.catalog import Catalog
from tests.builders import make_draft, make_workload
from tests.places import SqlitePlaces, path_of
from tests.torture.launcher import Launcher

_PAGE_BYTES = 4_096
_SOUND = 0
_NAMED = (3, 5, 6)  # No catalog to be found, not to be opened, damaged.
QUESTIONS = (
    ("export", "--all", "--history"),
    ("list", "--format", "csv"),
    ("log", "--format", "json"),
    ("search", "total_gpus > 1000 and any(256 in m.feasible_batch_sizes for m in models)", "--format", "json"),
    ("search", "message == 'as published'", "--all-revisions", "--format", "references"),
    ("show", "fleet@production"),
    ("show", "sweep/7@2026-03-08"),
)
"""What is asked of a damaged catalog, beside `verify`."""


@dataclass
class DamageReport:
    """What came of damages.

    Attributes:
        harmless: Kind of damage → how often every answer was right, and `verify` found nothing.
        named: Kind of damage → how often `verify` named it.
    """

    harmless: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """One line."""
        kinds = ", ".join(f"{kind} {self.named[kind]}/{self.named[kind] + self.harmless[kind]}" for kind in DAMAGES)
        return f"{self.named.total() + self.harmless.total()} damages, so many named of each kind: {kinds}"


def damage_files(launcher: Launcher, places: SqlitePlaces, times: int, seed: int) -> DamageReport:
    """Damage a catalog again and again, and ask it the same questions.

    Raises:
        AssertionError: An answer was wrong though `verify` found the catalog sound, or a command ended in a traceback.
    """
    choose = random.Random(seed)
    report = DamageReport()
    with places.catalog() as url:
        _fill(url)
        path = path_of(url)
        intact = path.read_bytes()
        expected = _answers(launcher, str(path))
        assert [told for exit_code, told in expected if exit_code] == []
        for number in range(times):
            kind = choose.choice(list(DAMAGES))
            damaged = bytearray(intact)
            where = DAMAGES[kind](damaged, choose)
            path.write_bytes(damaged)
            what = f"damage {number} of seed {seed}, {kind} at {where}"
            (verdict, told), *answers = _answers(launcher, str(path))
            tracebacks = [text for _, text in [(verdict, told), *answers] if "Traceback" in text]
            assert tracebacks == [], f"{what}: {tracebacks}"
            if verdict == _SOUND:
                both = zip(QUESTIONS, answers, expected[1:], strict=True)
                differing = [question for question, answer, right in both if answer != right]
                assert differing == [], f"{what}: verify found nothing, but these are answered otherwise: {differing}"
                report.harmless[kind] += 1
            else:
                assert verdict in _NAMED, f"{what}: {verdict} {told}"
                report.named[kind] += 1
            for leftover in path.parent.glob(f"{path.name}-*"):
                leftover.unlink()
    return report


def _flip_bit(content: bytearray, choose: random.Random) -> int:
    where = choose.randrange(len(content))
    content[where] ^= 1 << choose.randrange(8)
    return where


def _overwrite_bytes(content: bytearray, choose: random.Random) -> int:
    length = choose.randint(2, 16)
    where = choose.randrange(len(content) - length)
    content[where : where + length] = choose.randbytes(length)
    return where


def _clear_sector(content: bytearray, choose: random.Random) -> int:
    where = choose.randrange(0, len(content), 512)
    content[where : where + 512] = bytes(512)
    return where


def _overwrite_page(content: bytearray, choose: random.Random) -> int:
    where = choose.randrange(0, len(content), _PAGE_BYTES)
    content[where : where + _PAGE_BYTES] = choose.randbytes(_PAGE_BYTES)
    return where


def _repeat_page(content: bytearray, choose: random.Random) -> int:
    """Write a page where another belongs."""
    source, where = choose.sample(range(0, len(content), _PAGE_BYTES), 2)
    content[where : where + _PAGE_BYTES] = content[source : source + _PAGE_BYTES]
    return where


def _cut_off(content: bytearray, choose: random.Random) -> int:
    where = choose.randrange(1, len(content))
    del content[where:]
    return where


DAMAGES: dict[str, Callable[[bytearray, random.Random], int]] = {
    "a bit": _flip_bit,
    "some bytes": _overwrite_bytes,
    "a sector cleared": _clear_sector,
    "a page overwritten": _overwrite_page,
    "a page of another place": _repeat_page,
    "the end cut off": _cut_off,
}
"""Kind → what damages a file in memory, and returns where."""


def _answers(launcher: Launcher, path: str) -> list[tuple[int, str]]:
    """Exit code and all text of `verify`, and of each question."""
    commands = [[*command, "--database", path] for command in (("verify",), *QUESTIONS)]
    outcome = launcher.start("tests.torture.workers:run_commands", commands).outcome()
    return [(exit_code, text) for exit_code, text in outcome.json]


def _fill(url: str) -> None:
    """Store something of everything that a catalog can hold."""
    with Catalog.open(url) as catalog:
        catalog.save("fleet", make_workload(5), message="as published", author="Ada", source="five-models.json")
        for day in range(1, 20):
            effective_from = datetime(2026, 3, day, tzinfo=UTC)
            workload = make_workload(1 + day % 5, num_replicas=100 + day)
            annotations = {"purpose": "smoke test", "notes": f"day {day} " * 50 * (day % 7)}
            catalog.save_many(
                make_draft(
                    name,
                    workload=workload,
                    message=f"plan of day {day}",
                    author="Bob",
                    effective_from=effective_from,
                    annotations=annotations,
                )
                for name in ("fleet", f"sweep/{day}")
            )
        catalog.save_many(
            make_draft(f"sweep/{n}", workload=make_workload(2, initial_batch_size=n, feasible_batch_sizes=(n, 256)))
            for n in range(1, 150)
        )
        catalog.rename("sweep/3", "renamed", message="a better name", author="Ada")
        catalog.retire("sweep/4", message="not needed", author="Ada")
        for number in (3, 4, 5):
            catalog.set_alias("fleet", "production", number, message="approved", author="Ada")
        catalog.tag("fleet", {"team": "grid", "status": "in use"})
