"""What a database says about how it would answer a statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Connection, Executable, Row, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from openg2g.catalog.engine.unprepared import execute_unprepared


@dataclass(frozen=True)
class Explanation:
    """A statement and its plan.

    Attributes:
        statement: The SQL, with places for parameters.
        parameters: The values, by name.
        plan: Lines of the database's plan, indented.
    """

    statement: str
    parameters: dict[str, Any]
    plan: tuple[str, ...]


class _Explain(Executable, ClauseElement):
    """`EXPLAIN` of a statement, sent with the same parameters in the same way."""

    inherit_cache = False

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement


@compiles(_Explain, "sqlite")
def _explain_on_sqlite(element: _Explain, compiler: SQLCompiler, **keywords: Any) -> str:
    return "EXPLAIN QUERY PLAN " + compiler.process(element.statement, **keywords)


@compiles(_Explain, "postgresql")
def _explain_on_postgresql(element: _Explain, compiler: SQLCompiler, **keywords: Any) -> str:
    return "EXPLAIN " + compiler.process(element.statement, **keywords)


def explain(connection: Connection, query: Select[*tuple[Any, ...]]) -> Explanation:
    """Explain a statement."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    rows = execute_unprepared(connection, _Explain(query)).all()
    names = compiled.positiontup or list(compiled.params)
    return Explanation(str(compiled), {name: compiled.params[name] for name in names}, tuple(_lines(rows)))


def _lines(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[str]:
    """Yield the lines of a plan; those of SQLite's, whose rows name their parents, are indented here."""
    depth = {0: -1}
    for row in rows:
        if len(row) > 1:
            depth[row.id] = depth[row.parent] + 1
        yield "  " * (depth[row.id] if len(row) > 1 else 0) + row[-1]
