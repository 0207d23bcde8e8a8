"""What the processes of a load do: save again and again, and read again and again."""

import json
import os
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import NoReturn

from openg2g.catalog import Catalog, CatalogUnavailableError
from openg2g.cli.main import main, run
from openg2g.models.digest import workload_digest
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_workload
from tests.next_release import become

NUM_MODELS = 3
_PATIENCE_S = 30


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
                if revision.name != name:
                    complaints.append(f"{revision.reference} instead of {name}")
                if workload is not None and catalog.load(revision.reference) != workload:
                    complaints.append(f"{revision.reference} is loaded as another workload")
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


def read_through_failures(url: str, name: str, stop_file: str) -> None:
    """Load one workload until a file appears, whatever becomes of the server; print how often, and what was wrong."""
    reads = 0
    complaints: list[str] = []
    expected = None
    with Catalog.open(url) as catalog:
        while not os.path.exists(stop_file):
            with suppress(CatalogUnavailableError):
                digest = workload_digest(catalog.load(name))
                expected = expected or digest
                reads += 1
                if digest != expected:
                    complaints.append(f"{name} was loaded as {digest}")
            time.sleep(0.002)
    print(json.dumps({"reads": reads, "complaints": complaints}))


def fork_repeatedly(url: str, digests: dict[str, str], forks: int, seed: int) -> None:
    """Fork at random moments, while a thread loads and another saves; children load, save and end.

    Parent and children print a line for each save (`saved NUMBER DIGEST`), how much they loaded, and all that is wrong.
    """
    choose = random.Random(seed)
    stop = threading.Event()
    with Catalog.open(url) as catalog:
        threads = [threading.Thread(target=work, args=(catalog, stop)) for work in (_save_on, _load_on(digests))]
        for thread in threads:
            thread.start()
        for _ in range(forks):
            time.sleep(choose.uniform(0, 0.05))
            child = os.fork()
            if child == 0:
                _be_a_child(catalog, digests)
            if exit_code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
                _say("wrong a child ended with", exit_code)
                break
        stop.set()
        for thread in threads:
            thread.join()


def _say(*words: object) -> None:
    """Write a line at once, in one piece: others write to the same file."""
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def _be_a_child(catalog: Catalog, digests: dict[str, str]) -> NoReturn:
    """Load every name and save; never return, and never hang for ever."""
    signal.alarm(_PATIENCE_S)
    exit_code = 1
    try:
        _load_all(catalog, digests)
        _save_one(catalog)
        catalog.close()
        exit_code = 0
    except BaseException:
        _say("wrong", repr(traceback.format_exc()))
    finally:
        os._exit(exit_code)


def _load_all(catalog: Catalog, digests: dict[str, str]) -> None:
    for name, digest in digests.items():
        loaded = workload_digest(catalog.load(name))
        if loaded != digest:
            _say("wrong", name, "was loaded as", loaded)
    _say("loaded", len(digests))


def _save_one(catalog: Catalog) -> None:
    revision = catalog.save("shared", workload_of(os.getpid(), time.monotonic_ns() % 2**30))
    _say("saved", revision.number, revision.digest)


def _save_on(catalog: Catalog, stop: threading.Event) -> None:
    while not stop.is_set():
        _save_one(catalog)


def _load_on(digests: dict[str, str]) -> Callable[[Catalog, threading.Event], None]:
    def load(catalog: Catalog, stop: threading.Event) -> None:
        while not stop.is_set():
            _load_all(catalog, digests)

    return load
