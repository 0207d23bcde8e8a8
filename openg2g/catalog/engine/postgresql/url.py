"""URLs of PostgreSQL as its own programs take them, read by their rules.

    postgresql://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE&…

The host may be several (`h1:5432,h2`), an IPv6 address in brackets, or the directory of a socket
(`%2Frun%2Fpostgresql`). `?host=…`, `port`, `user`, `password` and `dbname` count before what stands in front.
SQLAlchemy's form for several hosts, `?host=h1:5432&host=h2`, is read as well.

Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

import difflib
import re
from collections.abc import Mapping
from urllib.parse import unquote

from sqlalchemy.engine import URL

from openg2g.models.errors import LocationError

PREPARED_STATEMENTS = "prepared_statements"
"""The option that is ours: whether statements may be prepared on the server."""

_SHAPE = re.compile(
    r"\w+(?:\+\w+)?://(?:(?P<user>[^:/@]*)(?::(?P<password>[^/@]*))?@)?(?P<hosts>[^/?@]*)"
    r"(?:/(?P<database>[^?@]*))?(?:\?(?P<query>[^@]*))?",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:\[(?P<address>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d*))?", re.ASCII)
_HOST_AND_PORT = re.compile(r"[^:/@\[\]]+:\d+", re.ASCII)  # An IPv6 address has more colons.
_NOT_IN_HOST = re.compile(r"[\s@/?#,'\"]")
_PLAIN_KEY = re.compile(r"[a-z_]{2,30}", re.ASCII | re.IGNORECASE)
_MAX_PORT = 65_535
_CANNOT_BE_READ = (
    "the postgresql URL cannot be read: {}. Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "and special characters of a password as %XX."
)


def parse_postgresql_url(text: str) -> tuple[URL, dict[str, str], bool | None]:
    """Read a URL: what SQLAlchemy needs, further options for libpq, and whether statements may be prepared.

    What cannot be read, or has an option that libpq does not know, is refused; no part of it that may be a secret is
    repeated.
    """
    if re.search(r"\s", text):
        raise _unreadable("it contains white space, which is written %20")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise LocationError(
            "the URL has more than one @, or an @ behind a /. Write an @ of the password as %40, and a / as %2F."
        )
    if re.search("[&=]", shape["hosts"] + (shape["database"] or "")):
        raise _unreadable("options stand behind a ?, and an & or = of a name is written %26 or %3D")
    options = _options(shape["query"] or "")
    addresses = _addresses(shape["hosts"], options.pop("host", []), options.pop("port", []))
    said = {key: values[-1] for key, values in options.items()}
    user, password, database = (
        said.pop(key, None if shape[group] is None else _decoded(shape[group]))
        for key, group in (("user", "user"), ("password", "password"), ("dbname", "database"))
    )
    prepared = _switch(said.pop(PREPARED_STATEMENTS, None))
    _refuse_unknown(said)
    host, port, query = _as_sqlalchemy_wants(addresses)
    url = URL.create("postgresql+psycopg", user, password, host, port, database or None, query)
    return url, said, prepared


def _options(query: str) -> dict[str, list[str]]:
    """Read the options; only `host` may stand more than once."""
    options: dict[str, list[str]] = {}
    for part in query.split("&") if query else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise _unreadable("an option has no value: write OPTION=VALUE, and an & as %26")
        key, value = _decoded(key), _decoded(value)
        if (key, value) == ("ssl", "true"):  # As libpq does, for URLs of JDBC.
            key, value = "sslmode", "require"
        if key in options and key != "host":
            raise _unreadable(f"the option {_shown(key)} is given more than once")
        options.setdefault(key, []).append(value)
    return options


def _addresses(authority: str, hosts: list[str], ports: list[str]) -> list[tuple[str, str]]:
    """Return host and port of each server; both may be empty."""
    addresses = [_address(text) for text in authority.split(",")]
    if hosts:
        addresses = [
            _address(host) if _HOST_AND_PORT.fullmatch(host) else (host, "")
            for hosts_of_one in hosts
            for host in hosts_of_one.split(",")
        ]
    if ports:
        numbers = ports[0].split(",")
        if len(numbers) not in (1, len(addresses)):
            raise _unreadable("the numbers of hosts and ports differ")
        numbers *= len(addresses) // len(numbers)
        addresses = [(host, number) for (host, _), number in zip(addresses, numbers, strict=True)]
    for host, port in addresses:
        if port and not (port.isascii() and port.isdecimal() and 0 < int(port) <= _MAX_PORT):
            raise _unreadable(f"a port is a number from 1 to {_MAX_PORT}")
        if not host.startswith(("/", "@")) and _NOT_IN_HOST.search(host):
            raise _unreadable("a host is a name, an address, or a directory (%2Frun%2Fpostgresql)")
    return addresses


def _address(text: str) -> tuple[str, str]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise _unreadable("what follows a host is a colon and the number of a port; IPv6 addresses stand in [ ]")
    return _decoded(found["address"] or found["name"] or ""), found["port"] or ""


def _as_sqlalchemy_wants(addresses: list[tuple[str, str]]) -> tuple[str | None, int | None, dict[str, str]]:
    """Put the servers where SQLAlchemy looks for them: directories and more than one go into the query part."""
    if len(addresses) == 1 and not addresses[0][0].startswith(("/", "@")):
        [(host, port)] = addresses
        return host or None, int(port) if port else None, {}
    query = {"host": ",".join(host for host, _ in addresses)}
    if any(port for _, port in addresses):
        query["port"] = ",".join(port for _, port in addresses)
    return None, None, query


def _switch(value: str | None) -> bool | None:
    if value is None:
        return None
    if value.lower() not in ("on", "off"):
        raise LocationError(f"the option {PREPARED_STATEMENTS} of the URL is on or off.")
    return value.lower() == "on"


def _refuse_unknown(options: Mapping[str, str]) -> None:
    """Refuse what libpq does not know: the driver would take it for an argument of its own, or repeat the URL."""
    if not options:
        return
    try:
        from psycopg.pq import Conninfo  # Imported late: it takes as long as everything else here.
    except ImportError:  # The first connection says what is missing.
        return
    known = [option.keyword.decode() for option in Conninfo.get_defaults()]
    for key in options:
        if key not in known:
            close = difflib.get_close_matches(key.lower(), [*known, PREPARED_STATEMENTS], n=3)
            hint = f"Did you mean {' or '.join(close)}?" if close else f"Known: {', '.join(sorted(known))}."
            raise LocationError(f"the URL has {_shown(key)}, which is not an option of PostgreSQL's libpq. {hint}")


def _shown(key: str) -> str:
    """Show the key of an option, unless it may be the tail of a password."""
    return repr(key) if _PLAIN_KEY.fullmatch(key) else "something"


def _decoded(text: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _unreadable("a %XX is not UTF-8") from None
    if "\0" in decoded:
        raise _unreadable("it contains a NUL character")
    return decoded


def _unreadable(why: str) -> LocationError:
    return LocationError(_CANNOT_BE_READ.format(why))
