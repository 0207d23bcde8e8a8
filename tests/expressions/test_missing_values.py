"""What has no value: whatever is computed from it has none, and each comparison with it is false."""

import pytest

from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec
from tests.expressions.written_out import holds

WITHOUT_VALUE = {
    "number": [
        "models[3].num_replicas",
        "models[-4].itl_deadline_s",
        "models[9].feasible_batch_sizes[0]",
        "models[0].feasible_batch_sizes[4]",
        "models[0].feasible_batch_sizes[-5]",
        "feasible_batch_sizes_union[6]",
        "itl_deadline_by_model['Qwen']",
        "initial_batch_size_by_model[name]",
        "required_measured_gpus[tags['missing']]",
        "total_gpus / models[1].num_replicas",
        "total_gpus // models[1].num_replicas",
        "total_gpus % models[1].num_replicas",
        "(total_gpus / models[1].num_replicas + 1)",
        "(-models[3].num_replicas)",
        "(models[3].num_replicas if number > 1 else 3)",
        "models[2].itl_deadline_s / 2",
        "min(m.num_replicas for m in models if False)",
        "max(m.itl_deadline_s for m in models if m.num_replicas > 1000)",
        "max(models[9].num_replicas for m in models)",
        "max(models[9].feasible_batch_sizes)",
        "len(tags['missing'])",
        "len(annotations['score'])",
        "len(annotations['ok'])",
        "len(annotations['missing'])",
        "annotations['missing']",
        "annotations['owner']",
        "annotations['ok']",
        "annotations['nothing']",
        "annotations['beyond']",
        "annotations['tags']",
        "annotations['score']['x']",
        "annotations['score'][0]",
        "annotations['tags'][9]",
        "annotations['tags']['a']",
        "annotations['owner'][0]",
        "annotations[0]",
        "(annotations['huge'] + 1 if False else annotations['owner'] + 1)",
    ],
    "text": [
        "model_labels[3]",
        "models[3].model_label",
        "aliases[2]",
        "tags['missing']",
        "tags[model_labels[5]]",
        "tags['missing'].lower()",
        "(tags['missing'] if number > 1 else name)",
        "min(tags['missing'] for m in models)",
        "annotations['score']",
        "annotations['missing']",
        "annotations['ok']",
        "annotations['score'].upper()",
    ],
}


@pytest.mark.parametrize("operand", WITHOUT_VALUE["number"])
@pytest.mark.parametrize(
    "comparison", ["< 1", "<= 1", "== 1", "!= 1", ">= 1", "> 1", "in (1, 2)", "not in (1, 2)", "not in (0.5,)"]
)
def test_a_comparison_with_a_number_that_is_not_there_is_false(operand: str, comparison: str) -> None:
    assert not holds(f"{operand} {comparison}")
    assert holds(f"not {operand} {comparison}")


@pytest.mark.parametrize("operand", WITHOUT_VALUE["text"])
@pytest.mark.parametrize(
    "comparison",
    [
        "{} < 'a'",
        "{} == 'a'",
        "{} != 'a'",
        "{} >= 'a'",
        "{} in ('a', 'b')",
        "{} not in ('a', 'b')",
        "{} in model_labels",
        "{} not in model_labels",
        "{} not in itl_deadline_by_model",
        "{} in tags",
        "{} not in tags",
        "{} not in annotations",
        "{} not in annotations['tags']",
        "'a' in {}",
        "'a' not in {}",
        "'' in {}",
        "{}.startswith('')",
        "{}.endswith('')",
        "fnmatch({}, '*')",
        "len({}) >= 0",
    ],
)
def test_a_comparison_with_a_text_that_is_not_there_is_false(operand: str, comparison: str) -> None:
    expression = comparison.format(operand)
    assert not holds(expression)
    assert holds(f"not {expression}")


@pytest.mark.parametrize(
    "expression",
    [
        "8 in models[9].feasible_batch_sizes",
        "8 not in models[9].feasible_batch_sizes",
        "models[9].feasible_batch_sizes == [8]",
        "models[9].feasible_batch_sizes != [8]",
        "models[9].feasible_batch_sizes == []",
        "models[9].feasible_batch_sizes != []",
        "models[9].num_replicas not in models[0].feasible_batch_sizes",
        "'a' not in annotations['missing']",
        "'a' not in annotations['score']",
        "1 < models[9].num_replicas < 2",
        "models[9].num_replicas != models[8].num_replicas",
    ],
)
def test_a_comparison_with_what_is_not_there_is_false(expression: str) -> None:
    assert not holds(expression)
    assert holds(f"not {expression}")


def test_elements_without_value_are_passed_over() -> None:
    deadlines = "itl_deadline_by_model[x] for x in ('Llama-3.1-70B', 'missing', 'Qwen3-30B-A3B')"
    assert holds(f"sum({deadlines}) == 0.16 and min({deadlines}) == 0.06 and max({deadlines}) == 0.1")
    assert holds(f"len({deadlines}) == 3")
    assert holds("sum(models[9].num_replicas for m in models) == 0")
    assert holds("sum(720 / m.num_replicas for m in models if m.num_replicas < 180) == 720 / 7")


def test_whole_numbers_beyond_two_to_the_forty_have_no_value_in_arithmetic() -> None:
    workloads = {
        total: LLMInferenceWorkload((make_spec(num_replicas=2**20, gpus_per_replica=total // 2**20),))
        for total in (2**40 - 2**20, 2**40, 2**40 + 2**20)
    }
    answers = [holds("total_gpus + 1 > 0", workload) for workload in workloads.values()]
    assert answers == [True, True, False]
    assert holds("total_gpus > 0 and not total_gpus + 1 <= 0", workloads[2**40 + 2**20])
    assert holds("sum(m.total_gpus for m in models) == 0", workloads[2**40 + 2**20])
    assert holds("max(m.total_gpus for m in models) > 1", workloads[2**40 + 2**20])


@pytest.mark.parametrize(
    ("deadline", "is_computed_with"),
    [(1e-30, True), (9e-31, False), (5e-324, False), (1e30, True), (1.1e30, False), (1.7976931348623157e308, False)],
)
def test_doubles_out_of_range_have_no_value_in_arithmetic(deadline: float, is_computed_with: bool) -> None:
    workload = LLMInferenceWorkload((make_spec(itl_deadline_s=deadline),))
    assert holds("models[0].itl_deadline_s * 1 > 0", workload) is is_computed_with
    assert holds("sum(m.itl_deadline_s for m in models) > 0", workload) is is_computed_with
    assert holds(f"models[0].itl_deadline_s > 0 and models[0].itl_deadline_s == {deadline!r}", workload)
    assert holds(f"min(m.itl_deadline_s for m in models) == {deadline!r}", workload)
