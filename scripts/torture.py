#!/usr/bin/env python3
"""Torture catalogs with real processes, on SQLite and on a real PostgreSQL: load, kills, forks, poolers, bad disks.

    scripts/torture.py                              every scenario once, on both engines, about half an hour
    scripts/torture.py --minutes 120                again and again, with another seed each time
    scripts/torture.py --engine sqlite load kills   some scenarios on one engine
    scripts/torture.py --seed 17 damage             the same random choices again

Every scenario prints a line. Where something is lost, twice, half there, wrong or not told clearly, it prints what and
with which seed, and the exit code is 1. Kills come at random moments, which no seed gives back to the microsecond.

    load      32 processes save 200 times each, under one name and under twenty, while four others read
    kills     `import`, `set`, `copy`, `init` and `db upgrade` killed 200 times in all on each engine, and run again
    servers   PostgreSQL itself killed 20 times under clients, which go on when it is back
    poolers   16 processes save 50 times each and 8 read through PgBouncer; PgBouncer killed 20 times under clients
    forks     processes fork 200 times while threads of theirs load and save, as do the children
    slow      everybody saves while nobody takes what an export, a log or a search prints
    clocks    processes save whose clocks are an hour and 73 years ahead; what the others save is in force at once
    disks     every command that writes, on disks that are almost full (a real one where this may mount)
    damage    600 damages to an SQLite file, from a bit to half of it

The tests in tests/torture do the same with small numbers. SQLite files are made in the directory for temporary files
($TMPDIR). It needs the environment of `scripts/test`, PgBouncer included.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from openg2g.catalog import Catalog
from openg2g.catalog.engine.creation import make_catalog
from openg2g.catalog.engine.location import locate
from tests.pgbouncer import PACKAGE, Mode, PgBouncer, find_program
from tests.places import Places, PostgresPlaces, SqlitePlaces
from tests.postgres import PostgresServer
from tests.torture.clocks import save_by_wrong_clocks
from tests.torture.damage import damage_files
from tests.torture.disks import disks, fill_disk
from tests.torture.forks import fork_under_load
from tests.torture.kills import KILLED, Killer
from tests.torture.launcher import Launcher
from tests.torture.load import Load, LoadReport, put_under_load
from tests.torture.poolers import kill_pooler
from tests.torture.servers import kill_server
from tests.torture.slow_readers import SLOW_COMMANDS, copy_to_a_locked_target, fill, read_slowly

ENGINES = ("sqlite", "postgresql")
LOADS = {"one name": Load(32, 200, names=1, readers=4), "twenty names": Load(32, 200, names=20, readers=4)}
POOLED = Load(16, 50, names=3, readers=8)
POOL_SIZE = 4
POOL_SIZE_FOR_SESSIONS = 10
KILLS = 200
SERVER_KILLS = 20
FORKS = 25
PARENTS = 8
SLOW_SAVES = 20
CLOCK_SAVES = 100
DISK_RUNS = 20
DAMAGES = 600


@dataclass(frozen=True)
class Workshop:
    """What the scenarios work with.

    Attributes:
        launcher: Starts processes.
        engines: Engine → what makes databases.
        directory: For files of any kind.
    """

    launcher: Launcher
    engines: dict[str, Places]
    directory: Path


Scenario = Callable[[Workshop, int], Iterator[tuple[str, Callable[[], object]]]]


def load(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each load on each engine."""
    for engine, places in shop.engines.items():
        for name, wanted in LOADS.items():
            what = f"{engine}, {wanted.writers} × {wanted.saves} saves on {name}"
            yield what, partial(_put_fresh_catalog_under_load, shop, places, wanted, seed)


def _put_fresh_catalog_under_load(shop: Workshop, places: Places, wanted: Load, seed: int) -> LoadReport:
    with places.catalog() as url:
        return put_under_load(shop.launcher, url, wanted, seed)


def kills(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the kills of each command on each engine."""
    for engine, places in shop.engines.items():
        for command, kill in KILLED.items():
            killer = Killer(shop.launcher, seed)
            yield f"{engine}, {command}", partial(kill, killer, places, shop.directory, KILLS // len(KILLED))


def servers(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the kills of a server of its own."""

    def run() -> object:
        with PostgresServer.running(may_be_killed=True) as server, server.database() as url:
            Catalog.create(url).close()
            return kill_server(shop.launcher, server, url, SERVER_KILLS, seed)

    if "postgresql" in shop.engines:
        yield "postgresql", run


def poolers(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield a load through a pooler, and the kills of a pooler in each mode, on a server of their own."""
    if "postgresql" not in shop.engines:
        return
    if find_program() is None:
        yield "postgresql", lambda: f"left out, since PgBouncer is not installed (apt-get install {PACKAGE})"
        return

    def run(mode: Mode, pool_size: int, work: Callable[[PgBouncer, str], object]) -> object:
        with (
            PostgresServer.running(may_be_killed=True) as server,
            server.database() as url,
            PgBouncer.running(server, mode, pool_size=pool_size) as pooler,
        ):
            Catalog.create(url).close()
            return work(pooler, url)

    def load_it(pooler: PgBouncer, url: str) -> object:
        return put_under_load(shop.launcher, pooler.url(url), POOLED, seed)

    def kill_it(pooler: PgBouncer, url: str) -> object:
        return kill_pooler(shop.launcher, pooler, url, SERVER_KILLS, seed)

    what = f"{POOLED.writers} × {POOLED.saves} saves and {POOLED.readers} readers on {POOL_SIZE} server connections"
    yield what, partial(run, "transaction", POOL_SIZE, load_it)
    yield "kills, transaction mode", partial(run, "transaction", POOL_SIZE, kill_it)
    yield "kills, session mode", partial(run, "session", POOL_SIZE_FOR_SESSIONS, kill_it)


def forks(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the forks on each engine."""

    def run(places: Places) -> object:
        with places.catalog() as url:
            return fork_under_load(shop.launcher, url, PARENTS, FORKS, seed)

    for engine, places in shop.engines.items():
        yield engine, partial(run, places)


def slow_readers(shop: Workshop, _: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each command whose output is taken slowly, and a copy that waits for its target, on each engine."""

    def run(places: Places, work: Callable[[str], object]) -> object:
        with places.catalog() as url:
            with Catalog.open(url) as catalog:
                fill(catalog)
            return work(url)

    def copy_it(url: str) -> object:
        with tempfile.TemporaryDirectory() as directory:
            return copy_to_a_locked_target(url, Path(directory), SLOW_SAVES)

    for engine, places in shop.engines.items():
        for name, command in SLOW_COMMANDS.items():
            yield f"{engine}, {name}", partial(run, places, partial(read_slowly, command=command, saves=SLOW_SAVES))
        yield f"{engine}, copy", partial(run, places, copy_it)


def clocks(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the wrong clocks on each engine."""

    def run(places: Places) -> object:
        with places.catalog() as url:
            return save_by_wrong_clocks(shop.launcher, url, CLOCK_SAVES, seed)

    for engine, places in shop.engines.items():
        yield engine, partial(run, places)


def full_disks(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield each kind of disk that there is."""
    if "sqlite" in shop.engines:
        with disks() as found:
            for disk in found:
                yield f"sqlite, {type(disk).__name__}", partial(fill_disk, shop.launcher, disk, DISK_RUNS, seed)


def damage(shop: Workshop, seed: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the damages."""
    places = shop.engines.get("sqlite")
    if isinstance(places, SqlitePlaces):
        yield "sqlite", partial(damage_files, shop.launcher, places, DAMAGES, seed)


SCENARIOS: dict[str, Scenario] = {
    "load": load,
    "kills": kills,
    "servers": servers,
    "poolers": poolers,
    "forks": forks,
    "slow": slow_readers,
    "clocks": clocks,
    "disks": full_disks,
    "damage": damage,
}


@contextmanager
def workshop(engines: list[str]) -> Iterator[Workshop]:
    """Start what the scenarios need."""
    with ExitStack() as stack:
        launcher = stack.enter_context(Launcher.running())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places: dict[str, Places] = {}
        if "sqlite" in engines:
            template = directory / "template.db"
            make_catalog(locate(template))
            places["sqlite"] = SqlitePlaces(directory, template)
        if "postgresql" in engines:
            server = stack.enter_context(PostgresServer.running(may_be_killed=True))
            make_catalog(locate(server.create_database("migrated_template")))
            places["postgresql"] = PostgresPlaces(server, "migrated_template")
        yield Workshop(launcher, places, directory)


def torture(chosen: list[str], engines: list[str], seed: int, deadline: float) -> int:
    """Run the scenarios until a time, at least once each; return how many went wrong."""
    broken = 0
    with workshop(engines) as shop:
        while True:
            for name in chosen:
                for what, run in SCENARIOS[name](shop, seed):
                    started = time.monotonic()
                    try:
                        told = str(run())
                    except Exception as error:  # Whatever it is, it is told, and the others go on.
                        broken += 1
                        told = f"BROKEN with seed {seed}: {error}"
                        if not isinstance(error, AssertionError):
                            traceback.print_exc()
                    print(f"{name:<8} {what}: {told} ({time.monotonic() - started:.0f} s)", flush=True)
            seed += 1
            if time.monotonic() >= deadline:
                return broken


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)}; default: all")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin again for so long; default: once")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="default: both")
    parser.add_argument("--seed", type=int, help="of the random choices; default: another each time")
    given = parser.parse_args()
    unknown = set(given.scenarios) - SCENARIOS.keys()
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    deadline = time.monotonic() + 60 * given.minutes
    broken = torture(given.scenarios or list(SCENARIOS), given.engine or list(ENGINES), seed, deadline)
    print(f"{broken} broken" if broken else "nothing broken")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
