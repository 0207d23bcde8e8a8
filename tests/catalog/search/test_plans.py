"""A selective question is answered through an index, and a broad one has its first page soon: the plans say so."""

import re
from typing import Any

import pytest

from openg2g.catalog import Catalog, EveryRevision, RevisionDraft
from openg2g.catalog.history.when import NOW, When
from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.catalog.history.test_statements import EXPLAIN, recording
from tests.catalog.plain_sql import PlainSql
from tests.postgres import PostgresServer

NUM_NAMES = 6_000


def workload(index: int) -> LLMInferenceWorkload:
    """Make a workload whose total is its own, of two models that every workload has, and a rare one now and then."""
    deadline = 0.01 if index % 500 == 7 else 0.05 + index % 9 / 100
    models = [
        LLMInferenceModelSpec("common", index, 1, 128, deadline, (64, 128, 256)),
        LLMInferenceModelSpec("other", index % 50, 4, 128, 0.2, (8, 16)),
    ]
    if index % 1_000 == 5:
        models.append(LLMInferenceModelSpec("rare", 1, 1, 128, 0.3, (8,)))
    return LLMInferenceWorkload(tuple(models))


@pytest.fixture(scope="module", params=["without statistics", "with statistics"])
def filled_url(request: pytest.FixtureRequest, shared_database_url: str) -> str:
    """Give the place of a catalog with thousands of names; most users of SQLite never gather statistics."""
    with Catalog.open(shared_database_url) as catalog:
        if not catalog.list_names():
            catalog.save_many(
                RevisionDraft(f"sweep/{index:05}", workload(index + step * NUM_NAMES))
                for step in range(2)
                for index in range(NUM_NAMES)
            )
    if request.param == "with statistics" or shared_database_url.startswith("postgresql"):  # Which gathers them itself.
        with PlainSql(shared_database_url) as sql:
            sql.run("ANALYZE")
    return shared_database_url


NAMES = "uq_names_name|sqlite_autoindex_names_1"
"""How each engine calls the index of names."""

SELECTIVE = {
    "few GPUs and a short deadline": (
        "total_gpus < 9000 and any(m.model_label == 'common' and m.itl_deadline_s < 0.02"
        " and 256 in m.feasible_batch_sizes for m in models)",
        "ix_workloads_least_itl_deadline_s_total_gpus",
    ),
    "a range of GPUs": ("9000 < total_gpus <= 9010", "ix_workloads_total_gpus_least_itl_deadline_s"),
    "a deadline alone": (
        "any(m.itl_deadline_s < 0.02 for m in models)",
        "ix_workloads_least_itl_deadline_s_total_gpus",
    ),
    "the least deadline": (
        "min(m.itl_deadline_s for m in models) < 0.02",
        "ix_workloads_least_itl_deadline_s_total_gpus",
    ),
    "a deadline by label": (
        "itl_deadline_by_model['common'] < 0.02 and number > 1",
        "ix_workloads_least_itl_deadline_s_total_gpus",
    ),
    "a rare label": ("'rare' in model_labels", "ix_workload_models_model_spec_id"),
    "a rare model": (
        "any(m.model_label == 'rare' and m.num_replicas == 1 for m in models)",
        "ix_model_specs_model_label",
    ),
    "a digest": ("digest.startswith('sha256:abcd')", "uq_workloads_digest|sqlite_autoindex_workloads_1"),
    "a name": ("name == 'sweep/00017'", NAMES),
    "a name among some": ("name in ('sweep/00017', 'sweep/00018')", NAMES),
    "the beginning of a name": ("name.startswith('sweep/0001')", NAMES),
    "a pattern of names": ("fnmatch(name, 'sweep/0001?')", NAMES),
    "a recent revision": ("recorded_at > '2100-01-01'", "ix_revisions_recorded_at"),
}
"""Expression → the index that must lead to its hits."""


def plan_of_hits(catalog: Catalog, expression: str, when: When = NOW, sort: str = "name") -> str:
    """Return the plan of the statement that finds the hits of a first page, as it is sent."""
    with recording(catalog) as statements:
        catalog.search_page(expression, when=when, sort=sort, limit=20)
    text, values = next(statement for statement in statements if "revisions.annotations" in statement[0])
    with catalog.database.reading() as connection:
        rows: Any = connection.exec_driver_sql(EXPLAIN[connection.dialect.name] + text, values)
        return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("when", [NOW, EveryRevision()], ids=["in force", "all revisions"])
@pytest.mark.parametrize("question", SELECTIVE)
def test_a_selective_question_is_answered_through_an_index(filled_url: str, question: str, when: When) -> None:
    expression, index = SELECTIVE[question]
    with Catalog.open(filled_url) as catalog:
        plan = plan_of_hits(catalog, expression, when)
    assert re.search(index, plan), plan


@pytest.mark.parametrize("question", ["a name", "a name among some", "the beginning of a name"])
def test_a_named_workload_is_found_by_its_name_in_any_order(filled_url: str, question: str) -> None:
    expression, index = SELECTIVE[question]
    with Catalog.open(filled_url) as catalog:
        plan = plan_of_hits(catalog, expression, sort="author")
    assert re.search(index, plan), plan


@pytest.mark.parametrize("expression", ["total_gpus >= 0", "'common' in model_labels", "True", "message != 'x'"])
def test_the_first_page_of_a_broad_question_follows_the_names(filled_url: str, expression: str) -> None:
    with Catalog.open(filled_url) as catalog:
        plan = plan_of_hits(catalog, expression)
    assert re.search(NAMES, plan), plan
    assert "ix_revisions_name_id_effective_from_number" in plan, plan


def test_postgres_plans_a_search_for_its_values_however_often_it_is_asked(
    postgres: PostgresServer, migrated_postgres_template: str
) -> None:
    with postgres.database(template=migrated_postgres_template) as url, Catalog.open(url) as catalog:
        for _ in range(12):
            catalog.search_page("total_gpus < x", {"x": 7}, limit=5)
        with catalog.database.reading() as connection:
            prepared = list(connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars())
    assert not [text for text in prepared if "total_gpus" in text]
