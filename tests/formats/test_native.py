"""The catalog's own documents: what is read, what is refused, and that everything comes back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats import native
from openg2g.formats.document import Document, RevisionData
from openg2g.models.digest import workload_digest
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import make_spec, make_workload, published_fleet
from tests.formats.views import content_of, document_of, model, value, written
from tests.strategies import documents, examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGEST = f"sha256:{'0123456789abcdef' * 4}"

# What is read.


def test_a_document_needs_only_models() -> None:
    document = document_of(value(model()))
    assert document.workload == LLMInferenceWorkload((LLMInferenceModelSpec("a", 2, 4, 8, 0.1, (8, 16)),))
    assert (document.name, document.annotations, document.revision) == (None, {}, RevisionData())
    assert document.where == "f"


def test_feasible_batch_sizes_are_128_alone_where_they_are_left_out() -> None:
    fields = model()
    del fields["feasible_batch_sizes"]
    assert document_of(value(fields)).workload.models[0].feasible_batch_sizes == (128,)


def test_a_whole_number_is_a_deadline_too() -> None:
    deadline = document_of(value(model(itl_deadline_s=2))).workload.models[0].itl_deadline_s
    assert repr(deadline) == "2.0"


def test_every_part_of_a_document_is_read() -> None:
    revision = {
        "number": 3,
        "digest": DIGEST,
        "recorded_at": "2026-03-01T12:00:00Z",
        "effective_from": "2026-03-01T13:00+01:00",
        "author": "Ada",
        "message": "why",
        "source": "fleet.json",
    }
    annotations = {"models": {"a": {"model_id": "x"}}, "note": [1, 1.0, True, None]}
    document = document_of(value(format="openg2g-workload/1", name="fleet", annotations=annotations, revision=revision))
    assert document.name == "fleet"
    assert repr(document.annotations) == repr(annotations)
    assert document.revision == RevisionData(
        digest=DIGEST,
        number=3,
        recorded_at=NOON,
        effective_from=NOON,
        author="Ada",
        message="why",
        source="fleet.json",
    )


@pytest.mark.parametrize("fields", [{"name": None}, {"revision": {"author": None, "number": None}}, {"revision": {}}])
def test_null_means_absent_for_a_name_and_for_the_parts_of_a_revision(fields: dict[str, Any]) -> None:
    assert content_of(document_of(value(**fields))) == content_of(document_of(value()))


@given(st.permutations(list(value(name="fleet", annotations={"a": 1}, format="openg2g-workload/1").items())))
@examples(20)
def test_the_order_of_the_fields_in_a_file_does_not_matter(members: list[tuple[str, Any]]) -> None:
    assert content_of(document_of(dict(members))) == content_of(
        Document(LLMInferenceWorkload((make_spec(**model()),)), name="fleet", annotations={"a": 1})
    )


# What is written.


def test_a_document_is_written_in_this_very_text() -> None:
    document = Document(
        LLMInferenceWorkload((LLMInferenceModelSpec("通义 “é”", 2, 4, 8, 1e-7, (16, 8)),)),
        name="fleet",
        annotations={"note": [1, {"deep": True}]},
        revision=RevisionData(number=1, recorded_at=NOON, author="Ada", message=""),
    )
    assert written([document]) == (
        "{\n"
        '  "format": "openg2g-workload/1",\n'
        '  "name": "fleet",\n'
        '  "models": [\n'
        "    {\n"
        '      "model_label": "通义 “é”",\n'
        '      "num_replicas": 2,\n'
        '      "gpus_per_replica": 4,\n'
        '      "initial_batch_size": 8,\n'
        '      "itl_deadline_s": 1e-07,\n'
        '      "feasible_batch_sizes": [16, 8]\n'
        "    }\n"
        "  ],\n"
        '  "annotations": {\n'
        '    "note": [\n'
        "      1,\n"
        "      {\n"
        '        "deep": true\n'
        "      }\n"
        "    ]\n"
        "  },\n"
        '  "revision": {\n'
        '    "number": 1,\n'
        '    "recorded_at": "2026-03-01T12:00:00Z",\n'
        '    "author": "Ada"\n'
        "  }\n"
        "}\n"
    )


def test_what_is_absent_or_empty_is_left_out() -> None:
    assert list(native.value_from_document(Document(make_workload()))) == ["format", "models"]


@given(documents())
@examples(50)
def test_a_document_comes_back_from_its_json(document: Document) -> None:
    assert content_of(document_of(written([document]))) == content_of(document)


@given(documents())
@examples(30)
def test_the_same_document_is_written_as_the_same_text(document: Document) -> None:
    text = written([document])
    assert written([replace(document, where="elsewhere")]) == text
    assert written([document_of(text)]) == text


def test_the_document_of_a_revision_says_all_that_the_revision_says() -> None:
    revision = Revision(
        name="fleet",
        number=2,
        workload=published_fleet(),
        digest=workload_digest(published_fleet()),
        recorded_at=NOON,
        effective_from=datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        author="Ada",
        message="why",
        source="fleet.json",
        annotations={"a": 1},
    )
    document = Document.of_revision(revision)
    found = document_of(written([document]))
    assert content_of(found) == content_of(document)
    assert found.workload == revision.workload
    for part in ("number", "digest", "recorded_at", "effective_from", "author", "message", "source"):
        assert getattr(found.revision, part) == getattr(revision, part)


def test_a_revision_that_retires_its_name_has_no_document() -> None:
    retired = Revision("fleet", 2, None, NOON, NOON, "Ada", workload=None)
    with pytest.raises(ValueError, match=r"^fleet@2 retires its name: it has no document\.$"):
        Document.of_revision(retired)
