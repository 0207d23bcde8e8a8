"""The cost of a question about one name does not grow with the histories of the others: the plans say so."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Select

from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.history import queries
from openg2g.catalog.history.earlier_names import PRESENT_NAME
from openg2g.catalog.history.log import LogFilter, log_query
from tests.builders import make_workload

NOW = datetime(2027, 1, 1, tzinfo=UTC)
QUESTIONS: dict[str, tuple[Select[*tuple[Any, ...]], dict[str, Any], str]] = {
    "latest": (queries.REVISION.latest, {"name": "name-7", "known_at": NOW}, "pk_revisions"),
    "in force": (
        queries.REVISION.in_force,
        {"name": "name-7", "as_of": NOW, "known_at": NOW},
        "ix_revisions_name_id_effective_from_number",
    ),
    "before": (
        queries.BEFORE,
        {"name": "name-7", "as_of": NOW, "known_at": NOW, "number": 100},
        "ix_revisions_name_id_effective_from_number",
    ),
    "number": (queries.REVISION.number, {"name": "name-7", "number": 3, "known_at": NOW}, "pk_revisions"),
    "name then": (PRESENT_NAME, {"name": "name-7", "known_at": NOW}, "pk_revisions"),
    "log of a name": (log_query(LogFilter(), 7, None, 20), {}, "pk_revisions"),
    "log of all": (log_query(LogFilter(), None, None, 20), {}, "ix_revisions_recorded_at"),
}


def plan_of(connection: Connection, query: Select[*tuple[Any, ...]], parameters: dict[str, Any]) -> str:
    """Explain a query with its values, as Postgres plans it where nothing is hidden from the planner."""
    dialect = connection.dialect
    text = str(query.params(**parameters).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if dialect.name == "sqlite" else "EXPLAIN "
    return "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain + text.replace("%", "%%")))


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """Fill the catalog with enough that a planner would rather use an index."""
    workloads = [make_workload(1, num_replicas=number) for number in range(50)]
    catalog.save_many(RevisionDraft(f"name-{number % 40}", workloads[number % 50]) for number in range(8_000))
    with catalog.database.writing() as connection:
        connection.exec_driver_sql("ANALYZE")
    return catalog


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_through_an_index(filled: Catalog, question: str) -> None:
    query, parameters, index = QUESTIONS[question]
    with filled.database.reading() as connection:
        plan = plan_of(connection, query, parameters)
    assert index in plan or (index == "pk_revisions" and "USING PRIMARY KEY" in plan), plan
