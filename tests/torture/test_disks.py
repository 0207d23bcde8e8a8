"""Full disks and missing rights: one clear line, an exit code, and nothing half done."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from tests.builders import make_workload
from tests.torture.disks import disks, fill_disk
from tests.torture.launcher import NOBODY, Launcher


def test_a_command_on_a_full_disk_says_so_and_leaves_all_or_nothing(launcher: Launcher) -> None:
    with disks() as found:
        for disk in found:
            report = fill_disk(launcher, disk, times=1, seed=7)
            assert report.failed.total() > 0


@pytest.fixture
def public_directory(migrated_sqlite_file: Path) -> Iterator[Path]:
    """Make a directory that every user may go through, with a catalog in it: pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copyfile(migrated_sqlite_file, directory / "fleet.db")
        with Catalog.open(directory / "fleet.db") as catalog:
            catalog.save("fleet", make_workload(1), author="Ada")
        yield directory
        directory.chmod(0o777)


SET = ("set", "fleet", "model-0.num_replicas+=1", "-m", "one more", "--database", "fleet.db")
CANNOT_BE_WRITTEN = "fleet.db may only be read: check the permissions of the file and directory (it belongs to root)."
RIGHTS = {
    "a file and directory to be read": (0o444, 0o555, ("show", "fleet", "--database", "fleet.db"), 0, ""),
    "a write to such a file": (0o444, 0o555, SET, 5, CANNOT_BE_WRITTEN),
    "a file to be read": (0o444, 0o777, SET, 5, CANNOT_BE_WRITTEN),
    "a directory to be read": (0o666, 0o555, SET, 5, CANNOT_BE_WRITTEN),
    "a file not even to be read": (
        0o000,
        0o777,
        ("list", "--database", "fleet.db"),
        5,
        "fleet.db cannot be opened: check its permissions (it belongs to root).",
    ),
    "a new file in a directory to be read": (
        0o666,
        0o555,
        ("init", "--database", "new.db"),
        5,
        "new.db cannot be made: the directory . may only be read (it belongs to root).",
    ),
    "a backup in a directory to be read": (
        0o666,
        0o555,
        ("db", "backup", "new.db", "--database", "fleet.db"),
        7,
        "new.db cannot be written: Permission denied.",
    ),
    "an export in a directory to be read": (
        0o666,
        0o555,
        ("export", "--all", "--database", "fleet.db", "-o", "new.json"),
        7,
        "new.json cannot be written: Permission denied",
    ),
}


@pytest.mark.parametrize(
    ("file_mode", "directory_mode", "command", "exit_code", "message"), RIGHTS.values(), ids=RIGHTS
)
def test_a_command_without_the_right_says_which(
    launcher: Launcher,
    public_directory: Path,
    file_mode: int,
    directory_mode: int,
    command: tuple[str, ...],
    exit_code: int,
    message: str,
) -> None:
    path = public_directory / "fleet.db"
    content = path.read_bytes()
    path.chmod(file_mode)
    public_directory.chmod(directory_mode)
    outcome = launcher.run_command(*command, user=NOBODY, directory=str(public_directory))
    told = outcome.err.replace(f"{public_directory}/", "").replace(str(public_directory), ".")
    assert (outcome.exit_code, message in told) == (exit_code, True), outcome
    assert outcome.err.count("Error: ") == bool(exit_code)
    assert path.read_bytes() == content
    assert [entry.name for entry in public_directory.iterdir()] == ["fleet.db"]
