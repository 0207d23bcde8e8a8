"""What the processes of a load do: save again and again, and read again and again."""

import json
import os
import random
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path

from openg2g.catalog import Catalog, CatalogUnavailableError
from openg2g.cli.main import main, run
from openg2g.models.digest import workload_digest
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_workload
from tests.next_release import become

NUM_MODELS = 3


def workload_of(worker: int, index: int) -> LLMInferenceWorkload:
    """The workload that a worker saves at its turn; no other is the same."""
    return make_workload(NUM_MODELS, initial_batch_size=1 + index, feasible_batch_sizes=(1 + worker, 512))


def save_repeatedly(url: str, worker: int, saves: int, names: list[str], start: float) -> None:
    """Save under each name in turn; print `[[[name, number, digest], …], worst wait in seconds]`."""
    acknowledged = []
    worst_wait_s = 0.0
    with Catalog.open(url) as catalog:
        catalog.list_names()  # Connects.
        time.sleep(max(0.0, start - time.monotonic()))
        for index in range(saves):
            started = time.monotonic()
            name = names[(worker + index) % len(names)]
            revision = catalog.save(name, workload_of(worker, index), author=str(worker))
            worst_wait_s = max(worst_wait_s, time.monotonic() - started)
            acknowledged.append((revision.name, revision.number, revision.digest))
    print(json.dumps([acknowledged, worst_wait_s]))


def read_repeatedly(url: str, names: list[str], seed: int, stop_file: str) -> None:
    """Read until a file appears; print how often, and whatever was wrong."""
    choose = random.Random(seed)
    complaints: list[str] = []
    last_numbers = dict.fromkeys(names, 0)
    reads = 0
    while not os.path.exists(stop_file):
        with Catalog.open(url) as catalog:  # Anew, now and then: what one has read before, it keeps.
            for _ in range(100):
                name = choose.choice(names)
                revision = catalog.get(name)
                workload = revision.workload
                if workload is None or len(workload.models) != NUM_MODELS:
                    complaints.append(f"{revision.reference} is not complete")
                elif workload_digest(workload) != revision.digest:
                    complaints.append(f"{revision.reference} does not fit its digest")
                if revision.number < last_numbers[name]:
                    complaints.append(f"{revision.reference} after {name}@{last_numbers[name]}")
                last_numbers[name] = revision.number
                reads += 1
                time.sleep(0.002)  # Leave the processors to the writers.
            numbers = [entry.number for entry in catalog.history(name)]
            if numbers != list(range(1, len(numbers) + 1)) or len(numbers) < last_numbers[name]:
                complaints.append(f"a gap in the history of {name}: {numbers}")
    print(json.dumps([reads, complaints]))


def save_through_failures(url: str, worker: int, stop_file: str) -> None:
    """Save until a file appears, whatever becomes of the server; print each acknowledged `number digest` at once."""
    index = failures = 0
    with Catalog.open(url) as catalog:
        while not os.path.exists(stop_file):
            try:
                revision = catalog.save(f"worker-{worker}", workload_of(worker, index), author=str(worker))
                print("saved", revision.number, revision.digest, flush=True)
            except CatalogUnavailableError:
                failures += 1
                time.sleep(0.02)
            index += 1
    print("failures", failures)


def run_next_release(arguments: list[str]) -> None:
    """Run a command of a release that is yet to come; its migrations are in the directory named last."""
    *command, migrations = arguments
    become(Path(migrations))
    main(command)


def run_commands(commands: list[list[str]]) -> None:
    """Run commands one after the other; print exit code and text of each as JSON."""
    outcomes = []
    for arguments in commands:
        written = BytesIO()
        text = TextIOWrapper(written, encoding="utf-8", write_through=True)
        with redirect_stdout(text), redirect_stderr(text):
            try:
                exit_code = run(arguments)
            except Exception:  # Its traceback is part of the text, which the test looks through.
                traceback.print_exc()
                exit_code = 1
        outcomes.append((exit_code, written.getvalue().decode()))
    print(json.dumps(outcomes))
