"""Where names stand: what is in force of each, and what was recorded last; for many names in few statements."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from openg2g.catalog import revision_queries as queries
from openg2g.catalog.content import KEYS_PER_STATEMENT, chunks
from openg2g.catalog.revision_queries import RevisionRowRead

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
    heads: dict[str, HeadRows] = {}
    for chunk in chunks(names, KEYS_PER_STATEMENT):
        parameters = {"names": chunk, "as_of": as_of, "known_at": known_at}
        latest = connection.execute(queries.LATEST_OF_NAMES, parameters).all()
        others = [row.name for row in latest if row.number_in_force not in (None, row.number)]
        in_force = {row.name: row for row in latest if row.number_in_force == row.number}
        if others:
            found = connection.execute(queries.IN_FORCE_OF_NAMES, parameters | {"names": others})
            in_force.update((row.name, row) for row in found)
        heads.update((row.name, HeadRows(row, in_force.get(row.name))) for row in latest)
    return heads


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
