"""Disks that become full under a command: it says so, leaves all or nothing, and completes where there is more room."""

import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from openg2g.catalog import Catalog, CatalogNotFoundError
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.formats.document import Document
from openg2g.formats.files import write_documents
from tests.builders import make_draft, make_workload
from tests.catalog.histories import archive_of
from tests.postgres import memory_directory
from tests.torture.launcher import Launcher, Outcome

_UNAVAILABLE, _FILE = 5, 7
_DISK_BYTES = 4 * 2**20
_NUM_NAMES = 100


class Disk(Protocol):
    """A directory on a disk that can be made full.

    Attributes:
        directory: The directory.
    """

    directory: Path

    @contextmanager
    def almost_full(self, largest_file: int, free: int) -> Iterator[dict[str, Any]]:
        """Leave so many bytes free; lend the circumstances of a process to which it is so."""


class LimitedFiles:
    """A directory whose files may not grow: to a process, a full disk. The system counts them one by one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def almost_full(self, largest_file: int, free: int) -> Iterator[dict[str, Any]]:
        """Limit every file to the size of the largest one there and what is to be free."""
        yield {"max_file_bytes": largest_file + free}


class SmallDisk:
    """A file system of a few megabytes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def almost_full(self, largest_file: int, free: int) -> Iterator[dict[str, Any]]:
        """Fill it with a file."""
        filler = self.directory / "filler"
        there = os.statvfs(self.directory)
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, there.f_bavail * there.f_frsize - free))
        try:
            yield {}
        finally:
            filler.unlink()


@contextmanager
def disks() -> Iterator[list[Disk]]:
    """Lend every kind of disk that there can be here: a small one takes root, and the right to mount."""
    with (
        tempfile.TemporaryDirectory(dir=memory_directory()) as limited,
        tempfile.TemporaryDirectory() as small,
        ExitStack() as stack,
    ):
        found: list[Disk] = [LimitedFiles(Path(limited))]
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", small]
        if shutil.which("mount") and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            stack.callback(subprocess.run, ["umount", small], check=True)
            found.append(SmallDisk(Path(small)))
        yield found


@dataclass
class DiskReport:
    """What became of commands on a disk that was almost full.

    Attributes:
        failed: Kind of disk and command → how often it failed.
        done: Kind of disk and command → how often there was room enough.
    """

    failed: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """One line."""
        runs = ", ".join(
            f"{kind} {self.failed[kind]}/{self.failed[kind] + self.done[kind]}"
            for kind in sorted({*self.failed, *self.done})
        )
        return f"so many failed of each kind: {runs}"


def fill_disk(launcher: Launcher, disk: Disk, times: int, seed: int) -> DiskReport:
    """Run every command that writes so many times, each on a disk with a random number of bytes left.

    Raises:
        AssertionError: A command left a part of its work, said too little or too much, or cannot be run again.
    """
    choose = random.Random(seed)
    report = DiskReport()
    source = disk.directory / "source.db"
    documents = disk.directory / "sweep.jsonl"
    with Catalog.create(source) as catalog:
        catalog.save("fleet", make_workload(3), author="Ada")
        catalog.save_many(_drafts(0))
    write_documents(
        (Document(draft.workload, name=draft.name) for draft in _drafts(1)), str(documents), None, replace=True
    )
    for _ in range(times):
        for name, arguments in _commands(source, documents, disk.directory).items():
            _run_on_full_disk(launcher, disk, name, arguments, choose, report)
    return report


def _commands(source: Path, documents: Path, directory: Path) -> dict[str, tuple[str, ...]]:
    """Commands whose last argument is the file that they write."""
    fleet, target = str(directory / "fleet.db"), str(directory / "new.db")
    return {
        "import": ("import", str(documents), "--database", fleet),
        "set": ("set", "fleet", "model-0.num_replicas+=1", "-m", "one more", "--database", fleet),
        "copy": ("copy", str(source), target),
        "init": ("init", "--database", target),
        "backup": ("db", "backup", "--database", str(source), target),
        "export": ("export", "--all", "--history", "--database", str(source), "-o", target),
    }


def _run_on_full_disk(
    launcher: Launcher, disk: Disk, name: str, arguments: tuple[str, ...], choose: random.Random, report: DiskReport
) -> None:
    source, written = disk.directory / "source.db", Path(arguments[-1])
    is_new = name not in ("import", "set")
    if not is_new:
        shutil.copyfile(source, written)
    before = b"" if is_new else _archive(written)
    files = {path.name for path in disk.directory.iterdir()}
    free = choose.randrange(2**16 if name == "set" else source.stat().st_size * 3 // 2)
    with disk.almost_full(0 if is_new else written.stat().st_size, free) as circumstances:
        outcome = launcher.run_command(*arguments, **circumstances)
    kind = f"{type(disk).__name__} {name}"
    assert "Traceback" not in outcome.err, outcome
    if outcome.exit_code == 0:
        report.done[kind] += 1
    else:
        report.failed[kind] += 1
        assert outcome.exit_code in (_UNAVAILABLE, _FILE), outcome
        assert outcome.out == "" and outcome.err.count("Error: ") == 1, outcome
        _check_left(name, written, before, outcome)
        assert name in ("copy", "init") or {path.name for path in disk.directory.iterdir()} == files, outcome
        again = launcher.run_command(*arguments)
        assert again.exit_code == 0, f"{outcome}, then {again}"
    if name in ("copy", "backup"):
        assert _archive(written) == _archive(source)
    for path in disk.directory.glob(f"{written.name}*"):
        path.unlink()


def _check_left(name: str, written: Path, before: bytes, outcome: Outcome) -> None:
    """What a command that failed has left is as it was, or sound as far as it is there."""
    if before:
        assert _archive(written) == before, outcome
    elif name in ("copy", "init"):
        with suppress(CatalogNotFoundError):
            _archive(written)
    else:
        assert not written.exists(), outcome


def _archive(path: Path) -> bytes:
    """Write the archive of a catalog, which must be sound."""
    with Catalog.open(path) as catalog:
        assert verify_database(catalog.database) == []
        return archive_of(catalog)


def _drafts(turn: int) -> Iterator[Any]:
    for number in range(_NUM_NAMES):
        yield make_draft(f"sweep/{number}", workload=make_workload(2, num_replicas=turn, initial_batch_size=1 + number))
