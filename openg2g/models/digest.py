r"""Identity of a value: SHA-256 over a canonical text, the same on every machine and in every release.

The canonical form is RFC 8785 JSON (JSON Canonicalization Scheme) in UTF-8: members sorted by key, no white space,
numbers as ECMAScript prints them, only `"` and `\\` escaped (labels hold no control characters). A model spec is

    {"feasible_batch_sizes":[64,128],"gpus_per_replica":4,"initial_batch_size":128,
     "itl_deadline_s":0.1,"model_label":"Llama-3.1-70B","num_replicas":180}

on one line, and a workload is `{"models":[…]}` with its model specs in order. The digest is written
`sha256:` and 64 lower-case hexadecimal digits. Any implementation of RFC 8785 reproduces it. A field that a later
release adds is left out of the canonical form while it has its default, so that a digest never changes.

Source: RFC 8785, and ECMA-262 Number::toString for the numbers.
"""

import hashlib
import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

DIGEST_PREFIX = "sha256:"

DIGEST_PATTERN = rf"{DIGEST_PREFIX}[0-9a-f]{{64}}"
"""Regular expression of a whole digest."""


def canonical_number(value: float) -> str:
    """Write a finite double > 0 as ECMAScript does: the shortest digits that read back to the same double.

    Example:
        >>> [canonical_number(x) for x in (0.1, 2.0, 1e-7, 1e21)]
        ['0.1', '2', '1e-7', '1e+21']
    """
    _, digit_tuple, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # Only infinities and NaN have another exponent.
    digits = "".join(map(str, digit_tuple))
    point = len(digits) + exponent  # Position of the decimal point, counted from the first digit.
    if 0 < point <= 21:
        return digits + "0" * (point - len(digits)) if exponent >= 0 else f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


_CACHED_SPECS = 16_384  # The workloads of a sweep share most of their specs. Both caches take some 20 MB.
_DIGEST = re.compile(DIGEST_PATTERN)


class _Known(NamedTuple):
    """A spec, which is kept as long as its `id` is a key, with its canonical text and its digest."""

    spec: LLMInferenceModelSpec
    text: str
    digest: str


# First by identity: a spec hashes all its fields each time, which takes longer than everything else of an import.
_known_by_id: dict[int, _Known] = {}


def _known(spec: LLMInferenceModelSpec) -> _Known:
    known = _known_by_id.get(id(spec))
    if known is None:
        if len(_known_by_id) >= _CACHED_SPECS:
            _known_by_id.clear()
        known = _known_by_id[id(spec)] = _Known(spec, *_text_and_digest(spec))
    return known


def _known_of(workload: LLMInferenceWorkload) -> list[_Known]:
    try:
        return [_known_by_id[id(spec)] for spec in workload.models]  # Nearly always: those of a sweep are shared.
    except KeyError:
        return [_known(spec) for spec in workload.models]


@lru_cache(maxsize=_CACHED_SPECS)
def _text_and_digest(spec: LLMInferenceModelSpec) -> tuple[str, str]:
    text = (
        f'{{"feasible_batch_sizes":[{",".join(map(str, spec.feasible_batch_sizes))}]'
        f',"gpus_per_replica":{spec.gpus_per_replica}'
        f',"initial_batch_size":{spec.initial_batch_size}'
        f',"itl_deadline_s":{canonical_number(spec.itl_deadline_s)}'
        f',"model_label":{json.dumps(spec.model_label, ensure_ascii=False)}'
        f',"num_replicas":{spec.num_replicas}}}'
    )
    return text, digest_of(text)


def canonical_model_spec(spec: LLMInferenceModelSpec) -> str:
    """Canonical text of a model spec."""
    return _known(spec).text


def canonical_workload(workload: LLMInferenceWorkload) -> str:
    """Canonical text of a workload: its model specs, in order."""
    return f'{{"models":[{",".join([known.text for known in _known_of(workload)])}]}}'


def digest_of(canonical_text: str) -> str:
    """`sha256:` and the hexadecimal SHA-256 of a canonical text in UTF-8."""
    return DIGEST_PREFIX + hashlib.sha256(canonical_text.encode()).hexdigest()


def is_digest(text: str) -> bool:
    """Whether a text is a digest as this module writes them."""
    return _DIGEST.fullmatch(text) is not None


def model_spec_digest(spec: LLMInferenceModelSpec) -> str:
    """Digest of a model spec."""
    return _known(spec).digest


def model_spec_digests(workload: LLMInferenceWorkload) -> list[str]:
    """Digests of the model specs of a workload, in order."""
    return [known.digest for known in _known_of(workload)]


def forget_digests() -> None:
    """Let every digest be computed anew, as in another process: to measure what that takes."""
    _known_by_id.clear()
    _text_and_digest.cache_clear()


def workload_digest(workload: LLMInferenceWorkload) -> str:
    """Digest of a workload. Equal workloads have equal digests; model order and batch-size order count.

    Example:
        >>> spec = LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1)
        >>> workload_digest(LLMInferenceWorkload((spec,)))[:19]
        'sha256:ba987c8e378f'
    """
    return digest_of(canonical_workload(workload))


def batch_sizes_digest(batch_sizes: tuple[int, ...]) -> str:
    """Digest of an ordered list of batch sizes: of the JSON array without white space."""
    return digest_of(f"[{','.join(map(str, batch_sizes))}]")
