"""What each part of the language means, on a workload and revision written out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from openg2g.expressions.predicate import compile_predicate, compile_spec_predicate
from openg2g.expressions.vocabulary import DRAFT_NAMES, MODEL_SPEC_NAMES, SPEC_FIELDS, WORKLOAD_NAMES
from openg2g.models.digest import model_spec_digest
from openg2g.models.errors import FilterError
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec
from tests.expressions.written_out import REVISION, WORKLOAD, holds

FIELDS = {
    "models": "models[0].num_replicas == 180 and len(models) == 3",
    "model_labels": "model_labels == ['Llama-3.1-70B', 'Qwen3-30B-A3B', 'Straße İ']",
    "total_gpus": "total_gpus == 727",
    "initial_batch_size_by_model": "initial_batch_size_by_model['Llama-3.1-70B'] == 128",
    "itl_deadline_by_model": "itl_deadline_by_model['Qwen3-30B-A3B'] == 0.06",
    "required_measured_gpus": "required_measured_gpus['Llama-3.1-70B'] == 4",
    "feasible_batch_sizes_union": "feasible_batch_sizes_union == [8, 16, 64, 128, 256, 512]",
    "name": "name == 'sweep/fleet'",
    "number": "number == 3",
    "digest": f"digest == '{REVISION.digest}'",
    "recorded_at": "recorded_at == '2026-03-02T12:30Z'",
    "effective_from": "effective_from == '2026-03-01'",
    "author": "author == 'Ada'",
    "message": "message == 'More replicas\\nfor spring'",
    "source": "source == 'grid/a.json'",
    "annotations": "annotations['owner'] == 'Ada'",
    "tags": "tags['owner'] == 'Grace'",
    "aliases": "aliases == ['best', 'prod']",
}
SPECS = {
    "model_label": "{}model_label == 'Llama-3.1-70B'",
    "num_replicas": "{}num_replicas == 180",
    "gpus_per_replica": "{}gpus_per_replica == 4",
    "initial_batch_size": "{}initial_batch_size == 128",
    "itl_deadline_s": "{}itl_deadline_s == 0.1",
    "feasible_batch_sizes": "{}feasible_batch_sizes == [64, 128, 256, 64]",
    "total_gpus": "{}total_gpus == 720",
    "digest": f"{{}}digest == '{model_spec_digest(WORKLOAD.models[0])}'",
}


@pytest.mark.parametrize("name", WORKLOAD_NAMES)
def test_every_name_has_the_value_of_its_field(name: str) -> None:
    assert holds(FIELDS[name])
    assert not holds(f"not ({FIELDS[name]})")


@pytest.mark.parametrize("name", SPEC_FIELDS)
def test_every_field_of_a_spec_has_its_value(name: str) -> None:
    assert holds(SPECS[name].format("models[0]."))
    assert holds(f"any({SPECS[name].format('m.')} for m in models)")
    assert not holds(f"all({SPECS[name].format('m.')} for m in models)")


@pytest.mark.parametrize("name", MODEL_SPEC_NAMES)
def test_a_condition_about_a_spec_has_the_values_of_its_fields(name: str) -> None:
    predicate = compile_spec_predicate(SPECS[name].format(""))
    assert [predicate(spec) for spec in WORKLOAD.models] == [True, False, False]


def test_a_condition_about_a_spec_takes_parameters_and_loops_over_batch_sizes() -> None:
    predicate = compile_spec_predicate("any(s >= least for s in feasible_batch_sizes)", {"least": 256})
    assert [predicate(spec) for spec in WORKLOAD.models] == [True, False, True]
    with pytest.raises(FilterError, match="unknown name 'name'"):
        compile_spec_predicate("name == 'a'")


def test_tags_and_aliases_may_be_left_out() -> None:
    assert compile_predicate("'owner' not in tags and len(aliases) == 0")(WORKLOAD, REVISION)


def test_a_condition_about_the_workload_alone_needs_no_revision() -> None:
    assert compile_predicate("total_gpus < limit", {"limit": 7200}, DRAFT_NAMES)(WORKLOAD, None)


def test_a_predicate_can_be_shared_between_threads() -> None:
    predicate = compile_predicate("sum(m.total_gpus for m in models if m.num_replicas > 0) == 727")
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: predicate(WORKLOAD, REVISION), range(200)))


@pytest.mark.parametrize(
    "expression",
    [
        # Joining, negating, chaining, choosing.
        "True and not False",
        "False or True and not (True and False)",
        "1 < 2 < 3 != 4",
        "700 < total_gpus <= 727 == 727 >= number",
        "not 1 < total_gpus < 5",
        "'a' < name < 'z' and not 'a' > name > 'z'",
        "('a' if total_gpus > 1 else 'b') == 'a' and ('a' if total_gpus < 1 else 'b') == 'b'",
        "(1 if total_gpus > 1 else 2.5) == 1 and (1 if total_gpus < 1 else 2.5) == 2.5",
        "(effective_from if number > 1 else recorded_at) == '2026-03-01'",
        "(total_gpus > 1 if number > 1 else False)",
        # Loops.
        "any(m.total_gpus == 720 for m in models)",
        "all(m.num_replicas > 0 for m in models if m.model_label != 'Qwen3-30B-A3B')",
        "not all(m.num_replicas > 0 for m in models)",
        "any(s == 512 for m in models if m.num_replicas < 10 for s in m.feasible_batch_sizes if s > 100)",
        "not any(s == 256 for m in models if m.num_replicas < 10 for s in m.feasible_batch_sizes if s > 100)",
        "any(all(s >= 16 for s in m.feasible_batch_sizes) for m in models)",
        "all(any(s in feasible_batch_sizes_union for s in m.feasible_batch_sizes) for m in models)",
        "any(m.total_gpus > n.total_gpus > 0 for m in models for n in models)",
        "any(m.model_label == x for m in models for x in ('no', 'Qwen3-30B-A3B'))",
        "any(itl_deadline_by_model[label] < 0.07 for label in model_labels)",
        "any(label.startswith('Q') for label in required_measured_gpus)",
        "any(alias == 'best' for alias in aliases)",
        "any(total_gpus == 512 for total_gpus in feasible_batch_sizes_union)",
        "any(any(m > 500 for m in m.feasible_batch_sizes) for m in models)",
        "sum(m.num_replicas for m in models) == 187",
        "sum(m.itl_deadline_s for m in models if m.itl_deadline_s < 1) == 0.16",
        "sum(m.num_replicas > 0 for m in models) == sum(1 if m.num_replicas > 0 else 0 for m in models) == 2",
        "sum(feasible_batch_sizes_union) == 984 and sum(s for s in models[0].feasible_batch_sizes) == 512",
        "min(m.num_replicas for m in models) == 0 and max(m.num_replicas for m in models) == 180",
        "min(model_labels) == 'Llama-3.1-70B' and max(m.model_label for m in models) == 'Straße İ'",
        "min(itl_deadline_by_model) == 'Llama-3.1-70B' and max(feasible_batch_sizes_union) == 512",
        "len(models) == len(model_labels) == len(itl_deadline_by_model) == 3 and len(aliases) == 2",
        "len(m for m in models if m.num_replicas > 0) == 2 and len([s for m in models for s in (1, 2)]) == 6",
        "len(models[0].feasible_batch_sizes) == 4 and len(feasible_batch_sizes_union) == 6",
        # Loops over nothing.
        "not any(True for m in models if m.num_replicas > 1000)",
        "all(False for m in models if m.num_replicas > 1000)",
        "sum(m.num_replicas for m in models if m.num_replicas > 1000) == 0",
        "sum(m.itl_deadline_s for m in models if m.num_replicas > 1000) == 0",
        "len(m for m in models if m.num_replicas > 1000) == 0",
        "not min(m.num_replicas for m in models if m.num_replicas > 1000) < 1",
        "not max(m.num_replicas for m in models if m.num_replicas > 1000) >= 0",
        "not any(s > 0 for s in models[9].feasible_batch_sizes)",
        # Items by their index.
        "models[-1].num_replicas == 7 and models[-3].num_replicas == 180 and models[2].num_replicas == 7",
        "models[0].feasible_batch_sizes[-1] == 64 and models[0].feasible_batch_sizes[2] == 256",
        "feasible_batch_sizes_union[0] == 8 and feasible_batch_sizes_union[-1] == 512",
        "model_labels[1] == 'Qwen3-30B-A3B' and aliases[0] == 'best' and (4, 5)[1] == 5",
        # Membership.
        "'Qwen3-30B-A3B' in model_labels and 'Qwen' not in model_labels",
        "'Qwen3-30B-A3B' in itl_deadline_by_model and 'Qwen' not in required_measured_gpus",
        "512 in feasible_batch_sizes_union and 9 not in feasible_batch_sizes_union",
        "number in models[0].feasible_batch_sizes or 64 in models[0].feasible_batch_sizes",
        "64.0 in models[0].feasible_batch_sizes and 64.5 not in models[0].feasible_batch_sizes",
        "'prod' in aliases and 'Prod' not in aliases and name not in aliases",
        "'owner' in tags and 'Owner' not in tags and name not in tags",
        "total_gpus in (1, 727.0) and total_gpus not in (1, 2.5) and name in ['a', 'sweep/fleet']",
        "models[0].itl_deadline_s in (0.1, 1) and models[0].itl_deadline_s not in {0.2, 1}",
        "total_gpus not in () and not name in []",
        "effective_from in ('2026-03-01', '2026-04-01') and recorded_at not in (date('2026-03-02'),)",
        "'fleet' in name and '' in name and 'Fleet' not in name and 'more' not in message",
        # Lists.
        "models[1].feasible_batch_sizes == [8] and models[1].feasible_batch_sizes == (8.0,)",
        "models[0].feasible_batch_sizes != [64, 128, 256] and models[1].feasible_batch_sizes != []",
        "models[0].feasible_batch_sizes != [128, 64, 256, 64] and [8, 8] != models[1].feasible_batch_sizes",
        "models[1].feasible_batch_sizes != [8.5] and aliases != []",
        # Texts.
        "name.startswith('sweep/') and name.startswith('') and not name.startswith('Sweep')",
        "name.endswith('fleet') and name.endswith('') and not name.endswith('Fleet')",
        "fnmatch(name, 'sweep/*') and fnmatch(name, '*[a-f]leet') and not fnmatch(name, 'SWEEP/*')",
        "fnmatch(name, 's????/*') and not fnmatch(name, 's???/*') and fnmatch(name, '[!a-r]*')",
        "fnmatch(message, 'More*spring') and not fnmatch(message, 'More') and not fnmatch(name, '')",
        "name.upper() == 'SWEEP/FLEET' and author.lower() == 'ada' and name.upper().lower() == name",
        "models[-1].model_label.upper() == 'STRAßE İ' and models[-1].model_label.lower() == 'straße İ'",
        "tags['é'].upper() == 'ß' and 'é'.upper() == 'É' and 'ΑΣ'.lower() == 'ασ'",
        "len(name) == 11 and len(models[-1].model_label) == 8 and len('🚀') == 1 and len(annotations['']) == 5",
        "'Z' < 'a' < 'z' < 'é' < '千' < '🚀'",
        # Times.
        "effective_from < recorded_at and not recorded_at < effective_from",
        "effective_from >= '2026-03-01' and effective_from < '2026-03-01T00:00:00.000001Z'",
        "effective_from == '2026-03-01T01:00+01:00' and effective_from != '2026-03-01T00:00+01:00'",
        "date('2026-03-01') <= effective_from < date('2026-04-01')",
        "'2026-03-02' < recorded_at <= '2026-03-02T12:30:00+00:00'",
        # Whole numbers and doubles.
        "models[0].itl_deadline_s * 10 == 1 and models[0].itl_deadline_s + 0.2 != 0.3",
        "total_gpus < 727.5 and total_gpus > 726.5 and total_gpus == 727.0 and total_gpus != 727.5",
        "727.5 >= total_gpus and not 726.5 >= total_gpus and not 727.5 == total_gpus",
        "total_gpus < 1e300 and total_gpus > -1e300 and total_gpus < 10000000000000000000000",
        "not total_gpus > 10000000000000000000000 and total_gpus != 10000000000000000000000",
        "total_gpus / 2 == 363.5 and 1 / number * 3 == 1 and -total_gpus < 0 and +total_gpus == 727",
        "number - 5 == -2 and 2 * number + 1 == 7 and number * number == 9",
    ],
)
def test_what_holds(expression: str) -> None:
    assert holds(expression)
    assert not holds(f"not ({expression})")


@pytest.mark.parametrize("left", range(-9, 10))
@pytest.mark.parametrize("right", [-7, -3, -2, -1, 1, 2, 3, 7, 100])
def test_floor_and_remainder_are_those_of_python(left: int, right: int) -> None:
    shifted = f"(number + {left - 3})"
    assert holds(f"{shifted} // {right} == {left // right}")
    assert holds(f"{shifted} % {right} == {left % right}")


@pytest.mark.parametrize("left", range(10))
@pytest.mark.parametrize("right", range(1, 5))
def test_floor_and_remainder_of_expressions_are_those_of_python(left: int, right: int) -> None:
    workload = LLMInferenceWorkload((make_spec(num_replicas=left, gpus_per_replica=right),))
    divided = "models[0].num_replicas {} models[0].gpus_per_replica == {}"
    assert holds(divided.format("//", left // right), workload)
    assert holds(divided.format("%", left % right), workload)


def test_arithmetic_is_exact_within_64_bits() -> None:
    largest = 2**31 - 1
    workload = LLMInferenceWorkload((make_spec(num_replicas=largest, gpus_per_replica=largest - 1),))
    product = largest * (largest - 1)
    assert holds(f"models[0].num_replicas * models[0].gpus_per_replica == {product}", workload)
    assert holds(f"models[0].num_replicas * models[0].gpus_per_replica - 1 == {product - 1}", workload)
    assert holds(f"models[0].num_replicas * -models[0].gpus_per_replica == {-product}", workload)
    assert holds(f"models[0].num_replicas * models[0].gpus_per_replica // 7 == {product // 7}", workload)
    assert holds(f"total_gpus == {product} and total_gpus < {product + 1} and total_gpus > {product - 1}", workload)


def test_comparisons_are_exact_at_the_ends_of_64_bits() -> None:
    last = replace(REVISION, number=2**63 - 1)
    for expression in (
        "number == 9223372036854775807 and number != 9223372036854775806 and number != 9223372036854775808",
        "number <= 9223372036854775807 and number >= 9223372036854775807 and number > 9223372036854775806",
        "number < 9223372036854775808 and not number < 9223372036854775807 and not number > 9223372036854775807",
        "number < 9223372036854775808.0 and number != 9223372036854775808.0 and not number >= 9223372036854775808.0",
        "number > -9223372036854775808 and number > -9223372036854775809 and not number <= -9223372036854775809",
        "number in (9223372036854775807,) and number not in (9223372036854775806, 9223372036854775808)",
    ):
        assert holds(expression, revision=last)


def test_arithmetic_that_could_leave_64_bits_is_done_with_doubles() -> None:
    assert holds("total_gpus * total_gpus * total_gpus == 384240583")
    assert holds("total_gpus * total_gpus + 0.5 == 528529.5")
    assert holds("total_gpus * 10000000000000000000000 == 7.27e24")


@pytest.mark.parametrize(
    "expression",
    [
        "annotations['owner'] == 'Ada' and annotations['owner'] != 'ada' and annotations['owner'] < 'B'",
        "annotations['score'] == 3 and annotations['score'] == 3.0 and annotations['score'] in (3, 4)",
        "annotations['score'] not in (1, 2) and annotations['owner'] not in ('Bob',)",
        "annotations['ratio'] < 1 and annotations['ratio'] * 2 == 1 and -annotations['ratio'] < +annotations['ratio']",
        "annotations['huge'] > 1e21 and annotations['huge'] == 1180591620717411303424",
        "annotations['ok'] and not annotations['bad'] and annotations['ok'] == True and annotations['bad'] != True",
        "False == annotations['bad'] and annotations['ok'] in (True,) and annotations['ok'] not in (False,)",
        "not annotations['owner'] and not annotations['score']",
        "not annotations['missing'] and not annotations['nothing']",
        "any(annotations['ok'] for m in models) and not all(annotations['bad'] for m in models)",
        "not annotations['score'] == '3' and not annotations['ok'] == 1 and not annotations['ok'] == 'true'",
        "not annotations['owner'] == True and not annotations['score'] != 'a' and not annotations['nothing'] == 0",
        "annotations['tags'][0] == 'a' and annotations['tags'][2] == 3 and annotations['tags'][-1] == 'true'",
        "annotations['models']['Llama-3.1-70B']['task'] == 'chat'",
        "annotations['models']['Llama-3.1-70B']['tpm'][1] == 2.5",
        "annotations['models']['Llama-3.1-70B']['tpm'][-1]['x'] == 'y'",
        "len(annotations['tags']) == 5 and len(annotations['models']) == 1 and len(annotations['owner']) == 3",
        "annotations[''] == 'empty' and annotations['0'] == 'zero'",
        "'a' in annotations['tags'] and 'c' not in annotations['tags'] and '3' not in annotations['tags']",
        "'Llama-3.1-70B' in annotations['models'] and 'chat' not in annotations['models']",
        "'Ad' in annotations['owner'] and 'ad' not in annotations['owner'] and '' in annotations['owner']",
        "'owner' in annotations and '' in annotations and 'missing' not in annotations and 'nothing' in annotations",
        "model_labels[0] in annotations['models'] and name not in annotations['models']",
        "annotations['models']['Llama-3.1-70B']['task'] not in annotations['tags']",
        "annotations['owner'] not in model_labels and annotations['score'] not in feasible_batch_sizes_union",
        "annotations['owner'].lower() == 'ada' and annotations['owner'].startswith('A')",
        "len(annotations['owner']) == 3 and fnmatch(annotations['owner'], 'A*') and 'A' in annotations['owner']",
        "itl_deadline_by_model['Llama-3.1-70B'] < annotations['ratio'] and annotations['score'] == number",
        "max(annotations['score'] for m in models) == 3 and sum(annotations['ratio'] for m in models) == 1.5",
    ],
)
def test_annotations_are_read_as_what_they_are_compared_with(expression: str) -> None:
    assert holds(expression)


def test_a_text_is_found_as_it_is_and_not_as_it_looks() -> None:
    composed, decomposed = "\u00e9", "e\u0301"
    workload = LLMInferenceWorkload((make_spec(model_label=decomposed),))
    assert holds(f"'{decomposed}' in model_labels and len(model_labels[0]) == 2", workload)
    assert not holds(f"'{composed}' in model_labels", workload)


def test_a_sum_adds_from_first_to_last() -> None:
    deadlines = (0.1, 1e16, 0.1, 0.3)
    specs = (make_spec(model_label=str(at), itl_deadline_s=deadline) for at, deadline in enumerate(deadlines))
    expected = ((0.1 + 1e16) + 0.1) + 0.3
    assert holds(f"sum(m.itl_deadline_s for m in models) == {expected!r}", LLMInferenceWorkload(tuple(specs)))
