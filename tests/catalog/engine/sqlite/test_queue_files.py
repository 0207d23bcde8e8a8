"""The files of the writers' queue lie where anybody may put something: that never stops a writer, and none stays."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from tests.builders import make_draft, make_workload
from tests.catalog.engine.alone import CHECKOUT, require_silent_success, run_alone

NOBODY = 65_534


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Make a directory for temporary files."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    return directory


@pytest.fixture
def path(tmp_path: Path, migrated_sqlite_file: Path) -> Path:
    """Make a catalog in a file, in a directory of its own."""
    directory = tmp_path / "catalog"
    directory.mkdir()
    return Path(shutil.copyfile(migrated_sqlite_file, directory / "fleet.db"))


# Programs.


def save(path: str) -> None:
    """Save once."""
    with Catalog.open(path) as catalog:
        catalog.save("fleet", make_workload(initial_batch_size=1 + catalog.count()["revisions"]))


def save_and_end(path: str) -> None:
    """Save once and end without closing anything, as short scripts do."""
    Catalog.open(path).save("fleet", make_workload())


def print_queue_files(path: str, directories: list[str]) -> None:
    """Print what there is in some directories while a writer writes, and nothing else does."""
    with Catalog.open(path) as catalog, catalog.writing() as writer:
        writer.append([make_draft("fleet")])
        found = {file for directory in directories for file in Path(directory).rglob("*") if not file.is_dir()}
        print(*sorted(file for file in found if not file.name.startswith("fleet.db")), sep="\n", end="")


def be_killed_while_writing(path: str) -> None:
    """End in the middle of writing."""
    with Catalog.open(path) as catalog, catalog.writing() as writer:
        writer.append([make_draft("fleet")])
        os.kill(os.getpid(), signal.SIGKILL)


# Strangers.


@pytest.fixture
def names(path: Path, temporary: Path) -> list[Path]:
    """Find out what the files of the queue are called."""
    ending = run_alone(print_queue_files, str(path), [str(temporary), str(path.parent)], TMPDIR=str(temporary))
    names = [Path(name) for name in ending.out.splitlines()]
    assert ending.exit_code == 0 and names != [], ending
    return names


def put_socket(name: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name.name)


def put_file_of_another(name: Path) -> None:
    name.touch(mode=0o444)
    if os.geteuid() == 0:
        os.chown(name, NOBODY, NOBODY)


STRANGERS: dict[str, Callable[[Path], object]] = {
    "FIFO": os.mkfifo,
    "directory": lambda name: name.mkdir(),
    "directory that is not empty": lambda name: (name / "theirs").mkdir(parents=True),
    "socket": put_socket,
    "link to a file": lambda name: name.symlink_to(name.parents[1] / "theirs.txt"),
    "link to a FIFO": lambda name: name.symlink_to(name.parents[1] / "theirs.fifo"),
    "link to nothing": lambda name: name.symlink_to("nothing"),
    "link to itself": lambda name: name.symlink_to(name.name),
    "file of another user": put_file_of_another,
    "file that nobody may read": lambda name: name.touch(mode=0o000),
    "file with a text": lambda name: name.write_text("mine"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_something_else_in_the_place_of_a_queue_file_stops_no_writer(
    path: Path, temporary: Path, names: list[Path], monkeypatch: pytest.MonkeyPatch, stranger: str
) -> None:
    theirs = temporary.parent / "theirs.txt"
    theirs.write_text("theirs")
    os.mkfifo(temporary.parent / "theirs.fifo")
    for name in names:
        name.parent.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(name.parent)  # The path of a socket has at most 107 bytes.
        STRANGERS[stranger](name)
    kinds = {name: os.lstat(name).st_mode for name in names}
    require_silent_success(save, str(path), TMPDIR=str(temporary))
    assert theirs.read_text() == "theirs"
    if not stranger.startswith("file"):  # An empty file may be what a queue has left: it may be used, or removed.
        assert {name: os.lstat(name).st_mode for name in names} == kinds
    with Catalog.open(path) as catalog:
        assert len(catalog.history("fleet")) == 2


@contextmanager
def locked(names: list[Path]) -> Iterator[None]:
    """Hold locks on files, as anybody may who can read them."""
    descriptors = [os.open(name, os.O_RDONLY | os.O_CREAT, 0o444) for name in names]
    try:
        for descriptor in descriptors:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@pytest.mark.parametrize("is_other_user", [False, True], ids=["the same user", "another user"])
def test_locks_that_are_held_for_ever_keep_no_writer_waiting(
    path: Path, temporary: Path, names: list[Path], is_other_user: bool
) -> None:
    for held in ([name] for name in names):
        with locked(held):
            if is_other_user and os.geteuid() == 0:
                os.chown(held[0], NOBODY, NOBODY)
            require_silent_success(save, str(path), TMPDIR=str(temporary))
    with locked(names):
        require_silent_success(save, str(path), TMPDIR=str(temporary))


def test_one_directory_for_temporary_files_serves_several_users(path: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        shared = shutil.copyfile(path, Path(directory) / "fleet.db")
        shared.chmod(0o666)
        require_silent_success(save_as_one_and_as_another, str(shared), TMPDIR=directory)
        assert [file.name for file in Path(directory).iterdir()] == ["fleet.db"]


def save_as_one_and_as_another(path: str) -> None:
    """Save as another user where this is root, and again; the catalog is open all the time."""
    with Catalog.open(path) as catalog:
        save(path)
        catalog.tag("fleet", {"team": "grid"})  # The files of the queue are this user's now, and stay while it is open.
        child = os.fork()
        if child == 0:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            save(path)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        save(path)


# Leftovers.

COMMANDS = {
    "set": ["set", "fleet", "model-0.num_replicas+=1", "-m", "one more"],
    "retire": ["retire", "fleet"],
    "import": ["import", "scripts/examples/five-models.json", "--name", "five"],
    "refused": ["import", "scripts/examples/five-models.json", "--name", "five", "--require", "total_gpus < 1"],
    "verify": ["verify"],
}


def run_command(arguments: list[str], path: Path, temporary: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", *arguments, "--database", str(path)]
    return subprocess.run(
        command,
        cwd=CHECKOUT,
        env=os.environ | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def filled(path: Path) -> Path:
    """Save a workload."""
    with Catalog.open(path) as catalog:
        catalog.save("fleet", make_workload())
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_leaves_no_queue_files(filled: Path, temporary: Path, command: str) -> None:
    result = run_command(COMMANDS[command], filled, temporary)
    assert (result.returncode == 0) == (command != "refused"), result
    assert list(temporary.iterdir()) == []
    assert [file.name for file in filled.parent.iterdir()] == ["fleet.db"]


def test_a_script_that_closes_nothing_leaves_no_queue_files(path: Path, temporary: Path) -> None:
    require_silent_success(save_and_end, str(path), TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []


def test_what_a_killed_writer_leaves_goes_with_the_next(path: Path, temporary: Path) -> None:
    assert run_alone(be_killed_while_writing, str(path), TMPDIR=str(temporary)).exit_code == -signal.SIGKILL
    require_silent_success(save, str(path), TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []
    assert [file.name for file in path.parent.iterdir()] == ["fleet.db"]
