"""Upgrades of a filled catalog by several processes at once."""

from contextlib import closing
from pathlib import Path

from openg2g.catalog import Catalog
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.upkeep.verify import verify_database
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.next_release import NEXT_REVISION, write_migrations
from tests.places import Places, path_of
from tests.torture.launcher import Launcher

NEXT_RELEASE = "tests.torture.workers:run_next_release"


def _check_backups(places: Places, url: str, archive: bytes) -> None:
    """One of the upgrades has changed an SQLite file, and copied it before: the others found nothing to do."""
    if places.engine == "sqlite":
        path = path_of(url)
        [copy] = path.parent.glob(f"{path.name}.*")
        assert copy.name == f"{path.name}.{SCHEMA_HEAD}.backup"
        with Catalog.open(copy) as catalog:
            assert archive_of(catalog) == archive


def test_six_upgrades_at_once_all_succeed_and_lose_nothing(places: Places, launcher: Launcher, tmp_path: Path) -> None:
    migrations = str(write_migrations(tmp_path))
    with places.catalog() as url, closing(Database(locate(url))) as database:
        with Catalog.open(url) as catalog:
            record_something_of_everything(catalog)
            before = archive_of(catalog)
        upgrades = [launcher.start(NEXT_RELEASE, ["db", "upgrade", "--database", url, migrations]) for _ in range(6)]
        outcomes = [upgrade.outcome() for upgrade in upgrades]
        assert [outcome.exit_code for outcome in outcomes] == [0] * 6, list(map(str, outcomes))
        assert find_schema_revision(database) == NEXT_REVISION
        _check_backups(places, url, before)
        command = ["db", "downgrade", SCHEMA_HEAD, "--database", url, migrations]
        assert launcher.start(NEXT_RELEASE, command).outcome().exit_code == 0
        assert verify_database(database) == []
        with Catalog.open(url) as catalog:
            assert archive_of(catalog) == before
