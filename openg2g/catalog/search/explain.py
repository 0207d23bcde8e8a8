"""What a database says about how it would answer a statement."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Connection, Executable, Select
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
    plan = _tree_lines(rows) if connection.dialect.name == "sqlite" else tuple(row[0] for row in rows)
    names = compiled.positiontup or list(compiled.params)
    return Explanation(str(compiled), {name: compiled.params[name] for name in names}, plan)


def _tree_lines(rows: Any) -> tuple[str, ...]:
    """Indent SQLite's plan, whose rows name their parents."""
    depth = {0: -1}
    lines = []
    for identifier, parent, _, text in rows:
        depth[identifier] = depth.get(parent, -1) + 1
        lines.append("  " * depth[identifier] + text)
    return tuple(lines)
