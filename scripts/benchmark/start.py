"""How long commands take to start, beside the import of the library that they cannot do without."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.data import named_workloads
from benchmark.ratio import Row, in_turn
from openg2g.catalog import Catalog

_ROOT = Path(__file__).parents[2]
_COMMAND = "from openg2g.cli.main import main; main()"
_MOST_OF_HELP = 1.3
_MOST_OF_SHOW = 1.25
_RUNS = 2  # A round is the fastest of them: a start takes so little that what else runs is most of the differences.


def measure_start() -> Iterator[Row]:
    """Measure `openg2g --help` and `openg2g show`."""
    times = in_turn(lambda: _seconds("import click"), lambda: _seconds(_COMMAND, "--help"), 1)
    yield Row("openg2g --help (limit: import click)", "", *times, most=_MOST_OF_HELP)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "catalog.db")
        with Catalog.create(path) as catalog:
            for name, workload in named_workloads(1):
                catalog.save(name, workload)
        arguments = ("--database", path, "show", name)
        times = in_turn(lambda: _seconds("import sqlalchemy"), lambda: _seconds(_COMMAND, *arguments), 1)
    yield Row("openg2g show (limit: import sqlalchemy)", "sqlite", *times, most=_MOST_OF_SHOW)


def _seconds(program: str, *arguments: str) -> float:
    command = [sys.executable, "-P", "-c", program, *arguments]  # -P: this checkout, not that of the directory.
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    fastest = float("inf")
    for _ in range(_RUNS):
        started = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        fastest = min(fastest, time.perf_counter() - started)
    return fastest
