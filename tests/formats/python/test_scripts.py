"""Python scripts: literals are read as the version of OpenG2G means them, everything else is named, nothing is run."""

import math
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.formats.python.writing import MAX_BYTES, float_literal, string_literal
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import make_workload, published_fleet
from tests.formats.views import content_of, document_of, documents_of, outcomes_of, written
from tests.strategies import HOSTILE_TEXTS, deadlines, documents, examples, labels

SPEC = 'LLMInferenceModelSpec("a", 2, 4, 8, 0.1, (8, 16))'
OLD_SPEC = (
    'InferenceModelSpec(model_label="a", num_replicas=2, gpus_per_replica=4, initial_batch_size=8, itl_deadline_s=0.1)'
)
NEW_SPEC = (
    'InferenceModelSpec(model_label="a", model_id="m/a", gpu_model="H100", task="chat", itl_deadline_s=0.1, '
    "batch_sizes=(8, 16))"
)


def read(script: str) -> list[Document]:
    return documents_of(dedent(script), "python")


def read_one(script: str) -> Document:
    return document_of(dedent(script), "python")


def spec_of(script: str) -> LLMInferenceModelSpec:
    """Read the only model of the only workload of a script."""
    (spec,) = read_one(script).workload.models
    return spec


def field(expression: str, name: str = "num_replicas", before: str = "") -> Any:
    """Read a script in which one argument is an expression, and return that field of the model."""
    arguments = {
        "model_label": '"a"',
        "num_replicas": "2",
        "gpus_per_replica": "4",
        "initial_batch_size": "8",
        "itl_deadline_s": "0.1",
        "feasible_batch_sizes": "(8, 16)",
    } | {name: expression}
    given_arguments = ", ".join(f"{key}={value}" for key, value in arguments.items())
    script = f"{dedent(before)}\nfleet = LLMInferenceWorkload((LLMInferenceModelSpec({given_arguments}),))\n"
    return getattr(spec_of(script), name)


def errors(script: str) -> list[str]:
    """What a user reads about everything wrong in a script, a problem a line."""
    outcomes = outcomes_of(dedent(script), "python")
    found = [outcome for outcome in outcomes if isinstance(outcome, InvalidDocumentError)]
    return [line for error in found for line in str(error).split("\n")]


def error_of_field(expression: str, before: str = "") -> str:
    script = (
        f'{dedent(before).lstrip()}\nx = LLMInferenceWorkload([LLMInferenceModelSpec("a", {expression}, 4, 8, 0.1)])\n'
    )
    (message,) = errors(script)
    return message


# OpenG2G 0.0.1.


def test_a_workload_of_0_0_1_is_read_under_the_name_it_is_assigned_to() -> None:
    document = read_one(f"\n\nmy_fleet = LLMInferenceWorkload(({SPEC},))")
    assert (document.name, document.where, document.annotations) == ("my_fleet", "f:3", {})
    assert document.workload == LLMInferenceWorkload((LLMInferenceModelSpec("a", 2, 4, 8, 0.1, (8, 16)),))


@pytest.mark.parametrize(
    "call",
    [
        f"LLMInferenceWorkload(models=({SPEC},))",
        f"LLMInferenceWorkload([{SPEC}])",
        'LLMInferenceWorkload((LLMInferenceModelSpec("a", 2, itl_deadline_s=0.1, initial_batch_size=8, '
        "gpus_per_replica=4, feasible_batch_sizes=[8, 16]),))",
        f"spec.LLMInferenceWorkload((spec.{SPEC},))",
        f"openg2g.models.spec.LLMInferenceWorkload((openg2g.models.spec.{SPEC},))",
        f"LLMInferenceWorkload(({SPEC.replace('LLMInferenceModelSpec', 'Spec')},))",
        f"LLMInferenceWorkload(tuple([{SPEC}]))",
        f"LLMInferenceWorkload((*[{SPEC}], *()))",
        f"LLMInferenceWorkload(tuple(model for model in [{SPEC}]))",
    ],
)
def test_every_way_to_call_the_classes_is_read(call: str) -> None:
    imports = """
        import openg2g.models.spec
        from openg2g.models import spec
        from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
        from openg2g.models.spec import LLMInferenceModelSpec as Spec
        """
    assert spec_of(f"{dedent(imports)}\nfleet = {call}") == LLMInferenceModelSpec("a", 2, 4, 8, 0.1, (8, 16))


def test_batch_sizes_left_out_are_128_in_0_0_1() -> None:
    assert spec_of('f = LLMInferenceWorkload([LLMInferenceModelSpec("a", 2, 4, 8, 0.1)])').feasible_batch_sizes == (
        128,
    )


def test_a_list_of_specs_of_0_0_1_is_a_workload_unless_one_is_made_of_it() -> None:
    assert [d.name for d in read(f"MODELS = ({SPEC},)\nfleet = LLMInferenceWorkload(models=MODELS)")] == ["fleet"]
    assert [d.name for d in read(f"MODELS = ({SPEC},)\nrun(models=MODELS)")] == ["MODELS"]


def test_deployments_of_0_0_1_keep_what_is_beyond_their_specs() -> None:
    document = read_one(
        f"""
        from openg2g.datacenter.online import GPUEndpointMapping, OnlineModelDeployment
        DEPLOYMENTS = [
            OnlineModelDeployment({SPEC}, "http://node1:8000", "m/a", (GPUEndpointMapping("node1", 4938, (0, 1)),)),
        ]
        """
    )
    endpoint = {"host": "node1", "port": 4938, "gpu_indices": [0, 1]}
    deployment = {"vllm_base_url": "http://node1:8000", "model_name": "m/a", "gpu_endpoints": [endpoint]}
    assert document.annotations == {"models": {"a": {"deployment": deployment}}}


def test_a_workload_of_the_specs_of_deployments_takes_their_place() -> None:
    script = f"""
        D = [OnlineModelDeployment(spec={SPEC}, vllm_base_url=url, model_name="m")]
        fleet = LLMInferenceWorkload(models=tuple(d.spec for d in D))
        """
    assert [document.name for document in read(script)] == ["fleet"]


# OpenG2G 0.1 and 0.2.


def test_a_list_of_specs_of_0_1_is_a_workload_and_keeps_what_is_beyond_the_six_fields() -> None:
    document = read_one(f"models = [{OLD_SPEC[:-1]}, model_id='m/a')]")
    assert document.name == "models"
    assert document.workload.models[0].feasible_batch_sizes == (8,)
    assert document.annotations == {
        "models": {"a": {"model_id": "m/a", "omitted": [["feasible_batch_sizes"]]}},
        "openg2g": {"version": "0.1"},
    }
    assert '"model_id": "m/a"' in written([document], "openg2g-0.1")


def test_a_deployment_of_0_1_has_its_replicas_in_the_spec() -> None:
    document = read_one(f'D = [VLLMDeployment(spec={OLD_SPEC}, vllm_base_url="http://n")]')
    assert document.workload.models[0].num_replicas == 2
    assert document.annotations["openg2g"] == {"version": "0.1"}
    assert document.annotations["models"]["a"]["deployment"] == {"vllm_base_url": "http://n"}


@pytest.mark.parametrize(
    "deployments",
    [
        "[ModelDeployment(spec={}, num_replicas=5, initial_batch_size=16)]",
        "({},)".replace("{}", "(ModelDeployment(spec={}, initial_batch_size=16), ReplicaSchedule(initial=5))"),
        "[(ModelDeployment({}, 16), ReplicaSchedule(initial=5))]",
        "[VLLMDeployment(spec={}, simulated_num_replicas=5, initial_batch_size=16)]",
        '[ModelDeployment({}, 16)]\nwork(replica_schedules={"a": ReplicaSchedule(initial=5)})',
        '[ModelDeployment({}, 16)]\nschedules = {"a": ReplicaSchedule(initial=2 + 3), "b": ReplicaSchedule(initial=1)}',
    ],
)
def test_a_deployment_of_0_2_is_told_together_with_its_schedule(deployments: str) -> None:
    document = read_one(f"spec = {NEW_SPEC}\nsite = {deployments.replace('{}', 'spec', 1)}")
    assert document.name == "site"
    assert document.workload.models == (LLMInferenceModelSpec("a", 5, 1, 16, 0.1, (8, 16)),)
    assert document.annotations["openg2g"] == {"version": "0.2"}
    assert document.annotations["models"]["a"]["gpu_model"] == "H100"
    assert '"gpu_model": "H100"' in written([document], "openg2g-0.2")


def test_a_schedule_that_ramps_is_no_number_of_replicas() -> None:
    ramp = "ReplicaSchedule(initial=5).ramp_to(1, t_start=0, t_end=9).ramp_to(2, t_start=10, t_end=11)"
    for script in (
        f"spec = {NEW_SPEC}\nsite = [(ModelDeployment(spec, 16), {ramp})]",
        f'spec = {NEW_SPEC}\nsite = [ModelDeployment(spec, 16)]\nrun({{"a": {ramp}}})',
    ):
        (message,) = errors(script)
        assert message.startswith(f"f:{2 if 'run' not in script else 3}:")
        assert "deployments[0].num_replicas cannot be known without running the script: ReplicaSchedule" in message
        assert "a schedule that ramps is no one number of replicas" in message


def test_a_deployment_whose_replicas_nobody_tells_is_refused() -> None:
    (message,) = errors(f"spec = {NEW_SPEC}\nsite = [ModelDeployment(spec, 16)]")
    assert message == (
        "f:2:9: deployments[0].num_replicas is not told: "
        "there is no ReplicaSchedule(initial=...) beside it or of its label."
    )


def test_schedules_of_one_label_that_differ_are_refused() -> None:
    script = f"""
        spec = {NEW_SPEC}
        site = [ModelDeployment(spec, 16)]
        one = {{"a": ReplicaSchedule(initial=1)}}
        two = {{"a": ReplicaSchedule(initial=2)}}
        """
    (message,) = errors(script)
    assert message.endswith("is told differently by the schedules of this label (line 4 and line 5).")


def test_specs_of_0_2_alone_are_no_workload() -> None:
    (message,) = errors(f"specs = [{NEW_SPEC}]")
    assert message.startswith("f: has no workload: ")
    assert message.endswith(
        "Passed over in line 1: model specs of OpenG2G 0.2 without replicas, which a ModelDeployment(...) adds."
    )


def test_a_misspelt_argument_is_named_with_the_one_it_resembles() -> None:
    messages = errors(f"models = [{OLD_SPEC.replace('num_replicas', 'num_replica')}]")
    assert any("num_replica is not a field of OpenG2G: did you mean num_replicas?" in message for message in messages)
    (message,) = errors(f"f = LLMInferenceWorkload([{SPEC[:-1]}, model_id='x')])")
    assert "models[0].model_id is not a known field" in message


# Expressions.


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("6", 6),
        ("N", 3),
        ("N * 4 + 1", 13),
        ("(7 - 1) // 4", 1),
        ("2 ** 10", 1024),
        ("+5 - -5", 10),
        ("17 % 5", 2),
        ("SIZES[0] + SIZES[-1]", 24),
        ('COUNTS["b"]', 9),
        ("BASE.num_replicas + 1", 3),
    ],
)
def test_arithmetic_on_constants_is_done(expression: str, value: int) -> None:
    before = f"""
        N: int = 3
        SIZES = (8, 16)
        COUNTS = {{"a": 1, "b": 3 * N}}
        BASE = {SPEC}
        """
    assert field(expression, before=before) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("SIZES", (8, 16)),
        ("SIZES + (32,) * 2", (8, 16, 32, 32)),
        ("[*SIZES, 32]", (8, 16, 32)),
        ("tuple(range(1, N + 1))", (1, 2, 3)),
        ("list(range(8, 0, -3))", (8, 5, 2)),
        ("tuple(2 * n for n in SIZES)", (16, 32)),
        ("[2 ** n for n in range(3)]", (1, 2, 4)),
        ("MORE", (8, 16, 64)),
    ],
)
def test_batch_sizes_may_be_put_together(expression: str, value: tuple[int, ...]) -> None:
    before = """
        N = 3
        SIZES = (8, 16)
        MORE = SIZES
        MORE += (64,)
        """
    assert field(expression, "feasible_batch_sizes", before) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [('"Llama" "-8B"', "Llama-8B"), ('PREFIX + "-8B"', "Llama-8B"), ('r"a\\b"', "a\\b"), ('"\\u00e9" * 2', "éé")],
)
def test_texts_may_be_put_together(expression: str, value: str) -> None:
    assert field(expression, "model_label", 'PREFIX = "Llama"') == value


@pytest.mark.parametrize("expression", ["1 / 10", "80e-3 + 20e-3", "100 * 1e-3", "1 / (2 * 5.0)"])
def test_deadlines_may_be_computed(expression: str) -> None:
    assert math.isclose(field(expression, "itl_deadline_s"), 0.1)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("count()", "count() (a call is not run)"),
        ("int('5')", "int('5') (a call is not run)"),
        ("__import__('os').getpid()", "__import__('os').getpid() (a call is not run)"),
        ("os.environ['N']", "os.environ['N'] (os: the name is not assigned in this script)"),
        ('f"{n}"', 'f"{n}" (an f-string is not evaluated)'),
        ("1 if fast else 2", "1 if fast else 2 (a condition is not evaluated)"),
        ("lambda: 1", "lambda: 1 (a function is no value)"),
        ("missing", "missing (the name is not assigned in this script)"),
        ("1 // 0", "1 // 0 (it has no value (integer division or modulo by zero))"),
        ("10 ** 10 ** 10", "it is too large"),
        ("9 ** 99999999", "it is too large"),
        ("(-8) ** 0.5", "it is a complex number"),
        ("2.0 ** 99999", "it has no value"),
        ("1 << 3", "it is no arithmetic on constants"),
        ("~5", "it is no arithmetic on constants"),
        ("True + 1", "it is no arithmetic on constants"),
        ("'a' * 10 ** 9", "it is too large"),
        ("(0,) * 10 ** 12", "it is too large"),
        ("10 ** 12 * [0]", "it is too large"),
        ("tuple(range(10 ** 12))", "it is too large"),
        ("'a' + 1", "texts, tuples and lists are only joined with their like"),
        ("(1,) + [2]", "texts, tuples and lists are only joined with their like"),
        ("(1, 2)[5]", "there is no such member"),
        ("(1, 2).count", "an attribute is not looked up"),
        ("{1, 2}", "this is no literal"),
        ("b'5'", "this is no literal"),
        ("...", "this is no literal"),
        ("[n for n in (1,) if n]", "only one plain for is understood"),
        ("max(1, 2)", "a call is not run"),
        ("(" * 70 + "1" + ",)" * 70, "it is nested more than 60 levels deep"),
        ("-" * 70 + "1", "it is nested more than 60 levels deep"),
        ("9" * 30, "it is too large"),
    ],
)
def test_what_cannot_be_known_is_named_with_its_place_and_the_reason(expression: str, why: str) -> None:
    message = error_of_field(expression)
    assert message.startswith("f:2:54: models[0].num_replicas")
    assert "cannot be known without running the script: " in message
    assert why in message


def test_a_value_is_named_where_it_is_used_and_where_it_is_unknown() -> None:
    message = error_of_field("2 * N", "import sys\nN = int(sys.argv[1])")
    assert message == (
        "f:3:54: models[0].num_replicas cannot be known without running the script: "
        "2 * N (int(sys.argv[1]) in line 2: a call is not run)."
    )


def test_everything_wrong_with_a_workload_is_told_at_its_place_and_the_others_are_read() -> None:
    script = f"""
        bad = LLMInferenceWorkload(
            (
                LLMInferenceModelSpec("a", count(), 0, 8, 0.1),
                LLMInferenceModelSpec("b", 1, 1, f"{{x}}", -0.1, (8, -1)),
            )
        )
        good = LLMInferenceWorkload(({SPEC},))
        """
    bad, good = outcomes_of(dedent(script), "python")
    assert isinstance(good, Document) and good.name == "good"
    assert str(bad).split("\n") == [
        "f:4:36: models[0].num_replicas cannot be known without running the script: count() (a call is not run).",
        "f:4:45: models[0].gpus_per_replica must be >= 1, got 0.",
        'f:5:42: models[1].initial_batch_size cannot be known without running the script: f"{x}" '
        "(an f-string is not evaluated).",
        "f:5:50: models[1].itl_deadline_s must be > 0, got -0.1.",
        "f:5:56: models[1].feasible_batch_sizes[1] must be > 0, got -1.",
    ]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("f = LLMInferenceWorkload()", "f:1:5: models is missing."),
        ("f = LLMInferenceWorkload(())", "f:1:26: models LLMInferenceWorkload requires at least one model."),
        ("f = LLMInferenceWorkload(5)", "f:1:26: models must be a tuple of LLMInferenceModelSpec."),
        (f"f = LLMInferenceWorkload(({SPEC}, {SPEC}))", "f:1:26: models has duplicate model labels: ['a', 'a']."),
        (f"f = LLMInferenceWorkload(({SPEC},), 5)", "f:1:80: models cannot be known"),
        ("f = LLMInferenceWorkload((5,))", "f:1:5: models[0] must be an LLMInferenceModelSpec(...)."),
        (f"f = LLMInferenceWorkload(({OLD_SPEC},))", "f:1:5: models[0] must be an LLMInferenceModelSpec(...)."),
        (f"f = LLMInferenceWorkload(({SPEC},), name='x')", "f:1:85: name is no argument of LLMInferenceWorkload."),
        (f"f = LLMInferenceWorkload(({SPEC[:-1]}, num_replicas=3),))", "num_replicas is given twice"),
        ("f = LLMInferenceWorkload((LLMInferenceModelSpec(**fields),))", "which arguments these are is not told"),
        ("f = LLMInferenceWorkload((LLMInferenceModelSpec(*fields),))", "which arguments these are is not told"),
        ("f = [InferenceModelSpec('a', 1)]", "InferenceModelSpec takes no arguments by position"),
        (f"f = [{SPEC}, {OLD_SPEC}]", "f:1:5: models must be of one class, got InferenceModelSpec and LLMInference"),
        ("f = [ModelDeployment(spec=5, initial_batch_size=1)]", "deployments[0].spec must be InferenceModelSpec(...)."),
    ],
)
def test_a_call_that_is_wrong_is_refused(script: str, message: str) -> None:
    assert any(message in line for line in errors(script)), errors(script)


# Names and places.


def test_each_workload_of_a_script_is_a_document_by_line() -> None:
    script = f"""
        run(LLMInferenceWorkload(({SPEC},)))

        class Plans:
            small = LLMInferenceWorkload(({SPEC},))

            def method(self):
                self.fleet = LLMInferenceWorkload(({SPEC},))

        def main():
            fleet: LLMInferenceWorkload = LLMInferenceWorkload(({SPEC},))
            return fleet

        first = second = LLMInferenceWorkload(({SPEC},))
        again = first

        if __name__ == "__main__":
            last = LLMInferenceWorkload(({SPEC},))
        """
    assert [(document.where, document.name) for document in read(script)] == [
        ("f:2", None),
        ("f:5", "Plans.small"),
        ("f:8", None),
        ("f:11", "main.fleet"),
        ("f:14", "first"),
        ("f:18", "last"),
    ]


def test_a_name_for_two_workloads_is_refused_for_the_second() -> None:
    script = f"fleet = LLMInferenceWorkload(({SPEC},))\nfleet = LLMInferenceWorkload(({SPEC},))"
    first, second = outcomes_of(script, "python")
    assert isinstance(first, Document)
    assert str(second) == "f:2: name 'fleet' names a second workload (the first is in line 1). Give it another."


def test_what_a_function_makes_of_its_parameters_is_passed_over() -> None:
    (message,) = errors('def make(n):\n    return LLMInferenceWorkload([LLMInferenceModelSpec("a", n, 1, 1, 1)])')
    assert message.endswith("Passed over in line 2: it depends on the parameters of a function.")
    script = f"def make(n):\n    return LLMInferenceWorkload(n)\nfleet = LLMInferenceWorkload(({SPEC},))"
    assert [document.name for document in read(script)] == ["fleet"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("if fast:\n    N = 2", "line 2 assigns it, in a way that depends on the run"),
        ("for N in (1, 2):\n    pass", "line 2 assigns it, in a way that depends on the run"),
        ("try:\n    N = 2\nexcept ValueError:\n    pass", "line 2 assigns it, in a way that depends on the run"),
        ("N, M = 2, 3", "line 2 assigns it, in a way that depends on the run"),
        ("del N", "line 2 assigns it, in a way that depends on the run"),
        ("print(N := 5)", "line 2 assigns it"),
        ("x = (N := 5)", "an expression assigns it"),
        ("with open('f') as N:\n    pass", "a with statement assigns it"),
        ("from numbers import N", "it is imported"),
        ("def N(): pass", "it is a function"),
        ("class N: pass", "it is a class"),
        ("N += count()", "a call is not run"),
        ("def f():\n    global N\n    N = 3", "line 3 lets a function assign it"),
    ],
)
def test_a_name_that_depends_on_the_run_has_no_value(script: str, why: str) -> None:
    assert why in error_of_field("N", f"N = 1\n{script}")


@pytest.mark.parametrize(
    "change", ["L.append(3)", "L[0] = 5", "del L[0]", "L += [3]", "M = L\nM.clear()", "def f():\n    L.pop()"]
)
def test_a_list_that_is_changed_somewhere_has_no_value(change: str) -> None:
    assert "it is changed in line" in error_of_field("L[0]", f"L = [1, 2]\n{change}")
    assert field("L[0]", before="L = [1, 2]\nprint(L)") == 1


@pytest.mark.parametrize(
    "change",
    [
        "T = {'a': L}\nT['a'].append(3)",
        "T = ((L, 1), 2)\nT[0][0][0] = 3",
        "T = [L]\nU = T\ndel U[0][0]",
        "add = L.append\nadd(3)",
    ],
)
def test_a_list_that_is_changed_through_something_else_has_no_value(change: str) -> None:
    assert "it is changed in line" in error_of_field("L[0]", f"L = [1, 2]\n{change}")


def test_a_list_within_a_tuple_can_be_changed() -> None:
    assert "it is changed in line 2" in error_of_field("T[0][0]", "T = ([1, 2], 3)\nT[0].append(4)")


def test_what_holds_a_list_may_change_without_the_list() -> None:
    assert field("L[0]", before="L = [1, 2]\nT = {'a': L}\nT['b'] = 3") == 1


def test_a_function_sees_only_what_a_module_assigns_once() -> None:
    function = 'def main():\n    fleet = LLMInferenceWorkload([LLMInferenceModelSpec("a", N, 1, 1, 0.1)])\n'
    assert spec_of(f"{function}N = 7").num_replicas == 7
    assert "N (the name is assigned more than once)" in errors(f"N = 1\n{function}N = 2")[0]
    assert "the name is not assigned yet" in errors(f"N = 1\n{function}    N = 2")[0]
    method = "class C:\n    N = 1\n    def main(self):\n        " + function.split("\n")[1].strip()
    assert "the name is not assigned in this script" in errors(method)[0]


def test_a_name_of_a_comprehension_is_not_the_modules() -> None:
    script = 'N = 1\nfleets = [LLMInferenceWorkload([LLMInferenceModelSpec("a", N, 1, 1, 0.1)]) for N in (1, 2)]'
    (message,) = errors(script)
    assert message.endswith("N (it is different in each round of the loop).")


@pytest.mark.parametrize(
    "script",
    [
        "class LLMInferenceWorkload: pass\n",
        "from benchmark import LLMInferenceWorkload\n",
        "LLMInferenceWorkload = print\n",
        "def LLMInferenceWorkload(models): pass\n",
    ],
)
def test_classes_of_others_by_the_same_name_are_not_read(script: str) -> None:
    (message,) = errors(f"{script}x = LLMInferenceWorkload(({SPEC},))")
    assert message.startswith("f: has no workload")


def test_a_class_that_is_imported_if_it_is_there_is_known() -> None:
    script = f"""
        try:
            from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
        except ImportError:
            pass
        fleet = LLMInferenceWorkload(({SPEC},))
        """
    assert read_one(script).name == "fleet"


@pytest.mark.parametrize("script", ["", "print('hello')\n", "x = [1, 2]\ny = []\n", "# LLMInferenceWorkload(())\n"])
def test_a_script_without_a_workload_says_so(script: str) -> None:
    (message,) = errors(script)
    assert message == (
        "f: has no workload: no LLMInferenceWorkload(...), and no list of InferenceModelSpec(...) or "
        "ModelDeployment(...) that is assigned to a name."
    )


# Comments.


def test_comments_directly_above_say_what_the_classes_cannot() -> None:
    document = read_one(
        f"""
        # The plan of spring.
        # name: sweep/1
        # annotations: {{"purpose": "smoke test", "models": {{"a": {{"x": 1.0}}}}}}
        # revision: {{"number": 3, "author": "Ada"}}
        fleet = LLMInferenceWorkload(({SPEC},))
        """
    )
    assert (document.name, document.revision.number, document.revision.author) == ("sweep/1", 3, "Ada")
    assert document.annotations == {"purpose": "smoke test", "models": {"a": {"x": 1.0}}}
    assert read_one(f"# name:\nfleet = LLMInferenceWorkload(({SPEC},))").name is None
    assert read_one(f"# name: other\n\nfleet = LLMInferenceWorkload(({SPEC},))").name == "fleet"
    assert read_one(f"# annotations: see the wiki\nfleet = LLMInferenceWorkload(({SPEC},))").annotations == {}
    assert len({d.name for d in read(f"# name: b\na = [{SPEC}]\n# name: c\na = [{SPEC}]")}) == 2


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# name: two words", "f:2: name must not contain white space"),
        ('# annotations: {"a": 1', "f:1:8: is not JSON"),
        ('# annotations: {"a": NaN}', "f:2: annotations.a must be finite, got nan."),
        ('# annotations: {"a": 1, "a": 2}', "f:1:10: a stands more than once."),
        ('# revision: {"number": 0}', "f:2: revision.number must be an integer >= 1, got 0."),
        ('# revision: {"numbr": 1}', "f:2: revision.numbr is not a known field: did you mean number?"),
    ],
)
def test_a_comment_that_is_wrong_is_refused(comment: str, message: str) -> None:
    assert any(line.startswith(message) for line in errors(f"{comment}\nfleet = LLMInferenceWorkload(({SPEC},))"))


# Hostile files.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = (", "f:1:5: is no Python that we read: '(' was never closed."),
        (b"print 'hello'", "f:1:1: is no Python that we read: Missing parentheses"),
        (b"x = 1\0", "is no Python that we read: source code string cannot contain null bytes."),
        (b"x = '\xff'", "f: is not UTF-8 text, and says no other encoding that we read"),
        ("x = 'é'".encode("utf-16"), "f: is not UTF-8 text, and says no other encoding that we read"),
        (b"# coding: rot13\nx = 1", "encoding"),
        (b"# coding: utf-7\nx = 1", "f: says that its encoding is 'utf-7', which is not read."),
        (b"x = " + b"-" * 100_000 + b"1", "f: is nested too deeply."),
        (b"x = " + b"1+" * 100_000 + b"1", "f: is nested too deeply."),
        (b"if a: pass\n" + b"elif a: pass\n" * 5_000, "f: is nested too deeply."),
        (b"x = " + b"9" * 5_000, "f:1: is no Python that we read: Exceeds the limit (4300 digits) for integer"),
        (b"#" * (MAX_BYTES + 1), "f: is larger than 512 KiB: that is no script that we read."),
    ],
)
def test_a_file_that_is_no_script_is_refused(content: bytes, message: str) -> None:
    (outcome,) = outcomes_of(content, "python")
    assert message in str(outcome)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"# coding: latin-1\n"])
def test_scripts_of_every_system_are_read(end: str, start: bytes) -> None:
    content = f"# name: n{end}fleet = LLMInferenceWorkload(({SPEC},)){end}"
    (document,) = documents_of(start + content.encode(), "python")
    assert (document.name, document.workload.total_gpus) == ("n", 8)


def test_warnings_of_the_parser_are_not_ours() -> None:
    assert field('"a\\d"', "model_label", "x = 1 is 1\ny = '\\d'") == "a\\d"


def test_tables_that_grow_without_end_are_refused() -> None:
    lines = ["a0 = ('x',)", *(f"a{n} = (a{n - 1}, a{n - 1})" for n in range(1, 60))]
    script = "\n".join([*lines, f"models = [{OLD_SPEC[:-1]}, model_id=a59)]"])
    (message,) = errors(script)
    assert "models[0].model_id[0] cannot be known" in message and "it is too large" in message


def test_a_script_that_computes_too_much_is_refused() -> None:
    lines = [f"a{n} = (0,) * 90_000" for n in range(40)]
    script = "\n".join([f"fleet = LLMInferenceWorkload(({SPEC},))", *lines, f"more = LLMInferenceWorkload(({SPEC},))"])
    (error,) = outcomes_of(script, "python")
    assert str(error) == "f: computes too much: that is no script that we read."
    many = f"M = [{SPEC}] * 9_000\n"
    outcomes = outcomes_of(many + "\n".join(f"f{n} = LLMInferenceWorkload(M)" for n in range(15)), "python")
    assert "f: has more workloads than we read from one script: the rest, from line" in str(outcomes[-1])


def test_nothing_of_a_script_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = f"""
        import pathlib
        pathlib.Path("ran").write_text("module")
        class Trap:
            pathlib.Path("ran").write_text("class")
            def __index__(self):
                pathlib.Path("ran").write_text("index")
                return 1
        N = pathlib.Path("ran").write_text("call")
        @(lambda f: pathlib.Path("ran").write_text("decorator"))
        def f(x=pathlib.Path("ran").write_text("default")): pass
        bad = LLMInferenceWorkload((LLMInferenceModelSpec("a", Trap(), 1, 1, 0.1),))
        worse = LLMInferenceWorkload((LLMInferenceModelSpec(f"{{open('ran', 'w')}}", 1, 1, 1, 0.1),))
        fleet = LLMInferenceWorkload(({SPEC},))
        """
    outcomes = outcomes_of(dedent(script), "python")
    assert [isinstance(outcome, Document) for outcome in outcomes] == [False, False, True]
    assert list(tmp_path.iterdir()) == []


# Writing.


def test_a_module_is_written_as_people_write_one() -> None:
    workload = make_workload(1, model_label="Llama-3.1-70B", num_replicas=180)
    document = Document(workload, name="sweep/1", annotations={"purpose": "smoke test"})
    assert written([document], "python") == dedent(
        '''\
        """Workloads of an OpenG2G workload catalog."""

        from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

        # name: sweep/1
        # annotations: {"purpose":"smoke test"}
        sweep_1 = LLMInferenceWorkload(
            models=(
                LLMInferenceModelSpec(
                    model_label="Llama-3.1-70B",
                    num_replicas=180,
                    gpus_per_replica=4,
                    initial_batch_size=128,
                    itl_deadline_s=0.1,
                    feasible_batch_sizes=(8, 16, 32, 64, 128, 256, 512),
                ),
            )
        )
        '''
    )


@pytest.mark.parametrize(
    ("names", "identifiers"),
    [
        (["fleet", "a-b", "a_b", "a.b"], ["fleet", "a_b", "a_b_2", "a_b_3"]),
        (["class", "1e5", "通义", "_", "__all__", "=1+1"], ["class_", "workload_1e5", "workload", "workload_2"]),
        (["LLMInferenceWorkload", "x" * 200, None], ["LLMInferenceWorkload_", "x" * 50, "workload"]),
        (["fleet", "fleet"], ["fleet", "fleet_2"]),
    ],
)
def test_names_become_identifiers_and_come_back(names: list[str | None], identifiers: list[str]) -> None:
    text = written([Document(make_workload(1), name=name) for name in names], "python")
    assigned = [line.partition(" = ")[0] for line in text.splitlines() if " = " in line]
    assert assigned[: len(identifiers)] == identifiers
    assert len(set(assigned)) == len(names)
    assert all(identifier.isidentifier() for identifier in assigned)
    assert [document.name for document in documents_of(text, "python")] == names


@given(st.lists(documents(), min_size=1, max_size=3))
@examples(30)
def test_documents_come_back_and_are_written_as_the_same_text_again(given_documents: list[Document]) -> None:
    text = written(given_documents, "python")
    found = documents_of(text, "python")
    assert list(map(content_of, found)) == list(map(content_of, given_documents))
    assert written(found, "python") == text


def formatted(text: str) -> str:
    """Format a module with the real formatter and its defaults."""
    ruff = Path(sys.executable).parent / "ruff"
    command = [ruff, "format", "--isolated", "--no-cache", "--stdin-filename", "module.py", "-"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode()


@given(st.lists(documents(), max_size=4))
@examples(25)
def test_a_module_is_formatted_as_ruff_formats_it(given_documents: list[Document]) -> None:
    text = written(given_documents, "python")
    assert formatted(text) == text


def test_hostile_texts_are_quoted_as_ruff_quotes_them() -> None:
    texts = [
        *HOSTILE_TEXTS,
        "'",
        '"',
        "''\"",
        '\'""',
        "\\'",
        '\\"',
        "\\\\\"'",
        "\x41\u00ad\ufeff",
        "\U000e0001",
        "{x}",
        "\\N{DASH}",
    ]
    text = "".join(f"x = {string_literal(text)}\n" for text in texts)
    assert formatted(text) == text


@given(labels())
@examples(200)
def test_a_text_reads_back(text: str) -> None:
    assert eval(string_literal(text), {"__builtins__": {}}) == text


@given(deadlines())
@examples(200)
def test_a_number_reads_back(value: float) -> None:
    assert float(float_literal(value)) == value


def test_a_written_module_runs_and_gives_the_same_workload() -> None:
    text = written([Document(published_fleet(), name="fleet")], "python")
    names: dict[str, Any] = {}
    exec(text, names)
    assert workload_digest(names["fleet"]) == workload_digest(published_fleet())


def test_a_module_beyond_what_is_read_is_not_written() -> None:
    many = (Document(published_fleet(), name=f"fleet-{number}") for number in range(10_000))
    with pytest.raises(InvalidDocumentError, match=f"would be larger than {MAX_BYTES} bytes"):
        written(many, "python")


def test_the_largest_module_that_is_written_is_read_in_bounded_time() -> None:
    workload = make_workload(1)
    size = len(written([Document(workload, name="f")], "python"))
    count = int(os.environ.get("OPENG2G_FUZZ_INPUTS", "300"))
    assert count * size < MAX_BYTES * 100
    names = [f"fleet_{number}" for number in range(min(count, MAX_BYTES // size))]
    text = written([Document(workload, name=name) for name in names], "python")
    assert [document.name for document in documents_of(text, "python")] == names
