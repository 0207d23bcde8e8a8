"""What classes and functions say of themselves, for those who read no Python.

Where Python leaves docstrings out (`PYTHONOPTIMIZE=2`, `-OO`), they are read from the source.
"""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any

_SECTION = "\nAttributes:\n"
_ENTRY = re.compile(r" {4}(?P<name>\w+): (?P<text>.*)")


def docstring_of(documented: type[Any] | Callable[..., Any]) -> str:
    """Return a docstring without its indentation; empty where there is none."""
    if sys.flags.optimize < 2:
        return inspect.cleandoc(documented.__doc__ or "")
    try:
        source = inspect.getsource(inspect.unwrap(documented))
    except OSError:  # There is no source, as in a frozen program.
        return ""
    [definition] = ast.parse(textwrap.dedent(source)).body
    assert isinstance(definition, ast.ClassDef | ast.FunctionDef)
    return ast.get_docstring(definition) or ""


def summary_of(cls: type[Any]) -> str:
    """Return the first line of a docstring."""
    return docstring_of(cls).partition("\n")[0]


def attribute_descriptions(cls: type[Any]) -> dict[str, str]:
    """Read the `Attributes:` section of a docstring: attribute → its description, on one line.

    Example:
        >>> from openg2g.models import LLMInferenceWorkload
        >>> attribute_descriptions(LLMInferenceWorkload)
        {'models': 'Model specs with distinct labels, at least one, declaration order kept.'}
    """
    _, _, section = docstring_of(cls).partition(_SECTION)
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if line and not line.startswith(" "):  # The next section.
            break
        if entry := _ENTRY.fullmatch(line):
            found[entry["name"]] = [entry["text"]]
        elif found and line:
            found[next(reversed(found))].append(line.strip())
    return {name: " ".join(lines) for name, lines in found.items()}
