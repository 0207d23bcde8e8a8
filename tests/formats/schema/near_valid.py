"""Hypothesis strategies: a valid value with a few things done to it, so that about half of the results are refused."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from openg2g.models.spec import MAX_COUNT
from tests.strategies import json_values

DIGEST = f"sha256:{'0123456789abcdef' * 4}"

TIMES = (
    "2026-03-01T12:00:00Z",
    "2026-03-01 13:00+01:00",
    "20260301T120000,5-0130",
    "2026-W09-7T12Z",
    "2026-03-01",
    "2026-03-01T12:00",
    "2026-02-30T12:00Z",
    "0001-01-01T00:00+01:00",
    "yesterday",
    "2026-03-01T12:00:00Z\n",
)
TEXTS = (
    *("", " ", "\u3000", "a", "fleet", "-a", "a b", "a@3", "a:b", "a*", "a?", "a[0]", "é🚀", "a\n", "\ta", "a\u2028"),
    *(
        "\0",
        "a\0b",
        "a\x1b",
        "a\x7f",
        "\x85",
        "\ufeff",
        "x" * 200,
        "x" * 201,
        "🚀" * 200,
        "🚀" * 201,
        "8",
        "1e5",
        "true",
    ),
    *(DIGEST, DIGEST.upper(), DIGEST[:-1], DIGEST + "0", DIGEST + "\n", "openg2g-workload/1", "openg2g-workload/2"),
    *TIMES,
)
NUMBERS = (0, 1, -1, 8, MAX_COUNT, MAX_COUNT + 1, 2**63, 10**400, 0.0, -0.5, 0.1, 1.0, 1.5, 5e-324, 1e308)
KEYS = (
    *(
        "$schema",
        "format",
        "name",
        "models",
        "annotations",
        "revision",
        "deployments",
        "dc_sites",
        "spec",
        "openg2g",
        "note",
        "a\0",
    ),
    *("model_label", "num_replicas", "gpus_per_replica", "initial_batch_size", "itl_deadline_s"),
    *("feasible_batch_sizes", "initial_num_replicas", "simulated_num_replicas", "batch_sizes", "model_id"),
    *("deployment", "omitted", "number", "digest", "recorded_at", "effective_from", "author", "message", "source"),
)


def replacements() -> st.SearchStrategy[Any]:
    """Values of every kind, with a bias towards the edges of rules."""
    lists = ([], [8], [8, 16], [0], ["8"], [1.5], [None], [[8]], {}, {"a": 1}, {"a\0": 1}, {"a": ["\0"]})
    plain = st.sampled_from((None, True, False, *NUMBERS)) | st.sampled_from(TEXTS)
    return plain | st.sampled_from(lists).map(copy.deepcopy) | json_values()


@st.composite
def near_valid(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> Any:
    """A value to which none, one or a few things were done."""
    root = [copy.deepcopy(draw(values))]
    for _ in range(draw(st.sampled_from((0, 1, 1, 1, 2, 3)))):
        holder, key = draw(st.sampled_from(list(_slots(root))))
        match draw(st.sampled_from(("replace", "replace", "replace", "delete", "add", "repeat", "rename"))):
            case "replace":
                holder[key] = draw(replacements())
            case "delete" if holder is not root:
                del holder[key]
            case "add" if isinstance(holder[key], dict):
                holder[key][draw(st.sampled_from(KEYS))] = draw(replacements())
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS + TEXTS))] = holder.pop(key)
            case "repeat" if isinstance(holder, list) and holder is not root:
                holder.append(copy.deepcopy(holder[key]))
            case _:
                pass
    return root[0]


def _slots(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a value, as what holds it and the key or index."""
    for key in range(len(holder)) if isinstance(holder, list) else list(holder):
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _slots(holder[key])
