"""The model specs across the catalog, each with the revisions that use it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.content import chunks, read_specs
from openg2g.catalog.history.queries import is_in_force
from openg2g.catalog.history.reference import DigestReference, parse_reference
from openg2g.catalog.history.resolve import find_by_digest
from openg2g.catalog.history.when import When
from openg2g.catalog.schema.content_rows import ModelSpecRow, WorkloadModelRow
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.search.compiler import Compiler
from openg2g.catalog.search.scope import ResolvedScope
from openg2g.catalog.search.sources import Scope, SpecSource
from openg2g.expressions.facts import conjuncts
from openg2g.expressions.patterns import check_pattern
from openg2g.expressions.read import ROOT_SPEC, read_spec_condition
from openg2g.expressions.syntax import RefusalError
from openg2g.expressions.tree import Expression, Logical, SpecField, TextTest
from openg2g.expressions.types import TEXT
from openg2g.models.digest import model_spec_digest
from openg2g.models.errors import (
    FilterError,
    InvalidReferenceError,
    WorkloadNotFoundError,
)
from openg2g.models.revision import check_text
from openg2g.models.spec import LLMInferenceModelSpec

SPECS_PER_BLOCK = 500
"""Model specs whose uses are looked up by one statement."""

EVERY_REVISION = ResolvedScope(as_of=None, known_at=None)
"""All that was ever recorded."""


@dataclass(frozen=True)
class ModelUse:
    """A model spec and who uses it.

    Attributes:
        spec: The model spec.
        digest: `sha256:…` of the model spec.
        references: `NAME@NUMBER` of the revisions whose workloads have this model spec, by name, then number.
    """

    spec: LLMInferenceModelSpec
    digest: str
    references: tuple[str, ...]


def iter_models(
    database: Database, pattern: str, expression: str, parameters: Mapping[str, object] | None, when: When
) -> Iterator[ModelUse]:
    """Yield the model specs that revisions use; see `Catalog.iter_models`."""
    return _uses(database, read_model_condition(pattern, expression, parameters), ResolvedScope.of(when))


def _uses(database: Database, condition: Expression, scope: ResolvedScope) -> Iterator[ModelUse]:
    query = spec_ids_query(condition, scope)
    spec_ids = database.read(lambda connection: execute_unprepared(connection, query).scalars().all())
    for block in chunks(spec_ids, SPECS_PER_BLOCK):
        uses = database.read(partial(read_uses, spec_ids=block, scope=scope))
        yield from (use for use in uses if use.references)


def get_model(database: Database, digest: str) -> ModelUse:
    """Return a model spec, and every revision that ever used it."""

    def read(connection: Connection) -> ModelUse:
        return read_uses(connection, [get_spec_id(connection, digest)], EVERY_REVISION)[0]

    return database.read(read)


def read_model_condition(pattern: str, expression: str, parameters: Mapping[str, object] | None) -> Expression:
    """Make one condition of a pattern of labels and an expression about a model spec."""
    check_text("pattern", pattern)
    try:
        check_pattern(pattern)
    except RefusalError as refusal:
        raise FilterError(pattern, str(refusal)) from None
    condition = read_spec_condition(expression, parameters)
    if pattern == "*":
        return condition
    return Logical("and", (TextTest("fnmatch", SpecField(ROOT_SPEC, "model_label", TEXT), pattern), condition))


def spec_ids_query(condition: Expression, scope: ResolvedScope) -> Select[*tuple[Any, ...]]:
    """Select the ids of the model specs that a condition holds for, by label, replicas and digest."""
    sources = Scope(scope.alias_horizon).within(ROOT_SPEC, SpecSource(ModelSpecRow))
    compiler = Compiler(sources)
    query = select(ModelSpecRow.id).where(*map(compiler.condition, conjuncts(condition)))
    return query.order_by(ModelSpecRow.model_label, ModelSpecRow.num_replicas, ModelSpecRow.digest)


def uses_query(spec_ids: Sequence[int], scope: ResolvedScope) -> Select[*tuple[Any, ...]]:
    """Select spec id, name and number of the revisions in a scope that use some model specs, in no order."""
    return (
        select(WorkloadModelRow.model_spec_id, NameRow.name, RevisionRow.number)
        .select_from(WorkloadModelRow)
        .join(RevisionRow, RevisionRow.workload_id == WorkloadModelRow.workload_id)
        .join(NameRow, NameRow.id == RevisionRow.name_id)
        .where(WorkloadModelRow.model_spec_id.in_(spec_ids), *_conditions(scope))
    )


def read_uses(connection: Connection, spec_ids: Sequence[int], scope: ResolvedScope) -> list[ModelUse]:
    """Return model specs, in the given order, with their uses in a scope, also those that it does not use."""
    users: dict[int, list[tuple[str, int]]] = {spec_id: [] for spec_id in spec_ids}
    found = execute_unprepared(connection, uses_query(spec_ids, scope))
    for spec_id, name, number in found:
        users[spec_id].append((name, number))
    specs = read_specs(connection, spec_ids)
    return [
        ModelUse(
            spec=specs[spec_id],
            digest=model_spec_digest(specs[spec_id]),
            references=tuple(f"{name}@{number}" for name, number in sorted(users[spec_id])),
        )
        for spec_id in spec_ids
    ]


def get_spec_id(connection: Connection, reference: str) -> int:
    """Return the id of the model spec that a digest, or the beginning of one, names."""
    parsed = parse_reference(reference)
    if not isinstance(parsed, DigestReference):
        raise InvalidReferenceError(
            f"{reference!r} names no model spec: write its digest, sha256:ab12cd34 for instance."
        )
    found = find_by_digest(connection, ModelSpecRow, parsed.prefix, "model specs")
    if found is None:
        raise WorkloadNotFoundError(parsed.prefix, "no model spec has a digest that begins so")
    return int(found.id)


def _conditions(scope: ResolvedScope) -> list[ColumnElement[bool]]:
    if scope.as_of is not None:
        return [is_in_force(scope.as_of, scope.known_at)]
    return [] if scope.known_at is None else [RevisionRow.recorded_at <= scope.known_at]
