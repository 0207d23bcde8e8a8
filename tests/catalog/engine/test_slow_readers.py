"""Nothing that waits for whoever takes its output holds a transaction, and what it gives is still one state."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.archive import source
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.archive.source import archive_entries
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.formats.archive.entries import write_archive
from tests.builders import make_draft, make_workload
from tests.catalog.histories import archive_of


@contextmanager
def command_into_a_pipe(*arguments: str) -> Iterator[int]:
    """Run a command whose output nobody reads; yield the end that could be read, once the pipe is full."""
    reading, writing = os.pipe()
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", *arguments]
    process = subprocess.Popen(command, stdout=writing)
    os.close(writing)
    try:
        assert os.read(reading, 1)  # It has begun to write.
        yield reading
    finally:
        os.close(reading)
        process.wait(60)


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "--all", "--history"),
        ("export", "--all", "--format", "jsonl"),
        ("export", "--where", "total_gpus > 0", "--format", "jsonl"),
        ("search", "total_gpus > 0", "--limit", "3000", "--format", "jsonl"),
        ("log", "--format", "json"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_others_write_while_a_command_waits_for_its_reader(
    catalog: Catalog, database_url: str, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openg2g.catalog.engine.waiting.LOCK_WAIT_S", 2.0)
    catalog.save_many(make_draft(f"n{number}", workload=make_workload(5), message="m" * 200) for number in range(700))
    with command_into_a_pipe(*arguments, "--database", database_url):
        assert catalog.save("fleet", make_workload()).number == 1
        with Catalog.open(database_url) as other:
            assert other.get("fleet").number == 1


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an archive be read in many pages."""
    monkeypatch.setattr(source, "_REVISIONS_PER_PAGE", 2)
    monkeypatch.setattr(source, "KEYS_PER_STATEMENT", 2)


@pytest.mark.usefixtures("small_pages")
def test_an_archive_is_one_state_whatever_is_recorded_while_it_is_taken(catalog: Catalog, database_url: str) -> None:
    for number in range(1, 6):
        catalog.save("fleet", make_workload(number), author="Ada")
        catalog.save(f"site-{number}", make_workload(number), author="Ada")
    catalog.tag("fleet", {"team": "grid", "state": "old"})
    catalog.set_alias("fleet", "production", 2)
    catalog.rename("site-3", "site-0")
    before = archive_of(catalog)
    with Catalog.open(database_url) as other:

        def entries() -> Iterator[object]:
            for number, entry in enumerate(archive_entries(catalog.database)):
                yield entry
                other.save("fleet", make_workload(3, initial_batch_size=1 + number), author="Eve")
                other.save(f"later-{number}", make_workload(2, initial_batch_size=1_000 + number), author="Eve")
                if number == 3:
                    other.tag("fleet", {"team": "other", "state": None, "new": "x"})
                    other.set_alias("fleet", "production", 1)
                    other.set_alias("fleet", "another", 1)
                    other.rename("site-4", "aaa")
                    other.rename("site-5", "zzz")

        stream = io.StringIO()
        write_archive(entries(), stream)  # type: ignore[arg-type]
    assert stream.getvalue().encode() == before
    assert archive_of(catalog) != before


@pytest.mark.usefixtures("small_pages")
def test_a_page_more_or_less_makes_no_difference(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 8):
        catalog.save("fleet", make_workload(number), author="Ada")
        for other in range(number % 3):
            catalog.save(f"site-{number}", make_workload(1 + other), author="Ada")
    paged = archive_of(catalog)
    monkeypatch.undo()
    assert archive_of(catalog) == paged
    assert verify_database(catalog.database) == []


def test_a_copy_that_waits_for_its_target_keeps_nobody_from_the_source(
    catalog: Catalog, database_url: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.save("fleet", make_workload(), author="Ada")
    with Catalog.create(f"{tmp_path}/target.db") as target, Catalog.open(database_url) as other:
        begin = target.writing

        @contextmanager
        def writing_late() -> Iterator[object]:
            other.save("site", make_workload(3), author="Eve")
            with begin() as writer:
                yield writer

        monkeypatch.setattr(target, "writing", writing_late)
        assert copy_catalog(catalog, target) == {"fleet": 1}


def test_a_verification_keeps_nobody_waiting(catalog: Catalog, database_url: str) -> None:
    from openg2g.catalog.upkeep import verify

    catalog.save("fleet", make_workload(), author="Ada")
    with Catalog.open(database_url) as other, pytest.MonkeyPatch.context() as patch:
        checks = [lambda database, check=check: _while_saving(other, check, database) for check in verify._CHECKS]
        patch.setattr(verify, "_CHECKS", tuple(checks))
        assert verify_database(catalog.database) == []
        assert len(other.history("fleet")) == 1 + len(checks)


def _while_saving(other: Catalog, check: object, database: object) -> Iterator[str]:
    other.save("fleet", make_workload(3, initial_batch_size=1 + len(other.history("fleet"))), author="Eve")
    yield from check(database)  # type: ignore[operator]
