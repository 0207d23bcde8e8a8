"""What goes into a catalog comes out equal; each direction is also held against plain SQL, so no bug cancels itself."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from openg2g.catalog import Catalog, Revision
from openg2g.catalog.schema.content_rows import WorkloadRow
from openg2g.models import LLMInferenceWorkload
from openg2g.models.digest import model_spec_digest, workload_digest
from openg2g.models.revision import annotations_to_text
from tests.catalog.plain_sql import PlainSql
from tests.strategies import annotations, instants, messages, names, new_workloads, storable_texts, workloads


def examples(count: int) -> settings:
    """Run so many examples on one catalog: nothing in it is ever changed, so that they do not disturb each other."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=count, deadline=None, suppress_health_check=checks)


@examples(30)
@given(
    name=names(),
    workload=new_workloads(),
    about=annotations(),
    effective_from=instants(),
    texts=st.tuples(storable_texts().map("Ada {}".format), messages(), storable_texts()),
)
def test_whatever_is_saved_comes_back_equal(
    catalog: Catalog,
    database_url: str,
    numbers: Iterator[int],
    name: str,
    workload: LLMInferenceWorkload,
    about: dict[str, Any],
    effective_from: datetime,
    texts: tuple[str, str, str],
) -> None:
    author, message, source = texts
    saved = catalog.save(
        f"{name[:190]}/{next(numbers)}",
        workload,
        message=message,
        author=author,
        effective_from=effective_from,
        source=source,
        annotations=about,
    )
    with Catalog.open(database_url) as other:
        loaded = other.get(saved.reference)
    assert loaded == saved
    assert loaded.workload == workload
    assert (loaded.author, loaded.message, loaded.source) == texts
    assert loaded.effective_from == effective_from
    assert annotations_to_text(loaded.annotations) == annotations_to_text(about)  # 1, 1.0 and true are told apart.
    assert catalog.load(saved.digest) == workload


@examples(20)
@given(workload=new_workloads(), about=annotations())
def test_what_save_writes_reads_correctly_in_plain_sql(
    catalog: Catalog, plain_sql: PlainSql, numbers: Iterator[int], workload: LLMInferenceWorkload, about: dict[str, Any]
) -> None:
    name = f"name-{next(numbers)}"
    catalog.save(name, workload, author="Ada", annotations=about)
    rows = plain_sql.run(
        "SELECT model_label, num_replicas, gpus_per_replica, initial_batch_size, itl_deadline_s, feasible_batch_sizes, "
        "total_gpus FROM revision_models WHERE name = ? ORDER BY position",
        (name,),
    )
    assert rows == [
        (
            spec.model_label,
            spec.num_replicas,
            spec.gpus_per_replica,
            spec.initial_batch_size,
            spec.itl_deadline_s,
            "[" + ",".join(map(str, spec.feasible_batch_sizes)) + "]",
            spec.num_replicas * spec.gpus_per_replica,
        )
        for spec in workload.models
    ]
    [(digest, num_models, total_gpus, least, greatest, author, stored)] = plain_sql.run(
        "SELECT digest, num_models, total_gpus, least_itl_deadline_s, greatest_itl_deadline_s, author, "
        "CAST(annotations AS TEXT) FROM named_revisions WHERE name = ?",
        (name,),
    )
    assert (digest, num_models, author) == (workload_digest(workload), len(workload.models), "Ada")
    assert total_gpus == sum(spec.num_replicas * spec.gpus_per_replica for spec in workload.models)
    deadlines = sorted(spec.itl_deadline_s for spec in workload.models)
    assert (least, greatest) == (deadlines[0], deadlines[-1])
    assert json.loads(stored) == about
    members = plain_sql.run(
        "SELECT model_specs.digest, batch_size FROM model_specs JOIN batch_sizes USING (batch_size_list_id) "
        "JOIN workload_models ON model_spec_id = model_specs.id JOIN workloads ON workloads.id = workload_id "
        "WHERE workloads.digest = ? ORDER BY workload_models.position, batch_sizes.position",
        (digest,),
    )
    assert members == [
        (model_spec_digest(spec), size) for spec in workload.models for size in spec.feasible_batch_sizes
    ]


@examples(20)
@given(workload=workloads())
def test_what_plain_sql_writes_loads_as_the_dataclass(
    catalog: Catalog, plain_sql: PlainSql, numbers: Iterator[int], workload: LLMInferenceWorkload
) -> None:
    first_id = 1000 * next(numbers)
    digest = f"sha256:{first_id:064x}"
    deadlines = sorted(spec.itl_deadline_s for spec in workload.models)
    plain_sql.insert(
        "workloads",
        id=first_id,
        digest=digest,
        num_models=len(workload.models),
        total_gpus=0,
        least_itl_deadline_s=deadlines[0],
        greatest_itl_deadline_s=deadlines[-1],
    )
    for position, spec in enumerate(workload.models):
        row_id = first_id + position
        sizes = json.dumps(spec.feasible_batch_sizes)
        unique = f"sha256:{row_id:064x}"
        plain_sql.insert("batch_size_lists", id=row_id, digest=unique, batch_sizes=sizes, num_batch_sizes=1)
        plain_sql.insert(
            "model_specs",
            id=row_id,
            digest=unique,
            model_label=spec.model_label,
            num_replicas=spec.num_replicas,
            gpus_per_replica=spec.gpus_per_replica,
            initial_batch_size=spec.initial_batch_size,
            itl_deadline_s=spec.itl_deadline_s,
            batch_size_list_id=row_id,
            total_gpus=spec.num_replicas * spec.gpus_per_replica,
        )
        plain_sql.insert(
            "workload_models",
            workload_id=first_id,
            position=position,
            model_spec_id=row_id,
            model_label=spec.model_label,
        )
    plain_sql.insert(
        "names", id=first_id, name=f"by-hand-{first_id}", created_at="2026-01-01T00:00:00.000000Z", checksum=0
    )
    plain_sql.insert(
        "revisions",
        name_id=first_id,
        number=1,
        workload_id=first_id,
        recorded_at="2026-03-01T12:00:00.000001Z",
        effective_from="2026-02-28T23:59:59.999999Z",
        author="Grace",
        message="by hand",
        source="psql",
        annotations='{"site": "A", "weights": [1, 1.0, true]}',
        checksum=0,
    )
    revision = catalog.get(f"by-hand-{first_id}")
    assert revision == Revision(
        name=f"by-hand-{first_id}",
        number=1,
        workload=workload,
        digest=digest,
        recorded_at=datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
        effective_from=datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
        author="Grace",
        message="by hand",
        source="psql",
        annotations={"site": "A", "weights": [1, 1.0, True]},
    )
    facts = select(WorkloadRow.least_itl_deadline_s, WorkloadRow.greatest_itl_deadline_s)
    with catalog.database.reading() as connection:
        assert connection.execute(facts.where(WorkloadRow.id == first_id)).one() == (deadlines[0], deadlines[-1])


@pytest.fixture
def numbers() -> Iterator[int]:
    """Count the examples of a property."""
    return itertools.count(1)
