"""A module of workloads, written as `ruff format` writes it.

Lists are laid out one a line with a comma at the end, which every formatter keeps; what stands on one line fits it.
"""

import json
import keyword
import re
from collections.abc import Iterable
from typing import TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.json.text import encode_line
from openg2g.models.errors import InvalidDocumentError, Problem
from openg2g.models.spec import LLMInferenceModelSpec

MAX_BYTES = 2**19
"""Bytes of a script that is read, and so of a module that is written. Parsing takes some 600 times as much memory."""

_LINE_LENGTH = 88
_MAX_IDENTIFIER_LENGTH = 50
_OTHER_NAMES = frozenset({"LLMInferenceModelSpec", "LLMInferenceWorkload"})
_HEADER = '''"""Workloads of an OpenG2G workload catalog."""
'''
_IMPORT = "\nfrom openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload\n"
_FIELD_MARGIN = " " * 12
_MEMBER_MARGIN = " " * 16


def write_module(documents: Iterable[Document], stream: TextIO) -> None:
    """Write a module that assigns each workload to a name."""
    taken: set[str] = set()
    size = 0
    for text in _parts(documents, taken):
        size += len(text.encode())
        if size > MAX_BYTES:
            message = f"would be larger than {MAX_BYTES} bytes. Export fewer workloads, or as JSON Lines."
            raise InvalidDocumentError([Problem("a Python module", "", message)])
        stream.write(text)


def _parts(documents: Iterable[Document], taken: set[str]) -> Iterable[str]:
    yield _HEADER
    for number, document in enumerate(documents):
        if number == 0:
            yield _IMPORT
        yield f"\n{_workload_text(document, _identifier(document.name, taken))}"


def _workload_text(document: Document, identifier: str) -> str:
    value = native.value_from_document(document)
    lines = [f"# name: {document.name or ''}".rstrip()] if document.name != identifier else []
    lines += [f"# {key}: {_json_text(value[key])}" for key in ("annotations", "revision") if key in value]
    lines += [f"{identifier} = LLMInferenceWorkload(", "    models=("]
    for spec in document.workload.models:
        lines += ["        LLMInferenceModelSpec(", *_field_lines(spec), "        ),"]
    lines += ["    )", ")"]
    return "\n".join(lines) + "\n"


def _field_lines(spec: LLMInferenceModelSpec) -> list[str]:
    lines = [
        f"{_FIELD_MARGIN}{name}={getattr(spec, name)},"
        for name in ("num_replicas", "gpus_per_replica", "initial_batch_size")
    ]
    lines.insert(0, f"{_FIELD_MARGIN}model_label={string_literal(spec.model_label)},")
    lines.append(f"{_FIELD_MARGIN}itl_deadline_s={float_literal(spec.itl_deadline_s)},")
    sizes = [str(size) for size in spec.feasible_batch_sizes]
    line = f"{_FIELD_MARGIN}feasible_batch_sizes=({', '.join(sizes)}{',' if len(sizes) == 1 else ''}),"
    if len(line) <= _LINE_LENGTH:
        return [*lines, line]
    return [
        *lines,
        f"{_FIELD_MARGIN}feasible_batch_sizes=(",
        *(f"{_MEMBER_MARGIN}{size}," for size in sizes),
        f"{_FIELD_MARGIN}),",
    ]


def string_literal(text: str) -> str:
    r"""Write a text as Python source, in the quotes that take fewer escapes; what cannot be seen as `\x…`.

    Example:
        >>> print(string_literal("Llama-3.1-70B"), string_literal('the "large" one'))
        "Llama-3.1-70B" 'the "large" one'
    """
    quote = "'" if text.count('"') > text.count("'") else '"'
    inner = "".join(
        character if character.isprintable() else _escaped(character) for character in text.replace("\\", "\\\\")
    )
    return quote + inner.replace(quote, "\\" + quote) + quote


def float_literal(value: float) -> str:
    """Write a number as Python source: the shortest that reads back to it, without a plus in the exponent.

    Example:
        >>> float_literal(0.1), float_literal(1e22)
        ('0.1', '1e22')
    """
    return repr(value).replace("e+", "e")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _json_text(value: object) -> str:
    """Write JSON on one line, in which nothing is hidden that an editor or Python may take for the end of a line."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in encode_line(value))


def _identifier(name: str | None, taken: set[str]) -> str:
    """Make a variable's name of a workload's, which no other workload of the module has."""
    text = re.sub("[^A-Za-z0-9_]+", "_", name or "")[:_MAX_IDENTIFIER_LENGTH].rstrip("_") if name else ""
    if name is not None and name.isascii() and name.isidentifier() and len(name) <= _MAX_IDENTIFIER_LENGTH:
        text = name
    if not text.strip("_"):
        text = "workload"
    if not text[0].isalpha():
        text = f"workload_{text.lstrip('_')}"
    if keyword.iskeyword(text) or text in _OTHER_NAMES:
        text += "_"
    identifier, number = text, 1
    while identifier in taken:
        number += 1
        identifier = f"{text}_{number}"
    taken.add(identifier)
    return identifier
