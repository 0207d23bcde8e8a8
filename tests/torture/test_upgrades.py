"""Upgrades of a filled catalog by several processes at once."""

from contextlib import closing
from pathlib import Path

from openg2g.catalog import Catalog
from openg2g.catalog.database import Database
from openg2g.catalog.location import locate
from openg2g.catalog.schema import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.verify import verify_database
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.next_release import NEXT_REVISION, write_migrations
from tests.places import Places
from tests.torture.launcher import Launcher

NEXT_RELEASE = "tests.torture.workers:run_next_release"


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
        command = ["db", "downgrade", SCHEMA_HEAD, "--database", url, migrations]
        assert launcher.start(NEXT_RELEASE, command).outcome().exit_code == 0
        assert verify_database(database) == []
        with Catalog.open(url) as catalog:
            assert archive_of(catalog) == before
