"""Where an expression looks in the tables: the rows of a workload, of its revision and name, and of each loop."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    and_,
    cast,
    exists,
    false,
    join,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from openg2g.catalog.history.queries import revision_columns
from openg2g.catalog.history.when import END_OF_TIME
from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.content_rows import BatchSizeRow, ModelSpecRow, WorkloadModelRow, WorkloadRow
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RevisionRow
from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.catalog.search.constructs import Column
from openg2g.catalog.search.types import SQL_TYPES, bound
from openg2g.expressions import tree

Joined = tuple[type[Row] | FromClause, ColumnElement[bool]]
"""A table of a statement, with the condition that ties it to those before it or around."""


@dataclass
class SpecSource:
    """A model spec as SQL sees it: its row, and where there is one its place in a workload.

    Attributes:
        spec: The class of `model_specs`, or an alias.
        place: Alias of `workload_models`; None for a spec by itself.
        is_joined: Whether anything but the label was asked for, so that the row of the spec is needed.
    """

    spec: type[ModelSpecRow]
    place: type[WorkloadModelRow] | None = None
    is_joined: bool = False

    def column(self, name: str) -> Column:
        """Return the column of a field."""
        if name == "model_label" and self.place is not None:
            return self.place.model_label.expression
        self.is_joined = True
        column: Column = getattr(self.spec, name)
        return column


@dataclass(frozen=True)
class Scope:
    """What names stand for in one statement.

    Attributes:
        workload: The class of `workloads`, or an alias.
        revision: The class of `revisions`, or an alias.
        name: The class of `names`, or an alias.
        alias_horizon: Time whose aliases count.
        variables: What each loop around is at.
    """

    alias_horizon: datetime = END_OF_TIME
    workload: type[WorkloadRow] = WorkloadRow
    revision: type[RevisionRow] = RevisionRow
    name: type[NameRow] = NameRow
    variables: dict[tree.Variable, SpecSource | Column] = field(default_factory=dict)

    def revision_columns(self) -> list[SQLColumnExpression[Any]]:
        """Return what a revision is made of."""
        return revision_columns(self.name, self.revision, self.workload)

    def within(self, variable: tree.Variable, source: "SpecSource | Column") -> "Scope":
        """Return the scope inside a loop."""
        return replace(self, variables={**self.variables, variable: source})


@dataclass
class Rows:
    """The rows that a loop goes through.

    Attributes:
        value: What the loop's variable is at.
        order: Columns that sort the rows as Python would see them.
        tables: Tables, each with the condition that ties it to those before it or around.
    """

    value: "SpecSource | Column"
    order: Sequence[SQLColumnExpression[Any]]
    tables: list[Joined]

    def joined(self) -> list[Joined]:
        """Return the tables, with that of the model spec if it is needed."""
        if isinstance(self.value, SpecSource) and self.value.is_joined:
            spec, place = self.value.spec, self.value.place
            assert place is not None  # A loop goes through the models of a workload.
            return [*self.tables, (spec, spec.id == place.model_spec_id)]
        return self.tables


def rows_of(scope: Scope, sequence: tree.Sequence, list_id: Column | None, *, distinct: bool) -> Rows:
    """Return the rows of a sequence."""
    if isinstance(sequence, tree.Constants):
        return _constant_rows(sequence)
    if list_id is not None:
        member = aliased(BatchSizeRow)
        tables: list[Joined] = [(member, member.batch_size_list_id == list_id)]
        return Rows(member.batch_size.expression, [member.position], tables)
    if sequence.name == "aliases":
        return _alias_rows(scope)
    if sequence.name == "feasible_batch_sizes_union":
        return _union_rows(scope) if distinct else _repeated_union_rows(scope)
    place = aliased(WorkloadModelRow)
    tables = [(place, place.workload_id == scope.workload.id)]
    is_label = sequence.name == "model_labels"
    value = place.model_label.expression if is_label else SpecSource(aliased(ModelSpecRow), place)
    return Rows(value, [place.position], tables)


def selected(
    what: Sequence[Column], rows: Sequence[Rows], conditions: Sequence[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    """Select from the rows of nested loops, tied to the statement around."""
    tables = [table for part in rows for table in part.joined()]
    first, *others = tables
    source: Any = first[0]
    own = [first[0]]
    for table, condition in others:
        source = join(source, table, condition)
        own.append(table)
    return select(*what).select_from(source).where(first[1], *conditions).correlate_except(*own)


def spec_subquery(scope: Scope, name: str, label: Column) -> Column:
    """Select a field of the model of a label."""
    place = aliased(WorkloadModelRow)
    source = SpecSource(aliased(ModelSpecRow), place)
    column = source.column(name)
    rows = Rows(source, [], [(place, place.workload_id == scope.workload.id)])
    return selected([column], [rows], [place.model_label == label]).scalar_subquery()


def _repeated_union_rows(scope: Scope) -> Rows:
    place, spec, member = aliased(WorkloadModelRow), aliased(ModelSpecRow), aliased(BatchSizeRow)
    tables: list[Joined] = [
        (place, place.workload_id == scope.workload.id),
        (spec, spec.id == place.model_spec_id),
        (member, member.batch_size_list_id == spec.batch_size_list_id),
    ]
    return Rows(member.batch_size.expression, [member.batch_size], tables)


def _union_rows(scope: Scope) -> Rows:
    repeated = _repeated_union_rows(scope)
    assert not isinstance(repeated.value, SpecSource)
    size = repeated.value.label("batch_size")
    union = selected([size], [repeated], []).distinct().subquery()
    return Rows(union.c.batch_size, [union.c.batch_size], [(union, true())])


def _alias_rows(scope: Scope) -> Rows:
    move, later = aliased(AliasMoveRow), aliased(AliasMoveRow)
    horizon = literal(scope.alias_horizon, UtcTimestamp())
    is_moved_on = exists().where(
        later.name_id == move.name_id,
        later.alias == move.alias,
        later.number > move.number,
        later.recorded_at <= horizon,
    )
    stands = and_(
        move.name_id == scope.revision.name_id,
        move.revision_number == scope.revision.number,
        move.recorded_at <= horizon,
        ~is_moved_on,
    )
    return Rows(move.alias.expression, [move.alias], [(move, stands)])


def _constant_rows(sequence: tree.Constants) -> Rows:
    assert sequence.type.item is not None
    kind = sequence.type.item
    if not sequence.values:
        nothing = select(cast(null(), SQL_TYPES[kind.kind]).label("item"), literal(0, BigInteger()).label("position"))
        empty = nothing.where(false()).subquery()
        return Rows(empty.c.item, [empty.c.position], [(empty, true())])
    selects = [
        select(bound(tree.Constant(value, kind)).label("item"), literal(position, BigInteger()).label("position"))
        for position, value in enumerate(sequence.values)
    ]
    listed = union_all(*selects).subquery()
    return Rows(listed.c.item, [listed.c.position], [(listed, true())])
