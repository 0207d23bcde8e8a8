"""Signals that end a command: nothing half done, no file left, and the truth about what was stored."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from tests.places import Places
from tests.torture.launcher import Child, Launcher

ENDING = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}
LINE = json.dumps(
    {
        "name": "fleet",
        "models": [
            {
                "model_label": "m",
                "num_replicas": 1,
                "gpus_per_replica": 1,
                "initial_batch_size": 1,
                "itl_deadline_s": 1.0,
            }
        ],
    }
)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def parts(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name.startswith(".openg2g-")]


@contextmanager
def import_that_waits(launcher: Launcher, directory: Path, url: str, name: str = "sweep") -> Iterator[Child]:
    """Run an import that has a file of rejects under way, and waits for more of its input."""
    fifo = directory / f"{name}.jsonl"
    os.mkfifo(fifo)
    before = len(parts(directory))
    command = ("import", fifo.name, "--keep-going", "--rejects", f"{name}.rejects", "--database", url)
    child = launcher.start_command(*command, directory=str(directory))
    with fifo.open("w") as stream:
        stream.write(f"{LINE}\n5\n")
        stream.flush()
        until(lambda: len(parts(directory)) > before)
        yield child


@pytest.mark.parametrize("name", ENDING)
def test_a_signal_ends_a_command_without_a_trace(launcher: Launcher, places: Places, tmp_path: Path, name: str) -> None:
    with places.catalog() as url:
        with import_that_waits(launcher, tmp_path, url) as child:
            child.signal(signal.Signals[name])
            child.signal(signal.Signals[name])  # As `timeout` does, to the process and to its group.
            outcome = child.outcome()
        assert (outcome.exit_code, outcome.out, outcome.err.strip()) == (ENDING[name], "", "Interrupted.")
        assert [path.name for path in tmp_path.iterdir() if path.suffix != ".db"] == ["sweep.jsonl"]
        with Catalog.open(url) as catalog:
            assert catalog.list_names() == []


def test_a_signal_that_is_to_be_ignored_is_ignored(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from openg2g.cli.main import main; main()"]
    arguments = ["import", "-", "--format", "jsonl", "--keep-going", "--rejects", "rejects", "--database", "fleet.db"]
    as_nohup = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *program, *arguments]
    with subprocess.Popen(as_nohup, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(f"{LINE}\n5\n".encode())
        process.stdin.flush()
        until(lambda: parts(tmp_path))
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 4
    with Catalog.open(tmp_path / "fleet.db") as catalog:
        assert catalog.list_names() == ["fleet"]


def test_what_a_killed_command_left_is_removed_by_the_next_one_and_what_is_in_use_is_not(
    launcher: Launcher, tmp_path: Path
) -> None:
    url = str(tmp_path / "fleet.db")
    assert launcher.run_command("init", "--database", url).exit_code == 0
    with import_that_waits(launcher, tmp_path, url, "used") as living:
        (used,) = parts(tmp_path)
        with import_that_waits(launcher, tmp_path, url, "killed") as child:
            child.signal(signal.SIGKILL)
            child.outcome()
        assert len(parts(tmp_path)) == 2
        (tmp_path / ".openg2g-0_1_0.part").write_text("as release 0.1.0 left it")
        (tmp_path / ".openg2g-0_1_0.part-journal").write_text("")
        outcome = launcher.run_command("db", "backup", str(tmp_path / "backup.db"), "--database", url)
        assert outcome.exit_code == 0, outcome
        assert parts(tmp_path) == [used]
    assert living.outcome().exit_code == 4
    assert (tmp_path / "used.rejects").exists() and parts(tmp_path) == []


@pytest.mark.parametrize("name", ENDING)
def test_who_interrupts_after_the_commit_is_told_that_everything_was_stored(
    places: Places, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "sweep.jsonl"
    path.write_text("".join(LINE.replace("fleet", f"{'n' * 100}{number}") + "\n" for number in range(1_000)))
    with places.catalog() as url, Catalog.open(url) as catalog:
        command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "import", path, "--database", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            until(catalog.list_names)
            process.send_signal(signal.Signals[name])
            process.wait(60)
            assert process.stderr is not None
            assert process.stderr.read().split("\n")[-2:] == ["Interrupted after everything was stored.", ""]
        assert process.returncode == ENDING[name]
        assert len(catalog.list_names()) == 1_000
