"""Short ways to make a file, to read what a format makes of it, and to see what it writes."""

import io
import json
from collections.abc import Iterable
from typing import Any

from openg2g.formats.document import Document
from openg2g.formats.registry import get_entry, get_format
from openg2g.models.errors import InvalidDocumentError


def outcomes_of(
    content: bytes | str | object, format_name: str = "json", max_bytes: int | None = None
) -> list[Document | InvalidDocumentError]:
    """Read what a file `f` holds; a value that is neither text nor bytes is written as JSON first."""
    text = content if isinstance(content, bytes | str) else json.dumps(content)
    data = text.encode() if isinstance(text, str) else text
    return list(get_format(format_name).read(io.BytesIO(data), "f", max_bytes))


def documents_of(content: bytes | str | object, format_name: str = "json") -> list[Document]:
    """Read a file in which every document is valid."""
    documents = []
    for outcome in outcomes_of(content, format_name):
        if isinstance(outcome, InvalidDocumentError):
            raise outcome
        documents.append(outcome)
    return documents


def document_of(content: bytes | str | object, format_name: str = "json") -> Document:
    """Read a file that holds one valid document."""
    (document,) = documents_of(content, format_name)
    return document


def problems_of(content: bytes | str | object, format_name: str = "json") -> list[tuple[str, str]]:
    """Path and message of everything wrong with the one document of a file."""
    (error,) = outcomes_of(content, format_name)
    assert isinstance(error, InvalidDocumentError), error
    return [(problem.path, problem.message) for problem in error.problems]


def message_of(content: bytes | str | object, format_name: str = "json", max_bytes: int | None = None) -> str:
    """What a user reads about the one invalid document of a file."""
    (error,) = outcomes_of(content, format_name, max_bytes)
    assert isinstance(error, InvalidDocumentError), error
    return str(error)


def written(documents: Iterable[Document], format_name: str = "json") -> str:
    """Write documents as a file that is text."""
    stream = io.StringIO()
    get_format(format_name).write(documents, stream)
    return stream.getvalue()


def written_bytes(documents: Iterable[Document], format_name: str) -> bytes:
    """Write documents as a file of any format."""
    if not get_entry(format_name).is_binary:
        return written(documents, format_name).encode()
    stream = io.BytesIO()
    get_format(format_name).write(documents, stream)
    return stream.getvalue()


def config_of(document: Document, version: str) -> Any:
    """Write a document as a configuration of OpenG2G, and decode it."""
    return json.loads(written([document], f"openg2g-{version}"))


def content_of(document: Document) -> tuple[object, ...]:
    """Everything but the place it was read from; as text where equality alone would take 1, 1.0 and true for one."""
    return document.workload, document.name, repr(document.annotations), document.revision


def model(**overrides: Any) -> dict[str, Any]:
    """Make a valid model of the catalog's own shape; name only what the test is about."""
    fields: dict[str, Any] = {
        "model_label": "a",
        "num_replicas": 2,
        "gpus_per_replica": 4,
        "initial_batch_size": 8,
        "itl_deadline_s": 0.1,
        "feasible_batch_sizes": [8, 16],
    }
    return fields | overrides


def value(*models: Any, **fields: Any) -> dict[str, Any]:
    """Make a document of the catalog's own shape, by default of one valid model."""
    return {"models": list(models or [model()]), **fields}


def nested(depth: int) -> Any:
    """A value of so many levels of lists and objects, in turn."""
    inner: Any = 1
    for level in range(depth):
        inner = [inner] if level % 2 else {"a": inner}
    return inner
