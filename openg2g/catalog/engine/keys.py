"""Conditions on as many keys as are asked for.

With a parameter for each key, a statement has another text for each number of keys: PostgreSQL and its driver then read
and plan it anew each time, which takes longer than to run it. There, one parameter is an array of all keys. SQLite has
no arrays, and reads such statements fast.
"""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, SQLColumnExpression, Text, any_, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _IsAmong(FunctionElement[bool]):
    # Without a type: of a function that returns a truth value, SQLite would be asked whether that is 1.
    inherit_cache = True


@compiles(_IsAmong, "sqlite")
def _is_in_list(element: _IsAmong, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = element.clauses
    return compiler.process(column.in_(keys), **options)


@compiles(_IsAmong, "postgresql")
def _is_in_array(element: _IsAmong, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = element.clauses
    return compiler.process(column == any_(bindparam(keys.key, type_=ARRAY(column.type))), **options)


def is_among(column: InstrumentedAttribute[Any], parameter: str) -> ColumnElement[bool]:
    """Condition: the column is one of the keys, a list, that this parameter of the statement is."""
    return _IsAmong(column, bindparam(parameter, type_=column.type, expanding=True))


class _AreAmong(FunctionElement[bool]):
    inherit_cache = True


@compiles(_AreAmong, "sqlite")
def _are_in_list(element: _AreAmong, compiler: SQLCompiler, **options: Any) -> str:
    first, second, keys = (compiler.process(clause, **options) for clause in element.clauses)
    pairs = f"SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({keys})"
    return f"({first}, {second}) IN ({pairs})"


@compiles(_AreAmong, "postgresql")
def _are_in_array(element: _AreAmong, compiler: SQLCompiler, **options: Any) -> str:
    first, second, keys = (compiler.process(clause, **options) for clause in element.clauses)
    pairs = f"SELECT (pair ->> 0)::bigint, (pair ->> 1)::bigint FROM json_array_elements({keys}::json) AS pair"
    return f"({first}, {second}) IN ({pairs})"


def are_among(first: SQLColumnExpression[int], second: SQLColumnExpression[int], parameter: str) -> ColumnElement[bool]:
    """Condition: the two columns are one of the pairs of integers that this parameter, JSON, is a list of."""
    return _AreAmong(first, second, bindparam(parameter, type_=Text()))
