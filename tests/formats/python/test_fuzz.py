"""Whatever a script holds, reading it ends in documents or in errors that say what is wrong; nothing is run.

The environment variable OPENG2G_FUZZ_INPUTS says how many scripts are read by each test: 300 without it.
"""

import os

from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.models.errors import InvalidDocumentError
from tests.builders import published_fleet
from tests.formats.views import content_of, document_of, outcomes_of, written
from tests.strategies import examples

INPUTS = int(os.environ.get("OPENG2G_FUZZ_INPUTS", "300"))

_SEEDS = (
    """\
import sys
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

BATCH = (8, 16) + (32,) * 2
N = 6 * 3
MODELS = (
    LLMInferenceModelSpec("a" "b", N, 4, 128, 1 / 10, feasible_batch_sizes=BATCH),
    LLMInferenceModelSpec(model_label="c", num_replicas=N, gpus_per_replica=1, initial_batch_size=8, itl_deadline_s=.1),
)
# name: sweep/1
# annotations: {"models": {"c": {"x": [1, 2.5, null]}}}
fleet = LLMInferenceWorkload(models=MODELS)

def main(n):
    small = LLMInferenceWorkload((MODELS[0], LLMInferenceModelSpec("d", int(sys.argv[1]), 1, 1, 0.1)))
    return LLMInferenceWorkload(tuple(m for m in MODELS))
""",
    """\
spec = InferenceModelSpec(model_label="a", model_id="m/a", gpu_model="H100", task="t", itl_deadline_s=.1,
                          batch_sizes=[8, 16], **{})
site = [(ModelDeployment(spec, 16), ReplicaSchedule(initial=5)), (ModelDeployment(spec, 8), ReplicaSchedule(initial=1))]
deployments = [ModelDeployment(spec=spec, num_replicas=3, initial_batch_size=8)]
online = [VLLMDeployment(spec=spec, simulated_num_replicas=4, initial_batch_size=8, gpu_endpoints=())]
for k in range(3):
    work({"a": ReplicaSchedule(initial=k).ramp_to(1, t_start=0, t_end=1), **spec})
models = [InferenceModelSpec(model_label="x", num_replicas=1, gpus_per_replica=1, initial_batch_size=8,
                             itl_deadline_s=0.1, model_id="y")]
""",
    written([Document(published_fleet(), name="fleet/1", annotations={"a": {"b": [1, "é"]}})], "python"),
)
_TOKENS = (
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "=",
        "*",
        "**",
        "+",
        "-",
        "/",
        "//",
        "%",
        ".",
        "@",
        ";",
        "#",
        "\\",
        "'",
        '"',
    ),
    *(
        "\n",
        "\n    ",
        "\t",
        " ",
        "\0",
        "\r",
        "\f",
        "\u2028",
        "\ufeff",
        "é",
        "🚀",
        "f'",
        'r"',
        "'''",
        '"""',
        "b'",
        "...",
        "->",
    ),
    *(
        "if x:\n",
        "for x in y:\n",
        "def f():\n",
        "class C:\n",
        "lambda x: ",
        "global N\n",
        "del N\n",
        "import N\n",
        "not ",
    ),
    *(
        "None",
        "True",
        "1e999",
        "0x_f",
        "9" * 40,
        "1j",
        "10 ** 10 ** 10",
        "(0,) * 10 ** 9",
        "-" * 50,
        "(" * 120,
        "fleet",
        "N",
    ),
    *("LLMInferenceWorkload(", "LLMInferenceModelSpec(", "InferenceModelSpec(", "ModelDeployment(", "ReplicaSchedule("),
    *(".ramp_to(1)", "spec=", "models=", "tuple(", "range(", "*MODELS", "**MODELS", "MODELS.append(1)\n", "N += 1\n"),
    *(
        "# name: \n",
        "# name: x\n",
        '# annotations: {"a": 1}\n',
        "# revision: {}\n",
        "# coding: latin-1\n",
        "async ",
        "await ",
    ),
)


def check(content: bytes) -> None:
    """Read; and what was accepted must survive being written as a script again."""
    for outcome in outcomes_of(content, "python"):
        if isinstance(outcome, InvalidDocumentError):
            assert outcome.problems
            assert all(problem.message and problem.where for problem in outcome.problems)
            continue
        assert content_of(document_of(written([outcome], "python"), "python"))[:3] == content_of(outcome)[:3]


@st.composite
def mutated_scripts(draw: st.DrawFn) -> bytes:
    """A valid script with a few places cut out, repeated, or replaced by what does not belong there."""
    text = draw(st.sampled_from(_SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 1, 2, 5, 40))))
        inserted = draw(st.sampled_from(_TOKENS) | st.just(text[start:end] * 2))
        text = text[:start] + inserted + text[end:]
    return text.encode()


@st.composite
def mutated_arguments(draw: st.DrawFn) -> bytes:
    """A valid script in which some words are exchanged for others: most of these are Python still."""
    text = draw(st.sampled_from(_SEEDS))
    words = (
        "8",
        "16",
        "0.1",
        "N",
        "MODELS",
        "spec",
        '"a"',
        '"x"',
        "BATCH",
        "initial_batch_size",
        "num_replicas",
        "range",
    )
    for _ in range(draw(st.integers(1, 5))):
        old = draw(st.sampled_from(words))
        places = [place for place in range(len(text)) if text.startswith(old, place)]
        if places:
            start = draw(st.sampled_from(places))
            new = draw(
                st.sampled_from((*words, "None", "()", "[1]", "{}", "-1", "1 / 0", "f()", "models", "BATCH * 99"))
            )
            text = text[:start] + new + text[start + len(old) :]
    return text.encode()


@given(mutated_scripts())
@examples(INPUTS)
def test_a_script_with_some_places_changed_is_read_or_refused(content: bytes) -> None:
    check(content)


@given(mutated_arguments())
@examples(INPUTS)
def test_a_script_with_some_words_changed_is_read_or_refused(content: bytes) -> None:
    check(content)


@given(st.lists(st.sampled_from(_TOKENS), max_size=25).map("".join))
@examples(INPUTS)
def test_any_words_of_python_are_read_or_refused(text: str) -> None:
    check(text.encode())


@given(st.binary(max_size=80))
@examples(INPUTS // 3)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    check(content)
