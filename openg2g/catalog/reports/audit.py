"""When a rule did not hold: the history of every name, cut into the intervals in which it was broken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, select

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.content import KEYS_PER_STATEMENT, chunks
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.search.plan import SearchPlan, choose_lead
from openg2g.catalog.search.scope import ResolvedScope
from openg2g.expressions.facts import with_facts
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Expression, Logical, Not
from openg2g.models.errors import InvalidRevisionError
from openg2g.models.instant import TimeField


@dataclass(frozen=True)
class RevisionMark:
    """Which revision it was, without what it holds.

    Attributes:
        name: The name.
        number: 1, 2, 3, … within the name.
        author: Who recorded it.
        recorded_at: When the catalog learned it, UTC.
        message: Why; empty if not said.
    """

    name: str
    number: int
    author: str
    recorded_at: datetime
    message: str

    @property
    def reference(self) -> str:
        """`NAME@NUMBER`, which always means this revision."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True)
class Violation:
    """An interval in which what was in force under a name broke a rule.

    Attributes:
        name: The name.
        from_: When it began, UTC; the beginning of the audited time where it began before.
        until: When it ended, UTC, itself not in the interval; None where it goes on to the end of the audited time.
        broken_by: The revision that broke the rule.
        mended_by: The revision that ended the interval, another workload or a retirement; None where `until` is.
    """

    name: str
    from_: datetime
    until: datetime | None
    broken_by: RevisionMark
    mended_by: RevisionMark | None


@dataclass(frozen=True)
class AuditWindow:
    """The time that is audited; None for no limit.

    Attributes:
        since: Its beginning.
        until: Its end, itself not audited.
        known_at: From what was known then.

    Raises:
        InvalidRevisionError: A time has no offset, or `until` is not later than `since`.
    """

    since: TimeField = TimeField()
    until: TimeField = TimeField()
    known_at: TimeField = TimeField()

    def __post_init__(self) -> None:
        """Check that it begins before it ends."""
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise InvalidRevisionError(f"until must be later than since, got {self.until.isoformat()}.")

    def clipped(self, violation: Violation) -> Violation | None:
        """Return the part of an interval that lies within; None where none does."""
        begins = max(violation.from_, self.since or violation.from_)
        ends = violation.until
        if (ends is not None and ends <= begins) or (self.until is not None and begins >= self.until):
            return None
        if ends is not None and (self.until is None or ends < self.until):
            return replace(violation, from_=begins)
        return replace(violation, from_=begins, until=None, mended_by=None)


@dataclass(frozen=True)
class TimelineEntry:
    """A revision on the timeline of its name.

    Attributes:
        effective_from: Since when it applies.
        breaks_rule: Whether its workload breaks the rule.
        mark: Which one it is.
    """

    effective_from: datetime
    breaks_rule: bool
    mark: RevisionMark


def audit(
    database: Database, expression: str, parameters: Mapping[str, object] | None, window: AuditWindow
) -> list[Violation]:
    """Return when a rule did not hold; see `Catalog.audit`."""
    rule = read_condition(expression, parameters)
    return database.read_at_once(partial(find_violations, rule=rule, window=window))


def find_violations(connection: Connection, rule: Expression, window: AuditWindow) -> list[Violation]:
    """Return when a rule did not hold, by name and time."""
    numbers = _violating_numbers(connection, rule, window.known_at)
    names = sorted(numbers)
    found: list[Violation] = []
    for block in chunks(names, KEYS_PER_STATEMENT):
        rows = execute_unprepared(connection, _timelines_query(block, window.known_at))
        timelines = {
            name: [_entry(row, numbers[name]) for row in of_name] for name, of_name in groupby(rows, attrgetter("name"))
        }
        for name in block:
            clipped = map(window.clipped, violations_of(name, timelines[name]))
            found += [violation for violation in clipped if violation is not None]
    return found


def violations_of(name: str, timeline: Sequence[TimelineEntry]) -> Iterator[Violation]:
    """Yield the intervals in which what a name stood for broke the rule, from first to last."""
    in_force = [entry for entry, later in pairwise(timeline) if _is_before(entry, later)]
    in_force += timeline[-1:]
    broken: TimelineEntry | None = None
    for entry in in_force:
        if entry.breaks_rule and broken is None:
            broken = entry
        elif not entry.breaks_rule and broken is not None:
            yield Violation(name, broken.effective_from, entry.effective_from, broken.mark, entry.mark)
            broken = None
    if broken is not None:
        yield Violation(name, broken.effective_from, None, broken.mark, None)


def _violating_plan(connection: Connection, rule: Expression, known_at: datetime | None) -> SearchPlan:
    """Plan the search for every revision that breaks a rule; those that retire a name have no workload and do not."""
    plan = SearchPlan(with_facts(negated(rule)), ResolvedScope(None, known_at))
    return replace(plan, lead=choose_lead(connection, plan))


def _timelines_query(names: Sequence[str], known_at: datetime | None) -> Select[*tuple[Any, ...]]:
    """Select what the timelines of some names are made of, in order."""
    query = (
        select(
            NameRow.name,
            RevisionRow.number,
            RevisionRow.effective_from,
            RevisionRow.recorded_at,
            RevisionRow.author,
            RevisionRow.message,
        )
        .select_from(NameRow)
        .join(RevisionRow, RevisionRow.name_id == NameRow.id)
        .where(NameRow.name.in_(names))
        .order_by(NameRow.name, RevisionRow.effective_from, RevisionRow.number)
    )
    return query if known_at is None else query.where(RevisionRow.recorded_at <= known_at)


def negated(rule: Expression) -> Expression:
    """Return the opposite of a condition, `not` as far inside as it goes: there, stored facts may answer it."""
    match rule:
        case Logical(operator=operator, operands=operands):
            return Logical("or" if operator == "and" else "and", tuple(map(negated, operands)))
        case Not(operand=operand):
            return operand
        case _:
            return Not(rule)


def _violating_numbers(connection: Connection, rule: Expression, known_at: datetime | None) -> Mapping[str, set[int]]:
    plan = _violating_plan(connection, rule, known_at)
    query = plan.columns(NameRow.name, RevisionRow.number)
    numbers: dict[str, set[int]] = {}
    for name, number in execute_unprepared(connection, query):
        numbers.setdefault(name, set()).add(number)
    return numbers


def _entry(row: Any, violating: set[int]) -> TimelineEntry:
    mark = RevisionMark(row.name, row.number, row.author, row.recorded_at, row.message)
    return TimelineEntry(row.effective_from, row.number in violating, mark)


def _is_before(entry: TimelineEntry, later: TimelineEntry) -> bool:
    return entry.effective_from < later.effective_from
