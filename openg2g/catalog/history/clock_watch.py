"""What is told where clocks disagree: stored times that lie ahead, and what will come into force because of them.

Within a name recorded times never decrease, so a clock that is ahead once is followed by all later ones. What it
recorded without a time of its own applies from that time, and replaces then what has been recorded since.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, exists, func, or_, select
from sqlalchemy.orm import aliased

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.clock import Clocks
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.waiting import TELL_AFTER_S
from openg2g.catalog.history.heads import HeadRows, find_heads
from openg2g.catalog.history.queries import NAMED_REVISIONS, ONE, RevisionRowRead, is_of_name
from openg2g.catalog.history.when import NOW
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RenameRow, RevisionRow
from openg2g.models.instant import time_text

MAX_NAMES_TOLD = 5
"""Names of one save whose times are told of; `verify` has the others."""

logger = logging.getLogger("openg2g.catalog")

_then = aliased(RevisionRow, name="then")
_later = aliased(RevisionRow, name="later")
_is_wrong_time = exists().where(_then.name_id == RevisionRow.name_id, _then.recorded_at == RevisionRow.effective_from)
_is_replaced = exists().where(
    _later.name_id == RevisionRow.name_id,
    _later.effective_from == RevisionRow.effective_from,
    _later.number > RevisionRow.number,
)
_SUCCESSOR = (
    NAMED_REVISIONS.where(
        is_of_name(bindparam("name")),
        RevisionRow.effective_from > bindparam("now"),
        _is_wrong_time,
        ~_is_replaced,
        or_(
            RevisionRow.workload_id.is_distinct_from(bindparam("workload_id", type_=BigInteger())),
            cast(RevisionRow.annotations, Text) != bindparam("annotations", type_=Text()),
        ),
    )
    .order_by(RevisionRow.effective_from)
    .limit(ONE)
)
"""The first revision with other content that comes into force at a time at which nothing can have been recorded yet."""

_LATE_NAMES = (
    select(NameRow.name)
    .join(RevisionRow, RevisionRow.name_id == NameRow.id)
    .where(RevisionRow.recorded_at > bindparam("limit"))
    .group_by(NameRow.name)
    .order_by(NameRow.name)
)
_LATE_OTHERS = (
    (
        select(func.count()).select_from(AliasMoveRow).where(AliasMoveRow.recorded_at > bindparam("limit")),
        "Moves of aliases",
    ),
    (select(func.count()).select_from(RenameRow).where(RenameRow.recorded_at > bindparam("limit")), "Renames"),
)


class ClockWatch:
    """Notes during a write transaction which clocks disagree, to be told when it is committed."""

    def __init__(self, connection: Connection) -> None:
        """Watch a write transaction."""
        self._connection = connection
        self._clocks: Clocks | None = None
        self._late_names: dict[str, None] = {}
        self._in_force_from: datetime | None = None
        self._lines: list[str] = []

    @property
    def clocks(self) -> Clocks:
        """What the clocks say, asked for once."""
        if self._clocks is None:
            self._clocks = clock.read_clocks(self._connection)
        return self._clocks

    def note_clocks(self, clocks: Clocks) -> None:
        """Take what the clocks said from a statement that asked for something else."""
        self._clocks = clocks

    def note_recorded(self, name: str, recorded_at: datetime) -> None:
        """Note a name if a revision of it was recorded later than it can be."""
        if recorded_at > self.clocks.limit and len(self._late_names) <= MAX_NAMES_TOLD:
            self._late_names[name] = None

    def note_in_force_from(self, effective_from: datetime) -> None:
        """Note that something takes effect in a moment only, so as not to be replaced by what precedes it."""
        self._in_force_from = max(effective_from, self._in_force_from or effective_from)

    def finish(self) -> None:
        """Find out what is to be told, before the transaction is committed."""
        self._lines = list(_own_lines(self.clocks))
        names = list(self._late_names)
        self._lines += name_lines(self._connection, names[:MAX_NAMES_TOLD], self.clocks)
        if len(names) > MAX_NAMES_TOLD:
            self._lines.append("More names have times that lie ahead: verifying the catalog names them.")

    def tell(self) -> None:
        """After the commit, wait until what was stored is in force, and log what is wrong with the clocks."""
        if self._in_force_from is not None:
            _wait_until(self._in_force_from)
        for line in self._lines:
            logger.warning(line)


def clock_warnings(database: Database, names: Sequence[str]) -> list[str]:
    """Say what is wrong with this machine's clock, and with the times of some names."""

    def read(connection: Connection) -> list[str]:
        clocks = clock.read_clocks(connection)
        return [*_own_lines(clocks), *name_lines(connection, names, clocks)]

    return database.read(read)


def all_clock_warnings(database: Database) -> list[str]:
    """Say what is wrong with this machine's clock, and with the times of the whole catalog."""

    def read(connection: Connection) -> list[str]:
        clocks = clock.read_clocks(connection)
        names = connection.scalars(_LATE_NAMES, {"limit": clocks.limit}).all()
        return [
            *_own_lines(clocks),
            *name_lines(connection, names, clocks),
            *_other_lines(connection, clocks),
        ]

    return database.read(read)


def name_lines(connection: Connection, names: Sequence[str], clocks: Clocks) -> Iterator[str]:
    """Yield a line for each name that has a revision recorded later than it can be."""
    heads = find_heads(connection, names, clocks.earlier, NOW.horizon)
    for name in names:
        if name in heads and heads[name].latest.recorded_at > clocks.limit:
            yield _name_line(connection, heads[name], clocks)


def _name_line(connection: Connection, heads: HeadRows, clocks: Clocks) -> str:
    latest, in_force = heads.latest, heads.in_force
    values = {
        "name": latest.name,
        "now": clocks.earlier,
        "workload_id": None if in_force is None else in_force.workload_id,
        "annotations": "" if in_force is None else in_force.annotations,  # As no revision has them.
    }
    successor = connection.execute(_SUCCESSOR, values).first()
    by = timedelta(seconds=round((latest.recorded_at - clocks.earlier).total_seconds()))
    line = (
        f"{_reference(latest)} is recorded at {time_text(latest.recorded_at)}, {by} ahead of the clock: "
        f"{_whose_fault(latest.recorded_at, clocks)}."
    )
    return line if successor is None else f"{line} {_successor_text(successor, in_force, clocks)}"


def _successor_text(successor: RevisionRowRead, in_force: RevisionRowRead | None, clocks: Clocks) -> str:
    """Say what comes into force when the wrong time arrives, and which command prevents it."""
    what, when = _reference(successor), time_text(successor.effective_from)
    if in_force is None:
        command = f"openg2g export {what} | openg2g import - --effective-from {time_text(clocks.earlier)}"
        return f"{what} comes into force at {when}. To have it in force now, run: {command}"
    kept = _reference(in_force)
    if in_force.workload_id is None:
        command = f"openg2g retire {in_force.name} --effective-from {when}"
    else:
        command = f"openg2g export {kept} | openg2g import - --effective-from {when}"
    return f"{what} comes into force at {when} in place of {kept}. To keep {kept} then, run: {command}"


def _whose_fault(recorded_at: datetime, clocks: Clocks) -> str:
    if clocks.server is None:
        return "this machine's clock is behind, or that of an earlier writer was ahead"
    if recorded_at <= clocks.server + clock.TOLERANCE:
        return "this machine's clock is behind"
    if clocks.is_own_wrong and recorded_at <= clocks.own + clock.TOLERANCE:
        return "this machine's clock is ahead"
    return "the clock of an earlier writer was ahead"


def _own_lines(clocks: Clocks) -> Iterator[str]:
    if clocks.server is not None and clocks.is_own_wrong:
        by = timedelta(seconds=round(abs(clocks.own - clocks.server).total_seconds()))
        where = "ahead of" if clocks.own > clocks.server else "behind"
        yield (
            f"This machine's clock is {by} {where} the server's, which says {time_text(clocks.server)}. Set it right: "
            "what is in force now is asked, and recorded, for a wrong time."
        )


def _other_lines(connection: Connection, clocks: Clocks) -> Iterator[str]:
    for query, what in _LATE_OTHERS:
        count = connection.scalar(query, {"limit": clocks.limit})
        if count:
            yield f"{what} recorded ahead of the clock: {count}. Until then, who asks as of now does not find them."


def _wait_until(effective_from: datetime) -> None:
    """Wait out the little by which this machine's clock is behind that of the writer before it."""
    wait_s = (effective_from - clock.now()).total_seconds()
    if wait_s > TELL_AFTER_S:
        logger.warning(
            "Stored. Waiting %.0f s until it is in force, since the clock of the writer before was ahead by that. "
            "Ctrl-C ends the waiting.",
            wait_s,
        )
    if wait_s > 0:
        with suppress(KeyboardInterrupt):  # It is stored, and who saved it is to be told so.
            time.sleep(wait_s)


def _reference(row: RevisionRowRead) -> str:
    return f"{row.name}@{row.number}"
