"""An SQLite catalog that several people use: who may read and write it, and what those are told who may not."""

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from tests.builders import make_workload
from tests.torture.launcher import NOBODY, Launcher

ANOTHER = 1_234
GROUP = 4_321
AS_GROUP = {"group": GROUP, "umask": 0o002}
SET = ("set", "fleet", "model-0.num_replicas+=1", "-m", "one more", "--author", "Ada", "--database", "fleet.db")


@pytest.fixture
def group_directory() -> Iterator[Path]:
    """Make a directory of a group whose new files are the group's; without root, that of this user."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if os.geteuid() == 0:
            os.chown(directory, -1, GROUP)
        directory.chmod(0o2775)
        yield directory


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


@pytest.mark.parametrize("options", [(), ("--wal",)], ids=["journal", "wal"])
def test_a_group_shares_a_catalog_and_what_is_made_of_it(
    launcher: Launcher, group_directory: Path, options: tuple[str, ...]
) -> None:
    here = {"directory": str(group_directory), **AS_GROUP}
    (group_directory / "fleet.json").write_text(
        '{"models": [{"model_label": "model-0", "num_replicas": 1, "gpus_per_replica": 1, "initial_batch_size": 1, '
        '"itl_deadline_s": 1.0}]}'
    )
    commands = [
        ("init", *options, "--database", "fleet.db"),
        ("import", "fleet.json", "--database", "fleet.db"),
        ("db", "backup", "backup.db", "--database", "fleet.db"),
        ("export", "fleet", "-o", "export.json", "--database", "fleet.db"),
    ]
    for command in commands:
        outcome = launcher.run_command(*command, user=NOBODY, **here)
        assert outcome.exit_code == 0, outcome
    for name in ("fleet.db", "backup.db", "export.json"):
        assert modes(group_directory)[name] == 0o664, name
        assert (group_directory / name).stat().st_gid == group_directory.stat().st_gid
    for command in (SET, ("export", "fleet", "--force", "-o", "export.json", "--database", "fleet.db")):
        outcome = launcher.run_command(*command, user=ANOTHER, **here)
        assert outcome.exit_code == 0, outcome
    assert modes(group_directory)["export.json"] == 0o664


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664), (0, 0o666)])
def test_the_umask_holds_for_every_new_file(launcher: Launcher, tmp_path: Path, umask: int, mode: int) -> None:
    for command in (
        ("init", "--database", "fleet.db"),
        ("db", "backup", "backup.db", "--database", "fleet.db"),
        ("export", "--all", "--history", "-o", "archive.jsonl", "--database", "fleet.db"),
    ):
        assert launcher.run_command(*command, umask=umask, directory=str(tmp_path)).exit_code == 0
    assert modes(tmp_path) == dict.fromkeys(("fleet.db", "backup.db", "archive.jsonl"), mode)


@pytest.fixture
def left_by_a_writer(migrated_sqlite_file: Path) -> Iterator[Path]:
    """Make a directory with a catalog as a process leaves it that dies while it writes."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere, "fleet.db")
        shutil.copyfile(migrated_sqlite_file, path)
        with Catalog.open(path) as catalog:
            catalog.save("fleet", make_workload(1), author="Ada")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA cache_size = 1")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE large (value)")
            connection.execute("INSERT INTO large VALUES (zeroblob(1000000))")
            for end in ("", "-journal"):
                shutil.copyfile(f"{path}{end}", Path(name, f"fleet.db{end}"))
        assert Path(name, "fleet.db-journal").stat().st_size > 0
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("file_mode", "journal_mode", "directory_mode"),
    [(0o644, 0o644, 0o755), (0o666, 0o644, 0o777), (0o666, 0o600, 0o777), (0o666, 0o666, 0o755)],
)
def test_a_catalog_in_which_somebody_died_while_writing_says_so(
    launcher: Launcher, left_by_a_writer: Path, file_mode: int, journal_mode: int, directory_mode: int
) -> None:
    (left_by_a_writer / "fleet.db").chmod(file_mode)
    (left_by_a_writer / "fleet.db-journal").chmod(journal_mode)
    left_by_a_writer.chmod(directory_mode)
    reading = ("list", "--format", "names", "--database", "fleet.db")
    outcome = launcher.run_command(*reading, user=NOBODY, directory=str(left_by_a_writer))
    assert (outcome.exit_code, outcome.out) == (5, ""), outcome
    assert "a process died while it wrote, and fleet.db-journal must be played back" in outcome.err
    assert launcher.run_command(*reading, directory=str(left_by_a_writer)).out == "fleet\n"
    assert launcher.run_command(*reading, user=NOBODY, directory=str(left_by_a_writer)).out == "fleet\n"


@pytest.mark.parametrize(("file_mode", "directory_mode"), [(0o644, 0o755), (0o666, 0o755), (0o444, 0o555)])
def test_a_write_ahead_log_that_may_not_be_written_says_what_it_is(
    launcher: Launcher, file_mode: int, directory_mode: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Catalog.create(directory / "fleet.db", wal=True) as catalog:
            catalog.save("fleet", make_workload(1), author="Ada")
        (directory / "fleet.db").chmod(file_mode)
        directory.chmod(directory_mode)
        for command in (("list", "--database", "fleet.db"), SET):
            outcome = launcher.run_command(*command, user=NOBODY, directory=name)
            assert (outcome.exit_code, outcome.out) == (5, ""), outcome
            assert "fleet.db has a write-ahead log, which even readers write to" in outcome.err
        directory.chmod(0o755)
