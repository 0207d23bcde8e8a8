"""Where names stand: what is in force of each, and what was recorded last; for many names in few statements."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select

from openg2g.catalog.history import queries
from openg2g.catalog.history.content import KEYS_PER_STATEMENT, chunks
from openg2g.catalog.history.queries import RevisionRowRead

_PROBES_PER_STATEMENT = 10_000  # An index is asked for each name at each time.


@dataclass(frozen=True)
class HeadRows:
    """The two revisions of a name that matter to whatever comes next.

    Attributes:
        latest: The one with the highest number.
        in_force: The one in force; None where all lie ahead.
    """

    latest: RevisionRowRead
    in_force: RevisionRowRead | None


def find_heads(
    connection: Connection, names: Sequence[str], as_of: datetime, known_at: datetime
) -> dict[str, HeadRows]:
    """Return name → heads of those names that have a revision; where both are one, in a statement for many names."""
    found = _heads(connection, queries.LATEST_OF_NAMES, "names", names, as_of, known_at)
    return {heads.latest.name: heads for heads in found}


def find_heads_of_ids(
    connection: Connection, name_ids: Sequence[int], as_of: datetime, known_at: datetime
) -> dict[int, HeadRows]:
    """Return id → heads, as `find_heads`, of the names with these ids, whatever they are called by now."""
    found = _heads(connection, queries.LATEST_OF_IDS, "ids", name_ids, as_of, known_at)
    return {heads.latest.name_id: heads for heads in found}


def _heads(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    parameter: str,
    keys: Sequence[Any],
    as_of: datetime,
    known_at: datetime,
) -> Iterator[HeadRows]:
    times = {"as_of": as_of, "known_at": known_at}
    for chunk in chunks(keys, KEYS_PER_STATEMENT):
        latest = connection.execute(statement, {parameter: chunk, **times}).all()
        in_force = {row.name_id: row for row in latest if row.number_in_force == row.number}
        others = [row.name_id for row in latest if row.number_in_force not in (None, row.number)]
        if others:
            found = connection.execute(queries.IN_FORCE_OF_IDS, {"ids": others, **times})
            in_force.update((row.name_id, row) for row in found)
        yield from (HeadRows(row, in_force.get(row.name_id)) for row in latest)


def find_begun(
    connection: Connection, wanted: Sequence[tuple[str, datetime]]
) -> dict[tuple[str, datetime], RevisionRowRead]:
    """Return name and time → the revision with the highest number of those that apply from exactly then."""
    found: dict[tuple[str, datetime], RevisionRowRead] = {}
    for names, times in _blocks(sorted(wanted, key=lambda pair: pair[::-1])):
        parameters = {"names": names, "times": times}
        found.update(
            ((row.name, row.effective_from), row) for row in connection.execute(queries.BEGUN_OF_NAMES, parameters)
        )
    return found


def _blocks(wanted: Sequence[tuple[str, datetime]]) -> Iterator[tuple[list[str], list[datetime]]]:
    """Cut names and times into blocks of which no more than some thousand pairs can be made."""
    names: dict[str, None] = {}
    times: dict[datetime, None] = {}
    for name, time in wanted:
        num_names, num_times = len(names) + (name not in names), len(times) + (time not in times)
        if num_names * num_times > _PROBES_PER_STATEMENT or max(num_names, num_times) > KEYS_PER_STATEMENT:
            yield list(names), list(times)
            names, times = {}, {}
        names[name] = times[time] = None
    if names:
        yield list(names), list(times)
