"""The catalog of every release is upgraded, has all of its history, and is used."""

import io
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.archive.copying import import_archive_files
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, upgrade
from openg2g.catalog.engine.schema_version import SCHEMA_REVISIONS, find_schema_revision
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.formats.archive.entries import (
    AliasMoveEntry,
    NameEntry,
    RenameEntry,
    WorkloadEntry,
    write_archive,
)
from openg2g.formats.archive.reader import read_archive
from openg2g.models.revision import RevisionRecord
from tests.builders import make_workload, published_fleet
from tests.catalog.histories import archive_of
from tests.catalog.plain_sql import PlainSql
from tests.postgres import PostgresServer
from tests.releases.kept import ARCHIVE, RELEASES, keep, kept_releases, kept_text, restore

PYPROJECT = RELEASES.parents[1] / "pyproject.toml"
LARGEST_FILE_BYTES = 100_000


@pytest.fixture(params=kept_releases())
def release(request: pytest.FixtureRequest) -> str:
    """Give the number of each release."""
    number: str = request.param
    return number


@pytest.fixture
def kept_url(release: str, empty_database_url: str) -> str:
    """Give the place of the catalog of each release, as the release left it, on each engine."""
    restore(RELEASES / release, empty_database_url)
    return empty_database_url


def archive_kept(release: str) -> bytes:
    """Return the archive of a release, as this release would write it."""
    stream = io.StringIO(newline="")
    with open(RELEASES / release / ARCHIVE, "rb") as kept:
        write_archive(read_archive(kept, release), stream)
    return stream.getvalue().encode()


def test_the_version_in_the_making_keeps_its_catalogs() -> None:
    version = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]
    assert version in kept_releases(), "Run scripts/keep_release.py."


def test_what_is_kept_has_something_of_everything_and_is_small(release: str) -> None:
    with open(RELEASES / release / ARCHIVE, "rb") as kept:
        entries = list(read_archive(kept, release))
    kinds = {WorkloadEntry, NameEntry, RenameEntry, RevisionRecord, AliasMoveEntry}
    assert {type(entry) for entry in entries} == kinds
    revisions = [entry for entry in entries if isinstance(entry, RevisionRecord)]
    assert any(entry.digest is None for entry in revisions) and any(entry.annotations for entry in revisions)
    assert any(entry.tags for entry in entries if isinstance(entry, NameEntry))
    assert all(path.stat().st_size < LARGEST_FILE_BYTES for path in (RELEASES / release).iterdir())


def test_a_catalog_of_every_release_is_upgraded_and_has_all_of_its_history(release: str, kept_url: str) -> None:
    with closing(Database(locate(kept_url))) as database:
        assert find_schema_revision(database) in SCHEMA_REVISIONS
        upgrade(database)
        assert database.read(compare_definitions).lines == []
        assert verify_database(database) == []
    with Catalog.open(kept_url) as catalog:
        assert archive_of(catalog) == archive_kept(release)


def test_an_upgraded_catalog_of_every_release_is_used(release: str, kept_url: str) -> None:
    with closing(Database(locate(kept_url))) as database:
        upgrade(database)
    with Catalog.open(kept_url) as catalog, PlainSql(kept_url) as sql:
        workloads = sql.count("workloads")
        assert catalog.load("fleet@1") == published_fleet()
        assert catalog.get("fleet@production").number == 2
        revision = catalog.save("fleet", published_fleet(), message=f"as in {release}")
        assert (revision.number, revision.is_new, sql.count("workloads")) == (3, True, workloads)
        assert catalog.save("fleet", make_workload(7)).number == 4
        catalog.retire("fleet")
        assert verify_database(catalog.database) == []


def test_an_upgraded_catalog_is_taken_back_to_what_its_release_left_and_upgraded_again(
    release: str, kept_url: str, postgres: PostgresServer
) -> None:
    with closing(Database(locate(kept_url))) as database:
        schema = find_schema_revision(database)
        assert schema is not None
        kept = RELEASES / release / f"{database.engine.dialect.name}.sql"
        left = sorted(kept.read_text(encoding="utf-8").splitlines())  # What is made again comes last.
        upgraded = None
        for _ in range(2):
            assert sorted(kept_text(postgres, kept_url).splitlines()) == left
            upgrade(database)
            assert database.read(compare_definitions).lines == []
            before, upgraded = upgraded, kept_text(postgres, kept_url)
            assert before in (None, upgraded)
            downgrade(database, schema)
        upgrade(database)
    with Catalog.open(kept_url) as catalog:
        assert archive_of(catalog) == archive_kept(release)
        assert catalog.save("fleet", make_workload(7)).number == 3


def test_the_archive_of_every_release_is_imported(release: str, catalog: Catalog) -> None:
    import_archive_files(catalog, [str(RELEASES / release / ARCHIVE)])
    assert archive_of(catalog) == archive_kept(release)


def test_what_this_release_would_keep_comes_back(
    postgres: PostgresServer, empty_database_url: str, tmp_path: Path
) -> None:
    keep(tmp_path / "kept", postgres)
    restore(tmp_path / "kept", empty_database_url)
    with Catalog.open(empty_database_url) as catalog:
        assert archive_of(catalog) == (tmp_path / "kept" / ARCHIVE).read_bytes()
        assert catalog.database.read(compare_definitions).lines == []
        assert verify_database(catalog.database) == []
