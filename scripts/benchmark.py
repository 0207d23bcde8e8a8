#!/usr/bin/env python3
"""Measure what jobs take, each beside what the driver alone takes for it, on both engines.

    scripts/benchmark.py              jobs of 10,000 workloads, less than two minutes (--quick says the same)
    scripts/benchmark.py --full       also of 100,000
    scripts/benchmark.py --searches   imports, searches and questions about the past while the catalog grows
                         --searches --plot growth.svg   the same, and drawn; needs `pip install matplotlib`
    scripts/benchmark.py --memory     what imports and exports of 1,000,000 workloads take of memory, half an hour

A line of the table is a job. The limit is written by hand, and does the same with the driver and nothing else: the same
rows with their digests ready, by `executemany` on SQLite (the catalog gives it many rows by one statement) and by
binary COPY on PostgreSQL, with the same tables, constraints and durability; one join and the dataclasses made of it;
SQL by hand with the same hits; the statements of a save. Both are measured in turn, at least five times. `limit` and
`ours` are medians, microseconds of a workload (or start, or search); `ratio` is the median of the ratios of the rounds,
which is what to look at: other work on the machine slows both.

The server of PostgreSQL is that of the tests, which does not wait for the disk. `--searches` and `--memory` measure
other things, and say at the top of `benchmark/growth.py` and `benchmark/memory.py` what they print. With `--searches`,
`--full` goes up to 1,000,000 revisions, which takes half an hour. It needs the environment of `scripts/test`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmark.drivers import running_engine
from benchmark.exports import measure_export
from benchmark.growth import measure_growth
from benchmark.imports import measure_imports
from benchmark.load import measure_load
from benchmark.memory import measure_memory
from benchmark.plot import can_draw, draw
from benchmark.ratio import Row, print_row, print_titles, write_json
from benchmark.saves import measure_saves
from benchmark.search import measure_searches
from benchmark.start import measure_start

ENGINES = ("sqlite", "postgresql")


def rows(engines: Sequence[str], sizes: Sequence[int]) -> Iterator[Row]:
    """Measure everything that has a limit."""
    yield from measure_start()
    for name in engines:
        with running_engine(name) as engine:
            yield from measure_load(engine, sizes[0])
            yield from measure_searches(name, sizes[0])
            yield from measure_saves(engine)
            for size in sizes:
                yield from measure_imports(engine, size)
                yield from measure_export(engine, size)


def writable(path: str) -> str:
    """Take the name of a file to write, and refuse one that could not be written half an hour later."""
    if not Path(path).parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {Path(path).parent}")
    return path


def read_arguments() -> argparse.Namespace:
    """Read the command line, and say before measuring what would be missing afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--quick", action="store_true", help="the smaller sizes, which is the default")
    how_much.add_argument("--full", action="store_true", help="larger sizes in addition")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--json", metavar="FILE", type=writable, help="write what was measured there")
    parser.add_argument(
        "--plot",
        metavar="FILE.svg",
        type=writable,
        help="with --searches: draw cost over size there; needs matplotlib (pip install matplotlib)",
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument(
        "--searches", action="store_true", help="measure what things take while the catalog grows instead"
    )
    other.add_argument("--memory", action="store_true", help="measure imports and exports of large files instead")
    parser.add_argument("--workloads", type=int, default=1_000_000, help="with --memory: how many in a file")
    arguments = parser.parse_args()
    if arguments.plot and not arguments.searches:
        parser.error("--plot draws what --searches measures: give both")
    if arguments.plot and not can_draw():
        parser.exit(2, f"--plot needs matplotlib. Run: {sys.executable} -m pip install matplotlib\n")
    return arguments


def main() -> None:
    """Measure, and print tables."""
    arguments = read_arguments()
    if arguments.memory:
        # SQLite alone unless another is named: the client of a server keeps less.
        are_within = [measure_memory(engine, arguments.workloads) for engine in arguments.engine or ("sqlite",)]
        sys.exit(0 if all(are_within) else 1)
    engines = arguments.engine or ENGINES
    if arguments.searches:
        sizes = (1_000, 10_000, 100_000, 1_000_000) if arguments.full else (1_000, 10_000, 100_000)
        costs = [cost for engine in engines for cost in measure_growth(engine, sizes)]
        if arguments.json:
            write_json(map(asdict, costs), arguments.json)
        if arguments.plot:
            draw(costs, arguments.plot)
        return
    print_titles()
    measured = []
    for row in rows(engines, (10_000, 100_000) if arguments.full else (10_000,)):
        print_row(row)
        measured.append(row)
    if arguments.json:
        write_json((row.as_json() for row in measured), arguments.json)


if __name__ == "__main__":
    main()
