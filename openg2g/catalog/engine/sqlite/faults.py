"""What SQLite refuses, said so that its user knows what, where, why, and what to do."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.sqlite.files import other_owner_of_file
from openg2g.models.errors import (
    CatalogError,
    CatalogLockedError,
    CatalogNotFoundError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    DamagedCatalogError,
    Doubt,
    LocationError,
    NotACatalogError,
)

# Code → kind of error, and what is said behind the location. `{}` is what SQLite says.
_NOT_SUPPORTED = (
    CatalogUnavailableError,
    ": the file system does not do what SQLite needs ({}). Use another directory, or PostgreSQL.",
)
_IS_LOCKED = (CatalogLockedError, " is locked by another process. Try again when it has finished.")
_EXPLANATIONS: Mapping[int, tuple[type[CatalogError], str]] = {
    sqlite3.SQLITE_BUSY: _IS_LOCKED,
    sqlite3.SQLITE_LOCKED: _IS_LOCKED,
    sqlite3.SQLITE_NOTADB: (NotACatalogError, " is not a catalog: it is not an SQLite file."),
    sqlite3.SQLITE_CONSTRAINT: (
        CatalogError,
        ": a rule of the tables refuses a row: {}. Nothing was stored.",
    ),
    sqlite3.SQLITE_NOMEM: (CatalogUnavailableError, ": there is not enough memory. Nothing was stored."),
    sqlite3.SQLITE_TOOBIG: (CatalogError, ": a value is larger than 512 MiB, which no catalog stores."),
    sqlite3.SQLITE_INTERRUPT: (
        CatalogUnavailableError,
        ": a statement was ended, since it took more steps than any of a sound catalog.",
    ),
    sqlite3.SQLITE_PROTOCOL: _NOT_SUPPORTED,
    sqlite3.SQLITE_NOLFS: _NOT_SUPPORTED,
}
_DOUBTS: Mapping[int, Sequence[Doubt]] = {
    sqlite3.SQLITE_CONSTRAINT: ["content"],
    sqlite3.SQLITE_INTERRUPT: ["tables", "content"],
}
_READING = ("SELECT", "WITH", "PRAGMA", "EXPLAIN", "BEGIN")
_TEMPORARY_DIRECTORIES = ("SQLITE_TMPDIR", "TMPDIR")  # As SQLite looks for them.


def is_locked(error: BaseException | None) -> bool:
    """Whether SQLite refused because another connection holds the lock: to be tried again."""
    return isinstance(error, sqlite3.Error) and _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def sqlite_error(error: BaseException | None, location: Location, statement: str | None) -> CatalogError:
    """Translate an error of SQLite; a statement that reads can only fill the disk of temporary files."""
    path = location.path
    assert path is not None
    code = _code(error)
    if code in _EXPLANATIONS:
        kind, explanation = _EXPLANATIONS[code]
        return kind(f"{location}{explanation.format(error)}", doubts=_DOUBTS.get(code, ()))
    match code:
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only(getattr(error, "sqlite_errorcode", 0), path)
        case sqlite3.SQLITE_CANTOPEN:
            return _cannot_open(path)
        case sqlite3.SQLITE_CORRUPT:
            return damaged(location, error)
        case sqlite3.SQLITE_FULL:
            return _full(path, statement)
        case sqlite3.SQLITE_IOERR:
            return _not_read_or_written(error, path)
    return _other(str(error), location)


def damaged(location: Location, problem: object) -> DamagedCatalogError:
    """Make the error that says that a file is damaged."""
    return DamagedCatalogError(f"{location} is damaged ({problem}). Restore it from a backup.")


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _other(text: str, location: Location) -> CatalogError:
    if "user-defined function raised" in text:  # Ours read annotations, and refuse those that we do not write.
        return DamagedCatalogError(f"{location} is damaged: stored annotations cannot be read.", doubts=["content"])
    if "decode to UTF-8" in text:
        return DamagedCatalogError(f"{location} is damaged: a stored text is no text.", doubts=["content"])
    if text.startswith(("no such table", "no such column", "no such function", "no such view")):
        return CatalogError(f"{location}: the tables are not those of a catalog ({text}).", doubts=["tables"])
    return CatalogError(f"{location}: {' '.join(text.split())}")


def _read_only(code: int, path: Path) -> CatalogError:
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return CatalogUnavailableError(
            f"{path} was replaced or taken away while it was open. Nothing was stored; open the catalog again."
        )
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return _died_while_writing(path)
    return _write_needed(path) or CatalogReadOnlyError(
        f"{path} may only be read: check the permissions of the file and directory{_owner(path)}."
    )


def _cannot_open(path: Path) -> CatalogError:
    """Look why SQLite could not open a file, which it does not tell."""
    if not path.parent.is_dir():
        return CatalogUnavailableError(f"{path}: the directory {path.parent} does not exist. Create it first.")
    if path.is_dir():
        return LocationError(f"{path} is a directory. Name a file in it.")
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            return CatalogReadOnlyError(
                f"{path} cannot be made: the directory {path.parent} may only be read{_owner(path.parent)}."
            )
        return CatalogNotFoundError(str(path), "the file does not exist")
    if os.access(path, os.R_OK):
        return _write_needed(path) or CatalogUnavailableError(
            f"{path}: SQLite cannot open the file, its journal, or a temporary file in {_temporary_directory()}. Check "
            "the permissions of both directories, and how many files are open (`ulimit -n`)."
        )
    return CatalogReadOnlyError(f"{path} cannot be opened: check its permissions{_owner(path)}.")


@cache
def _is_wal(path: Path) -> bool:
    """Whether a file has a write-ahead log. It stays open: closing it would end every lock of SQLite's in this process.

    Source: https://www.sqlite.org/fileformat.html, bytes 18 and 19.
    """
    try:
        return os.read(os.open(path, os.O_RDONLY), 20)[18:] == b"\2\2"
    except OSError:
        return False


def _has_foreign_journal(path: Path) -> bool:
    """Whether what a process that died left is to be undone first, and this user may not do that."""
    journal = Path(f"{path}-journal")
    try:
        return journal.stat().st_size > 0 and not (os.access(journal, os.W_OK) and _may_write(path))
    except OSError:
        return False


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _write_needed(path: Path) -> CatalogError | None:
    """Say why even reading takes the right to write, which this user lacks; None where it does not."""
    if _has_foreign_journal(path):
        return _died_while_writing(path)
    if _may_write(path) or not _is_wal(path):
        return None
    return CatalogReadOnlyError(
        f"{path} has a write-ahead log, which even readers write to: this user may not write to the file or to "
        f"its directory{_owner(path)}. Ask for the right, or for a backup to put into a directory of yours."
    )


def _died_while_writing(path: Path) -> CatalogError:
    journal = Path(f"{path}-journal")
    return CatalogReadOnlyError(
        f"{path} cannot be read yet: a process died while it wrote, and {journal.name} must be played back by somebody "
        f"who may write to both files and their directory{_owner(journal)}: reading the catalog does it. To let a "
        "group share a catalog, use a directory with the setgid bit and umask 002."
    )


def _full(path: Path, statement: str | None) -> CatalogError:
    """Tell which disk is full: the catalog's, or that of SQLite's temporary files."""
    temporary = _temporary_directory()
    advice = f"Make room, or set SQLITE_TMPDIR to a directory on a larger disk than {temporary}"
    if statement is not None and statement.lstrip().upper().startswith(_READING):
        return CatalogUnavailableError(f"{path}: the disk of the temporary files, {temporary}, is full. {advice}.")
    if os.stat(temporary).st_dev == os.stat(path.parent).st_dev:
        return CatalogUnavailableError(f"{path}: the disk is full. Nothing was stored.")
    return CatalogUnavailableError(
        f"{path}: the disk is full. Nothing was stored. It is that of the catalog ({_free(path.parent)} free now) or "
        f"that of the temporary files, {temporary} ({_free(temporary)}). {advice}."
    )


def _not_read_or_written(error: BaseException | None, path: Path) -> CatalogError:
    if _has_foreign_journal(path):
        return _died_while_writing(path)
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_GETTEMPPATH:
        return CatalogUnavailableError(
            f"{path}: there is no directory for temporary files. Set SQLITE_TMPDIR to one that may be written to."
        )
    return CatalogUnavailableError(
        f"{path} cannot be read or written ({error}). Check the disk, and that of the temporary files, "
        f"{_temporary_directory()}."
    )


def _temporary_directory() -> Path:
    """Return the directory that SQLite takes for temporary files."""
    for variable in _TEMPORARY_DIRECTORIES:
        named = os.environ.get(variable)
        if named and os.path.isdir(named) and os.access(named, os.W_OK | os.X_OK):
            return Path(named)
    others = [Path(name) for name in ("/var/tmp", "/usr/tmp", "/tmp") if os.access(name, os.W_OK | os.X_OK)]
    return others[0] if others else Path(tempfile.gettempdir())


def _free(directory: Path) -> str:
    return f"{shutil.disk_usage(directory).free / 2**20:,.0f} MiB"


def _owner(path: Path) -> str:
    owner = other_owner_of_file(path)
    return f" (it belongs to {owner})" if owner is not None else ""
