"""What the language accepts, and what becomes of it."""

import pytest

from openg2g.expressions.read import read_condition, read_spec_condition
from openg2g.expressions.tree import FALSE, TRUE, Compare, Constant, Field, OneOf
from openg2g.expressions.types import TIME, Kind, integer
from openg2g.expressions.vocabulary import DRAFT_NAMES
from openg2g.models.errors import FilterError


@pytest.mark.parametrize(
    "text",
    [
        "total_gpus < 7200",
        "True",
        "not False",
        "1 < total_gpus <= 7200 != 5",
        "total_gpus < 7200 and (name == 'fleet' or not number == 1)",
        "any(m.itl_deadline_s < 0.1 and 256 in m.feasible_batch_sizes for m in models)",
        "all([m.num_replicas > 0 for m in models if m.gpus_per_replica > 1 if m.total_gpus > 1])",
        "sum(m.total_gpus for m in models) // 8 % 3 - 1 + 2 * 3 < 4 / 5",
        "sum(m.num_replicas > 0 for m in models) > 1",
        "min(feasible_batch_sizes_union) < max(m.initial_batch_size for m in models)",
        "max(model_labels) > 'Q' and min(required_measured_gpus) != 'a'",
        "len(models) == len(model_labels) == len(itl_deadline_by_model) == len(name)",
        "len(m for m in models if m.num_replicas == 0) == 0",
        "models[0].total_gpus > models[-1].total_gpus",
        "models[0].feasible_batch_sizes[-1] == 8",
        "feasible_batch_sizes_union[0] == 8 and aliases[0] == 'prod' and model_labels[1] == 'a'",
        "itl_deadline_by_model['a'] < 0.1 and initial_batch_size_by_model[name] > 1",
        "any(required_measured_gpus[label] > 1 for label in model_labels)",
        "any(label in aliases for label in itl_deadline_by_model)",
        "any(size in (8, 16) for m in models for size in m.feasible_batch_sizes)",
        "any(size in feasible_batch_sizes_union for size in {8, 16})",
        "'a' in model_labels and 'a' not in itl_deadline_by_model and 'k' in tags and 'k' in annotations",
        "'70B' in name and 'x' not in tags['k']",
        "name in ('a', 'b') and total_gpus in [1, 2.5] and number in {1}",
        "total_gpus in () or name not in []",
        "3 in (1, 2, 3) and 'a' in 'abc'",
        "tags['k'] == 'v' and tags[name] != 'v'",
        "annotations['a']['b'][0][-1] == 3 and annotations['x'] == 'y'",
        "annotations['ok'] and annotations['ok'] == True and False != annotations['ok']",
        "annotations['n'] + 1 > 2 and -annotations['n'] < 0 and sum(annotations['n'] for m in models) > 1",
        "'key' in annotations['a'] and annotations['x'] in (1, 2) and annotations['y'] in model_labels",
        "annotations['a'].startswith('b') and len(annotations['a']) > 1 and fnmatch(annotations['a'], '*')",
        "recorded_at < '2026-03-01' and effective_from >= date('2026-03-01T12:00+01:00')",
        "'2026-03-01' <= effective_from < '2026-04-01' and effective_from < recorded_at",
        "effective_from in (date('2026-03-01'), date('2026-04-01'))",
        "effective_from not in ('2026-03-01', '2026-04-01')",
        "name.startswith('sweep/') and name.endswith('b') and fnmatch(name, 'Qwen*')",
        "name.lower().upper() == 'A' and digest.startswith('sha256:') and author > message > source",
        "(total_gpus if number > 1 else 2.5) > 1 and (name if number > 1 else 'x') == 'x'",
        "(number > 1 if total_gpus > 1 else True)",
        "(effective_from if number > 1 else recorded_at) < '2026-03-01'",
        "model_labels == ['a', 'b'] and (8, 16) == models[0].feasible_batch_sizes and aliases != []",
        "total_gpus == 2.0 and total_gpus < 10000000000000000000000 and 10000000000000000000000 == total_gpus",
        "-total_gpus < +3 and -(-1) == 1",
        "(9223372036854775807 if number > 1 else -9223372036854775808) > 1",
        "any(x > number for x in (9223372036854775807, -9223372036854775808))",
        "total_gpus // 9223372036854775807 == 0 and total_gpus % 9223372036854775807 == total_gpus",
        "total_gpus < 1_000 and total_gpus < 0x1F and total_gpus < 1e3",
        "name == 'a' 'b' and name == '''c''' and name == r'\\d' and name == '\\N{BULLET}\\u0041'",
        "any(total_gpus > 1 for total_gpus in feasible_batch_sizes_union)",
        "max((1, 2.5)) > min([1, 2]) and len((1, 2)) == 2 and sum((1, 2)) == 3 and (1, 2)[1] == 2",
        "tags['a'] == 'b' # the rest is a comment",
    ],
)
def test_a_condition_is_read(text: str) -> None:
    assert read_condition(text).type.kind is Kind.BOOLEAN


def test_comparisons_of_constants_are_decided_at_once() -> None:
    assert read_condition("1 < 2") == TRUE
    assert read_condition("'a' > 'b'") == FALSE
    assert read_condition(f"{10**30} == {10**30}") == TRUE
    assert read_condition("3 in (1, 2)") == FALSE
    assert read_condition("date('2026-03-01') < date('2026-03-02')") == TRUE


def test_a_comparison_with_a_fraction_is_one_with_a_whole_number() -> None:
    total = Field("total_gpus", read_condition("total_gpus > 1").left.type)  # type: ignore[union-attr]  # It is a Compare.
    assert read_condition("total_gpus < 2.5") == Compare("<", total, Constant(3, integer(3, 3)))
    assert read_condition("2.5 >= total_gpus") == Compare("<=", total, Constant(2, integer(2, 2)))
    assert read_condition("total_gpus == 2.5") == FALSE


def test_membership_leaves_out_what_can_never_be() -> None:
    condition = read_condition("total_gpus in (1, 2.5, 10000000000000000000000)")
    assert isinstance(condition, OneOf)
    assert condition.constants.values == (1,)


def test_an_iso_text_compared_with_a_time_is_a_time() -> None:
    condition = read_condition("'2026-03-01T01:00+01:00' <= effective_from")
    assert condition == read_condition("date('2026-03-01') <= effective_from")
    assert isinstance(condition, Compare)
    assert condition.left.type == TIME


def test_a_condition_about_a_draft_knows_nothing_of_the_name() -> None:
    assert read_condition("total_gpus < 1 and annotations['a'] == 1", names=DRAFT_NAMES)
    with pytest.raises(FilterError, match="unknown name 'aliases'"):
        read_condition("'a' in aliases", names=DRAFT_NAMES)


def test_a_condition_about_a_model_spec_names_its_fields() -> None:
    assert read_spec_condition("total_gpus > 1 and 8 in feasible_batch_sizes and digest.startswith('sha256:')")
    with pytest.raises(FilterError, match="unknown name 'models'"):
        read_spec_condition("len(models) > 1")
