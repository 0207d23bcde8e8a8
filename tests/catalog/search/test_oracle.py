"""What an expression means, told by SQLite, by PostgreSQL and by Python: all three agree, on generated catalogs.

`OPENG2G_ORACLE_CASES` says how many expressions each engine is asked, others in every run; without it, the same 120.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openg2g.catalog import Catalog, EveryRevision, FilterError, InForce, Revision
from openg2g.catalog.history.when import When
from openg2g.catalog.search.leads import find_leads
from openg2g.catalog.search.order import SearchOrder
from openg2g.catalog.search.plan import SearchPlan
from openg2g.catalog.search.scope import ResolvedScope
from openg2g.expressions.facts import with_facts
from openg2g.expressions.predicate import compile_predicate
from openg2g.expressions.read import read_condition
from tests.expressions.catalog_contents import TIMES, Contents
from tests.expressions.generated import conditions, contents

IS_REPEATABLE = "OPENG2G_ORACLE_CASES" not in os.environ
CASES = int(os.environ.get("OPENG2G_ORACLE_CASES", "120"))
CASES_PER_EXAMPLE = 4
NUM_CATALOGS = 4
CONTENTS_PER_CATALOG = 12

Key = tuple[str, int]


@dataclass(frozen=True)
class Filled:
    """A catalog, and everything in it as Python objects."""

    catalog: Catalog
    revisions: tuple[Revision, ...]
    tags: dict[str, dict[str, str]]
    aliases: dict[Key, list[str]]
    aliases_since: datetime

    def expected(self, expression: str, scope: When) -> list[Key]:
        """Ask the predicate about every revision that the scope has."""
        predicate = compile_predicate(expression)
        as_of = None if isinstance(scope, EveryRevision) else scope.as_of or datetime.now(UTC)
        horizon = min((time for time in (as_of, scope.known_at) if time is not None), default=None)
        has_aliases = horizon is None or horizon >= self.aliases_since
        found = []
        for revision in self._in(as_of, scope.known_at):
            aliases = self.aliases.get(key_of(revision), []) if has_aliases else []
            if predicate(revision.workload, revision, tags=self.tags[revision.name], aliases=aliases):
                found.append(key_of(revision))
        return found

    def _in(self, as_of: datetime | None, known_at: datetime | None) -> list[Revision]:
        known = [revision for revision in self.revisions if known_at is None or revision.recorded_at <= known_at]
        if as_of is None:
            return known
        in_force: dict[str, Revision] = {}
        for revision in known:
            before = in_force.get(revision.name)
            is_later = before is None or (revision.effective_from, revision.number) > (
                before.effective_from,
                before.number,
            )
            if revision.effective_from <= as_of and is_later:
                in_force[revision.name] = revision
        return [in_force[name] for name in sorted(in_force)]


def key_of(revision: Revision) -> Key:
    return revision.name, revision.number


def fill(catalog: Catalog, generated: list[Contents]) -> Filled:
    """Record generated contents, each under names of its own; the aliases last, when everything is recorded."""

    def called(name: str, index: int) -> str:
        return name if index == 0 else f"{name}.{index}"

    for index, part in enumerate(generated):
        catalog.save_many(replace(draft, name=called(draft.name, index)) for draft in part.drafts)
        for name, tags in part.tags.items():
            catalog.tag(called(name, index), tags)
    names = catalog.list_names()
    revisions = tuple(revision for name in names for revision in catalog.history(name))
    aliases_since = datetime.now(UTC)
    standing: dict[Key, list[str]] = {}
    for index, part in enumerate(generated):
        for name, aliases in part.aliases.items():
            for alias, wanted in aliases.items():
                key = called(name, index), min(wanted, sum(r.name == called(name, index) for r in revisions))
                catalog.set_alias(key[0], alias, key[1], author="Ada")
                standing.setdefault(key, []).append(alias)
    return Filled(catalog, revisions, {name: catalog.tags(name) for name in names}, standing, aliases_since)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def catalogs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Filled]]:
    """Fill some catalogs on an engine with what Hypothesis makes up."""
    made: list[list[Contents]] = []

    @settings(
        max_examples=NUM_CATALOGS,
        database=None,
        deadline=None,
        derandomize=IS_REPEATABLE,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(contents(), min_size=CONTENTS_PER_CATALOG, max_size=CONTENTS_PER_CATALOG))
    def make(generated: list[Contents]) -> None:
        made.append(generated)

    make()
    with ExitStack() as stack:
        filled = []
        for index, generated in enumerate(made):
            if request.param == "sqlite":
                path: Path = tmp_path_factory.mktemp("oracle") / f"{index}.db"
                shutil.copyfile(request.getfixturevalue("migrated_sqlite_file"), path)
                url = str(path)
            else:
                template = request.getfixturevalue("migrated_postgres_template")
                url = stack.enter_context(request.getfixturevalue("postgres").database(template=template))
            filled.append(fill(stack.enter_context(Catalog.open(url)), generated))
        yield filled


def scopes() -> st.SearchStrategy[Callable[[Filled], When]]:
    """All revisions mostly: they hold the most; or what was in force at one time; now and then as known earlier."""

    def scope_of(as_of: datetime | None, is_all: bool, share_known: float) -> Callable[[Filled], When]:
        def scope(filled: Filled) -> When:
            recorded = sorted(revision.recorded_at for revision in filled.revisions)
            known_at = None if share_known > 1 else recorded[int(share_known * (len(recorded) - 1))]
            return EveryRevision(known_at) if is_all else InForce(as_of, known_at)

        return scope

    return st.builds(
        scope_of,
        st.sampled_from([None, *TIMES]),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([2.0, 2.0, 2.0, 0.3, 1.0]),
    )


def every_answer(catalog: Catalog, expression: str, scope: When) -> Iterator[list[Key]]:
    """Ask in each way that a search may: along names and totals, sorted, and begun with every lead there is."""
    plan = SearchPlan(with_facts(read_condition(expression)), ResolvedScope.of(scope))
    by_name = SearchOrder()
    statements = [
        plan.walked_page(by_name, None, 10_000),
        plan.walked_page(SearchOrder(("-total_gpus",)), None, 10_000),
    ]
    statements.append(plan.sorted_page(by_name, None, 10_000))
    statements += [plan.led_page(lead, by_name, None, 10_000) for lead in find_leads(plan.tables, plan.condition)]
    with catalog.database.reading() as connection:
        for statement in statements:
            yield sorted((row.name, row.number) for row in connection.execute(statement))


def test_sql_and_python_agree_on_every_expression(catalogs: list[Filled]) -> None:
    told_apart = 0
    asked = 0

    @settings(
        max_examples=max(CASES // CASES_PER_EXAMPLE, 1),
        deadline=None,
        derandomize=IS_REPEATABLE,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(
        st.sampled_from(range(len(catalogs))),
        st.lists(conditions(), min_size=CASES_PER_EXAMPLE, max_size=CASES_PER_EXAMPLE),
        scopes(),
    )
    def agree(index: int, expressions: list[str], scope_of: Callable[[Filled], When]) -> None:
        nonlocal told_apart, asked
        filled = catalogs[index]
        scope = scope_of(filled)
        for expression in expressions:
            try:
                expected = filled.expected(expression, scope)
            except FilterError:
                continue
            asked += 1
            told_apart += 0 < len(expected) < len(filled.revisions)
            assert [key_of(revision) for revision in filled.catalog.search(expression, when=scope)] == expected, (
                expression
            )
            assert filled.catalog.count_hits(expression, when=scope) == len(expected), expression
            assert all(answer == expected for answer in every_answer(filled.catalog, expression, scope)), expression

    agree()
    assert asked > CASES * 0.8, "most generated expressions can be searched by"
    assert told_apart > asked * 0.2, "many expressions hold of some revisions and not of others"
