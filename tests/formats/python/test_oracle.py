"""What is read of a script is what the script says when it is run: Python itself is the oracle.

The scripts are put together here, of statements that try to mislead: names that are assigned again, in branches, loops
and functions, and lists that are changed in place.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.formats.views import outcomes_of
from tests.strategies import examples

_STATEMENTS = (
    "N = 3",
    "N = N + 1",
    "N = 2 * N - M",
    "N += 1",
    "M = N",
    "M = N ** 2 % 7",
    "N = M = 5",
    "N, M = M, N",
    "T = (8, N)",
    "T = T + (M,) * 2",
    "T += (1,)",
    "T = (*T, *L)",
    "T = tuple(N * n for n in T)",
    "T = tuple(range(1, N % 9))",
    "N = T[0]",
    "L = [1, 2]",
    "L = [*L, N]",
    "L = K",
    "K = L",
    "K.append(9)",
    "L += [7]",
    "L[0] = 4",
    "K = [3]",
    "T = tuple(L)",
    "D = {'a': N, 'b': M}",
    "N = D['a']",
    "D['a'] = 6",
    "D = {**D, 'a': 1}",
    "if N > 3:\n    N = 1\nelse:\n    M = 2",
    "if N > 2:\n    K = L\n    K.append(5)",
    "for N in T:\n    M = N",
    "while N > 5:\n    N //= 2",
    "try:\n    N = T[9]\nexcept IndexError as M:\n    M = 4",
    "with Nothing() as N:\n    M = 6",
    "print_nothing(N := 7)",
    "M = (N := 2) + 1",
    "M = [N for N in (1, 2)][1]",
    "def f():\n    global N\n    N = 9",
    "def f():\n    N = 1\n    K.append(N)",
    "def f(N=4):\n    L.append(N)",
    "f()",
    "class C:\n    N = 8\n    M = N",
    "N = C.N",
    "del M",
    "M = 2",
    "tuple = list",
    "range = other_range",
    "from math import tau as N",
    "match T:\n    case [N, *L]:\n        pass\n    case _:\n        M = 1",
    "spec = LLMInferenceModelSpec('s', N, M, 3, 0.5, T)",
    "N = spec.num_replicas",
    "T = spec.feasible_batch_sizes",
)
_WORKLOADS = (
    "{} = LLMInferenceWorkload((LLMInferenceModelSpec('a', N, M, 8, 0.1, T),))",
    "{} = LLMInferenceWorkload(models=[LLMInferenceModelSpec('a', N * M, 1, 8, 1 / 10, feasible_batch_sizes=L)])",
    "if True:\n    {} = LLMInferenceWorkload((LLMInferenceModelSpec('a', N, M, 8, 0.1),))",
    "for n in (1, 2):\n    {} = LLMInferenceWorkload((LLMInferenceModelSpec('a', N, n, 8, 0.1),))\n    N = 5",
    "{} = (LLMInferenceModelSpec('a', 1, 1, 8, 0.1, K), LLMInferenceModelSpec('b', N, 1, 8, 0.1, T))",
    "class {}C:\n    {} = LLMInferenceWorkload((LLMInferenceModelSpec('a', N, M, 8, 0.1, T),))",
    "def {}F():\n    {} = LLMInferenceWorkload((LLMInferenceModelSpec('a', N, M, 8, 0.1, L),))\n    return {}",
)


class Nothing:
    """A context for a `with` statement."""

    def __enter__(self) -> int:
        """Give a number."""
        return 11

    def __exit__(self, *_: object) -> None:
        """Let errors pass."""


@st.composite
def misleading_scripts(draw: st.DrawFn) -> str:
    """Lines that may run, with workloads `w0`, `w1`, … among them."""
    lines = ["N = 2", "M = 4", "T = (8, 16)", "L = [8, 32]", "K = [1]", "D = {'a': 3}", "def f(): pass"]
    lines.append("class C:\n    N = 1\nspec = LLMInferenceModelSpec('s', 1, 2, 3, 0.5)")
    for number in range(draw(st.integers(1, 3))):
        lines += draw(st.lists(st.sampled_from(_STATEMENTS), max_size=6))
        lines.append(draw(st.sampled_from(_WORKLOADS)).replace("{}", f"w{number}"))
    lines += draw(st.lists(st.sampled_from(_STATEMENTS), max_size=4))
    return "\n".join(lines)


def values_of_run(script: str) -> dict[str, Any] | None:
    """Run a script; return what each name stands for at the end, None where it fails."""
    names: dict[str, Any] = {
        "LLMInferenceModelSpec": LLMInferenceModelSpec,
        "LLMInferenceWorkload": LLMInferenceWorkload,
        "Nothing": Nothing,
        "print_nothing": lambda value: None,
        "other_range": lambda *bounds: (1, 1),
    }
    try:
        exec(script, names)
        return names
    except (ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError):
        return None


@given(misleading_scripts())
@examples(300)
def test_what_is_read_of_a_script_is_what_it_says_when_it_is_run(script: str) -> None:
    names = values_of_run(script)
    if names is None:
        return
    for outcome in outcomes_of(script, "python"):
        if not isinstance(outcome, Document):
            continue
        assert outcome.name is not None
        place, _, name = outcome.name.rpartition(".")
        value = names[place or name]
        if place:  # In a class it is an attribute, in a function what this returns.
            value = value() if place.endswith("F") else getattr(value, name)
        models = value if isinstance(value, tuple) else value.models
        assert models == outcome.workload.models, script
