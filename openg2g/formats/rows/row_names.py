"""Which rows of a CSV file are one workload: those that stand together and have one name.

A name may come back only as another revision, with another number. Anything else is refused: it may be a row that was
added at the end of a sheet and belongs to the rows further up, and read as a workload of its own it would replace them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from openg2g.formats.document import Document
from openg2g.formats.rows.model_rows import Row, grouped
from openg2g.models.errors import InvalidDocumentError, Problem

_ANY_NUMBER = "any"

Key = tuple[str | None, object]
"""Name and number of a workload, each None where it has none."""


class SeenNames:
    """Remembers the names and numbers of workloads, and the row of each."""

    def __init__(self) -> None:
        self._rows: dict[Key, int] = {}

    def add(self, key: Key, row: int) -> int | None:
        """Remember a workload.

        Returns:
            The row of one before it that it cannot be told from, if there is any: a number that is not said may be any.
        """
        name, number = key
        earlier = self._rows.get(key) or self._rows.get((name, _ANY_NUMBER if number is None else None))
        if earlier is None:
            self._rows[key] = row
            if number is not None:
                self._rows.setdefault((name, _ANY_NUMBER), row)
        return earlier


def key_of(rows: Sequence[Row]) -> Key:
    """Return name and number of a workload; any of its rows may say the number."""
    return rows[0].cells.get("name"), next((row.cells["number"] for row in rows if "number" in row.cells), None)


def grouped_by_name(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Gather the rows of each workload; a row that cannot be told where it belongs has a problem more."""
    seen = SeenNames()
    for group in grouped(_with_name(rows), _Neighbours()):
        first = group[0]
        earlier = seen.add(key_of(group), first.number)
        if earlier is not None and not first.is_broken:
            name = repr(first.cells["name"]) if "name" in first.cells else "no name"
            problem = ("name", f"comes back, got {name}, as in row {earlier}. {_TOGETHER}")
            group[0] = replace(first, problems=(*first.problems, problem))
        yield group


class NamesToWrite:
    """Refuses what `grouped_by_name` would refuse or take for one workload, before it is written."""

    def __init__(self) -> None:
        self._seen = SeenNames()
        self._count = 0
        self._have_names = False

    def check(self, document: Document) -> None:
        """Check the next document."""
        has_name = document.name is not None
        self._have_names = has_name if self._count == 0 else self._have_names
        self._count += 1
        message = ""
        if has_name != self._have_names:
            message = f"has {'a' if has_name else 'no'} name: in a file of rows, every workload has one or none has."
        elif self._seen.add((document.name, document.revision.number), self._count) is not None:
            message = f"{document.name or 'a workload without a name'} stands there already. {_TOGETHER}"
        if message:
            raise InvalidDocumentError([Problem(document.where or f"workload {self._count}", "", message)])


_TOGETHER = "Rows of one workload stand together; another revision of it has another number."


class _Neighbours:
    """Tells whether a row continues the workload of the row before it; a number that is not said may be any."""

    def __init__(self) -> None:
        self._number: object = None

    def __call__(self, before: Row, row: Row) -> bool:
        """Whether it does; asked once for each row but the first."""
        known = before.cells.get("number", self._number)
        number = row.cells.get("number", known)
        is_same = row.cells.get("name") == before.cells.get("name") and (known is None or number == known)
        self._number = number if is_same else row.cells.get("number")
        return is_same


def _with_name(rows: Iterable[Row]) -> Iterator[Row]:
    """Give a row without a name the one before it, and a problem: one who fills in the first row only may mean that."""
    first: Row | None = None
    before: Row | None = None
    for row in rows:
        if row.is_broken:
            yield row
            continue
        first = first or row
        if ("name" in row.cells) != ("name" in first.cells):
            which = f"row {first.number} has {'one' if 'name' in first.cells else 'none'}"
            problem = ("name", f"must be in every row or in none: {which}.")
            cells = {column: value for column, value in row.cells.items() if column != "name"}
            if before is not None and "name" in before.cells:
                cells["name"] = before.cells["name"]
            row = replace(row, cells=cells, problems=(*row.problems, problem))
        before = row
        yield row
