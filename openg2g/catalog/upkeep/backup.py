"""A copy of an SQLite catalog, made while others go on using it, and proved before it appears."""

import os
import stat
from contextlib import closing
from itertools import chain, count
from pathlib import Path

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.engines import engine_of
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.engine.sqlite.file_copy import copy_file
from openg2g.catalog.upkeep.verify import problems_of
from openg2g.formats.part_files import part_of
from openg2g.models.errors import CatalogError, DamagedCatalogError, LocationError, SourceError


def back_up(database: Database, path: str | os.PathLike[str]) -> None:
    """Copy a catalog in an SQLite file as it is at one moment to a new file, by SQLite's online backup.

    The copy appears complete or not at all. Of the schema of this release it is verified first; of another, SQLite
    itself looks through its pages and constraints.

    Raises:
        LocationError: The catalog is on a server.
        SourceError: The file is there already, or cannot be written.
        DamagedCatalogError: The copy is not sound, and so the catalog is not.
    """
    source = database.location.path
    if source is None:
        raise LocationError(
            f"{database.location} is on a server: back it up with pg_dump, or export its whole history as an archive."
        )
    target = Path(path)
    if os.path.lexists(target):
        raise SourceError(f"{target} exists already. Name a new file.")
    _write_proved_copy(database, source, target)


def back_up_beside(database: Database, schema: str) -> Path | None:
    """Copy a catalog in an SQLite file to a new file beside it: `FILE.SCHEMA.backup`, or with the next free number.

    A first such file is there where an upgrade was broken off or taken back. It is kept: its owner knows its worth.

    Returns:
        The new file; None for a catalog on a server, which is left to the server's tools.
    """
    source = database.location.path
    if source is None:
        return None
    numbered = (Path(f"{source}.{schema}.{number}.backup") for number in count(2))
    target = next(path for path in chain([Path(f"{source}.{schema}.backup")], numbered) if not os.path.lexists(path))
    _write_proved_copy(database, source, target)
    return target


def _write_proved_copy(database: Database, source: Path, target: Path) -> None:
    try:
        with part_of(target) as part:
            copy_file(database, part)
            _prove(part)
            os.chmod(part, stat.S_IMODE(source.stat().st_mode) & stat.S_IMODE(part.stat().st_mode))
            with open(part, "rb") as copy:
                os.fsync(copy.fileno())
            os.replace(part, target)
    except CatalogError:
        raise
    except OSError as error:
        raise SourceError(f"{target} cannot be written: {error.strerror or error}.") from error


def _prove(part: Path) -> None:
    with closing(Database(locate(part))) as database:
        if find_schema_revision(database) == SCHEMA_HEAD:
            problems = problems_of(database)
        else:
            with database.reading() as connection:
                problems = [f"SQLite: {message}" for message in engine_of(connection).damage_of(connection)]
    if problems:
        told = "\n".join(problems)
        raise DamagedCatalogError(f"the catalog is not sound, and was not copied:\n{told}")
