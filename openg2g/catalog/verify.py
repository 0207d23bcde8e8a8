"""Proof that a catalog is what it should be: every digest, every number, every reference, every total."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, func, select

from openg2g.catalog.archive_source import ROWS_FETCHED, archive_entries
from openg2g.catalog.checksum import row_checksum
from openg2g.catalog.content import ContentReader
from openg2g.catalog.convert import batch_sizes_to_rows
from openg2g.catalog.database import Database
from openg2g.catalog.definitions import compare_definitions
from openg2g.catalog.tables import (
    BATCH_SIZE_LISTS,
    BATCH_SIZES,
    CHECKSUMMED_TABLES,
    MODEL_SPECS,
    WORKLOAD_MODELS,
    WORKLOADS,
)
from openg2g.formats.archive_reader import EntryChecker
from openg2g.models.digest import model_spec_digest
from openg2g.models.errors import CatalogError

MAX_PROBLEMS = 100
"""After so many problems, the rest is not told."""


def verify_database(database: Database) -> list[str]:
    """Check everything that is stored; return a line for each problem, none for a sound catalog."""
    comparison = database.read(compare_definitions)
    problems = comparison.lines
    if comparison.has_other_tables:
        return [*problems, "the rows were not read, since the tables may answer anything."]
    for check in _CHECKS:
        try:
            for problem in check(database):
                problems.append(problem)
                if len(problems) >= MAX_PROBLEMS:
                    return [*problems, "there may be more."]
        except CatalogError as error:  # A row that cannot be read at all ends its check; the others go on.
            problems.append(str(error))
        except (TypeError, ValueError, OverflowError) as error:  # A damaged page may give a value of another type.
            problems.append(f"a row cannot be read: {error}.")
    return problems


def _file_problems(database: Database) -> Iterator[str]:
    """Let SQLite look through its pages, constraints and foreign keys; a server looks after its own."""
    if not database.is_sqlite:
        return
    with database.reading() as connection:
        for (message,) in connection.exec_driver_sql("PRAGMA integrity_check").all():
            if message != "ok":
                yield f"SQLite: {message}"
        for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            yield f"row {row} of {table} refers to a row of {parent} that is not there."


def _history_problems(database: Database) -> Iterator[str]:
    """Read the catalog as an archive, whose checks it must pass."""
    checker = EntryChecker()
    for entry in archive_entries(database):
        problem = checker.problem_of(entry)
        if problem:
            yield problem


def _checksum_problems(database: Database) -> Iterator[str]:
    with database.snapshot() as connection:
        for table in CHECKSUMMED_TABLES:
            query = select(table).order_by(*table.primary_key.columns)
            for row in connection.execute(query, execution_options={"yield_per": ROWS_FETCHED}):
                *values, checksum = row
                if row_checksum(values) != checksum:
                    key = ", ".join(str(row._mapping[column]) for column in table.primary_key.columns)
                    yield f"row ({key}) of {table.name} does not fit its checksum."


def _content_problems(database: Database) -> Iterator[str]:
    with database.snapshot() as connection:
        yield from _spec_problems(connection)
        yield from _batch_size_problems(connection)
        yield from _total_problems(connection)


def _spec_problems(connection: Connection) -> Iterator[str]:
    rows = connection.execute(select(MODEL_SPECS.c.id, MODEL_SPECS.c.digest).order_by(MODEL_SPECS.c.id)).all()
    specs = ContentReader().read_specs(connection, [row.id for row in rows])
    for row in rows:
        if model_spec_digest(specs[row.id]) != row.digest:
            yield f"model spec {row.id} does not fit its digest {row.digest}."


def _batch_size_problems(connection: Connection) -> Iterator[str]:
    members: dict[int, list[int]] = {}
    query = select(BATCH_SIZES.c.batch_size_list_id, BATCH_SIZES.c.batch_size)
    for list_id, size in connection.execute(query.order_by(BATCH_SIZES.c.batch_size_list_id, BATCH_SIZES.c.position)):
        members.setdefault(list_id, []).append(size)
    columns = (BATCH_SIZE_LISTS.c.id, BATCH_SIZE_LISTS.c.digest, BATCH_SIZE_LISTS.c.batch_sizes)
    for row in connection.execute(select(*columns, BATCH_SIZE_LISTS.c.num_batch_sizes)):
        expected, _ = batch_sizes_to_rows(tuple(members.get(row.id, ())), row.id)
        if tuple(row) != expected:
            yield f"batch size list {row.id} does not fit its members and its digest {row.digest}."


def _total_problems(connection: Connection) -> Iterator[str]:
    totals = (
        select(WORKLOADS.c.digest)
        .outerjoin(WORKLOAD_MODELS, WORKLOAD_MODELS.c.workload_id == WORKLOADS.c.id)
        .outerjoin(MODEL_SPECS, MODEL_SPECS.c.id == WORKLOAD_MODELS.c.model_spec_id)
        .group_by(WORKLOADS.c.id)  # The key: every other column of a workload depends on it.
        .having(
            (func.count(WORKLOAD_MODELS.c.position) != WORKLOADS.c.num_models)
            | (func.coalesce(func.sum(MODEL_SPECS.c.total_gpus), 0) != WORKLOADS.c.total_gpus)
            | func.min(MODEL_SPECS.c.itl_deadline_s).is_distinct_from(WORKLOADS.c.least_itl_deadline_s)
            | func.max(MODEL_SPECS.c.itl_deadline_s).is_distinct_from(WORKLOADS.c.greatest_itl_deadline_s)
        )
        .order_by(WORKLOADS.c.digest)
    )
    for digest in connection.scalars(totals):
        yield f"the totals or deadlines of the workload {digest} do not fit its models."


_CHECKS: tuple[Callable[[Database], Iterator[str]], ...] = (
    _file_problems,
    _history_problems,
    _checksum_problems,
    _content_problems,
)
