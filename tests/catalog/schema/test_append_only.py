"""The databases refuse to change or delete what was recorded, and to leave a number out."""

import pytest

from openg2g.catalog.schema.metadata import APPEND_ONLY_TABLES, METADATA
from tests.catalog.plain_sql import PlainSql
from tests.catalog.schema.rows import WHEN, assert_refused, row_of


@pytest.mark.parametrize("table", APPEND_ONLY_TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_content_and_revisions_cannot_be_changed_or_deleted(filled: PlainSql, table: str, verb: str) -> None:
    column = next(iter(row_of(table)))
    before = filled.dump([table])
    statement = f"UPDATE {table} SET {column} = {column}" if verb == "UPDATE" else f"DELETE FROM {table}"
    with filled.refusing(f"{table} is append-only: {verb} is refused"):
        filled.run(statement)
    assert filled.dump([table]) == before


@pytest.mark.parametrize("shared_database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", [*APPEND_ONLY_TABLES, "names"])
def test_no_table_with_content_or_revisions_can_be_truncated(filled: PlainSql, table: str) -> None:
    before = filled.dump([table])
    with filled.refusing("is append-only: TRUNCATE is refused"):
        filled.run(f"TRUNCATE {table} CASCADE")
    assert filled.dump([table]) == before


@pytest.mark.parametrize("shared_database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
def test_sqlite_replaces_no_revision(filled: PlainSql, verb: str) -> None:
    before = filled.dump(["revisions"])
    row = row_of("revisions", number=1, author="Mallory")
    with filled.refusing("revisions is append-only: the next number of the name is needed"):
        filled.run(f"{verb} INTO revisions VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
    assert filled.dump(["revisions"]) == before


@pytest.mark.parametrize("table", APPEND_ONLY_TABLES)
def test_an_upsert_changes_nothing_that_is_stored(filled: PlainSql, table: str) -> None:
    keys = [column.name for column in METADATA.tables[table].primary_key]
    last = list(row_of(table))[-1]
    before = filled.dump([table])
    # Postgres names the verb that refused; SQLite's own guard of revisions comes first.
    with filled.refusing(f"{table} is append-only"):
        filled.run(
            f"INSERT INTO {table} SELECT * FROM {table} WHERE true "
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {last} = excluded.{last}"
        )
    assert filled.dump([table]) == before


@pytest.mark.parametrize("number", [3, 4, 1000])
def test_a_gap_in_the_numbers_of_a_name_is_refused(filled: PlainSql, number: int) -> None:
    assert_refused(filled, "revisions", "the next number of the name is needed", number=number)


def test_the_first_number_of_a_name_is_1_whatever_other_names_have(filled: PlainSql) -> None:
    filled.insert("names", **row_of("names"))
    assert_refused(filled, "revisions", "the next number of the name is needed", name_id=2, number=2)
    filled.insert("revisions", **row_of("revisions", name_id=2, number=1))


def test_several_next_numbers_can_be_inserted_by_one_statement_without_a_gap(filled: PlainSql) -> None:
    columns = ", ".join(row_of("revisions"))
    tail = f"1, '{WHEN}', '{WHEN}', 'Ada', '', '', '{{}}', 0"
    filled.run(f"INSERT INTO revisions ({columns}) VALUES (1, 2, {tail}), (1, 3, {tail})")
    with filled.refusing("the next number of the name is needed"):
        filled.run(f"INSERT INTO revisions ({columns}) VALUES (1, 4, {tail}), (1, 6, {tail})")
    assert filled.run("SELECT number FROM revisions ORDER BY number") == [(1,), (2,), (3,)]


def test_a_number_is_given_once(filled: PlainSql) -> None:
    match = filled.on("the next number of the name is needed", "pk_revisions")
    assert_refused(filled, "revisions", match, number=1)
