"""What a class says of its attributes, for those who read no Python."""

import inspect
import re
from typing import Any

_SECTION = "\nAttributes:\n"
_ENTRY = re.compile(r" {4}(?P<name>\w+): (?P<text>.*)")


def summary_of(cls: type[Any]) -> str:
    """Return the first line of a docstring; empty where there is none, as when Python is told to optimize (`-OO`)."""
    return (cls.__doc__ or "").partition("\n")[0]


def attribute_descriptions(cls: type[Any]) -> dict[str, str]:
    """Read the `Attributes:` section of a docstring: attribute → its description, on one line.

    Example:
        >>> from openg2g.models import LLMInferenceWorkload
        >>> attribute_descriptions(LLMInferenceWorkload)
        {'models': 'Model specs with distinct labels, at least one, declaration order kept.'}
    """
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition(_SECTION)
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if line and not line.startswith(" "):  # The next section.
            break
        if entry := _ENTRY.fullmatch(line):
            found[entry["name"]] = [entry["text"]]
        elif found and line:
            found[next(reversed(found))].append(line.strip())
    return {name: " ".join(lines) for name, lines in found.items()}
