"""Fixtures of the tests that look at the database itself."""

from collections.abc import Iterator

import pytest

from tests.catalog.plain_sql import PlainSql
from tests.catalog.schema.rows import digest, row_of


@pytest.fixture(scope="module")
def shared_connection(shared_database_url: str) -> Iterator[PlainSql]:
    """Connect the driver itself to the shared catalog."""
    with PlainSql(shared_database_url) as connection:
        yield connection


@pytest.fixture
def sql(shared_connection: PlainSql) -> Iterator[PlainSql]:
    """Lend the shared catalog in a transaction that is rolled back: as good as an empty one, and much cheaper."""
    shared_connection.run("BEGIN")
    yield shared_connection
    shared_connection.run("ROLLBACK")


@pytest.fixture
def plain_sql(database_url: str) -> Iterator[PlainSql]:
    """Connect the driver itself to the catalog that the fixture `catalog` opens."""
    with PlainSql(database_url) as connection:
        yield connection


@pytest.fixture
def filled(sql: PlainSql) -> PlainSql:
    """Store one name with one revision of one workload, and one model spec that no workload uses yet."""
    sql.insert("batch_size_lists", **row_of("batch_size_lists", id=1, digest=digest("a")))
    sql.insert("batch_sizes", **row_of("batch_sizes", position=0))
    sql.insert("model_specs", **row_of("model_specs", id=1, digest=digest("a"), model_label="Llama-3.1-70B"))
    sql.insert("model_specs", **row_of("model_specs"))
    sql.insert("workloads", **row_of("workloads", id=1, digest=digest("a")))
    first_model = {"position": 0, "model_spec_id": 1, "model_label": "Llama-3.1-70B"}
    sql.insert("workload_models", **row_of("workload_models", **first_model))
    sql.insert("names", **row_of("names", id=1, name="fleet"))
    sql.insert("revisions", **row_of("revisions", number=1))
    sql.insert("renames", **row_of("renames", number=1))
    sql.insert("tags", **row_of("tags", key="status"))
    sql.insert("alias_moves", **row_of("alias_moves", alias="production"))
    return sql
