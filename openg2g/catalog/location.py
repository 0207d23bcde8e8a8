"""Where a catalog is: a path or URL, read from what a user wrote, shown without its password."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from openg2g.models.errors import LocationError

ENVIRONMENT_VARIABLE = "OPENG2G_DATABASE"
"""Names the database where neither the caller nor the command line does."""

_POSTGRESQL_DRIVERS = ("postgresql", "postgresql+psycopg", "postgres")
_LIKE_URL = re.compile(r"\s*([a-z0-9+]*:?//.*@|[a-z0-9+]+://|(sqlite|postgres|postgresql)(\+\w+)?:)", re.IGNORECASE)
_LIKE_CONNECTION_STRING = re.compile(r"\b(host|user|dbname|password)\s*=|^[^/]*:[^/]*@")
_SHOWN_QUERY_KEYS = frozenset({"host", "port", "dbname", "user", "sslmode", "target_session_attrs", "connect_timeout"})


@dataclass(frozen=True)
class Location:
    """A database that may hold a catalog.

    Attributes:
        url: SQLAlchemy URL, password included: never print it, print the location.
        prepared_statements: Whether statements are prepared on the server; None where that is found out.
    """

    url: URL
    prepared_statements: bool | None = None

    @property
    def path(self) -> Path | None:
        """Absolute path of a SQLite file; None for a server."""
        return Path(self.url.database) if self.url.drivername == "sqlite" and self.url.database else None

    def __str__(self) -> str:
        """Path, or URL without any secret."""
        if self.path is not None:
            return str(self.path)
        query = {key: value if key in _SHOWN_QUERY_KEYS else "..." for key, value in self.url.query.items()}
        return self.url.set(query=query).render_as_string(hide_password=True)

    def __repr__(self) -> str:
        """Show no secret in a traceback either."""
        return f"Location({str(self)!r})"


def locate(given: str | os.PathLike[str] | None = None) -> Location:
    """Read a path or URL; without one, take $OPENG2G_DATABASE, else `catalog.db` in the user's data directory.

    Args:
        given: A path, a `sqlite:///` URL, or a `postgresql://` URL.

    Raises:
        LocationError: The text names no SQLite file and no PostgreSQL database.

    Example:
        >>> print(locate("postgresql://alice:secret@db.example/fleet"))
        postgresql+psycopg://alice:***@db.example/fleet
    """
    text = os.fspath(given) if given is not None else os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not isinstance(text, str):
        raise LocationError("the path of a catalog must be text.")
    if not text:
        if given is not None:
            raise LocationError("the path or URL of the catalog is empty.")
        return _sqlite_location(default_path())
    if _LIKE_URL.match(text):
        return _location_of_url(text.strip())
    if _LIKE_CONNECTION_STRING.search(text):
        raise LocationError("a connection string is no URL. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
    if text == ":memory:":
        raise LocationError("a catalog is kept in a file or on a server, not in memory. Use a temporary file.")
    return _sqlite_location(Path(text))


def default_path() -> Path:
    """`catalog.db` in the user's data directory (`~/.local/share/openg2g` on Linux)."""
    import platformdirs  # Imported late: most callers name their database.

    return platformdirs.user_data_path("openg2g", appauthor=False) / "catalog.db"


def _sqlite_location(path: Path) -> Location:
    if "\0" in str(path):
        raise LocationError("a path cannot contain a NUL character.")
    try:
        absolute = Path(os.path.abspath(path.expanduser()))
    except RuntimeError as error:  # A home directory that nobody has.
        raise LocationError(f"{path}: {error}") from None
    return Location(URL.create("sqlite", database=str(absolute)))


def _location_of_url(text: str) -> Location:
    scheme = text.partition(":")[0]
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise LocationError(
            f"the {scheme} URL cannot be read. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///PATH, "
            "and special characters of a password as %XX."
        ) from None
    if text.count("@") > 1:  # The tail of the password would be taken for something else, and shown.
        raise LocationError("the URL has more than one @. Write an @ of the password as %40.")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        if url.query:
            raise LocationError("a sqlite:/// URL takes no options; write sqlite:///PATH.")
        if url.host:
            raise LocationError("a SQLite URL has three slashes before a path, four before an absolute one.")
        if not url.database or url.database == ":memory:":
            raise LocationError("a catalog is kept in a file or on a server, not in memory. Use a temporary file.")
        return _sqlite_location(Path(url.database))
    if url.drivername in _POSTGRESQL_DRIVERS:
        return Location(url.set(drivername="postgresql+psycopg"))
    raise LocationError(f"{scheme}:// is not supported. Use a path, sqlite:///PATH or postgresql://…")
