"""The identity of values.

The golden texts were made by an ECMAScript engine (`JSON.stringify`, whose members were typed in alphabetical order),
and hashed by `printf '%s' TEXT | sha256sum`. No line of them may ever change: stored digests would not be found again.
"""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.models.digest import (
    batch_sizes_digest,
    canonical_model_spec,
    canonical_number,
    canonical_workload,
    is_digest,
    model_spec_digest,
    workload_digest,
)
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import PUBLISHED_BATCH_SIZES, make_spec, make_workload, published_fleet
from tests.strategies import batch_sizes, deadlines, examples, specs, workloads

GOLDEN_SPECS = {
    "the least of everything": (
        LLMInferenceModelSpec("a", 0, 1, 1, 1.0, (1,)),
        '{"feasible_batch_sizes":[1],"gpus_per_replica":1,"initial_batch_size":1,"itl_deadline_s":1,'
        '"model_label":"a","num_replicas":0}',
        "05bbaf4efb6c3de57626f0ae5513e3705cde7dc66c755adf77b1dbf41b57632e",
    ),
    "an ordinary model": (
        LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1, (64, 128)),
        '{"feasible_batch_sizes":[64,128],"gpus_per_replica":4,"initial_batch_size":128,"itl_deadline_s":0.1,'
        '"model_label":"Llama-3.1-70B","num_replicas":180}',
        "4a6b55a9a4c46eb75e0f3dc4267c0a0745626b9fbe2892fc34bdaf46a8409e12",
    ),
    "quotes, a backslash, scripts, an emoji, a combining accent": (
        LLMInferenceModelSpec('"Qwen" \\ 通义/🚀 עברית é e\u0301', 3, 2, 7, 1e-7, (512, 8, 8)),
        '{"feasible_batch_sizes":[512,8,8],"gpus_per_replica":2,"initial_batch_size":7,"itl_deadline_s":1e-7,'
        '"model_label":"\\"Qwen\\" \\\\ 通义/🚀 עברית é e\u0301","num_replicas":3}',
        "7fbbe55fba164a680eb89fe0c379db778b7f84f19c7b4248d1389282ea3d734f",
    ),
    "the most of everything": (
        LLMInferenceModelSpec("=1+1", 2**31 - 1, 2**31 - 1, 2**31 - 1, 1.7976931348623157e308, (2**31 - 1, 1)),
        '{"feasible_batch_sizes":[2147483647,1],"gpus_per_replica":2147483647,"initial_batch_size":2147483647,'
        '"itl_deadline_s":1.7976931348623157e+308,"model_label":"=1+1","num_replicas":2147483647}',
        "9f28d94a642958fca929df24e326a034ad88f6687499e39c099668163197f196",
    ),
    "the shortest deadline": (
        LLMInferenceModelSpec("NULL", 1, 1, 128, 5e-324),
        '{"feasible_batch_sizes":[128],"gpus_per_replica":1,"initial_batch_size":128,"itl_deadline_s":5e-324,'
        '"model_label":"NULL","num_replicas":1}',
        "a94ab09fc90487d3f317eedc4fd269d34a02f70abb84ec5bdfbf53a359ca162a",
    ),
    "the first deadline with an exponent": (
        LLMInferenceModelSpec("0123", 1, 1, 128, 1e21),
        '{"feasible_batch_sizes":[128],"gpus_per_replica":1,"initial_batch_size":128,"itl_deadline_s":1e+21,'
        '"model_label":"0123","num_replicas":1}',
        "f0b1f2fb89ed57516e9e7cb4059ff9c833b105bc46c900a5a2aa9bc6f18e08c6",
    ),
    "the last deadline without an exponent": (
        LLMInferenceModelSpec("true", 1, 1, 128, 1e-6),
        '{"feasible_batch_sizes":[128],"gpus_per_replica":1,"initial_batch_size":128,"itl_deadline_s":0.000001,'
        '"model_label":"true","num_replicas":1}',
        "f53e6be0d5db73af7a06dd7ad3376cbe3ba2a710a3b365d7505484b7e1b8ae23",
    ),
    "more digits than a double has": (
        LLMInferenceModelSpec("[bold]", 1, 1, 128, 123456789012345680000.0),
        '{"feasible_batch_sizes":[128],"gpus_per_replica":1,"initial_batch_size":128,'
        '"itl_deadline_s":123456789012345680000,"model_label":"[bold]","num_replicas":1}',
        "a44c9097ea0c94c73006d4c9648d7d96ffa3b939c2cf8782a5d5fb83baaa84a5",
    ),
}

GOLDEN_WORKLOADS = {
    "two models": (
        LLMInferenceWorkload((LLMInferenceModelSpec("B", 2, 1, 128, 0.08), LLMInferenceModelSpec("A", 1, 1, 128, 100))),
        '{"models":[{"feasible_batch_sizes":[128],"gpus_per_replica":1,"initial_batch_size":128,"itl_deadline_s":0.08,'
        '"model_label":"B","num_replicas":2},{"feasible_batch_sizes":[128],"gpus_per_replica":1,'
        '"initial_batch_size":128,"itl_deadline_s":100,"model_label":"A","num_replicas":1}]}',
        "b592254aadb25dd68e2a67c3c65da0c647dd130b5aa35dda256338ca4765a806",
    ),
    "the same two in the other order": (
        LLMInferenceWorkload((LLMInferenceModelSpec("A", 1, 1, 128, 100), LLMInferenceModelSpec("B", 2, 1, 128, 0.08))),
        '{"models":[{"feasible_batch_sizes":[128],"gpus_per_replica":1,"initial_batch_size":128,"itl_deadline_s":100,'
        '"model_label":"A","num_replicas":1},{"feasible_batch_sizes":[128],"gpus_per_replica":1,'
        '"initial_batch_size":128,"itl_deadline_s":0.08,"model_label":"B","num_replicas":2}]}',
        "fc55c8db9bfe141a836b0b0c6e8eeae6b2e0d855f27e3d9b53dc2209ecdb719a",
    ),
    "the published fleet": (
        published_fleet(),
        '{"models":[{"feasible_batch_sizes":[8,16,32,64,128,256,512],"gpus_per_replica":1,"initial_batch_size":128,'
        '"itl_deadline_s":0.08,"model_label":"Llama-3.1-8B","num_replicas":720},'
        '{"feasible_batch_sizes":[8,16,32,64,128,256,512],"gpus_per_replica":4,"initial_batch_size":128,'
        '"itl_deadline_s":0.1,"model_label":"Llama-3.1-70B","num_replicas":180},'
        '{"feasible_batch_sizes":[8,16,32,64,128,256,512],"gpus_per_replica":8,"initial_batch_size":128,'
        '"itl_deadline_s":0.12,"model_label":"Llama-3.1-405B","num_replicas":90},'
        '{"feasible_batch_sizes":[8,16,32,64,128,256,512],"gpus_per_replica":2,"initial_batch_size":128,'
        '"itl_deadline_s":0.06,"model_label":"Qwen3-30B-A3B","num_replicas":480},'
        '{"feasible_batch_sizes":[8,16,32,64,128,256,512],"gpus_per_replica":8,"initial_batch_size":128,'
        '"itl_deadline_s":0.14,"model_label":"Qwen3-235B-A22B","num_replicas":210}]}',
        "21882a35b50fdcde0d02bee299e85c707f02093e7b1881804d18182f7101e02c",
    ),
}


@pytest.mark.parametrize(("spec", "text", "hexadecimal"), GOLDEN_SPECS.values(), ids=GOLDEN_SPECS)
def test_a_spec_has_its_golden_text_and_digest(spec: LLMInferenceModelSpec, text: str, hexadecimal: str) -> None:
    assert canonical_model_spec(spec) == text
    assert model_spec_digest(spec) == f"sha256:{hexadecimal}"


@pytest.mark.parametrize(("workload", "text", "hexadecimal"), GOLDEN_WORKLOADS.values(), ids=GOLDEN_WORKLOADS)
def test_a_workload_has_its_golden_text_and_digest(workload: LLMInferenceWorkload, text: str, hexadecimal: str) -> None:
    assert canonical_workload(workload) == text
    assert workload_digest(workload) == f"sha256:{hexadecimal}"


@pytest.mark.parametrize(
    ("batch_sizes", "hexadecimal"),
    [
        (PUBLISHED_BATCH_SIZES, "9898d061c370602088c34ee6a12c03a8fd6eecc5815897b0ac35bcf2c71d16ba"),
        ((128,), "e68e933f4cf65ed7a360b01871a92b0afcd2a8b70eda284c188fdeb43be30b91"),
    ],
)
def test_batch_sizes_have_their_golden_digest(batch_sizes: tuple[int, ...], hexadecimal: str) -> None:
    assert batch_sizes_digest(batch_sizes) == f"sha256:{hexadecimal}"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (1e-6, "0.000001"),
        (1.2345e-6, "0.0000012345"),
        (0.1, "0.1"),
        (0.08, "0.08"),
        (0.30000000000000004, "0.30000000000000004"),
        (2.0, "2"),
        (100.0, "100"),
        (123456.789, "123456.789"),
        (333333333.33333329, "333333333.3333333"),
        (4503599627370496.0, "4503599627370496"),
        (9007199254740993.0, "9007199254740992"),
        (12345678901234567890.0, "12345678901234567000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e20, "100000000000000000000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (1.23e21, "1.23e+21"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (2.2250738585072014e-308, "2.2250738585072014e-308"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_a_number_is_written_as_ecmascript_writes_it(number: float, text: str) -> None:
    assert canonical_number(number) == text


@given(deadlines())
@examples(300)
def test_a_canonical_number_reads_back_to_the_same_double(number: float) -> None:
    assert float(canonical_number(number)) == number


@given(deadlines())
@examples(200)
def test_a_canonical_number_is_as_short_as_the_shortest_that_reads_back(number: float) -> None:
    """Both count the digits of the shortest decimal that reads back; only the notation differs from Python's."""

    def significant(text: str) -> str:
        return re.sub(r"e.*", "", text).replace(".", "").strip("0")

    assert significant(canonical_number(number)) == significant(repr(number))


@given(specs())
@examples(100)
def test_the_canonical_text_of_a_spec_is_sorted_compact_json_of_its_fields(spec: LLMInferenceModelSpec) -> None:
    fields = json.loads(canonical_model_spec(spec))
    assert list(fields) == sorted(fields)
    assert LLMInferenceModelSpec(**fields) == spec


@given(workloads())
@examples(50)
def test_the_canonical_text_of_a_workload_reads_back_to_it(workload: LLMInferenceWorkload) -> None:
    value = json.loads(canonical_workload(workload))
    assert list(value) == ["models"]
    assert LLMInferenceWorkload(tuple(LLMInferenceModelSpec(**fields) for fields in value["models"])) == workload


@given(specs(), specs())
@examples(50)
def test_specs_have_equal_digests_exactly_if_they_are_equal(
    one: LLMInferenceModelSpec, other: LLMInferenceModelSpec
) -> None:
    assert (model_spec_digest(one) == model_spec_digest(other)) == (one == other)
    assert model_spec_digest(replace(one)) == model_spec_digest(one)


@pytest.mark.parametrize(
    "overrides",
    [
        {"model_label": "Llama-3.1-70b"},
        {"num_replicas": 181},
        {"gpus_per_replica": 5},
        {"initial_batch_size": 127},
        {"itl_deadline_s": 0.10000000000000002},
        {"feasible_batch_sizes": (8, 16, 32, 64, 128, 256)},
        {"feasible_batch_sizes": (512, 256, 128, 64, 32, 16, 8)},
    ],
)
def test_every_field_takes_part_in_the_digest(overrides: dict[str, object]) -> None:
    assert model_spec_digest(make_spec(**overrides)) != model_spec_digest(make_spec())


@given(workloads(min_models=2))
@examples(50)
def test_the_order_of_models_changes_the_digest(workload: LLMInferenceWorkload) -> None:
    turned = LLMInferenceWorkload(workload.models[::-1])
    assert workload_digest(turned) != workload_digest(workload)


@given(batch_sizes())
@examples(50)
def test_the_order_of_batch_sizes_changes_the_digests(sizes: tuple[int, ...]) -> None:
    turned = sizes[::-1]
    assert (batch_sizes_digest(turned) == batch_sizes_digest(sizes)) == (turned == sizes)
    one, other = make_workload(1, feasible_batch_sizes=sizes), make_workload(1, feasible_batch_sizes=turned)
    assert (workload_digest(one) == workload_digest(other)) == (turned == sizes)


def test_how_a_value_was_written_does_not_change_its_digest() -> None:
    plain = make_spec(num_replicas=180, itl_deadline_s=2.0, feasible_batch_sizes=(64, 128))
    written_otherwise = make_spec(
        num_replicas=np.int32(180), itl_deadline_s=2, feasible_batch_sizes=np.array([64, 128])
    )
    assert model_spec_digest(written_otherwise) == model_spec_digest(plain)


def test_a_spec_alone_and_a_workload_of_it_have_different_digests() -> None:
    workload = make_workload(1)
    assert workload_digest(workload) != model_spec_digest(workload.models[0])


def test_composed_and_decomposed_letters_are_different_labels() -> None:
    composed, decomposed = make_spec(model_label="\u00e9"), make_spec(model_label="e\u0301")
    assert composed != decomposed
    assert model_spec_digest(composed) != model_spec_digest(decomposed)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"sha256:{'0123456789abcdef' * 4}", True),
        (f"sha256:{'0' * 63}", False),
        (f"sha256:{'0' * 65}", False),
        (f"sha256:{'0' * 64}\n", False),
        (f"sha256:{'A' * 64}", False),
        (f"sha256:{'g' * 64}", False),
        (f"sha512:{'0' * 64}", False),
        (f" sha256:{'0' * 64}", False),
        ("0" * 64, False),
        ("sha256:", False),
        ("", False),
    ],
)
def test_a_digest_is_told_from_other_text(text: str, is_one: bool) -> None:
    assert is_digest(text) is is_one


def test_every_digest_is_one() -> None:
    fleet = published_fleet()
    assert is_digest(workload_digest(fleet))
    assert is_digest(model_spec_digest(fleet.models[0]))
    assert is_digest(batch_sizes_digest(PUBLISHED_BATCH_SIZES))


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1))
@examples(30)
def test_two_batch_sizes_are_not_taken_for_one_longer_number(first: int, second: int) -> None:
    assert batch_sizes_digest((first, second)) != batch_sizes_digest((int(f"{first}{second}"),))
