"""From a reference to its revision, as of any time and as known at any time."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Row, bindparam, func, select

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.database import Database
from openg2g.catalog.history import queries
from openg2g.catalog.history.content import read_workload_of
from openg2g.catalog.history.earlier_names import find_present_name
from openg2g.catalog.history.queries import Questions, RevisionRowRead, complete
from openg2g.catalog.history.reference import (
    LATEST,
    AliasReference,
    DigestReference,
    LatestReference,
    NameReference,
    NumberReference,
    Reference,
    TimeReference,
)
from openg2g.catalog.history.when import END_OF_TIME, NOW, InForce
from openg2g.catalog.schema.content_rows import ModelSpecRow, WorkloadRow
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RenameRow, RevisionRow
from openg2g.models.errors import (
    AliasNotFoundError,
    AmbiguousReferenceError,
    InvalidReferenceError,
    RetiredError,
    WorkloadNotFoundError,
)
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceWorkload

_Result = TypeVar("_Result")

_NAMES_COMPARED = 20_000  # How many names are looked through for one that is close to a mistyped one.
_CANDIDATES_LISTED = 10

_ALIAS_MOVE = (
    select(AliasMoveRow.revision_number)
    .join(NameRow, NameRow.id == AliasMoveRow.name_id)
    .where(
        NameRow.name == bindparam("name"),
        AliasMoveRow.alias == bindparam("alias"),
        AliasMoveRow.recorded_at <= bindparam("known_at"),
    )
    .order_by(AliasMoveRow.number.desc())
    .limit(queries.ONE)
)


def load(database: Database, reference: Reference, when: InForce = NOW) -> LLMInferenceWorkload:
    """Return the workload that a reference names. Errors are those of `get`, and of a name that was retired."""
    workload = _resolved(database, find_workload, reference, when)
    if workload is not None:
        return workload
    revision = require_workload(get(database, reference, when))
    assert revision.workload is not None  # require_workload has refused the others.
    return revision.workload  # Recorded just now, by somebody else; or damaged, which `get` has said.


def get(database: Database, reference: Reference, when: InForce = NOW) -> Revision:
    """Return the revision that a reference names; see `get_revision`."""
    return _resolved(database, get_revision, reference, when)


def _resolved(
    database: Database,
    work: Callable[[Connection, Reference, InForce], _Result],
    reference: Reference,
    when: InForce,
) -> _Result:
    # Where there are more statements than one, a name may change in between.
    read = database.read if _takes_one_statement(reference, when) else database.read_at_once
    return read(lambda connection: work(connection, reference, when))


def get_revision(connection: Connection, reference: Reference, when: InForce = NOW) -> Revision:
    """Return the revision that a reference names; for a digest, the one that recorded its workload last."""
    there = _as_called_now(connection, reference, when)
    rows = _rows(connection, queries.REVISION, there, when)
    if not rows:
        raise _not_found(connection, reference, there, when)
    return complete(connection, rows)[0]


def find_workload(connection: Connection, reference: Reference, when: InForce = NOW) -> LLMInferenceWorkload | None:
    """Return the workload that a reference names, without its revision; None where `get_revision` says why."""
    there = _as_called_now(connection, reference, when)
    spec_ids = [row[0] for row in _rows(connection, queries.MODELS, there, when)]
    return read_workload_of(connection, spec_ids) if spec_ids else None


def require_workload(revision: Revision) -> Revision:
    """Return the revision if it has a workload."""
    if revision.is_retirement:
        tense = "was" if revision.effective_from <= clock.now() else "is to be"
        raise RetiredError(
            revision.reference,
            revision.name,
            f"the name {tense} retired on {revision.effective_from:%Y-%m-%d} by {revision.author}. "
            f"An earlier revision is {revision.name}@{max(revision.number - 1, 1)}",
        )
    return revision


def _takes_one_statement(reference: Reference, when: InForce) -> bool:
    match reference:
        case NameReference() | TimeReference():
            return when.known_at is None
        case NumberReference(_, number):
            return when.known_at is None and number > 0
    return False


def find_name(connection: Connection, name: str, known_at: datetime | None = None) -> Row[int, str]:
    """Return the id of a name, and what it is called now, that was called so then, or is called so now."""
    if known_at is None:
        found = connection.execute(select(NameRow.id, NameRow.name).where(NameRow.name == name)).first()
    else:
        found = find_present_name(connection, name, known_at)
    if found is None:
        raise unknown_name(connection, name, when=InForce(known_at=known_at))
    return found


def revisions_of(connection: Connection, name: str, when: InForce = NOW) -> list[Revision]:
    """Return the revisions of a name that are known, first to latest."""
    # By then it may have been called otherwise.
    called = name if when.known_at is None else find_name(connection, name, when.known_at).name
    parameters = {"name": called, "known_at": when.horizon}
    revisions = complete(connection, connection.execute(queries.REVISIONS_OF_NAME, parameters).all())
    if not revisions:
        raise unknown_name(connection, name)
    return revisions


def _rows(
    connection: Connection, questions: Questions, reference: Reference, when: InForce
) -> Sequence[RevisionRowRead]:
    parameters: dict[str, object] = {"known_at": when.horizon}
    if isinstance(reference, DigestReference):
        found = find_by_digest(connection, WorkloadRow, reference.prefix)
        statement, parameters["digest"] = questions.last_of_digest, None if found is None else found.digest
        return connection.execute(statement, parameters).all()
    parameters["name"] = reference.name
    match reference:
        case NameReference():
            statement, parameters["as_of"] = questions.in_force, when.as_of or clock.now()
        case LatestReference():
            statement = questions.latest
        case TimeReference(_, time):
            statement, parameters["as_of"] = questions.in_force, time
        case NumberReference(_, number):
            if number < 0:
                latest = connection.execute(queries.REVISION.latest, parameters).first()
                number = latest.number + number if latest is not None else 0
            statement, parameters["number"] = questions.number, number
        case AliasReference(name, alias):
            wanted = {"name": name, "alias": alias, "known_at": when.alias_horizon}
            statement, parameters["number"] = questions.number, connection.scalar(_ALIAS_MOVE, wanted) or 0
    return connection.execute(statement, parameters).all()


def _as_called_now(connection: Connection, reference: Reference, when: InForce) -> Reference:
    """Return the reference with the present name of who was called so then; who is called so now, where nobody was."""
    is_said = isinstance(reference, LatestReference | NumberReference | TimeReference | DigestReference)
    if when.as_of is not None and is_said:
        raise InvalidReferenceError(f"{reference} says already which revision: leave the time (as of) out.")
    if when.known_at is not None and not isinstance(reference, DigestReference):
        found = find_present_name(connection, reference.name, when.known_at)
        reference = reference if found is None else replace(reference, name=found.name)
    if isinstance(reference, LatestReference):
        _refuse_alias(connection, reference)
    return reference


def _refuse_alias(connection: Connection, reference: LatestReference) -> None:
    """Refuse to say the highest number where an older release let an alias be called so."""
    parameters = {"name": reference.name, "alias": LATEST, "known_at": END_OF_TIME}
    number = connection.scalar(_ALIAS_MOVE, parameters)
    if number is None:
        return
    latest = connection.execute(queries.REVISION.latest, parameters).one()
    candidates = [f"{reference.name}@{found}" for found in (number, latest.number)]
    raise AmbiguousReferenceError(
        str(reference),
        candidates,
        f"is an alias of revision {number}, and means the highest number, {latest.number}. Write {candidates[0]} or "
        f"{candidates[1]}, or remove the alias.",
    )


def _not_found(connection: Connection, reference: Reference, there: Reference, when: InForce) -> WorkloadNotFoundError:
    """Say why nothing answers a reference, which is called otherwise by now perhaps, and what is near."""
    text = str(reference)
    if isinstance(there, DigestReference):
        return WorkloadNotFoundError(text, "no workload has a digest that begins so")
    name = there.name
    numbers = (
        select(func.min(RevisionRow.number), func.max(RevisionRow.number), func.min(RevisionRow.effective_from))
        .join(NameRow, NameRow.id == RevisionRow.name_id)
        .where(NameRow.name == name, RevisionRow.recorded_at <= when.horizon)
    )
    first, last, effective_from = connection.execute(numbers).one()
    if first is None:
        return unknown_name(connection, name, text, when)
    if isinstance(reference, AliasReference):
        aliases = select(AliasMoveRow.alias).join(NameRow, NameRow.id == AliasMoveRow.name_id)
        found = sorted(set(connection.scalars(aliases.where(NameRow.name == name))))
        return AliasNotFoundError(text, found)
    if isinstance(reference, NumberReference):
        return WorkloadNotFoundError(text, f"the name has revisions {first} to {last}")
    if isinstance(reference, NameReference) and when.as_of is None:
        return WorkloadNotFoundError(
            text, f"nothing is in force yet, it applies from {effective_from}; use {reference.name}@{LATEST}"
        )
    return WorkloadNotFoundError(text, f"nothing was in force then; the first revision applies from {effective_from}")


def unknown_name(
    connection: Connection, name: str, text: str | None = None, when: InForce = NOW
) -> WorkloadNotFoundError:
    """Say that a name is not known (by then), what became of it, or which are close to it."""
    text = text or name
    renamed = connection.execute(
        select(NameRow.name, RenameRow.recorded_at)
        .select_from(RenameRow)
        .join(NameRow, NameRow.id == RenameRow.name_id)
        .where(RenameRow.old_name == name)
        .order_by(RenameRow.recorded_at.desc())
        .limit(queries.ONE)
    ).first()
    if renamed is not None:
        return WorkloadNotFoundError(
            text, f"the name was changed to {renamed.name} on {renamed.recorded_at:%Y-%m-%d %H:%M} UTC: use that"
        )
    if connection.scalar(select(NameRow.id).where(NameRow.name == name)) is not None:
        return WorkloadNotFoundError(text, f"nothing was known of this name at {when.known_at}")
    names = connection.scalars(select(NameRow.name).order_by(NameRow.id.desc()).limit(_NAMES_COMPARED)).all()
    return WorkloadNotFoundError(text, "no workload has this name", difflib.get_close_matches(name, names, n=3))


def find_by_digest(
    connection: Connection,
    row_class: type[WorkloadRow] | type[ModelSpecRow],
    prefix: str,
    what: str = "workloads",
) -> Row[int, str] | None:
    """Return id and digest of the row whose digest begins so, None where there is none."""
    query = (
        select(row_class.id, row_class.digest)
        .where(row_class.digest >= prefix, row_class.digest < prefix + "g")  # g follows the last digit, f.
        .order_by(row_class.digest)
        .limit(_CANDIDATES_LISTED)
    )
    rows = connection.execute(query).all()
    if len(rows) > 1:
        digests = [row.digest for row in rows]
        why = f"fits several {what}; write more of the digest: {', '.join(digests)}"
        raise AmbiguousReferenceError(prefix, digests, why)
    return rows[0] if rows else None
