"""A selective question is answered through an index, and a broad one has its first page soon: the plans say so."""

import re
from typing import Any

import pytest

from openg2g.catalog import Catalog, EveryRevision, RevisionDraft
from openg2g.catalog.history.when import NOW, When
from openg2g.catalog.search.leads import FEW
from openg2g.catalog.search.plan import WALKED
from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.catalog.history.test_statements import recording
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


SELECTIVE = {
    "few GPUs and a short deadline": (
        "total_gpus < 9000 and any(m.model_label == 'common' and m.itl_deadline_s < 0.02"
        " and 256 in m.feasible_batch_sizes for m in models)"
    ),
    "a range of GPUs": "9000 < total_gpus <= 9010",
    "a deadline alone": "any(m.itl_deadline_s < 0.02 for m in models)",
    "the least deadline": "min(m.itl_deadline_s for m in models) < 0.02",
    "a deadline by label": "itl_deadline_by_model['common'] < 0.02 and number > 1",
    "a rare label": "'rare' in model_labels",
    "a rare model": "any(m.model_label == 'rare' and m.num_replicas == 1 for m in models)",
    "a digest": "digest.startswith('sha256:abcd')",
    "a name": "name == 'sweep/00017'",
    "a name among some": "name in ('sweep/00017', 'sweep/00018')",
    "the beginning of a name": "name.startswith('sweep/0001')",
    "a pattern of names": "fnmatch(name, 'sweep/0001?')",
    "a recent revision": "recorded_at > '2100-01-01'",
}


def plans_of(catalog: Catalog, expression: str, when: When = NOW, sort: str = "") -> list[str]:
    """Return the plan of every statement of a search, as it is sent."""
    with recording(catalog) as statements:
        catalog.search_page(expression, when=when, sort=sort or (), limit=20)
    is_sqlite = catalog.database.engine.dialect.name == "sqlite"
    prefix = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    plans = []
    for text, values in statements:
        # So many entries of an index and no more; where as many rows match, Postgres reads them from the table.
        looks_ahead = f"OFFSET {WALKED}" in text or (
            f"LIMIT {FEW}" in text and catalog.database.engine.dialect.name != "sqlite"
        )
        if text.lstrip().startswith("SELECT") and not looks_ahead:
            with catalog.database.reading() as connection:
                rows: Any = connection.exec_driver_sql(prefix + text, values)
                plans.append("\n".join(str(row[-1]) for row in rows))
    return plans


@pytest.mark.parametrize("when", [NOW, EveryRevision()], ids=["in force", "all revisions"])
@pytest.mark.parametrize("question", SELECTIVE)
def test_a_selective_question_reads_no_large_table_from_end_to_end(filled_url: str, question: str, when: When) -> None:
    with Catalog.open(filled_url) as catalog:
        for plan in plans_of(catalog, SELECTIVE[question], when):
            large = r"(names|revisions|workloads|workload_models)"
            scans = re.findall(rf"^ *SCAN {large}|Seq Scan on {large}", plan, re.MULTILINE)
            assert not scans, plan


@pytest.mark.parametrize("question", ["a name", "a name among some", "the beginning of a name"])
def test_a_named_workload_is_found_by_its_name_in_any_order(filled_url: str, question: str) -> None:
    with Catalog.open(filled_url) as catalog:
        plan = plans_of(catalog, SELECTIVE[question], sort="author")[0]
    assert not re.search(r"^ *SCAN |Seq Scan on (names|revisions|workloads)", plan, re.MULTILINE), plan


@pytest.mark.parametrize("expression", ["total_gpus >= 0", "'common' in model_labels", "True", "message != 'x'"])
def test_the_first_page_of_a_broad_question_follows_the_names(filled_url: str, expression: str) -> None:
    with Catalog.open(filled_url) as catalog:
        plan = next(plan for plan in plans_of(catalog, expression) if "names" in plan)
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan
    assert not re.search(r"Sort Key: names.name COLLATE \"C\", revisions.number\n(?! *Presorted)", plan), plan


def test_postgres_plans_a_search_for_its_values_however_often_it_is_asked(
    postgres: PostgresServer, migrated_postgres_template: str
) -> None:
    with postgres.database(template=migrated_postgres_template) as url, Catalog.open(url) as catalog:
        for _ in range(12):
            catalog.search_page("total_gpus < x", {"x": 7}, limit=5)
        with catalog.database.reading() as connection:
            prepared = list(connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars())
    assert not [text for text in prepared if "total_gpus" in text]
