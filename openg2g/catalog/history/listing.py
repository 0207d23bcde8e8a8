"""Names: which there are, what each stands for, and what belongs to it."""

import fnmatch
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, SQLColumnExpression, func, select

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.database import Database
from openg2g.catalog.history import names, queries, resolve
from openg2g.catalog.history.content import chunks
from openg2g.catalog.history.heads import find_heads_of_ids
from openg2g.catalog.history.queries import complete
from openg2g.catalog.history.reference import Reference
from openg2g.catalog.history.when import InForce
from openg2g.catalog.schema.content_rows import ModelSpecRow, WorkloadRow
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.models.naming import AliasMove
from openg2g.models.revision import Revision, check_name, check_text

_NAMES_PER_BLOCK = 500


def names_like(connection: Connection, pattern: str) -> Iterator[tuple[int, str]]:
    """Yield id and name of each name that matches a pattern of `*`, `?` and `[…]`, in code-point order."""
    beginning = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    query = select(NameRow.id, NameRow.name).order_by(NameRow.name)
    if beginning:
        query = query.where(NameRow.name >= beginning)
        if ord(beginning[-1]) < 0xD7FF:  # The next character begins what is after all names that begin so.
            query = query.where(NameRow.name < beginning[:-1] + chr(ord(beginning[-1]) + 1))
    for name_id, name in connection.execute(query):
        if fnmatch.fnmatchcase(name, pattern):
            yield name_id, name


@dataclass(frozen=True)
class NameStatus:
    """What a name stands for, and what else there is of it.

    Attributes:
        name: The name.
        in_force: The revision in force; None where all lie ahead.
        latest: The revision with the highest number.
        as_of: The time that was asked about.
    """

    name: str
    in_force: Revision | None
    latest: Revision
    as_of: datetime

    @property
    def is_retired(self) -> bool:
        """Whether a retirement is in force."""
        return self.in_force is not None and self.in_force.is_retirement

    @property
    def newer(self) -> Revision | None:
        """The revision with the highest number, where another one is in force."""
        return None if self.in_force is None or self.in_force.number == self.latest.number else self.latest


@dataclass(frozen=True)
class RevisionContext:
    """What belongs to a revision beside itself, all at one moment.

    Attributes:
        status: What its name stands for.
        upcoming: The revision that comes into force next; None where nothing is to come.
        aliases: The aliases that stand for the revision.
        tags: The tags of its name.
    """

    status: NameStatus
    upcoming: Revision | None
    aliases: tuple[str, ...]
    tags: Mapping[str, str]


def context_of(connection: Connection, revision: Revision, when: InForce) -> RevisionContext:
    """Return the context of a revision, on a connection on which every statement sees the same state."""
    name_id = names.find_name_id(connection, revision.name)
    assert name_id is not None  # It was found by this connection.
    status = statuses_of(connection, [name_id], when)[0]
    parameters = {"name": revision.name, "as_of": status.as_of, "known_at": when.horizon}
    upcoming = complete(connection, connection.execute(queries.NEXT, parameters).all())
    aliases = names.current_aliases(names.alias_moves(connection, name_id, when.horizon))
    return RevisionContext(
        status,
        upcoming[0] if upcoming else None,
        tuple(alias for alias, number in aliases.items() if number == revision.number),
        names.tags_of(connection, name_id) if when.known_at is None else {},  # Tags have no history.
    )


def statuses_of(connection: Connection, name_ids: Sequence[int], when: InForce) -> list[NameStatus]:
    """Return the status of each name, in the given order; names without a revision that is known are left out."""
    as_of = when.as_of or clock.now()
    heads = find_heads_of_ids(connection, name_ids, as_of, when.horizon)
    found = [heads[name_id] for name_id in name_ids if name_id in heads]
    others = [head.in_force for head in found if head.in_force is not None and head.in_force is not head.latest]
    revisions = complete(connection, [*(head.latest for head in found), *others])
    of_others = iter(revisions[len(found) :])
    return [
        NameStatus(
            latest.name,
            latest if head.in_force is head.latest else None if head.in_force is None else next(of_others),
            latest,
            as_of,
        )
        for head, latest in zip(found, revisions, strict=False)
    ]


def list_names(database: Database, pattern: str) -> list[str]:
    """Return the names that match a pattern, in code-point order."""
    check_text("pattern", pattern)
    return database.read(lambda connection: [name for _, name in names_like(connection, pattern)])


def iter_statuses(database: Database, pattern: str, when: InForce) -> Iterator[NameStatus]:
    """Yield the status of each name that matches a pattern, in name order."""
    check_text("pattern", pattern)
    when = replace(when, as_of=when.as_of or clock.now())
    # All names are looked up first, by what never changes of them: eight bytes each.
    name_ids = database.read(lambda connection: array("q", (name_id for name_id, _ in names_like(connection, pattern))))
    return _statuses(database, name_ids, when)


def _statuses(database: Database, name_ids: "array[int]", when: InForce) -> Iterator[NameStatus]:
    for block in chunks(name_ids, _NAMES_PER_BLOCK):
        yield from database.read(partial(statuses_of, name_ids=list(block), when=when))


def get_status(database: Database, name: str, when: InForce) -> NameStatus:
    """Return the status of a name."""

    def read(connection: Connection) -> NameStatus:
        return statuses_of(connection, [resolve.find_name(connection, checked, when.known_at).id], when)[0]

    checked = check_name(name)
    return database.read(read)


def get_with_context(database: Database, reference: Reference, when: InForce) -> tuple[Revision, RevisionContext]:
    """Return the revision that a reference names, and what belongs to it."""

    def read(connection: Connection) -> tuple[Revision, RevisionContext]:
        revision = resolve.get_revision(connection, reference, when)
        return revision, context_of(connection, revision, when)

    return database.read_at_once(read)


def history(database: Database, name: str, when: InForce) -> list[Revision]:
    """Return the revisions of a name that are known, first to latest."""

    def read(connection: Connection) -> list[Revision]:
        return resolve.revisions_of(connection, checked, when)

    checked = check_name(name)
    return (database.read if when.known_at is None else database.read_at_once)(read)


def find_name(database: Database, name: str, when: InForce) -> str:
    """Return what a name is called now that was called so then, or is called so now."""
    checked = check_name(name)
    found: str = database.read(lambda connection: resolve.find_name(connection, checked, when.known_at)).name
    return found


def alias_log(database: Database, name: str, when: InForce) -> list[AliasMove]:
    """Return every move of the aliases of a name, first to last."""

    def read(connection: Connection) -> list[AliasMove]:
        found = resolve.find_name(connection, checked, when.known_at)
        return names.alias_moves(connection, found.id, when.horizon)

    checked = check_name(name)
    return database.read(read)


def tags(database: Database, name: str) -> dict[str, str]:
    """Return the tags of a name."""
    checked = check_name(name)
    return database.read(lambda connection: names.tags_of(connection, resolve.find_name(connection, checked).id))


def count_rows(connection: Connection) -> dict[str, int]:
    """Count names, revisions and distinct workloads and model specs."""
    columns: dict[str, SQLColumnExpression[int]] = {
        "names": NameRow.id,
        "revisions": RevisionRow.number,
        "workloads": WorkloadRow.id,
        "model_specs": ModelSpecRow.id,
    }
    return {table: connection.scalar(select(func.count(column))) or 0 for table, column in columns.items()}
