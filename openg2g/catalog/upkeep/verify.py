"""Proof that a catalog is what it should be: every digest, every number, every reference, every total."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select, tuple_

from openg2g.catalog.archive.source import archive_entries
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.engines import engine_of
from openg2g.catalog.engine.kept import keep_nothing
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.sqlite.file_copy import copy_file
from openg2g.catalog.history.content import read_specs
from openg2g.catalog.schema.checksum import row_checksum
from openg2g.catalog.schema.content_rows import (
    BatchSizeListRow,
    BatchSizeRow,
    ModelSpecRow,
    WorkloadModelRow,
    WorkloadRow,
)
from openg2g.catalog.schema.convert import batch_sizes_to_rows
from openg2g.catalog.schema.metadata import CHECKSUMMED_TABLES
from openg2g.formats.archive.reader import EntryChecker
from openg2g.formats.temporary import temporary_directory, temporary_errors
from openg2g.models.digest import model_spec_digest
from openg2g.models.errors import CatalogError, CatalogUnavailableError

MAX_PROBLEMS = 100
"""After so many problems, the rest is not told."""

_ROWS_PER_PAGE = 5_000
_Ids = tuple[int, int]  # First and last.


def verify_database(database: Database) -> list[str]:
    """Check everything that is stored; return a line for each problem, none for a sound catalog.

    It may take minutes, and nobody waits for it: of a file, a copy among the temporary files is checked; a server is
    asked page by page.
    """
    if database.location.path is None:
        return problems_of(database)
    with temporary_directory() as directory:
        path = directory / "catalog.db"
        with temporary_errors():
            copy_file(database, path)
        with closing(Database(locate(path))) as copy:
            return [problem.replace(str(path), str(database.location)) for problem in problems_of(copy)]


def problems_of(database: Database) -> list[str]:
    """Check what `verify_database` does, in the database itself."""
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
        except CatalogUnavailableError:
            raise
        except CatalogError as error:  # A row that cannot be read at all ends its check; the others go on.
            problems.append(str(error))
        except (TypeError, ValueError, OverflowError) as error:  # A damaged page may give a value of another type.
            problems.append(f"a row cannot be read: {error}.")
    return problems


def _file_problems(database: Database) -> Iterator[str]:
    """Let the engine look through its file; a server looks after its own."""
    with database.reading() as connection:
        engine = engine_of(connection)
        yield from (f"{engine.product}: {message}" for message in engine.damage_of(connection))
        yield from engine.broken_references(connection)


def _history_problems(database: Database) -> Iterator[str]:
    """Read the catalog as an archive, whose checks it must pass."""
    checker = EntryChecker()
    for entry in archive_entries(database):
        problem = checker.problem_of(entry)
        if problem:
            yield problem


def _checksum_problems(database: Database) -> Iterator[str]:
    for table in CHECKSUMMED_TABLES:
        for row in _rows(database, table):
            *values, checksum = row
            if row_checksum(values) != checksum:
                key = ", ".join(str(row._mapping[column]) for column in table.primary_key.columns)
                yield f"row ({key}) of {table.name} does not fit its checksum."


def _rows(database: Database, table: Table) -> Iterator[Row[*tuple[Any, ...]]]:
    """Read a table by its key, page by page."""
    key = tuple_(*table.primary_key.columns)
    query = select(table).order_by(*table.primary_key.columns).limit(_ROWS_PER_PAGE)
    page = database.read(partial(_all, query=query))
    while page:
        yield from page
        last = tuple(page[-1]._mapping[column] for column in table.primary_key.columns)
        page = database.read(partial(_all, query=query.where(key > last)))


def _all(connection: Connection, query: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
    return connection.execute(query).all()


def _by_id(
    row_class: type[ModelSpecRow] | type[BatchSizeListRow] | type[WorkloadRow],
    problems_within: Callable[[_Ids, Connection], list[str]],
) -> Callable[[Database], Iterator[str]]:
    """Make a check of all rows of one of those with ids from first to last."""

    def check(database: Database) -> Iterator[str]:
        last = database.read(lambda connection: connection.scalar(select(func.max(row_class.id)))) or 0
        for first in range(1, last + 1, _ROWS_PER_PAGE):
            yield from database.read(partial(problems_within, (first, first + _ROWS_PER_PAGE - 1)))

    return check


def _spec_problems(ids: _Ids, connection: Connection) -> list[str]:
    query = select(ModelSpecRow.id, ModelSpecRow.digest).where(ModelSpecRow.id.between(*ids))
    rows = connection.execute(query.order_by(ModelSpecRow.id)).all()
    keep_nothing(connection)  # Each is to be read again.
    specs = read_specs(connection, [row.id for row in rows])
    return [
        f"model spec {row.id} does not fit its digest {row.digest}."
        for row in rows
        if model_spec_digest(specs[row.id]) != row.digest
    ]


def _batch_size_problems(ids: _Ids, connection: Connection) -> list[str]:
    members: dict[int, list[int]] = {}
    list_id = BatchSizeRow.batch_size_list_id
    sizes = select(list_id, BatchSizeRow.batch_size).where(list_id.between(*ids))
    for of_list, size in connection.execute(sizes.order_by(list_id, BatchSizeRow.position)):
        members.setdefault(of_list, []).append(size)
    columns = (BatchSizeListRow.id, BatchSizeListRow.digest, BatchSizeListRow.batch_sizes)
    lists = select(*columns, BatchSizeListRow.num_batch_sizes).where(BatchSizeListRow.id.between(*ids))
    return [
        f"batch size list {row.id} does not fit its members and its digest {row.digest}."
        for row in connection.execute(lists.order_by(BatchSizeListRow.id)).all()
        if tuple(row) != batch_sizes_to_rows(tuple(members.get(row.id, ())), row.id)[0]
    ]


def _total_problems(ids: _Ids, connection: Connection) -> list[str]:
    totals = (
        select(WorkloadRow.digest)
        .outerjoin(WorkloadModelRow, WorkloadModelRow.workload_id == WorkloadRow.id)
        .outerjoin(ModelSpecRow, ModelSpecRow.id == WorkloadModelRow.model_spec_id)
        .where(WorkloadRow.id.between(*ids))
        .group_by(WorkloadRow.id)  # The key: every other column of a workload depends on it.
        .having(
            (func.count(WorkloadModelRow.position) != WorkloadRow.num_models)
            | (func.coalesce(func.sum(ModelSpecRow.total_gpus), 0) != WorkloadRow.total_gpus)
            | func.min(ModelSpecRow.itl_deadline_s).is_distinct_from(WorkloadRow.least_itl_deadline_s)
            | func.max(ModelSpecRow.itl_deadline_s).is_distinct_from(WorkloadRow.greatest_itl_deadline_s)
        )
        .order_by(WorkloadRow.digest)
    )
    return [
        f"the totals or deadlines of the workload {digest} do not fit its models."
        for digest in connection.scalars(totals)
    ]


_CHECKS: tuple[Callable[[Database], Iterator[str]], ...] = (
    _file_problems,
    _history_problems,
    _checksum_problems,
    _by_id(ModelSpecRow, _spec_problems),
    _by_id(BatchSizeListRow, _batch_size_problems),
    _by_id(WorkloadRow, _total_problems),
)
