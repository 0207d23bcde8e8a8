"""What the two engines say differently: one expression, of which each engine is sent what it understands."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Lateral,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    not_,
    null,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from openg2g.catalog.history.queries import in_force_of, is_in_force
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.search.types import SQL_TYPES
from openg2g.expressions import patterns
from openg2g.expressions.types import Kind

Column = ColumnElement[Any]
Condition = ColumnElement[bool]
Path = tuple[str | int, ...]


class _PerEngine(FunctionElement[Any]):
    """An expression of SQLite, and the one of the same meaning of PostgreSQL."""

    inherit_cache = True

    def __init__(self, sqlite: Column, postgresql: Column) -> None:
        super().__init__(sqlite, postgresql)
        self.type = sqlite.type

    def self_group(self, against: Any = None) -> "_PerEngine":
        """Put each in the parentheses that it needs."""
        return _PerEngine(*(clause.self_group(against) for clause in self.clauses))

    @property
    def negation_clause(self) -> Condition:  # type: ignore[override]  # SQLAlchemy asks for it by this name.
        """Negate each as it is negated by itself."""
        return _PerEngine(*map(not_, self.clauses))


@compiles(_PerEngine, "sqlite")
def _on_sqlite(element: _PerEngine, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses.clauses[0], **options)


@compiles(_PerEngine, "postgresql")
def _on_postgresql(element: _PerEngine, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses.clauses[1], **options)


def by_code_points(text: Column) -> Column:
    """Sort a text as Python does: on PostgreSQL, most columns have the collation of the database."""
    return _PerEngine(text, text.collate("C"))


def in_case(function: str, text: Column) -> Column:
    """Change a text to lower or upper case, letter by letter."""

    def letters(choose: Any) -> str:
        return "".join(choose(patterns.case_table(function)))

    # Called where they are sent only: SQLite's own function makes no table of a text in ASCII.
    changed, into = (
        bindparam(None, callable_=partial(letters, choose), type_=Text()) for choose in (partial(map, chr), dict.values)
    )
    on_sqlite = getattr(func, f"openg2g_{function}")(text, type_=Text())
    return _PerEngine(on_sqlite, func.translate(text, changed, into, type_=Text()))


def ends_with(text: Column, ending: str) -> Condition:
    """Condition: a text ends with another one, which is not empty."""
    return _PerEngine(func.substr(text, -len(ending)), func.right(text, len(ending))) == literal(ending, Text())


def holds_text(text: Column, part: Column) -> Condition:
    """Condition: a text has another in it."""
    return _PerEngine(func.instr(text, part) > 0, func.strpos(text, part) > 0)


def matches(text: Column, pattern: str) -> Condition:
    """Condition: a text matches a pattern of `fnmatch`."""
    return _PerEngine(
        func.openg2g_fnmatch(text, literal(pattern, Text()), type_=Boolean()).is_(true()),
        text.collate("C").regexp_match(literal(patterns.postgres_pattern(pattern), Text())),
    )


def ordered_sum(element: Column, places: Sequence[Column]) -> Column:
    """Add up from first to last: the sum of doubles depends on the order."""
    return _PerEngine(func.openg2g_sum(element, *places), func.sum(element).aggregate_order_by(*places))


def is_among(column: SQLColumnExpression[Any], ids: Select[*tuple[Any, ...]]) -> Condition:
    """Condition: a column is one of the ids that a statement selects."""
    # An array is made first and once; a join, the planner might turn around for want of a good guess at its size.
    return _PerEngine(column.in_(ids), column == func.any(func.array(ids.scalar_subquery())))


def annotation(annotations: Column, path: Path, kind: Kind) -> Column:
    """Return what is at a place in the annotations, read as a number, a text or a truth value."""
    function = {Kind.FLOAT: "number", Kind.TEXT: "text", Kind.BOOLEAN: "boolean"}[kind]
    on_sqlite = getattr(func, f"openg2g_annotation_{function}")(annotations, _json_path(path), type_=SQL_TYPES[kind])
    value = _json_at(annotations, path)
    text = _json_text(value)
    if kind is Kind.FLOAT:
        is_short = func.length(func.ltrim(text, "-")) <= 300
        found = case((and_(_json_kind(value) == "number", is_short), cast(text, Double())))
    elif kind is Kind.TEXT:
        found = case((_json_kind(value) == "string", text))
    else:
        found = case((_json_kind(value) == "boolean", cast(text, Boolean())))
    return _PerEngine(on_sqlite, found)


def annotation_length(annotations: Column, path: Path) -> Column:
    """Return how many items, keys or characters there are at a place in the annotations."""
    on_sqlite = func.openg2g_annotation_length(annotations, _json_path(path), type_=BigInteger())
    value = _json_at(annotations, path)
    keys = func.json_object_keys(value).table_valued("value").alias("keys")
    num_keys = select(func.count()).select_from(keys).correlate_except(keys).scalar_subquery()
    length = case(
        (_json_kind(value) == "array", func.json_array_length(value)),
        (_json_kind(value) == "object", num_keys),
        (_json_kind(value) == "string", func.length(_json_text(value))),
    )
    return _PerEngine(on_sqlite, cast(length, BigInteger()))


def annotation_holds(annotations: Column, path: Path, item: Column) -> Condition:
    """Condition: there is an object with a key, a list with a text, or a text with another in it at a place."""
    on_sqlite = func.openg2g_annotation_holds(annotations, _json_path(path), item, type_=Boolean())
    value = _json_at(annotations, path)
    members = func.json_array_elements(value).table_valued("value").alias("members")
    member = members.c.value
    is_text = and_(_json_kind(member) == "string", _json_text(member) == item)
    in_list = exists(select(literal_column("1")).select_from(members).where(is_text).correlate_except(members))
    found = case(
        (item.is_(null()), null()),
        (_json_kind(value) == "object", value.op("->")(item).is_not(null())),
        (_json_kind(value) == "array", in_list),
        (_json_kind(value) == "string", func.strpos(_json_text(value), item) > 0),
    )
    return _PerEngine(on_sqlite, found)


def _json_path(path: Path) -> Column:
    return literal(json.dumps(path), Text())


def _json_at(annotations: Column, path: Path) -> Column:
    for key in path:
        # `->` with a number looks into lists only, with a text into objects only, as Python does.
        annotations = annotations.op("->")(literal(key, Text() if isinstance(key, str) else Integer()))
    return annotations


def _json_text(value: Column) -> Column:
    """Return the text of a JSON scalar; of a JSON text, without its quotes."""
    return value.op("#>>", return_type=Text())(literal_column("'{}'"))


def _json_kind(value: Column) -> Column:
    return func.json_typeof(value, type_=Text())


def is_in_force_walked(as_of: datetime, known_at: datetime | None, revision: type[RevisionRow]) -> Condition:
    """Condition: a revision, in whichever order revisions come, was in force."""
    condition = is_in_force(as_of, known_at, revision.number, revision.name_id)
    # Postgres takes an equation to hold for few rows, and would not walk; of this, it expects the opposite.
    return _PerEngine(condition, condition.is_(true()))


_EVERY = aliased(RevisionRow)


class _OfEachName(Lateral):
    """On PostgreSQL, the one revision that is looked up for a name; on SQLite, the table of its name: all of them."""

    inherit_cache = True


@compiles(_OfEachName, "sqlite")
def _table(element: _OfEachName, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.preparer.quote(element.name)


def in_force_of_names(name: type[NameRow], as_of: datetime, known_at: datetime | None) -> tuple[FromClause, Condition]:
    """Return the revisions that were in force under names that come first, and the condition to join them on.

    Postgres would rather hash every revision than look up one for each name, unless it is told to.
    """
    looked_up = in_force_of(_EVERY, _EVERY, name.id, as_of, known_at)
    revisions = _OfEachName._construct(looked_up.subquery(), name=RevisionRow.__tablename__)
    is_in_force_then = is_in_force(as_of, known_at, revisions.c.number, name.id)
    return revisions, _PerEngine(and_(revisions.c.name_id == name.id, is_in_force_then), true())
