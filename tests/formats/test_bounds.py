"""Files that are built to hurt: what they cost grows with their size, and no faster."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.formats.configs import entry_0_1
from tests.formats.views import message_of, outcomes_of, value


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if what is done takes more time of the processor; every file here took minutes when its test was written."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < seconds


def test_a_json_string_that_does_not_end_is_looked_through_once() -> None:
    with at_most(10):
        message = message_of("[" * 60 + "]" * 60 + "{}" * 100 + '"' + '\\"' * 1_000_000)
    assert "is not JSON: extra data" in message


@pytest.mark.parametrize("start", ["", '"a": 1, "a": 2, '])
def test_a_long_key_above_many_values_is_not_copied_for_each(start: str) -> None:
    with at_most(20):
        outcomes_of(f'{{{start}"annotations": {{"{"k" * 1_000_000}": [{", ".join(["1"] * 125_000)}]}}}}')


def test_a_long_key_of_toml_is_not_copied_for_each_value_below_it() -> None:
    with at_most(20):
        outcomes_of(f'[annotations]\n"{"k" * 1_000_000}" = [{", ".join(["1"] * 125_000)}]\n', "toml")


def test_of_many_values_that_cannot_be_stored_the_first_are_told() -> None:
    with at_most(20):
        message = message_of(json.dumps({**value(), "annotations": {"a": [float("nan")] * 125_000}}))
    assert message.count("must be finite, got nan.") == 100


def test_a_key_with_blanks_is_a_part_of_the_path() -> None:
    message = message_of('{"annotations": {\n"two words": [NaN]\n}, "models": []}')
    assert "f:2:15: annotations.two words[0] must be finite, got nan." in message


def test_a_document_of_many_unknown_keys_has_an_end_of_problems() -> None:
    with at_most(30):
        message = message_of(json.dumps({**value(), **{f"modals{number}": 1 for number in range(101_000)}}))
    assert "has more than 100 problems." in message
    assert message.count("\n") == 100


def test_the_cells_of_a_row_that_have_no_column_are_told_once() -> None:
    header = "model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s"
    assert message_of(f"{header}\na,1,1,1,1{',x' * 200_000}\n", "csv") == (
        "f:2: has 'x' in column 6, which has no name in the header."
    )


def test_labels_that_are_no_labels_are_not_compared() -> None:
    characters = [chr(0x4E00 + number) for number in range(200)]
    labels = ["".join(random.Random(number).sample(characters * 10, 2000)) for number in range(400)]
    config = {"models": [entry_0_1(model_label=label) for label in labels[:200]], "dc_sites": {"a": {"models": labels}}}
    with at_most(20):
        assert "is no label of the models of the file" in message_of(config)


@pytest.mark.parametrize("comment", ["#\n" * 20_000, f'# annotations: {{"a": [{"[], " * 20_000}1]}}\n'])
def test_comments_above_thousands_of_workloads_are_not_read_for_each(comment: str) -> None:
    spec = "SPECS = (LLMInferenceModelSpec('a', 1, 1, 1, 1.0),)\n"
    with at_most(20):
        *documents, error = outcomes_of(f"{spec}{comment}x = [{'LLMInferenceWorkload(SPECS), ' * 4_000}]\n", "python")
    assert documents
    assert "has more workloads than we read from one script" in str(error)


@pytest.mark.parametrize(("parts", "number"), [(126, 4_000), (30, 30_000), (1, 300_000)])
def test_keys_of_many_parts_in_a_table_of_many_parts_have_an_end(parts: int, number: int) -> None:
    header = ".".join("a" * 120)
    keys = (".".join([f"k{position}", *"a" * (parts - 1)]) for position in range(number))
    with at_most(20):
        message = message_of(f"[{header}]\n" + "".join(f"{key} = 1\n" for key in keys), "toml")
    assert message.endswith("has more keys of many parts than are read. Write fewer dots, or use JSON.")


def test_thousands_of_tables_within_each_other_are_read() -> None:
    tables = "".join(
        f'[[workloads.models]]\n[workloads.annotations.models."Llama-3.{n}"]\nx = 0.5\n' for n in range(9_000)
    )
    assert "is missing" in message_of(f"[[workloads]]\n{tables}", "toml")


def test_keys_that_repeat_far_within_are_told_in_little_time() -> None:
    with at_most(12):
        message = message_of('{"a":' * 90 + "[" + ", ".join(['{"b": 1, "b": 1}'] * 20_000) + "]" + "}" * 90)
    assert message.count("stands more than once") == 100
    assert "has more than 100 problems." in message
