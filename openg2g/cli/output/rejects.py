"""`openg2g import --keep-going --rejects FILE`: the documents that were refused, each with the reasons."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from openg2g.cli.hints import problem_value
from openg2g.formats.files import writing_text
from openg2g.models.errors import InvalidDocumentError, Problem


class Rejects:
    """Writes a line for each document that is refused, while the others are imported.

    A line is a JSON object: `problems`, each with `where`, `line`, `column`, `path` and `message`, and `document`, the
    text of the document where its file is JSON Lines, else null.

    Args:
        stream: Where to.
        max_documents: How many are allowed; None for any number.

    Attributes:
        count: Documents that were refused.
    """

    keep_the_rest = True
    is_full = False

    def __init__(self, stream: TextIO, max_documents: int | None) -> None:
        self._stream = stream
        self._max_documents = max_documents
        self.count = 0

    def add(self, error: InvalidDocumentError, label: str) -> None:
        """Write a line; raise `InvalidDocumentError` where it is one too many."""
        self.count += 1
        if self._max_documents is not None and self.count > self._max_documents:
            number = "one document is" if self._max_documents == 1 else f"{self._max_documents} documents are"
            message = f"was not read further, and nothing is imported: more than {number} refused."
            raise InvalidDocumentError([*error.problems, Problem(label, "", message, setting="max_problems")])
        value = {"problems": [problem_value(problem) for problem in error.problems], "document": error.text}
        self._stream.write(json.dumps(value) + "\n")

    def raise_problems(self) -> None:
        """Raise nothing: the others are imported."""


@contextmanager
def rejects_file(path: str, max_documents: int | None) -> Iterator[Rejects]:
    """Lend what writes the file, which appears complete when the block ends, and not at all if it fails."""
    if os.path.lexists(path):
        raise click.UsageError(f"--rejects {path}: it exists already. Name a new file.")
    with writing_text(path, replace=False) as stream:
        yield Rejects(stream, max_documents)
