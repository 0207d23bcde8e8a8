"""Temporary files: their directory is not where a user looks first when it is full, so errors name it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from openg2g.formats.part_files import private_directory
from openg2g.models.errors import CatalogError, SourceError


@contextmanager
def temporary_file() -> Iterator[BinaryIO]:
    """Yield a new file without a name, of which nothing is left however the process ends; write under its errors.

    Raises:
        SourceError: There is no room for one.
    """
    with temporary_errors():
        file = tempfile.TemporaryFile()  # noqa: SIM115  Its end is below.
    with file:
        yield cast(BinaryIO, file)


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Yield a new directory, for what must be a file with a name.

    Raises:
        SourceError: There is no room for one.
    """
    with ExitStack() as stack:
        with temporary_errors():
            directory = stack.enter_context(private_directory(Path(tempfile.gettempdir())))
        yield directory


@contextmanager
def temporary_errors() -> Iterator[None]:
    """Raise an error of the operating system as one of the temporary directory.

    Raises:
        SourceError: The directory is full, or cannot be used.
    """
    try:
        yield
    except CatalogError:  # Of something else, and said so.
        raise
    except OSError as error:
        where = tempfile.tempdir or os.environ.get("TMPDIR")  # None where no directory could be used.
        raise SourceError(
            f"the temporary directory {where} cannot be used: {error.strerror or error}. "
            "Set TMPDIR to a directory with more room."
        ) from error
