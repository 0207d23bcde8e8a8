"""How the catalog works with PostgreSQL: settings of its own, whatever server, role, environment or pooler have.

A pooler in transaction mode gives each transaction another connection to the server. Settings and prepared statements
that outlive a transaction would meet those of other clients. A connection is known to be direct where the process that
the driver was connected to is the one that answers; then settings are made once, and statements prepared. Otherwise
every transaction begins with its settings, and nothing is prepared.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Table, event, select, text
from sqlalchemy.engine.interfaces import Dialect, ExceptionContext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from openg2g.catalog.engine import waiting
from openg2g.catalog.engine.engines import CatalogEngine, driver_cursor
from openg2g.catalog.engine.kept import keep_nothing
from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.postgresql import definitions
from openg2g.catalog.engine.postgresql.connection import ProcessConnection
from openg2g.catalog.engine.postgresql.faults import DENIED, READ_ONLY, ROLE, postgresql_error
from openg2g.catalog.engine.postgresql.ownership import owner_on_server
from openg2g.catalog.engine.unprepared import UNPREPARED
from openg2g.catalog.schema.content_rows import CatalogInfoRow
from openg2g.catalog.schema.convert import RowTuple
from openg2g.catalog.schema.metadata import VERSION_TABLE
from openg2g.models.errors import DamagedCatalogError, LocationError

_DRIVER_SETTINGS = {  # A server whose machine is gone is noticed within two minutes, not two hours.
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 6,
    "tcp_user_timeout": 90_000,
}
_SETTINGS: Mapping[str, str] = {
    "DateStyle": "'ISO, YMD'",
    "TimeZone": "'UTC'",  # Elsewhere the first and last hours of all time cannot be read.
    "IntervalStyle": "'postgres'",
    "bytea_output": "'hex'",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",
    "row_security": "off",  # A policy that would hide rows makes an error instead of another answer.
    "default_transaction_isolation": "'read committed'",
    "default_transaction_deferrable": "off",
}
# What other clients of a pooler may have left behind becomes what server, database and role say.
_RESET = ("role", "statement_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
_RESET_SINCE_17 = ("transaction_timeout",)
# To set this takes a privilege, which whoever has changed it has.
_STAY_AT_ORIGIN = (
    "SELECT set_config('session_replication_role', 'origin', true) "
    "WHERE current_setting('session_replication_role') <> 'origin'"
)

_COPY_FROM_ROWS = 50  # Below this, COPY's extra round trip costs more than it saves.

# PostgreSQL's types by those of the values; JSON is sent as text, which it is already.
_SENT_AS = {int: "int8", float: "float8", str: "text", datetime: "timestamptz"}

_LOCAL_SETTINGS = "catalog_local_settings"
_ACCESS = "catalog_access"

_FIND_SCHEMA = f"""
    WITH path AS (
        SELECT schema::text, place FROM unnest(current_schemas(false)) WITH ORDINALITY AS listed (schema, place)
        WHERE schema NOT LIKE 'pg\\_%' AND schema <> 'information_schema'
    ), found AS (
        SELECT nspname::text AS schema, place FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN path ON path.schema = nspname
        WHERE relname = '{VERSION_TABLE}' AND relkind IN ('r', 'p') AND relpersistence <> 't'
        AND (place IS NOT NULL OR has_schema_privilege(pg_namespace.oid, 'USAGE'))
    )
    SELECT pg_backend_pid(),
        (SELECT schema FROM path ORDER BY place LIMIT 1),
        (SELECT schema FROM found WHERE place IS NOT NULL ORDER BY place LIMIT 1),
        array(SELECT schema FROM found WHERE place IS NULL ORDER BY schema),
        current_setting('default_transaction_read_only'), current_setting('session_replication_role'), current_user;
    COMMIT
"""

_ADVISORY_LOCK = 0x4F473247
_MAY_WRITE = text("SELECT has_table_privilege('revisions', 'INSERT')")
_LOCK = select(CatalogInfoRow.id).with_for_update()
_LOCK_IF_FREE = _LOCK.with_for_update(skip_locked=True)  # Whoever gets it needs to warn nobody.

# Where no logging is set up, Python would print what the driver notes of errors that it also raises.
_QUIET = logging.NullHandler()


class PostgresqlEngine(CatalogEngine):
    """The connections to a PostgreSQL database. They are in autocommit mode: transactions begin by statements."""

    name = "postgresql"
    product = "PostgreSQL"
    among_keys = "= ANY(%s)"
    keys_parameter = staticmethod(lambda keys: keys)
    translation = staticmethod(postgresql_error)
    removal = "DROP {kind} {name} ON {table}"
    read_definitions = staticmethod(definitions.read_definitions)
    comparable = staticmethod(definitions.comparable)
    find_version_table = staticmethod(definitions.find_version_table)

    def __init__(self, location: Location, *, may_create: bool) -> None:
        """Prepare the engine; the first use connects."""
        logging.getLogger("psycopg").addHandler(_QUIET)  # The same again is not added.
        super().__init__(
            location,
            isolation_level="AUTOCOMMIT",
            connect_args={**_DRIVER_SETTINGS, **location.options, "client_encoding": "UTF8"},
        )
        self._may_create = may_create
        self._role: str | None = None
        self._open: WeakSet[ProcessConnection] = WeakSet()
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "do_execute", self._execute)
        event.listen(self.engine, "handle_error", self._note_role)

    def begin_reading(self, connection: Connection) -> None:
        """Begin a transaction where a pooler may be between: elsewhere each statement is one of its own."""
        if connection.info[_LOCAL_SETTINGS]:
            self._begin(connection, "READ COMMITTED")

    def begin_snapshot(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same state."""
        self._begin(connection, "REPEATABLE READ")

    def begin_reading_only(self, connection: Connection) -> None:
        """Begin a transaction that refuses to write; a query of its own is first, so that it cannot be made another."""
        self._begin(connection, "REPEATABLE READ")
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql("SELECT 1")

    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction and wait for the writers' lock. What was committed while it waited must be seen."""
        self._begin(connection, "READ COMMITTED")
        locked = connection.scalar(_LOCK_IF_FREE)
        if locked is None:
            with waiting.telling_of_waiting():
                locked = connection.scalar(_LOCK)
        if locked is None:
            raise DamagedCatalogError(f"{self.location}: the row of catalog_info that writers lock is missing.")

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction in which nobody else changes the tables: two CREATE TABLE at once would fail."""
        self._begin(connection, "READ COMMITTED")
        with waiting.telling_of_waiting():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})

    def insert(self, connection: Connection, table: Table, rows: Iterator[RowTuple]) -> None:
        """Insert few rows by one statement, and many by COPY."""
        target = f"{table.name} ({', '.join(column.name for column in table.columns)})"
        first = list(islice(rows, _COPY_FROM_ROWS))
        if len(first) < _COPY_FROM_ROWS:
            if first:
                marks = ", ".join([f"({', '.join(['%s'] * len(table.columns))})"] * len(first))
                connection.exec_driver_sql(f"INSERT INTO {target} VALUES {marks}", tuple(chain.from_iterable(first)))
            return
        statement = f"COPY {target} FROM STDIN (FORMAT BINARY)"
        with driver_cursor(connection, statement) as cursor, cursor.copy(statement) as copy:
            copy.set_types([_SENT_AS[column.type.python_type] for column in table.columns])
            for row in chain(first, rows):
                copy.write_row(row)

    def is_refusal_to_write(self, error: SQLAlchemyError) -> bool:
        """Whether it is what a transaction that only reads says."""
        return getattr(getattr(error, "orig", None), "sqlstate", None) == READ_ONLY

    def why_read_only(self, connection: Connection) -> str | None:
        """Say whose the tables are."""
        return None if connection.scalar(_MAY_WRITE) else f"it belongs to {owner_on_server(connection)}"

    def after_fork_in_child(self) -> None:
        """Give up every connection of the parent's."""
        for raw in list(self._open):
            raw.give_up()

    def _begin(self, connection: Connection, isolation: str) -> None:
        info = connection.info
        if info[_LOCAL_SETTINGS]:
            keep_nothing(connection)  # Whatever is behind a pooler may be another database by now.
        connection.exec_driver_sql(f"BEGIN ISOLATION LEVEL {isolation}{info[_ACCESS]}{info[_LOCAL_SETTINGS]}")

    def _connect(
        self, _: Dialect, record: ConnectionPoolEntry, arguments: list[Any], parameters: dict[str, Any]
    ) -> ProcessConnection:
        """Connect, find the schema of the catalog, and make the settings that hold for the whole connection."""
        raw = ProcessConnection.connect(*arguments, **parameters)
        try:
            self._set_up(raw, record)
        except BaseException:
            raw.close()
            raise
        self._open.add(raw)
        return raw

    def _set_up(self, raw: Any, record: ConnectionPoolEntry) -> None:
        raw.autocommit = True
        resettable = (*_RESET, *_RESET_SINCE_17) if raw.info.server_version >= 170_000 else _RESET
        resets = [f"SET LOCAL {name} TO DEFAULT" for name in resettable]
        found_by = [*resets, "SET LOCAL search_path TO DEFAULT", "SET LOCAL default_transaction_read_only TO DEFAULT"]
        cursor = raw.execute("; ".join(["BEGIN", *found_by, _FIND_SCHEMA]))
        for _ in range(1 + len(found_by)):
            cursor.nextset()
        process_id, first, of_catalog, elsewhere, is_read_only, replication_role, role = cursor.fetchone()
        is_chosen = "search_path" in raw.info.options
        is_direct = process_id == raw.info.backend_pid
        prepares = self.location.prepared_statements
        if not (is_direct if prepares is None else prepares):
            raw.prepare_threshold = None
        settings = {
            **_SETTINGS,
            "search_path": f"{_quoted(of_catalog or self._schema(first, elsewhere, is_chosen=is_chosen))}, pg_temp",
            "lock_timeout": f"'{waiting.LOCK_WAIT_S:.0f}s'",
        }
        if replication_role != "origin":  # No trigger would refuse anything. It takes a privilege to set.
            settings["session_replication_role"] = "origin"
        if is_direct:
            raw.execute("; ".join(f"SET {name} = {value}" for name, value in settings.items()))
            record.info[_LOCAL_SETTINGS] = record.info[_ACCESS] = ""
            self._role = role
            return
        record.info[_ACCESS] = "" if is_read_only == "on" else " READ WRITE"
        settings_of_ours = [f"SET LOCAL {name} = {value}" for name, value in settings.items()]
        begun_with = (*resets, *settings_of_ours, _STAY_AT_ORIGIN)
        record.info[_LOCAL_SETTINGS] = "".join(f"; {statement}" for statement in begun_with)

    def _note_role(self, context: ExceptionContext) -> None:
        """Tell an error whose privileges counted.

        That is not always the user of the URL: `ALTER ROLE … SET role` makes it another as soon as it connects, and
        behind a pooler it may be whatever the client before has left.
        """
        if getattr(context.original_exception, "sqlstate", None) == DENIED:
            setattr(context.original_exception, ROLE, self._role)

    @staticmethod
    def _execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        """Send a search unprepared: a plan made without the values may take 1,000 times as long."""
        if not context.execution_options.get(UNPREPARED):
            return False  # SQLAlchemy executes it.
        cursor.execute(statement, parameters, prepare=False)
        return True

    def _schema(self, first: str | None, elsewhere: list[str], *, is_chosen: bool) -> str:
        """Return the schema of the catalog where none is in the search path: the only other, or where to make one.

        `first` is that of the search path, if it has one; the path is chosen where it is that of the URL or the
        environment, and not of the database or role.
        """
        if first is not None and (is_chosen or self._may_create):
            return first
        if len(elsewhere) > 1:
            raise LocationError(
                f"{self.location} has catalogs in the schemas {', '.join(elsewhere)}, and none in the search path. "
                f"Choose one in the URL: ?options=-csearch_path%3D{elsewhere[0]}"
            )
        return elsewhere[0] if elsewhere else first or "public"


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
