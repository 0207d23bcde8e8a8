"""Writing YAML that readers of YAML 1.1 and of YAML 1.2 take for the same, with or without PyYAML.

Objects in blocks, lists of plain values on one line, every string in double quotes:

    name: "fleet"
    models:
      - model_label: "Llama-3.1-70B"
        itl_deadline_s: 1.0e-07
        feasible_batch_sizes: [64, 128]
"""

import json
import re
from collections.abc import Mapping

# U+0085, U+2028 and U+2029 break lines in YAML 1.1 and are ordinary in YAML 1.2; the others may not stand in either.
ESCAPED_ONLY = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""A character that YAML files hold as an escape in double quotes only."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS_OF_1_1 = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_MAX_SIMPLE_KEY = 1_000  # Of a longer one neither version finds the colon within the 1,024 characters that it looks.


def encode_yaml(value: object, margin: str = "") -> str:
    """Write a JSON value: objects in blocks, lists of plain values on one line, every string in double quotes.

    Keys that are words in both versions of YAML stand without quotes.
    """
    if not _is_block(value):
        return _flow(value)
    if isinstance(value, Mapping):
        return f"\n{margin}".join(f"{_key(key, margin)}:{_after_colon(item, margin)}" for key, item in value.items())
    assert isinstance(value, list | tuple)
    return f"\n{margin}".join(f"- {encode_yaml(item, margin + '  ')}" for item in value)


def _is_block(value: object) -> bool:
    """Whether a value is written over several lines: an object, or a list that holds lists or objects."""
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value)


def _after_colon(value: object, margin: str) -> str:
    if not _is_block(value):
        return f" {_flow(value)}"
    inner = margin + "  "
    return f"\n{inner}{encode_yaml(value, inner)}"


def _key(key: str, margin: str) -> str:
    is_word = _IDENTIFIER.fullmatch(key) and key.lower() not in _WORDS_OF_1_1
    text = key if is_word else _quoted(key)
    return text if len(text) <= _MAX_SIMPLE_KEY else f"? {text}\n{margin}"


def _flow(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        return _quoted(value)
    text = json.dumps(value, allow_nan=False)
    if isinstance(value, float) and "." not in text:  # 1e-07 is a string in YAML 1.1, which wants a dot.
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa}.0e{exponent}"
    return text


def _quoted(text: str) -> str:
    """Write a string in double quotes; the escapes of JSON are escapes of YAML."""
    escaped = json.dumps(text, ensure_ascii=False)
    return ESCAPED_ONLY.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)
