"""Where a catalog is: a path or URL, read from what a user wrote, shown without its password."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from openg2g.catalog.engine.postgresql.url import PREPARED_STATEMENTS, parse_postgresql_url
from openg2g.models.errors import LocationError
from openg2g.models.secrets import SHOWN_OPTIONS, masked_value, plain

ENVIRONMENT_VARIABLE = "OPENG2G_DATABASE"
"""Names the database where neither the caller nor the command line does."""

_POSTGRESQL_SCHEMES = ("postgresql", "postgresql+psycopg", "postgres")
_SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+)://.*", re.IGNORECASE | re.DOTALL)
_AROUND = " \t\r\n\v\f\xa0\ufeff\u200b"  # Of an environment file or a copied line; no part of a path.
_QUOTES = ("''", '""', "``", "<>", "“”", "‘’", "«»")
_LIKE_URL = re.compile(
    r"://|^[a-z0-9+]*:?//.*@|^(sqlite|postgres|postgresql)(\+\w+)?:|^(?![a-z]:[\\/])[^/]*:[^/]*@", re.IGNORECASE
)
_LIKE_CONNECTION_STRING = re.compile(
    r"(^|[\s;,'\"])(host|hostaddr|port|user|username|user id|server|dbname|database|service)\s*="
    r"|(password|passwd|pwd)\s*=",
    re.IGNORECASE,
)
_LIKE_PATH = re.compile(r"/(?!/)|~|\.\.?[/\\]")
_WRITE = "Write a path, sqlite:///PATH, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


@dataclass(frozen=True)
class Location:
    """A database that may hold a catalog.

    Attributes:
        url: SQLAlchemy URL, password included: never print it, print the location.
        options: Options of libpq that a URL of PostgreSQL gave beyond user, password, hosts and database. They are
            handed to the driver apart from the URL, which SQLAlchemy would show with them.
        prepared_statements: What the URL says of statements that are prepared on the server; None if nothing.
    """

    url: URL
    options: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    prepared_statements: bool | None = None

    @property
    def path(self) -> Path | None:
        """Absolute path of a SQLite file; None for a server."""
        return Path(self.url.database) if self.url.drivername == "sqlite" and self.url.database else None

    def __str__(self) -> str:
        """Path, or URL without any secret."""
        if self.path is not None:
            return str(self.path)
        shown = {key: value if key in SHOWN_OPTIONS else "..." for key, value in self.options.items()}
        if self.prepared_statements is not None:
            shown[PREPARED_STATEMENTS] = "on" if self.prepared_statements else "off"
        return masked_value(self.url.update_query_dict(shown).render_as_string(hide_password=True))

    def __repr__(self) -> str:
        """Show no secret in a traceback either."""
        return f"Location({str(self)!r})"


def locate(given: str | os.PathLike[str] | None = None) -> Location:
    """Read a path or URL; without one, take $OPENG2G_DATABASE, else `catalog.db` in the user's data directory.

    Blanks, line ends and a byte order mark around it are no part of it, nor are quotes around a URL.

    Args:
        given: A path, a `sqlite:///` URL, or a `postgresql://` URL.

    Raises:
        LocationError: The text names no SQLite file and no PostgreSQL database. It is not repeated where it may hold a
            password.

    Example:
        >>> print(locate("postgresql://alice:secret@db.example/fleet"))
        postgresql+psycopg://alice:***@db.example/fleet
    """
    text = os.fspath(given) if given is not None else os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not isinstance(text, str):
        raise LocationError("the path of a catalog must be text.")
    if "\0" in text:
        raise LocationError("a path or URL cannot contain a NUL character.")
    text = text.strip(_AROUND)
    if not text:
        if given is not None:
            raise LocationError("the path or URL of the catalog is empty.")
        return _sqlite_location(default_path())
    unquoted = _without_quotes(text)
    url = _URL.fullmatch(unquoted)
    if url is not None:
        return _location_of_url(unquoted, url["scheme"].lower())
    _refuse_what_is_no_path(text, unquoted)
    return _sqlite_location(Path(text))


def default_path() -> Path:
    """`catalog.db` in the user's data directory (`~/.local/share/openg2g` on Linux)."""
    import platformdirs  # Imported late: most callers name their database.

    return platformdirs.user_data_path("openg2g", appauthor=False) / "catalog.db"


def _without_quotes(text: str) -> str:
    while len(text) > 1 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip(_AROUND)
    return text


def _refuse_what_is_no_path(text: str, unquoted: str) -> None:
    """Refuse what was meant as something else, and would be shown in messages as the path of a file."""
    read = plain(unquoted)
    if _LIKE_URL.search(read):
        raise LocationError(f"the URL of the catalog cannot be read. {_WRITE} and nothing else.")
    if _LIKE_CONNECTION_STRING.search(read):
        raise LocationError("a connection string is no URL. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
    if masked_value(unquoted) != unquoted and not _LIKE_PATH.match(unquoted):
        raise LocationError(f"the path of the catalog looks like a URL that holds a password. {_WRITE}, or ./PATH.")
    if unquoted == ":memory:":
        raise LocationError("a catalog is kept in a file or on a server, not in memory. Use a temporary file.")
    if unquoted != text:
        raise LocationError(f"the path of the catalog is in quotes ({text}). Write it without them.")


def _sqlite_location(path: Path) -> Location:
    try:
        absolute = Path(os.path.abspath(path.expanduser()))
    except RuntimeError as error:  # A home directory that nobody has.
        raise LocationError(f"{path}: {error}") from None
    return Location(URL.create("sqlite", database=str(absolute)))


def _location_of_url(text: str, scheme: str) -> Location:
    if scheme in _POSTGRESQL_SCHEMES:
        return Location(*parse_postgresql_url(text))
    if scheme not in _SQLITE_SCHEMES:
        raise LocationError(f"{scheme}:// is not supported. Use a path, sqlite:///PATH or postgresql://…")
    try:
        url = make_url(f"{scheme}{text[len(scheme) :]}")
    except (ArgumentError, ValueError):
        raise LocationError("the sqlite URL cannot be read. Write sqlite:///PATH.") from None
    if url.query:
        raise LocationError("a sqlite:/// URL takes no options; write sqlite:///PATH.")
    if url.host or url.username or url.password:
        raise LocationError("a SQLite URL has three slashes before a path, four before an absolute one.")
    if not url.database or url.database == ":memory:":
        raise LocationError("a catalog is kept in a file or on a server, not in memory. Use a temporary file.")
    return _sqlite_location(Path(url.database))
