"""The scripts of a source tree: which files they are, and those among them in which a workload may stand."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from openg2g.formats.document import Document
from openg2g.formats.python.files import MARKERS, ScriptReader
from openg2g.formats.python.writing import MAX_BYTES
from openg2g.models.errors import InvalidDocumentError, SourceError

SKIPPED_DIRECTORIES = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"})
"""Directories that hold nobody's own sources, beside those whose names begin with a dot."""

_SUFFIX = ".py"
_BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Script:
    """A script that has been read.

    Attributes:
        path: Its path, that of the tree first, with slashes.
        outcomes: Its workloads in order of lines, and in place of one that cannot be read what is wrong with it.
    """

    path: str
    outcomes: tuple[Document | InvalidDocumentError, ...]


def read_tree(root: str) -> Iterator[Script]:
    """Read every script below a directory, or one file, by path; nothing in it is run.

    Symbolic links in it are not followed: what they lead to is read where it is, or is not in the tree.

    Raises:
        SourceError: There is no such file or directory, or one cannot be read.
    """
    for path in script_paths(root):
        try:
            data = _data_with_marker(path)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}.") from error
        shown = os.fsencode(path).decode(errors="backslashreplace").replace(os.sep, "/")
        yield Script(shown, tuple(ScriptReader(shown).outcomes(data)) if data else ())


def script_paths(root: str) -> Iterator[str]:
    """Yield the path of every script below a directory, sorted within each; a file is its only one.

    Raises:
        SourceError: There is no such file or directory, or a directory cannot be read.
    """
    try:
        is_directory = os.path.isdir(root)
        if not is_directory:
            os.stat(root)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
        raise SourceError(f"{root} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if not is_directory:
        yield root
        return
    for directory, directories, files in os.walk(root, onerror=_refuse):
        directories[:] = sorted(name for name in directories if name not in SKIPPED_DIRECTORIES and name[0] != ".")
        for name in sorted(files):
            path = os.path.join(directory, name)
            # A pipe of that name would keep us waiting; a link leads out of the tree, or to what is read anyway.
            if name.endswith(_SUFFIX) and stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _data_with_marker(path: str) -> bytes:
    """Return the bytes of a script in which a workload may stand, those that are read at most; else none."""
    kept = max(map(len, MARKERS)) - 1
    with open(path, "rb") as stream:
        data = stream.read(MAX_BYTES + 1)
        tail = data
        while True:
            if any(marker in tail for marker in MARKERS):
                return data
            block = stream.read(_BLOCK_BYTES)
            if not block:
                return b""
            tail = tail[-kept:] + block
