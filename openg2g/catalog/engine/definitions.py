"""What the objects of a catalog are in its database, compared with what the migrations make.

What they make is recorded in `sqlite/definitions.json` and `postgresql/definitions.json` by
`scripts/record_definitions.py`, so that opening a catalog runs no migration to know it; a test holds the files against
the migrations. Tables, views, indexes and functions of somebody else are left alone, unless they have a name of ours or
refuse rows of our tables, as unique indexes do.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from openg2g.catalog.engine.engines import Definitions, engine_of
from openg2g.models.errors import SchemaError

_TEXT_SHOWN = 100
_LINES_IN_MESSAGE = 3


@dataclass(frozen=True)
class Comparison:
    """How the objects of a database differ from those that this release makes.

    Attributes:
        differences: A line for each object of ours that is missing or was replaced.
        intruders: A line for each trigger, rule or unique index of somebody else on our tables: it may change or refuse
            what we write.
        has_other_tables: Whether a table or column is among the differences, so that rows may be anything.
    """

    differences: tuple[str, ...] = ()
    intruders: tuple[str, ...] = ()
    has_other_tables: bool = False

    @property
    def lines(self) -> list[str]:
        """Everything that differs."""
        return [*self.differences, *self.intruders]

    def why_not_written(self, location: str) -> str | None:
        """Say why nothing is to be written: something of somebody else may change or refuse it."""
        return f"{location} may only be read: {self.intruders[0]}." if self.intruders else None


def definitions_path(engine: str) -> Path:
    """File with what the migrations make on an engine."""
    return Path(__file__).parent / engine / "definitions.json"


def read_definitions(connection: Connection) -> Definitions:
    """Read what the objects with names of ours, and those on our tables, are in a database."""
    return engine_of(connection).read_definitions(connection)


def expected_definitions(engine: str) -> Definitions:
    """Return what the migrations make on an engine."""
    recorded = json.loads(definitions_path(engine).read_text(encoding="utf-8"))
    return {(table, kind, name): text for table, kind, name, text in recorded}


def compare_definitions(connection: Connection) -> Comparison:
    """Compare the objects of a catalog that has the schema of this release with those that the migrations make."""
    engine = engine_of(connection)
    found, expected = read_definitions(connection), expected_definitions(engine.name)
    if found == expected:  # Nearly always.
        return Comparison()
    return _comparison(engine.comparable(found), engine.comparable(expected), engine.removal)


def require_definitions(connection: Connection, location: str) -> Comparison:
    """Make sure that every object of ours is as the migrations make it; tell of those of others on our tables.

    What another one would answer, and whether it would at all, nobody knows.
    """
    comparison = compare_definitions(connection)
    if comparison.differences:
        shown = "; ".join(comparison.differences[:_LINES_IN_MESSAGE])
        rest = len(comparison.differences) - _LINES_IN_MESSAGE
        raise SchemaError(
            f"{location} is not as this release makes it: {shown}{f'; and {rest} more' if rest > 0 else ''}. "
            "A backup can be restored.",
            doubts=["tables"],
        )
    return comparison


def _comparison(found: Definitions, expected: Definitions, removal: str) -> Comparison:
    differences: list[str] = []
    intruders: list[str] = []
    other_tables = {key[0] for key in expected if key[1] == "table" and found.get(key) != expected[key]}
    has_other_tables = bool(other_tables)
    for key in sorted(expected.keys() | found.keys()):
        table, kind, name = key
        if found.get(key) == expected.get(key) or (table in other_tables and kind != "table"):
            continue
        one = f"{kind} {name} of {table}" if name != table else f"{kind} {name}"
        if key not in found:
            differences.append(f"the {one} is missing; expected: {_one_line(expected[key])}")
        elif key in expected:
            differences.append(f"the {one} differs: {_difference(found[key], expected[key])}")
        elif kind in ("trigger", "rule"):
            command = removal.format(kind=kind.upper(), name=_quoted(name), table=_quoted(table))
            intruders.append(f"the {one} is not the catalog's; to remove it: {command}")
        elif found[key].startswith("CREATE UNIQUE INDEX"):
            intruders.append(f"the unique {one} is not the catalog's; to remove it: DROP INDEX {_quoted(name)}")
        elif kind != "index":
            differences.append(f"the {one} is not the catalog's: {_one_line(found[key])}")
        else:
            continue
        has_other_tables |= kind == "column"
    return Comparison(tuple(differences), tuple(intruders), has_other_tables)


def _difference(found: str, expected: str) -> str:
    """Show both texts from where they part."""
    found, expected = _one_line(found), _one_line(expected)
    parting = next((place for place, pair in enumerate(zip(found, expected, strict=False)) if len(set(pair)) > 1), 0)
    start = max(0, parting - _TEXT_SHOWN // 2)
    shown, wanted = (
        f"{'…' if start else ''}{text[start : start + _TEXT_SHOWN]}{'…' if len(text) > start + _TEXT_SHOWN else ''}"
        for text in (found, expected)
    )
    return f"it is {shown!r}, expected {wanted!r}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
