"""What each engine does in its own way: nobody else asks which engine a database is on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from openg2g.catalog.engine import forks
from openg2g.catalog.engine.location import Location
from openg2g.catalog.schema.convert import RowTuple
from openg2g.models.errors import CatalogError

_OURS = "catalog_engine"

Definitions = Mapping[tuple[str, str, str], str]
"""Objects of a database → their texts: the table that one belongs to or its own name, what it is (`"table"`, `"view"`,
`"column"`, `"constraint"`, `"index"`, `"trigger"`, `"rule"` or `"function"`), and its name."""


class CatalogEngine(ABC):
    """The connections to one database, and what is done with them in another way on each engine.

    Attributes:
        location: Where it is.
        engine: The SQLAlchemy engine.
    """

    name: ClassVar[str]
    """What SQLAlchemy calls it."""
    product: ClassVar[str]
    """What people call it."""
    among_keys: ClassVar[str]
    """SQL behind a column: that its value is among those of a `keys_parameter`."""
    keys_parameter: Callable[[list[str]], object]
    """Makes one parameter of some keys."""
    translation: Callable[[BaseException | None, Location, str | None], CatalogError]
    """Says what a driver raised, and for which statement, so that its user knows what, where, why, and what to do."""
    removal: ClassVar[str]
    """Statement that removes a trigger or rule of somebody else."""
    read_definitions: Callable[[Connection], Definitions]
    """Reads what the objects with names of ours, and those on our tables, are."""
    comparable: Callable[[Definitions], Definitions]
    """Leaves out of definitions what means nothing."""
    find_version_table: Callable[[Connection], bool | None]
    """Finds the version table, without which there is no catalog yet; False: it is no table, and may never answer."""

    def __init__(self, location: Location, **options: Any) -> None:
        """Prepare the engine; the first use connects."""
        self.location = location
        self.engine: Engine = create_engine(
            location.url,
            hide_parameters=True,
            pool_reset_on_return=None,  # Who gives a connection back has ended its transaction.
            execution_options={_OURS: self},
            **options,
        )
        event.listen(self.engine, "handle_error", forks.pass_on)

    def begin_reading(self, connection: Connection) -> None:  # noqa: B027  Nothing, where each statement is one.
        """Begin what single statements need."""

    @abstractmethod
    def begin_snapshot(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same state."""

    @abstractmethod
    def begin_reading_only(self, connection: Connection) -> None:
        """Begin what `begin_snapshot` does, on a connection that refuses to write until `end_reading_only`."""

    def end_reading_only(self, connection: Connection) -> None:
        """End it, and let the connection write again."""
        connection.rollback()

    def turn(self) -> AbstractContextManager[float]:
        """Wait for a writer's turn, and keep it during the block, which gets how long it took, seconds."""
        return nullcontext(0.0)

    @abstractmethod
    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction that no other writer can come into; `waited_s` of the patience is used up already."""

    @abstractmethod
    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction in which nobody else changes the tables."""

    def end_migrating(self, connection: Connection) -> None:  # noqa: B027
        """Undo what `begin_migrating` made of the connection, not of the transaction."""

    def commit(self, connection: Connection) -> None:
        """Commit."""
        connection.commit()

    @abstractmethod
    def insert(self, connection: Connection, table: Table, rows: Iterator[RowTuple]) -> None:
        """Insert rows of values that the driver takes, at its speed."""

    @abstractmethod
    def is_refusal_to_write(self, error: SQLAlchemyError) -> bool:
        """Whether it was refused to write on a connection, or in a transaction, that only reads."""

    @abstractmethod
    def why_read_only(self, connection: Connection) -> str | None:
        """Say why this user may only read the catalog; None where they may write to it."""

    def damage_of(self, connection: Connection, limit: int = 100) -> Iterable[str]:
        """List what is wrong with the pages and constraints of a file; a server looks after its own."""
        return ()

    def broken_references(self, connection: Connection) -> Iterable[str]:
        """List the foreign keys that lead nowhere; a server has none."""
        return ()

    def journal_mode(self, connection: Connection) -> str | None:
        """Return how a file keeps a transaction until it is complete, `delete` or `wal`; None on a server."""
        return None

    def before_fork(self) -> None:  # noqa: B027
        """Come to a state that a forked child can leave alone."""

    def after_fork_in_parent(self) -> None:  # noqa: B027
        """Go on."""

    @abstractmethod
    def after_fork_in_child(self) -> None:
        """Give up every connection of the parent's."""

    def close(self) -> None:
        """Close what no transaction uses."""
        self.engine.dispose()


def engine_of(connection: Connection) -> CatalogEngine:
    """Return the engine that a connection is one of."""
    engine: CatalogEngine = connection.get_execution_options()[_OURS]
    return engine


@contextmanager
def driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """Yield a cursor of the driver; its errors become those of SQLAlchemy."""
    driver_error = connection.dialect.loaded_dbapi.Error
    try:
        with closing(connection.connection.cursor()) as cursor:
            yield cursor
    except driver_error as error:
        raise DBAPIError.instance(statement, None, error, driver_error, dialect=connection.dialect) from error
