"""The file of an SQLite catalog: made for a group where the umask says so, and nothing but a file."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from openg2g.models.errors import CatalogUnavailableError, NotACatalogError


def make_file(path: Path) -> None:
    """Make an empty file if there is none, with what the umask leaves: SQLite lets only its owner write.

    What is in the way, SQLite says when it opens the file. Journals get the permissions of the file.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))


def require_regular_files(path: Path) -> None:
    """Make sure that neither a file nor a journal beside it is a pipe or device, which SQLite may wait for forever.

    Raises:
        NotACatalogError: The file is one.
        CatalogUnavailableError: A journal is.
    """
    real = os.path.realpath(path)  # SQLite, too, looks for journals beside what a link leads to.
    for place in (real, *(f"{real}-{ending}" for ending in ("journal", "wal", "shm"))):
        try:
            mode = os.stat(place).st_mode
        except OSError:  # SQLite says what is wrong.
            continue
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            continue
        if place == real:
            raise NotACatalogError(f"{path} is not a catalog: it is no regular file, but a pipe or a device.")
        raise CatalogUnavailableError(
            f"{place} is in the place of a journal, and is no regular file, but a pipe or a device. Remove it."
        )
