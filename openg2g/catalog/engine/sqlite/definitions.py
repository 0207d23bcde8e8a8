"""What the objects of a catalog are in an SQLite file: the statements that made them."""

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, bindparam, text

from openg2g.catalog.schema.metadata import CATALOG_TABLES, CATALOG_VIEWS, SQLITE_APPLICATION_ID, VERSION_TABLE
from openg2g.models.errors import NotACatalogError

# Names are compared by SQLite without regard to the case of ASCII letters, and so does its lower().
_QUERY = text(
    "SELECT lower(tbl_name), type, lower(name), CAST(sql AS TEXT) FROM sqlite_master "
    "WHERE sql IS NOT NULL AND (lower(tbl_name) IN :tables OR type IN ('table', 'view') AND lower(name) IN :views)"
).bindparams(bindparam("tables", expanding=True), bindparam("views", expanding=True))

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*') | "(?P<quoted>\w+)" | (?P<other>"(?:[^"]|"")*"|`[^`]*`|\[[^]]*\])
    | (?P<comment>--[^\n]*|/\*.*?\*/) | \s+ | (?P<word>\w+) | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")


def read_definitions(connection: Connection) -> dict[tuple[str, str, str], str]:
    """Read the statements that made the objects with names of ours, and those on our tables."""
    names = {"tables": [*CATALOG_TABLES, VERSION_TABLE], "views": sorted(CATALOG_VIEWS)}
    found = {}
    for table, kind, name, sql in connection.execute(_QUERY, names):
        if name == table:  # What is in the place of a table is its definition, and be it a view.
            kind = "view" if name in CATALOG_VIEWS else "table"
        found[table, kind, name] = sql
    return found


def find_version_table(connection: Connection) -> bool | None:
    """Tell whether the version table is one; None where there is nothing of a catalog yet."""
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar()
    query = "SELECT name, type = 'table' AND rootpage > 0 FROM sqlite_master WHERE type IN ('table', 'view')"
    is_table = {name: bool(answer) for name, answer in connection.execute(text(query))}
    if VERSION_TABLE in is_table:
        return is_table[VERSION_TABLE]
    if any(is_table.values()) or application_id not in (0, SQLITE_APPLICATION_ID):
        raise NotACatalogError(
            f"{connection.engine.url.database} is not a catalog: it is an SQLite file with other tables. "
            "Choose another path."
        )
    return None


def comparable(definitions: Mapping[tuple[str, str, str], str]) -> dict[tuple[str, str, str], str]:
    """Take tables apart into columns and constraints, and leave out what means nothing: white space, plain quotes.

    A table that was made again has its constraints in another order.
    """
    parts: dict[tuple[str, str, str], str] = {}
    for (table, kind, name), sql in definitions.items():
        tokens = _tokens(sql)
        if kind != "table" or tokens[:4] != ["CREATE", "TABLE", table, "("]:
            parts[table, kind, name] = " ".join(tokens)
            continue
        *items, options = _items(tokens[4:])
        parts[table, kind, name] = " ".join(["CREATE TABLE", table, "( … )", *options])
        for item in items:
            is_constraint = item[0] in _CONSTRAINTS
            place = item[1] if item[0] == "CONSTRAINT" else " ".join(item) if is_constraint else item[0]
            parts[table, "constraint" if is_constraint else "column", place] = " ".join(item)
    return parts


def _tokens(sql: str) -> list[str]:
    found = []
    for match in _TOKEN.finditer(sql):
        token = match["quoted"] or match[0]
        if not token.isspace():
            found.append(token)
    return found


def _items(tokens: list[str]) -> Iterator[list[str]]:
    """Yield what is between the commas of a list whose opening parenthesis was taken, then what follows it."""
    item: list[str] = []
    depth = 0
    for number, token in enumerate(tokens):
        if depth == 0 and token in (",", ")"):
            yield item
            item = []
            if token == ")":
                yield tokens[number + 1 :]
                return
            continue
        depth += (token == "(") - (token == ")")
        item.append(token)
