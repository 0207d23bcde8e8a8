"""Python scripts: the workloads that stand in them as literals are read, and nothing is ever run.

    # name: sweep/1
    fleet = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1, BATCH_SIZES),))

Each `LLMInferenceWorkload(...)` is a document, named like what it is assigned to (`main.fleet` in a function or class),
and so is each list or tuple of `InferenceModelSpec(...)` or of deployments that is assigned to a name. A list of
`LLMInferenceModelSpec(...)` is one too, unless a workload is made of it. Lines of comment directly above say what the
classes cannot express, and `openg2g export --format python` writes them so:

- `# name: NAME`, the name where that of the variable will not do, and `# name:` for none;
- `# annotations: {…}` and `# revision: {…}`, JSON objects on one line, as in the catalog's own documents.

A value that cannot be known without running the script is named with its line; the other workloads are read. What a
function makes of its parameters is no literal, and passed over.
"""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document, shown
from openg2g.formats.json.text import decode_json
from openg2g.formats.limits import size_text
from openg2g.formats.losses import KeepsEverything
from openg2g.formats.python.literals import DEPLOYMENTS, MODEL_SPEC, MODEL_SPEC_0_0_1, WORKLOAD
from openg2g.formats.python.search import Found, ScriptSearch
from openg2g.formats.python.values import weight_of
from openg2g.formats.python.workloads import (
    DependsOnParametersError,
    OnlySpecsError,
    WorkloadReader,
    specs_of,
)
from openg2g.formats.python.writing import MAX_BYTES, write_module
from openg2g.formats.text_files import invalid, read_at_most
from openg2g.models.errors import InvalidDocumentError, Problem

MARKERS = tuple(name.encode() for name in (WORKLOAD, MODEL_SPEC, *DEPLOYMENTS))
"""A script without any of these has no workload. (The name of 0.0.1's model spec ends with that of the later one.)"""

_ENCODINGS = frozenset({"utf-8", "utf-8-sig", "ascii", "us-ascii", "iso-8859-1", "latin-1", "cp1252", "windows-1252"})
_COMMENT = re.compile(r"#\s*(name|annotations|revision):(.*)")
_SHOWN_CHARACTERS = 60
_NOTHING = (
    f"has no workload: no {WORKLOAD}(...), and no list of {MODEL_SPEC}(...) or ModelDeployment(...) "
    "that is assigned to a name."
)


@dataclass(frozen=True)
class PythonScripts(KeepsEverything):
    """Reads the literals of scripts, writes modules of literals."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield each workload of a script, or what is wrong with it; an error where there is none."""
        reader = ScriptReader(where, max_bytes)
        outcomes = reader.outcomes(read_at_most(stream, (max_bytes or MAX_BYTES) + 1))
        yield from outcomes or [InvalidDocumentError([Problem(where, "", " ".join([_NOTHING, *reader.passed_over]))])]

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a module that makes the workloads."""
        write_module(documents, stream)


PYTHON = PythonScripts()


class ScriptReader:
    """Reads one script."""

    def __init__(self, where: str, max_bytes: int | None = None) -> None:
        self.where = where
        self._max_bytes = max_bytes or MAX_BYTES
        self.passed_over: list[str] = []
        self._lines: list[str] = []
        self._comments_above: dict[int, _Comments] = {}

    def outcomes(self, data: bytes) -> list[Document | InvalidDocumentError]:
        """Return each workload, or what is wrong with it, by line; none for a script without any."""
        try:
            module = self._parsed(data)
        except InvalidDocumentError as error:
            return [error]
        search = ScriptSearch(module)
        if search.evaluator.is_exhausted:  # What came after that is not told, not even which classes are called.
            return [self._error("computes too much: that is no script that we read.")]
        outcomes: list[Document | InvalidDocumentError] = []
        lines_of_names: dict[str, int] = {}
        for found in self._workloads(search):
            weight = weight_of(found.value) + self._comments(found).weight
            if not search.evaluator.charge(weight):
                message = (
                    f"has more workloads than we read from one script: the rest, from line {found.node.lineno} on,"
                )
                return [*outcomes, self._error(f"{message} was not read.")]
            try:
                document = self._document(found, search, lines_of_names)
            except InvalidDocumentError as error:
                outcomes.append(error)
            except (OnlySpecsError, DependsOnParametersError) as reason:
                self.passed_over.append(f"Passed over in line {found.node.lineno}: {reason}.")
            else:
                outcomes.append(document)
        return outcomes

    def _parsed(self, data: bytes) -> ast.Module:
        if len(data) > self._max_bytes:
            message = f"is larger than {size_text(self._max_bytes)}: that is no script that we read."
            raise invalid(self.where, message, setting="file_bytes")
        text = self._decoded(data)
        self._lines = text.split("\n")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python warns of "\d" and of `1 is 1`; both are the script's business.
                return ast.parse(text)
        except SyntaxError as error:
            place = (error.lineno or None, error.offset or None) if error.lineno else ()
            raise self._error(f"is no Python that we read: {error.msg.partition(';')[0]}.", *place) from None
        except (RecursionError, MemoryError):
            raise self._error("is nested too deeply.") from None
        except ValueError as error:  # A NUL.
            raise self._error(f"is no Python that we read: {error}.") from None

    def _decoded(self, data: bytes) -> str:
        """Decode a script as its first lines say, and make its lines end in one way."""
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        except (SyntaxError, UnicodeDecodeError) as error:
            raise self._error(f"is not UTF-8 text, and says no other encoding that we read: {error}.") from None
        if encoding.lower() not in _ENCODINGS:
            raise self._error(f"says that its encoding is {shown(encoding)}, which is not read. Save it as UTF-8.")
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            raise self._error(f"is not {encoding} text (byte {error.start}).") from None
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _workloads(self, search: ScriptSearch) -> list[Found]:
        """Return what was found, without the lists of model specs that a workload is made of."""
        used = {id(spec) for found in search.found if not _is_list(found) for spec in specs_of(found)}
        return [
            found
            for found in search.found
            if not (_is_list(found) and _specs_of_0_0_1(found) and {id(spec) for spec in specs_of(found)} <= used)
        ]

    def _document(self, found: Found, search: ScriptSearch, lines_of_names: dict[str, int]) -> Document:
        comments = self._comments(found).said()
        where = f"{self.where}:{found.node.lineno}"
        reader = WorkloadReader(found, search.schedules, self.where, self._place, self._text)
        document = reader.read()
        line = found.node.lineno
        if found.name is not None and "name" not in comments and lines_of_names.setdefault(found.name, line) != line:
            message = f"names a second workload (the first is in line {lines_of_names[found.name]}). Give it another."
            raise InvalidDocumentError([Problem(self.where, f"name {found.name!r}", message, line)])
        value = native.value_from_document(replace(document, name=found.name))
        value |= {key: item for key, item in comments.items() if key != "annotations"}
        value["annotations"] = {**document.annotations, **comments.get("annotations", {})}
        try:
            return native.document_from_value(value, where)
        except InvalidDocumentError as error:  # Of a comment, or of a name that the catalog cannot store.
            raise InvalidDocumentError([replace(p, where=self.where, line=line) for p in error.problems]) from None

    def _comments(self, found: Found) -> "_Comments":
        """Find the lines of comment directly above a statement, once for all of its workloads."""
        line = found.statement.lineno
        if line not in self._comments_above:
            self._comments_above[line] = _Comments(self._lines, line - 1, self.where)
        return self._comments_above[line]

    def _place(self, node: ast.AST) -> tuple[int, int]:
        line, start = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        column = len(self._lines[line - 1].encode()[:start].decode(errors="replace")) + 1
        return line, column

    def _text(self, node: ast.AST) -> str:
        """Source text of an expression on one line, cut where it is long."""
        line, end_line = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if not line or not end_line:
            return node.id if isinstance(node, ast.Name) else type(node).__name__
        lines = [self._lines[number].encode() for number in range(line - 1, min(end_line, line + _SHOWN_CHARACTERS))]
        if line - 1 + len(lines) == end_line:
            lines[-1] = lines[-1][: getattr(node, "end_col_offset", 0)]
        lines[0] = lines[0][getattr(node, "col_offset", 0) :]
        text = " ".join(b" ".join(lines).decode(errors="replace").split())
        return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"

    def _error(self, message: str, line: int | None = None, column: int | None = None) -> InvalidDocumentError:
        return invalid(self.where, message, line, column)


class _Comments:
    """The lines of comment that end at a line, which say something of the workloads below them."""

    def __init__(self, lines: list[str], last: int, where: str) -> None:
        self._where = where
        self._lines: list[tuple[int, str]] = []
        while last > 0 and lines[last - 1].lstrip().startswith("#"):
            self._lines.append((last, lines[last - 1].strip()))
            last -= 1
        self.weight = sum(weight_of(text) for _, text in self._lines)
        self._said: dict[str, Any] | None = None

    def said(self) -> dict[str, Any]:
        """Return what they say, by key; of two lines for one key, the lower one."""
        if self._said is None:
            said: dict[str, Any] = {}
            for number, line in self._lines:
                match = _COMMENT.match(line)
                key, text = (match[1], match[2].strip()) if match else ("", "")
                if key == "name":
                    said.setdefault("name", text or None)
                elif key and text.startswith("{"):
                    said.setdefault(key, self._object(key, text, number))
            self._said = said
        return self._said

    def _object(self, key: str, text: str, line: int) -> Mapping[str, Any]:
        value = decode_json(text, self._where, line=line)
        if not isinstance(value, Mapping):
            raise InvalidDocumentError([Problem(self._where, key, f"must be an object, got {shown(value)}.", line)])
        return value


def _is_list(found: Found) -> bool:
    return not hasattr(found.value, "kind")


def _specs_of_0_0_1(found: Found) -> bool:
    return any(spec.kind == MODEL_SPEC_0_0_1 for spec in specs_of(found))
