"""What is refused of the catalog's own documents: every problem at once, with its path."""

import json
from typing import Any

import pytest

from openg2g.models.errors import InvalidDocumentError
from tests.formats.views import message_of, model, outcomes_of, problems_of, value

KNOWN_FIELDS = "Known fields: format, name, models, annotations, revision."
KNOWN_MODEL_FIELDS = (
    "Known fields: model_label, num_replicas, gpus_per_replica, initial_batch_size, itl_deadline_s, "
    "feasible_batch_sizes."
)


def test_all_problems_of_a_document_are_reported_at_once_in_the_order_of_their_places() -> None:
    assert problems_of(
        {
            "format": "openg2g-workload/2",
            "name": "my fleet",
            "modles": 1,
            "models": [
                model(num_replicas=-1, itl_deadline_s=0),
                5,
                model(model_label=" ", gpus_per_replica=1.5, feasible_batch_sizes=[8, 0], gpu="H100"),
                {"model_label": "c", "initial_batchsize": 8},
            ],
            "annotations": [],
            "revision": {"number": 0, "effective_from": "yesterday", "digest": 5, "autor": "Ada"},
        }
    ) == [
        ("format", "must be 'openg2g-workload/1', got 'openg2g-workload/2'. A newer release may read it."),
        ("name", "must not contain white space, control characters or any of @ : * ? [, got 'my fleet'."),
        ("modles", f"is not a known field. {KNOWN_FIELDS}"),
        ("models[0].num_replicas", "must be >= 0, got -1."),
        ("models[0].itl_deadline_s", "must be > 0, got 0."),
        ("models[1]", "must be an object, got 5."),
        ("models[2].model_label", "must not be blank, got ' '."),
        ("models[2].gpus_per_replica", "must be an integer, got 1.5."),
        ("models[2].feasible_batch_sizes[1]", "must be > 0, got 0."),
        ("models[2].gpu", f"is not a known field. {KNOWN_MODEL_FIELDS}"),
        ("models[3].num_replicas", "is missing."),
        ("models[3].gpus_per_replica", "is missing."),
        ("models[3].initial_batch_size", "is missing."),
        ("models[3].itl_deadline_s", "is missing."),
        ("models[3].initial_batchsize", "is not a known field: did you mean initial_batch_size?"),
        ("annotations", "must be an object, got []."),
        ("revision.number", "must be an integer >= 1, got 0."),
        ("revision.effective_from", "must be a time with its offset (2026-03-01T12:00:00Z), got 'yesterday'."),
        ("revision.digest", "must be a string, got 5."),
        ("revision.autor", "is not a known field: did you mean author?"),
    ]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ({}, [("models", "is missing.")]),
        ({"model": []}, [("models", "is missing."), ("model", "is not a known field: did you mean models?")]),
        ({"models": None}, [("models", "must be a list, got null.")]),
        ({"models": {"a": 1}}, [("models", "must be a list, got an object.")]),
        ({"models": "a"}, [("models", "must be a list, got 'a'.")]),
        ({"models": []}, [("models", "LLMInferenceWorkload requires at least one model.")]),
        ({"models": [[]]}, [("models[0]", "must be an object, got [].")]),
        (
            value(model(), model(model_label="b"), model()),
            [("models", "has duplicate model labels: ['a', 'b', 'a'].")],
        ),
    ],
)
def test_models_that_make_no_workload_are_refused(content: Any, problems: list[tuple[str, str]]) -> None:
    assert problems_of(content) == problems


def test_more_gpus_than_a_64_bit_integer_counts_are_refused() -> None:
    largest = {"num_replicas": 2**31 - 1, "gpus_per_replica": 2**31 - 1}
    models = [model(model_label=label, **largest) for label in "abc"]
    ((path, message),) = problems_of(value(*models))
    assert path == "models"
    assert message.startswith(f"total_gpus must be <= {2**63 - 1}, got ")


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("num_replicas", "true", "must be an integer, got True."),
        ("num_replicas", "1.0", "must be an integer, got 1.0."),
        ("num_replicas", '"2"', "must be an integer, got '2'."),
        ("num_replicas", "NaN", "must be an integer, got nan."),
        ("num_replicas", "2147483648", "must be <= 2147483647, got 2147483648."),
        ("gpus_per_replica", "0", "must be >= 1, got 0."),
        ("initial_batch_size", "-8", "must be > 0, got -8."),
        ("itl_deadline_s", "NaN", "must be finite, got nan."),
        ("itl_deadline_s", "1e999", "must be finite, got inf."),
        ("itl_deadline_s", "Infinity", "must be finite, got inf."),
        ("itl_deadline_s", "-Infinity", "must be > 0, got -inf."),
        ("itl_deadline_s", "1e-999", "must be > 0, got 0.0."),
        ("itl_deadline_s", "-0.0", "must be > 0, got -0.0."),
        ("itl_deadline_s", '"0.08"', "must be a number, got '0.08'."),
        ("itl_deadline_s", "false", "must be a number, got False."),
        ("model_label", '""', "must not be blank, got ''."),
        ("model_label", "5", "must be a string, got 5."),
        ("model_label", '"a\\u0000"', "must not contain control characters, got 'a\\x00'."),
        ("model_label", '"\\ud800"', "must not contain control characters, got '\\ud800'."),
        ("model_label", '"' + "x" * 201 + '"', "must have at most 200 characters, got 201."),
        ("feasible_batch_sizes", "[]", "must not be empty."),
        ("feasible_batch_sizes", "128", "must be a list of integers, got 128."),
        ("feasible_batch_sizes", '"128"', "must be a list of integers, got '128'."),
        ("feasible_batch_sizes", '{"128": 1}', "must be a list of integers, got {'128': 1}."),
    ],
)
def test_a_field_that_breaks_its_rule_is_refused_with_its_path(field: str, text: str, message: str) -> None:
    members = {name: json.dumps(part) for name, part in model().items()} | {field: text}
    content = '{"models": [{' + ", ".join(f'"{name}": {part}' for name, part in members.items()) + "}]}"
    assert problems_of(content) == [(f"models[0].{field}", message)]


@pytest.mark.parametrize("field", sorted(model().keys() - {"feasible_batch_sizes"}))
def test_a_field_that_is_missing_is_reported_with_its_path(field: str) -> None:
    broken = model(model_label="b")
    del broken[field]
    assert problems_of(value(model(), broken)) == [(f"models[1].{field}", "is missing.")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must be a non-empty string, got ''."),
        (5, "must be a non-empty string, got 5."),
        ("-x", "must not start with '-', got '-x'."),
        ("x" * 201, "must have at most 200 characters, got 201."),
    ],
)
def test_a_name_that_cannot_be_stored_is_refused(name: Any, message: str) -> None:
    assert problems_of(value(name=name)) == [("name", message)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": NaN}', ("annotations.a", "must be finite, got nan.")),
        ('{"a": {"b": [1, 1e999]}}', ("annotations.a.b[1]", "must be finite, got inf.")),
        ('{"a": ["x\\u0000"]}', ("annotations.a[0]", "must be valid Unicode without NUL, got 'x\\x00'.")),
        ('{"a": "\\ud83d"}', ("annotations.a", "must be valid Unicode without NUL, got '\\ud83d'.")),
        ('{"a\\u0000": 1}', ("annotations", "must have strings as keys, got 'a\\x00'.")),
        ("null", ("annotations", "must be an object, got null.")),
        ("true", ("annotations", "must be an object, got true.")),
    ],
)
def test_annotations_that_cannot_be_stored_are_refused_with_their_path(text: str, problem: tuple[str, str]) -> None:
    content = json.dumps(value())[:-1] + f', "annotations": {text}}}'
    assert problems_of(content) == [problem]


def test_annotations_nested_too_deeply_are_refused() -> None:
    nested: Any = 1
    for _ in range(120):
        nested = [nested]
    ((path, message),) = problems_of(value(annotations={"a": nested}))
    assert path.startswith("annotations.a[0][0]")
    assert message == "must not be nested more than 100 levels deep."


@pytest.mark.parametrize(
    ("revision", "problem"),
    [
        (None, ("revision", "must be an object, got null.")),
        ([], ("revision", "must be an object, got [].")),
        ({"number": True}, ("revision.number", "must be an integer >= 1, got true.")),
        ({"number": "3"}, ("revision.number", "must be an integer >= 1, got '3'.")),
        ({"number": -1}, ("revision.number", "must be an integer >= 1, got -1.")),
        (
            {"digest": "sha256:ab"},
            ("revision.digest", "must be sha256: and 64 hexadecimal digits, got 'sha256:ab'."),
        ),
        ({"author": ["Ada"]}, ("revision.author", "must be a string, got ['Ada'].")),
        ({"message": "a\0b"}, ("revision.message", "must be valid Unicode without NUL, got 'a\\x00b'.")),
        ({"source": {}}, ("revision.source", "must be a string, got {}.")),
        *(
            (
                {field: time},
                (f"revision.{field}", f"must be a time with its offset (2026-03-01T12:00:00Z), got {time!r}."),
            )
            for field in ("recorded_at", "effective_from")
            for time in ("2026-03-01T12:00", "", "0001-01-01T00:00+01:00", 1772366400)
        ),
    ],
)
def test_a_revision_that_no_catalog_wrote_is_refused(revision: Any, problem: tuple[str, str]) -> None:
    assert problems_of(value(revision=revision)) == [problem]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("5", "5"),
        ('"text"', "'text'"),
        ("null", "null"),
        ("true", "true"),
        ("false", "false"),
        ("NaN", "nan"),
        ("[[]]", "[]"),
        ("[null]", "null"),
    ],
)
def test_a_value_that_is_no_object_is_no_workload(content: str, shown: str) -> None:
    assert problems_of(content) == [("", f"a workload must be an object, got {shown}.")]


@pytest.mark.parametrize(
    ("typo", "field"),
    [
        ("num_replica", "num_replicas"),
        ("Num_Replicas", "num_replicas"),
        ("gpu_per_replica", "gpus_per_replica"),
        ("initial_batchsize", "initial_batch_size"),
        ("itl_deadline", "itl_deadline_s"),
        ("feasable_batch_sizes", "feasible_batch_sizes"),
        ("label", "model_label"),
    ],
)
def test_a_mistyped_field_is_refused_with_the_one_it_resembles(typo: str, field: str) -> None:
    fields = model()
    fields[typo] = fields.pop(field)
    assert (f"models[0].{typo}", f"is not a known field: did you mean {field}?") in problems_of(value(fields))


def test_a_message_names_the_file_the_path_and_the_rule() -> None:
    assert message_of(value(model(num_replicas=-1, itl_deadline_s=-0.5))) == (
        "f:1:34: models[0].num_replicas must be >= 0, got -1.\nf:1:102: models[0].itl_deadline_s must be > 0, got -0.5."
    )


def test_a_long_value_is_cut_in_a_message() -> None:
    assert len(message_of(value(model(num_replicas="x" * 100_000)))) < 200


def test_the_error_of_a_document_carries_its_problems_as_data() -> None:
    (error,) = outcomes_of({"models": [{}], "x": 1})
    assert isinstance(error, InvalidDocumentError)
    assert isinstance(error, ValueError)
    assert str(error).splitlines() == [str(problem) for problem in error.problems]
    assert {problem.where for problem in error.problems} == {"f"}
