"""The model specs across the catalog, and who uses them: the same on both engines and as plain Python says."""

import fnmatch
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from openg2g.catalog import (
    AmbiguousReferenceError,
    Catalog,
    EveryRevision,
    FilterError,
    InForce,
    InvalidReferenceError,
    InvalidRevisionError,
    ModelUse,
    WorkloadNotFoundError,
)
from openg2g.catalog.history.when import NOW
from openg2g.expressions.predicate import compile_spec_predicate
from openg2g.models.digest import model_spec_digest
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import make_draft, make_spec, make_workload, published_fleet
from tests.catalog.history.test_statements import assert_no_full_scan, count_statements, recording
from tests.expressions.catalog_contents import LABELS, Contents, contents

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
ALL = EveryRevision()
EXPRESSIONS: dict[str, dict[str, object]] = {
    "itl_deadline_s < 0.1": {},
    "total_gpus > 720 and initial_batch_size == 128": {},
    "256 in feasible_batch_sizes": {},
    "any(size > 256 for size in feasible_batch_sizes)": {},
    "sum(feasible_batch_sizes) > 1000 or feasible_batch_sizes[0] == 8": {},
    "not model_label.startswith('Llama')": {},
    "model_label in labels": {"labels": ["Llama-3.1-70B", "Qwen3-30B-A3B"]},
    "num_replicas // gpus_per_replica < limit": {"limit": 40},
    "digest.startswith('sha256:') and model_label.lower() == 'llama-3.1-8b'": {},
    "feasible_batch_sizes[99] > 0": {},
}


def labels(uses: list[ModelUse]) -> list[str]:
    return [use.spec.model_label for use in uses]


def uses_of(
    revisions: list[tuple[str, LLMInferenceWorkload]], holds: Callable[[LLMInferenceModelSpec], bool]
) -> list[ModelUse]:
    """Say who uses which model spec, from references and workloads in plain Python."""
    found: dict[LLMInferenceModelSpec, list[tuple[str, int]]] = {}
    for reference, workload in revisions:
        name, _, number = reference.rpartition("@")
        for spec in workload.models:
            if holds(spec):
                found.setdefault(spec, []).append((name, int(number)))
    uses = [
        ModelUse(spec, model_spec_digest(spec), tuple(f"{name}@{number}" for name, number in sorted(users)))
        for spec, users in found.items()
    ]
    return sorted(uses, key=lambda use: (use.spec.model_label, use.spec.num_replicas, use.digest))


def test_each_model_spec_comes_with_the_revisions_that_use_it(catalog: Catalog) -> None:
    shared, own = make_spec(model_label="shared"), make_spec(model_label="own", num_replicas=7)
    catalog.save("fleet", LLMInferenceWorkload((own, shared)))
    catalog.save("other", LLMInferenceWorkload((shared,)))
    assert list(catalog.iter_models()) == [
        ModelUse(own, model_spec_digest(own), ("fleet@1",)),
        ModelUse(shared, model_spec_digest(shared), ("fleet@1", "other@1")),
    ]


def test_model_specs_come_by_label_then_replicas_then_digest(catalog: Catalog) -> None:
    specs = [
        *(make_spec(model_label=label, num_replicas=1) for label in reversed(LABELS)),
        *(make_spec(model_label="a", num_replicas=replicas) for replicas in (100, 20, 3)),
        *(make_spec(model_label="a", num_replicas=3, initial_batch_size=size) for size in range(1, 9)),
    ]
    catalog.save_many(
        make_draft(f"name-{index}", workload=LLMInferenceWorkload((spec,))) for index, spec in enumerate(specs)
    )
    expected = sorted(specs, key=lambda spec: (spec.model_label, spec.num_replicas, model_spec_digest(spec)))
    assert [use.spec for use in catalog.iter_models()] == expected


def test_uses_come_by_name_then_number(catalog: Catalog) -> None:
    for name in ("z", "Ä", "a", "Z"):
        for index in range(11):
            catalog.save(name, make_workload(1 + index % 2))
    (first, _) = list(catalog.iter_models(when=ALL))
    assert first.references == tuple(f"{name}@{number}" for name in ("Z", "a", "z", "Ä") for number in range(1, 12))


def test_only_uses_that_are_in_force_now_count_by_default(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload(1, model_label="old"), effective_from=MARCH)
    catalog.save("fleet", make_workload(1, model_label="new"), effective_from=APRIL)
    catalog.save("planned", make_workload(1, model_label="planned"), effective_from=datetime(9999, 1, 1, tzinfo=UTC))
    catalog.save("ended", make_workload(1, model_label="ended"), effective_from=MARCH)
    catalog.retire("ended", effective_from=MAY)
    assert labels(list(catalog.iter_models())) == ["new"]
    assert labels(list(catalog.iter_models(when=InForce(as_of=MARCH)))) == ["ended", "old"]
    assert labels(list(catalog.iter_models(when=InForce(as_of=APRIL)))) == ["ended", "new"]
    assert labels(list(catalog.iter_models(when=ALL))) == ["ended", "new", "old", "planned"]


def test_what_was_not_known_yet_is_no_use(catalog: Catalog) -> None:
    first = catalog.save("fleet", make_workload(1, model_label="plan"), effective_from=MARCH)
    catalog.save("fleet", make_workload(1, model_label="correction"), effective_from=MARCH)
    known_then = InForce(known_at=first.recorded_at)
    assert labels(list(catalog.iter_models(when=known_then))) == ["plan"]
    assert labels(list(catalog.iter_models(when=EveryRevision(known_at=first.recorded_at)))) == ["plan"]
    assert labels(list(catalog.iter_models())) == ["correction"]


@pytest.mark.parametrize("pattern", ["*", "", "Llama*", "llama*", "*70B", "Qwen3-[23]*", "?????3*", "[[]x]*", "'", "%"])
def test_a_pattern_lists_the_labels_that_a_shell_would(catalog: Catalog, pattern: str) -> None:
    catalog.save("fleet", published_fleet())
    catalog.save("odd", LLMInferenceWorkload(tuple(make_spec(model_label=label) for label in LABELS)))
    every = [*published_fleet().models, *(make_spec(model_label=label) for label in LABELS)]
    expected = sorted(spec.model_label for spec in set(every) if fnmatch.fnmatchcase(spec.model_label, pattern))
    assert labels(list(catalog.iter_models(pattern))) == expected


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_chooses_model_specs_as_its_predicate_does(catalog: Catalog, expression: str) -> None:
    parameters = EXPRESSIONS[expression]
    fleet = published_fleet()
    catalog.save("fleet", fleet)
    holds = compile_spec_predicate(expression, parameters)
    assert list(catalog.iter_models("*", expression, parameters)) == uses_of([("fleet@1", fleet)], holds)
    holds_for_llama = [spec for spec in fleet.models if holds(spec) and spec.model_label.startswith("Llama")]
    assert {use.spec for use in catalog.iter_models("Llama*", expression, parameters)} == set(holds_for_llama)


@given(contents())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_uses_are_those_that_plain_python_finds(catalog: Catalog, drawn: Contents) -> None:
    catalog.save_many(drawn.drafts)  # On top of what the examples before have left there.
    expression = "itl_deadline_s <= 0.12 or num_replicas == 0"
    everything = [r for r in catalog.log() if r.workload is not None]
    in_force = list(catalog.search("True"))
    for when, revisions in ((ALL, everything), (NOW, in_force)):
        pairs = [(revision.reference, revision.workload) for revision in revisions if revision.workload is not None]
        assert list(catalog.iter_models(when=when)) == uses_of(pairs, lambda spec: True)
        assert list(catalog.iter_models("*", expression, when=when)) == uses_of(
            pairs, compile_spec_predicate(expression)
        )


def test_more_model_specs_than_one_block_come_once_each(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openg2g.catalog.reports.model_uses.SPECS_PER_BLOCK", 3)
    catalog.save_many(make_draft("fleet", workload=make_workload(1, num_replicas=index)) for index in range(10))
    assert [use.spec.num_replicas for use in catalog.iter_models(when=ALL)] == list(range(10))
    assert [use.spec.num_replicas for use in catalog.iter_models()] == [9]


def test_model_specs_are_fetched_as_they_are_needed(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openg2g.catalog.reports.model_uses.SPECS_PER_BLOCK", 3)
    catalog.save("fleet", make_workload(30))
    uses = catalog.iter_models()
    next(uses)
    catalog.save("other", make_workload(1))  # The catalog is free for other work in between.
    with recording(catalog) as statements:
        next(uses)
        assert statements == []
    assert len(list(uses)) == 28


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            ("*", "total_gpu > 3"),
            r"column 1: unknown name 'total_gpu'\. Did you mean total_gpus\?\n  total_gpu > 3\n  \^",
        ),
        (("*", "name == 'fleet'"), "unknown name 'name'"),
        (("*", "model_label < 3"), "cannot be compared"),
        (("*", ""), "the expression is empty"),
        (("*" * 201,), "a pattern may have at most 200 characters"),
    ],
)
def test_what_cannot_be_searched_by_is_refused_at_once(catalog: Catalog, arguments: Any, match: str) -> None:
    with pytest.raises(FilterError, match=match):
        catalog.iter_models(*arguments)


def test_a_pattern_that_no_text_could_match_is_refused(catalog: Catalog) -> None:
    with pytest.raises(InvalidRevisionError, match="pattern must be valid Unicode without NUL"):
        list(catalog.iter_models("\0"))


def test_a_model_spec_is_found_by_any_unique_beginning_of_its_digest(catalog: Catalog) -> None:
    fleet = published_fleet()
    catalog.save("fleet", fleet)
    catalog.save("fleet", make_workload(1))
    catalog.save("other", fleet)
    for spec in fleet.models:
        digest = model_spec_digest(spec)
        for prefix in (digest, digest[:20], digest[:11], "sha256:" + digest[7:].upper()):
            assert catalog.get_model(prefix) == ModelUse(spec, digest, ("fleet@1", "other@1"))


def test_a_digest_that_fits_no_model_spec_is_not_found(catalog: Catalog) -> None:
    revision = catalog.save("fleet", published_fleet())
    for digest in ("sha256:" + "0" * 64, revision.digest):  # The second is that of a workload.
        with pytest.raises(WorkloadNotFoundError, match=f"{digest}: no model spec has a digest that begins so"):
            catalog.get_model(digest)


def test_a_beginning_that_fits_two_model_specs_is_ambiguous(catalog: Catalog) -> None:
    by_prefix: dict[str, LLMInferenceModelSpec] = {}
    for size in count(1):
        spec = make_spec(initial_batch_size=size)
        other = by_prefix.setdefault(model_spec_digest(spec)[:11], spec)
        if other != spec:
            break
    for name, one in (("a", other), ("b", spec)):
        catalog.save(name, LLMInferenceWorkload((one,)))
    digests = sorted(map(model_spec_digest, (spec, other)))
    with pytest.raises(AmbiguousReferenceError, match="fits several model specs; write more of the digest") as caught:
        catalog.get_model(digests[0][:11])
    assert list(caught.value.candidates) == digests
    assert catalog.get_model(digests[0]).digest == digests[0]


@pytest.mark.parametrize("text", ["fleet", "fleet@1", "", "ab12cd34", "sha256:abc", "sha256:" + "g" * 8, "sha256:"])
def test_what_is_no_digest_names_no_model_spec(catalog: Catalog, text: str) -> None:
    catalog.save("fleet", make_workload(1))
    with pytest.raises(InvalidReferenceError, match=r"names no model spec: write its digest|is no reference"):
        catalog.get_model(text)


@pytest.fixture(scope="module")
def filled_url(shared_database_url: str) -> str:
    """Give the place of a catalog with hundreds of model specs, some used by hundreds of workloads."""
    with Catalog.open(shared_database_url) as catalog:
        catalog.save_many(
            make_draft(
                f"name-{index:03}",
                workload=make_workload(2, num_replicas=index // 3, feasible_batch_sizes=(1 + index // 3, 2)),
            )
            for index in range(900)
        )
        catalog.save("rare", make_workload(1, model_label="rare"))
        catalog.save_many(
            make_draft(f"common-{index:03}", workload=LLMInferenceWorkload((common, make_spec(num_replicas=index))))
            for common in [make_spec(model_label="common")]
            for index in range(400)
        )
        with catalog.database.writing() as connection:
            connection.exec_driver_sql("ANALYZE")
    return shared_database_url


def test_many_model_specs_and_many_uses_take_as_many_statements_as_one(filled_url: str) -> None:
    def statements(pattern: str, found: int) -> int:
        with Catalog.open(filled_url) as catalog:
            assert len(list(catalog.iter_models(pattern))) == found
        return count_statements(filled_url, lambda catalog: list(catalog.iter_models(pattern)))

    counts = [statements("rare", 1), statements("common", 1), statements("model-0", 300), statements("Llama*", 400)]
    assert len(set(counts)) == 1 and counts[0] <= 3


def test_few_model_specs_are_found_without_reading_a_whole_table(filled_url: str) -> None:
    digest = model_spec_digest(make_workload(1, model_label="rare").models[0])
    for use in (
        lambda c: list(c.iter_models("rare")),
        lambda c: list(c.iter_models("rar*")),
        lambda c: c.get_model(digest[:15]),
    ):
        with Catalog.open(filled_url) as catalog:
            with recording(catalog) as statements:
                use(catalog)
            assert_no_full_scan(catalog, statements)
