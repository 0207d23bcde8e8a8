"""A session of SQLAlchemy's ORM: it reads what is stored by relationships, and cannot write in any way."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, selectinload

from openg2g.catalog import Catalog, CatalogError, CatalogReadOnlyError
from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.convert import workload_from_row
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload
from tests.catalog.histories import record_something_of_everything
from tests.catalog.schema.rows import row_of

CLASSES = {mapper.class_.__tablename__: mapper.class_ for mapper in Row.registry.mappers}


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """Record something of everything."""
    record_something_of_everything(catalog)
    return catalog


def flush(session: Session, row_class: type[Row]) -> None:
    session.add(row_class(**{**row_of(row_class.__tablename__)}))
    session.commit()


def remove(session: Session, row_class: type[Row]) -> None:
    session.delete(session.scalars(select(row_class).limit(1)).one())
    session.flush()


WRITES: dict[str, Callable[[Session, type[Row]], object]] = {
    "flush": flush,
    "delete": remove,
    "update statement": lambda session, row_class: session.execute(
        update(row_class).values({column.key: column for column in row_class.__table__.columns})
    ),
    "delete statement": lambda session, row_class: session.execute(delete(row_class)),
    "insert statement": lambda session, row_class: session.execute(
        insert(row_class).from_select(
            [column.key for column in row_class.__table__.columns], select(row_class.__table__)
        )
    ),
    "bulk": lambda session, row_class: session.bulk_insert_mappings(
        row_class.__mapper__, [dict(session.execute(select(row_class.__table__).limit(1)).mappings().one())]
    ),
    "plain SQL": lambda session, row_class: session.execute(text(f"DELETE FROM {row_class.__tablename__}")),
    "plain SQL of the driver": lambda session, row_class: session.connection().exec_driver_sql(
        f"DROP TABLE {row_class.__tablename__}"
    ),
    "after the end of a transaction": lambda session, row_class: (
        session.commit(),
        session.execute(text(f"DELETE FROM {row_class.__tablename__}")),
    ),
    "after a rollback": lambda session, row_class: (
        session.rollback(),
        session.execute(text(f"DELETE FROM {row_class.__tablename__}")),
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_session_refuses_to_write_to_any_table(
    filled: Catalog, write: Callable[[Session, type[Row]], object]
) -> None:
    why = "a session of a catalog only reads"
    before = filled.count()
    for row_class in CLASSES.values():
        with (
            filled.session() as session,
            pytest.raises(CatalogReadOnlyError, match=why),
        ):
            write(session, row_class)
        with filled.session() as session, pytest.raises(CatalogReadOnlyError):
            session.scalars(select(NameRow)).all()
            write(session, row_class)
    assert filled.count() == before
    assert verify_database(filled.database) == []
    assert filled.save("fleet", make_workload(7)).is_new, "the connection can write again"


def test_a_query_by_relationships_finds_what_is_stored(filled: Catalog) -> None:
    query = select(RevisionRow).join(RevisionRow.named).where(NameRow.name == "fleet").order_by(RevisionRow.number)
    with filled.session() as session:
        rows = session.scalars(query).all()
        found = [
            (row.named.name, row.number, None if row.workload is None else workload_from_row(row.workload))
            for row in rows
        ]
        first = rows[0].workload
        assert first is not None
        deadlines = {place.model_label: place.spec.itl_deadline_s for place in first.models}
        assert deadlines == workload_from_row(first).itl_deadline_by_model
    assert found == [(r.name, r.number, r.workload) for r in filled.history("fleet")]


def test_everything_of_a_name_is_loaded_where_it_is_asked_for(filled: Catalog) -> None:
    wanted = (NameRow.revisions, NameRow.tags, NameRow.alias_moves, NameRow.renames)
    with filled.session() as session:
        for row in session.scalars(select(NameRow).options(*map(selectinload, wanted))):
            assert len(row.revisions) == len(filled.history(row.name))
            assert {tag.key: tag.value for tag in row.tags} == filled.tags(row.name)
            assert len(row.alias_moves) == len(filled.alias_log(row.name))
        row = session.scalars(select(NameRow).limit(1).execution_options(populate_existing=True)).one()
        session.expire(row)
        with pytest.raises(InvalidRequestError, match="lazy='raise'"):
            _ = row.revisions


def test_a_session_sees_one_state(empty_database_url: str) -> None:
    ids = select(NameRow.id)
    # In a file without a write-ahead log, writers wait for readers.
    with Catalog.create(empty_database_url, wal=empty_database_url.startswith("sqlite")) as catalog:
        catalog.save("fleet", make_workload(1))
        with Catalog.open(empty_database_url) as other, other.session() as session:
            before = session.scalars(ids).all()
            catalog.save("later", make_workload(1))
            session.rollback()
            assert session.scalars(ids).all() == before
            session.commit()
            assert session.scalars(ids).all() == before
        assert len(catalog.list_names()) == 2


def test_a_wrong_statement_is_an_error_of_ours(filled: Catalog) -> None:
    with filled.session() as session, pytest.raises(CatalogError) as raised:
        session.execute(text("SELECT nothing FROM nowhere"))
    assert "\n" not in str(raised.value)
    assert filled.load("fleet")


def test_rows_know_their_times_in_utc(catalog: Catalog) -> None:
    since = datetime(2026, 4, 1, tzinfo=UTC)
    catalog.save("fleet", make_workload(1), effective_from=since)
    with catalog.session() as session:
        assert session.scalars(select(RevisionRow.effective_from)).one() == since
