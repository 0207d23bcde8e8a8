"""What an import and an export of many workloads takes: the peak memory of the command, and its time.

Each command runs in a process of its own, whose peak resident set is measured as the system counts it. What counts is
what it takes over an interpreter that has loaded the same libraries and has nothing to do: `openg2g list` on an empty
catalog, for Parquet with pyarrow imported before it. Beside it stands what it takes over a bare one, `python -c pass`.
What SQLite keeps of the catalog (64 MiB) and every cache are part of both.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.data import drawn_specs, places
from openg2g.catalog import Catalog
from openg2g.formats.document import Document
from openg2g.formats.files import write_documents
from openg2g.models import LLMInferenceWorkload

FORMATS = ("jsonl", "csv", "parquet")
LIMIT_MB = 200
"""What a command may take over an interpreter with its libraries, megabytes of 1,000,000 bytes."""

_ROOT = Path(__file__).parents[2]
_COMMAND = "from openg2g.cli.main import main; main()"
_WITH_LIBRARY = {"parquet": f"import pyarrow.parquet; {_COMMAND}"}

# Between us and the command stands a small process: the peak of a child begins with what its parent had.
_MEASURE = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""
_BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # Of ru_maxrss.


@dataclass(frozen=True)
class Usage:
    """What a process took.

    Attributes:
        elapsed_s: By the clock, seconds.
        cpu_s: Of the processor, seconds.
        peak_mb: Peak of the resident set, megabytes.
    """

    elapsed_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        title: Format and command.
        file_mb: Size of the file that was read or written, megabytes.
        usage: Of the command.
        libraries_mb: Peak of an interpreter that has loaded the same libraries, megabytes.
    """

    title: str
    file_mb: float
    usage: Usage
    libraries_mb: float

    @property
    def over_libraries_mb(self) -> float:
        """What is held to the limit."""
        return self.usage.peak_mb - self.libraries_mb


def measure_memory(engine: str, num_workloads: int) -> bool:
    """Import and export workloads in each format, and print a table.

    Returns:
        Whether every command stayed below `LIMIT_MB`.
    """
    bare_mb = run("pass").peak_mb
    print(f"\n{engine}, {num_workloads:,} workloads; a bare interpreter takes {bare_mb:.0f} MB")
    titles = ("command", "file MB", "seconds", "CPU µs each", "peak MB", "over bare", "over libraries", "limit")
    print("".join(f"{title:>16}" for title in titles))
    is_below = True
    for format_name in FORMATS:
        for measured in _measure_format(engine, format_name, num_workloads):
            is_below_now = measured.over_libraries_mb < LIMIT_MB
            is_below = is_below and is_below_now
            figures = (
                f"{measured.file_mb:,.0f}",
                f"{measured.usage.elapsed_s:,.0f}",
                f"{measured.usage.cpu_s / num_workloads * 1e6:,.0f}",
                f"{measured.usage.peak_mb:.0f}",
                f"{measured.usage.peak_mb - bare_mb:.0f}",
                f"{measured.over_libraries_mb:.0f}",
                f"{'<' if is_below_now else 'not <'} {LIMIT_MB}",
            )
            print("".join(f"{text:>16}" for text in (measured.title, *figures)), flush=True)
    return is_below


def _measure_format(engine: str, format_name: str, num_workloads: int) -> Iterator[Measured]:
    """Import a file into a new catalog, and export what is there."""
    with tempfile.TemporaryDirectory() as directory, places(engine, (num_workloads,)) as [place]:
        at_place = ("--database", place.location)
        Catalog.create(place.location).close()
        libraries_mb = run(_WITH_LIBRARY.get(format_name, _COMMAND), *at_place, "list").peak_mb
        file, again = (os.path.join(directory, f"{name}.{format_name}") for name in ("sweep", "again"))
        write_documents(documents(num_workloads), file, format_name, replace=False)
        imported = run(_COMMAND, *at_place, "import", file)
        yield Measured(f"import {format_name}", os.path.getsize(file) / 1e6, imported, libraries_mb)
        exported = run(_COMMAND, *at_place, "export", "--all", "--format", format_name, "-o", again)
        yield Measured(f"export {format_name}", os.path.getsize(again) / 1e6, exported, libraries_mb)


def run(program: str, *arguments: str) -> Usage:
    """Run a Python program, and measure it; what it prints goes nowhere.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, "-P", "-c", program, *arguments]  # -P: this checkout, not that of the directory.
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], env=environment, stdout=subprocess.PIPE, check=True
    )
    exit_code, elapsed_s, cpu_s, peak = json.loads(measured.stdout)
    if exit_code:
        raise subprocess.CalledProcessError(exit_code, command)
    return Usage(elapsed_s, cpu_s, peak * _BYTES_PER_UNIT / 1e6)


def documents(num_workloads: int) -> Iterator[Document]:
    """Yield workloads of two to five models, each under a name of its own."""
    choose = random.Random(num_workloads)
    for number in range(num_workloads):
        workload = LLMInferenceWorkload(tuple(drawn_specs(choose)[: choose.randint(2, 5)]))
        yield Document(workload, name=f"sweep/{number:07}", annotations={"seed": choose.randrange(2**32)})
