"""What a stranger may have put into a catalog neither hangs a command nor ends it in a traceback."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, CatalogError, DamagedCatalogError
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.sqlite import connection as bounds
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.models.errors import CatalogUnavailableError
from tests.builders import make_draft, make_workload
from tests.catalog.histories import record_something_of_everything
from tests.catalog.plain_sql import PlainSql

ENDLESS = "WITH RECURSIVE rows(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM rows) SELECT count(*) FROM rows"


def nested(levels: int, opening: str = '{"a":', closing_: str = "}") -> str:
    """Return annotations of so many levels, the outermost object included."""
    return '{"a":' + opening * (levels - 1) + "1" + closing_ * (levels - 1) + "}"


UNREADABLE = {
    "101 levels of objects": nested(102),
    "900 levels of objects": nested(900),
    "900 levels of lists": nested(900, "[", "]"),
    "a number out of range": '{"a":1e999}',
    "a whole number of 4,001 digits": f'{{"a":{"1" * 4_001}}}',
    "a whole number of 5,000 digits": f'{{"a":{"1" * 5_000}}}',
    "a lone surrogate": '{"a":"\\ud800"}',
    "a lone surrogate as key": '{"\\uDFFF":1}',
    "a NUL": '{"a":"\\u0000"}',
}
UNREADABLE_ON_SQLITE = {  # What PostgreSQL's JSON refuses by itself.
    "1,900 levels": nested(1_900),
    "100,000 levels": nested(100_000, "[", "]"),
    "a number that is none": '{"a":NaN}',
    "a list": "[1]",
    "a text": '"x"',
    "nothing": "",
    "no JSON": "{a: 1}",
}
READABLE = {
    "100 levels": nested(101),
    "many brackets": '{"a":[' + ",".join(["[]"] * 500) + "]}",
    "a large number": '{"a":1e300,"b":' + "1" * 4_000 + "}",
    "a pair of surrogates": '{"a":"\\ud835\\udd4f"}',
    "words": '{"a":"NaN, Infinity, 1e999"}',
}


def store(url: str, annotations: str) -> None:
    """Give the first revision annotations that the catalog would not have written."""
    with Catalog.open(url) as catalog:
        catalog.save("fleet", make_workload(2))
    with PlainSql(url) as sql, sql.unguarded("revisions"):
        if sql.engine == "sqlite":
            sql.run("PRAGMA ignore_check_constraints = ON")
        sql.run(f"UPDATE revisions SET annotations = {sql.on('?', '?::json')}", (annotations,))


def ask_everything(catalog: Catalog) -> Iterator[object]:
    """Ask whatever reads annotations, one after the other."""
    asked = (
        lambda: catalog.get("fleet"),
        lambda: catalog.history("fleet"),
        lambda: list(catalog.search("True")),
        lambda: catalog.save("fleet", make_workload(2), annotations={"b": 1}),
        lambda: catalog.restore("fleet"),
    )
    for ask in asked:
        with pytest.raises(CatalogError) as caught:
            ask()
        yield caught.value


@pytest.mark.parametrize(
    ("database_url", "annotations"),
    [
        *(("sqlite", text) for text in (UNREADABLE | UNREADABLE_ON_SQLITE).values()),
        *(("postgresql", text) for text in UNREADABLE.values()),
    ],
    ids=[
        *(f"sqlite-{name}" for name in UNREADABLE | UNREADABLE_ON_SQLITE),
        *(f"postgresql-{name}" for name in UNREADABLE),
    ],
    indirect=["database_url"],
)
def test_annotations_that_no_catalog_writes_are_named_on_one_line(database_url: str, annotations: str) -> None:
    store(database_url, annotations)
    with Catalog.open(database_url) as catalog:
        for error in ask_everything(catalog):
            assert isinstance(error, DamagedCatalogError) and "\n" not in str(error) and len(str(error)) < 2_000
        problems = verify_database(catalog.database)
        assert [problem for problem in problems if problem.startswith("fleet@1: stored annotations")] != []


@pytest.mark.parametrize("annotations", READABLE.values(), ids=list(READABLE))
def test_annotations_that_look_like_it_are_read(database_url: str, annotations: str) -> None:
    store(database_url, annotations)
    with Catalog.open(database_url) as catalog:
        assert catalog.get("fleet").annotations["a"]
        assert len(list(catalog.search("'a' in annotations"))) == 1


@pytest.mark.parametrize("condition", ["annotations['a'] == 1", "annotations['a'] == 'x'", "'x' in annotations['a']"])
@pytest.mark.parametrize("annotations", [nested(900), nested(100_000, "[", "]"), "[1]"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_search_in_annotations_that_no_catalog_writes_says_so(
    database_url: str, annotations: str, condition: str
) -> None:
    store(database_url, annotations)
    with Catalog.open(database_url) as catalog, pytest.raises(DamagedCatalogError, match="annotations cannot be read"):
        list(catalog.search(condition))


@pytest.mark.parametrize("sizes", ["[" * 100_000, "5", "{}", "[1.5]", "", '["a"]'])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_batch_sizes_that_no_catalog_writes_are_named(database_url: str, sizes: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload())
    with PlainSql(database_url) as sql, sql.unguarded("batch_size_lists"):
        sql.run("UPDATE batch_size_lists SET batch_sizes = ?", (sizes,))
    with (
        Catalog.open(database_url) as catalog,
        pytest.raises(DamagedCatalogError, match="a stored model spec is not valid"),
    ):
        catalog.load("fleet")


@pytest.fixture
def sqlite_database(tmp_path: Path, migrated_sqlite_file: Path) -> Iterator[Database]:
    path = tmp_path / "catalog.db"
    path.write_bytes(migrated_sqlite_file.read_bytes())
    with closing(Database(locate(path))) as database:
        yield database


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let statements take fewer steps."""

    def set_bound(steps: int) -> None:
        monkeypatch.setattr(bounds, "MAX_STEPS", steps)
        monkeypatch.setattr(bounds, "_STEPS_PER_CALL", steps // 10)

    return set_bound


def test_a_statement_without_an_end_is_ended(sqlite_database: Database, bound: Callable[[int], None]) -> None:
    bound(1_000_000)
    for way in (sqlite_database.reading, sqlite_database.snapshot, sqlite_database.writing):
        with pytest.raises(CatalogUnavailableError, match="a statement was ended"), way() as connection:
            connection.exec_driver_sql(ENDLESS).all()
    with sqlite_database.writing() as connection:  # The next one begins anew.
        assert connection.exec_driver_sql("SELECT count(*) FROM names").scalar() == 0


def test_the_steps_of_many_short_statements_are_not_added_up(
    sqlite_database: Database, bound: Callable[[int], None]
) -> None:
    bound(200_000)
    query = ENDLESS.replace("FROM rows)", "FROM rows WHERE x < 1000)")
    for _ in range(100):
        assert sqlite_database.read(lambda connection: connection.exec_driver_sql(query).scalar()) == 1_000


def test_a_large_catalog_stays_far_below_the_bound(sqlite_database: Database, bound: Callable[[int], None]) -> None:
    bound(bounds.MAX_STEPS // 10_000)  # A tenth of the bound for a thousandth of a million.
    with Catalog.open(sqlite_database.location.path) as catalog:
        catalog.save_many(make_draft(f"sweep/{n}", workload=make_workload(5, num_replicas=n)) for n in range(1, 1_001))
        assert verify_database(catalog.database) == []
        assert len(list(catalog.search("total_gpus >= 0 and 'x' not in annotations"))) == 1_000


def json_counts_as_harmless() -> bool:
    """Whether this SQLite lets a table that it does not trust use json_valid(), as ours do."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        try:
            connection.execute("CREATE TABLE probe (text TEXT CHECK (json_valid(text)))")
        except sqlite3.OperationalError:
            return False
        return True


def test_settings_of_a_connection_trust_a_file_no_more_than_it_must(sqlite_database: Database) -> None:
    expected = (("trusted_schema", 0 if json_counts_as_harmless() else 1), ("cell_size_check", 1), ("foreign_keys", 1))
    with sqlite_database.reading() as connection:
        for setting, value in expected:
            assert connection.exec_driver_sql(f"PRAGMA {setting}").scalar() == value
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        assert driver.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == 512 * 2**20
        assert driver.getlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH) == 1_000_000


def test_a_value_of_more_than_512_mib_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(CatalogError, match="larger than 512 MiB"), sqlite_database.reading() as connection:
        connection.exec_driver_sql("SELECT length(zeroblob(600000000))").all()


@pytest.mark.parametrize("statistics", ["1", "0 0 0", "9999999999999999999 1 1", "1000000 unordered", "x", ""])
def test_statistics_of_a_stranger_change_no_answer(sqlite_database: Database, statistics: str) -> None:
    with Catalog.open(sqlite_database.location.path) as catalog:
        record_something_of_everything(catalog)
        expected = [hit.reference for hit in catalog.search("total_gpus > 0 or name == 'fleet'")]
    with PlainSql(f"sqlite:///{sqlite_database.location.path}") as sql:
        sql.run("ANALYZE")
        sql.run("UPDATE sqlite_stat1 SET stat = ?", (statistics,))
    with Catalog.open(sqlite_database.location.path) as catalog:
        assert [hit.reference for hit in catalog.search("total_gpus > 0 or name == 'fleet'")] == expected
        assert verify_database(catalog.database) == []
