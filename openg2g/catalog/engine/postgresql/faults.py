"""What PostgreSQL and its driver refuse, said so that its user knows what, where, why, and what to do."""

import re
from collections.abc import Mapping, Sequence

from openg2g.catalog.engine.location import Location
from openg2g.models.errors import (
    CatalogError,
    CatalogLockedError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    DamagedCatalogError,
    Doubt,
    LocationError,
    NotACatalogError,
)

GIVEN_UP = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: all of the transaction may be done again."""

READ_ONLY = "25006"
DENIED = "42501"
"""SQLSTATE of a missing privilege."""

ROLE = "catalog_role"
"""Attribute of an error of the driver: the role whose privileges counted, None where it is not known."""

_TO_WRITE = "SELECT, INSERT, UPDATE, DELETE"
_DENIED = re.compile(r"permission denied for (?P<kind>table|view|schema|database|function|sequence|type) (?P<name>.+)")
_OWNED = re.compile(r"must be (?:able to SET ROLE|owner of .+)")
_PLAIN_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")

# SQLSTATE, or the class that it begins with, and what tells two of one apart → what is said behind the location. `{}`
# is what the server says. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
_LOCKED = "is locked by another writer. Try again when it has finished"
_MIXED_UP = "{}: a pooler mixes prepared statements up. Add ?prepared_statements=off to the URL"
_NO_CHARACTER = "the database cannot hold a character ({}). Its encoding must be UTF8"
_REPLAYED = "the replica gave the statement up for what it had to replay. Try again, or ask the primary server"
_EXPLANATIONS: Mapping[type[CatalogError], Mapping[str, str]] = {
    CatalogError: {
        "0A000": "the server does not support what was asked ({}). PostgreSQL 14 or newer is needed",
        "22": "the server refuses a value: {}",
        "23": "a rule of the tables refuses a row: {}. Nothing was stored",
        "42P01": "a table of the catalog is missing",
        "42703": "a table of the catalog is not as expected ({})",
        "42883": "a function of the catalog is missing ({})",
        "54": "this is more than the server can do: {}. Ask for less at a time",
    },
    CatalogLockedError: {
        "40001": _LOCKED,
        "40P01": _LOCKED,
        "55006": "somebody else is using what was to be changed: {}. Try again when they have finished",
        "55P03": _LOCKED,
    },
    CatalogReadOnlyError: {
        READ_ONLY: "may only be read: it is a replica, or set to read-only. To write, give the URL of the primary "
        "server, or several hosts with target_session_attrs=read-write",
    },
    CatalogUnavailableError: {
        "08": "the connection was lost or refused: {}. Try again",
        "25P03": "the server ended a transaction that was idle for too long (idle_in_transaction_session_timeout). "
        "Nothing was stored; raise that setting",
        "25P04": "the server ended a transaction that took too long (transaction_timeout). Nothing was stored; raise "
        "that setting",
        "26000": _MIXED_UP,
        "28": "the server refused the user name or password ({})",
        "3D000": "the database does not exist. Create it with `createdb`",
        "3F000": "the schema does not exist ({}). Create it, or choose another: ?options=-csearch_path%3DSCHEMA",
        "40001 recovery": _REPLAYED,
        "40P01 recovery": _REPLAYED,
        "42P05": _MIXED_UP,
        "53": "the server has not enough resources: {}. Nothing was stored",
        "53100": "the disk of the server is full ({}). Nothing was stored",
        "53200": "the server has not enough memory ({}). Nothing was stored; ask for less at a time",
        "53300": "the server has too many connections ({}). Close others, raise max_connections, or put a pooler in "
        "front",
        "53400": "the server limits what one may take: {}. Raise that setting for the role, or ask for less at a time",
        "57014": "the server cancelled a statement ({}). Nothing was stored",
        "57014 statement timeout": "a statement took longer than statement_timeout allows. Nothing was stored. Raise "
        "it for the role, or add ?options=-cstatement_timeout%3D0 to the URL",
        "57014 user request": "somebody cancelled the statement on the server (pg_cancel_backend). Nothing was stored",
        "57P": "the server ended the connection: {}. Try again",
        "57P01": "the server is shutting down, or its administrator ended the connection. Try again",
        "57P02": "the server crashed and recovers. Try again in a moment",
        "57P03": "the server is starting up or shutting down. Try again in a moment",
        "57P04": "the database was dropped while it was in use",
        "57P05": "the server ended a connection that was idle (idle_session_timeout). Try again",
        "58": "the server cannot read or write its files: {}. Its administrator must look after its disk",
        "XX000": "the server failed: {}. Look into its log",
    },
    DamagedCatalogError: {
        "XX001": "is damaged ({}). Restore it from a backup",
        "XX002": "an index is damaged ({}). The owner can run REINDEX",
    },
    NotACatalogError: {"22021": _NO_CHARACTER, "22P05": _NO_CHARACTER},
}
_TOLD_APART_BY = ("recovery", "statement timeout", "user request")

_DOUBTS: Mapping[str, Sequence[Doubt]] = {
    "23": ["content"],
    "42P01": ["tables"],
    "42703": ["tables"],
    "42883": ["tables"],
    "XX002": ["content"],
}
"""Key of an explanation → what of the catalog is to be checked then."""

# Failures to connect carry no SQLSTATE: what libpq or the server says (in English, as most servers do) → what to do.
_TO_CONNECT: Mapping[type[CatalogError], Mapping[str, str]] = {
    LocationError: {
        r"invalid .*value|bad value|invalid connection option": "Check the options of the URL",
        r"definition of service|service file": "Check ?service= and the file pg_service.conf",
    },
    CatalogReadOnlyError: {
        r"permission denied for database": "Its owner can run GRANT CONNECT ON DATABASE … TO …",
    },
    CatalogUnavailableError: {
        r'role ".*" does not exist': "Write another user, or create it with `createuser`",
        r'database ".*" does not exist': "Create it with `createdb`",
        r"no pg_hba\.conf entry": "The server's administrator must let you in (pg_hba.conf)",
        r"too many clients|connection slots|too many connections": "Close others, or use a pooler",
        r"starting up|shutting down|in recovery": "Try again in a moment",
        r"refused|No such file": "Check host and port, and whether the server runs",
        r"resolve|translate host": "Check the host",
        r"timeout|timed out": "Check host and port, and the firewalls between",
        r"SSL|certificate": "Check sslmode, sslrootcert and the certificates",
    },
}


def postgresql_error(error: BaseException | None, location: Location, statement: str | None) -> CatalogError:
    """Translate an error of the driver; the statement tells the privilege that was lacking."""
    state = getattr(error, "sqlstate", None)
    text = _text(error)
    if "statement pooling" in text:
        return CatalogUnavailableError(
            f"{location} is behind a pooler in statement mode, which has no transactions. "
            "Connect to the server itself, or set pool_mode = transaction for this database in the pooler."
        )
    if state is None:
        return _failure_to_connect(text, location)
    if state == DENIED:
        explanation = _lacking(text, statement or "", getattr(error, ROLE, None))
        return CatalogReadOnlyError(f"{location}: {explanation}.")
    for key in (*(f"{state} {part}" for part in _TOLD_APART_BY if part in text), state, state[:3], state[:2]):
        for kind, explanations in _EXPLANATIONS.items():
            if key in explanations:
                explanation = explanations[key].format(text)
                colon = "" if explanation.startswith(("is ", "may ")) else ":"
                return kind(f"{location}{colon} {explanation}.", doubts=_DOUBTS.get(key, ()))
    return CatalogError(f"{location}: {text}.")


def _failure_to_connect(text: str, location: Location) -> CatalogError:
    if "password" in text:
        return CatalogUnavailableError(f"{location}: the server refused the user name or password ({text}).")
    for kind, advice_on in _TO_CONNECT.items():
        for pattern, advice in advice_on.items():
            if re.search(pattern, text):
                return kind(f"{location} cannot be reached: {text}. {advice}.")
    return CatalogUnavailableError(f"{location} cannot be reached: {text}.")


def _lacking(text: str, statement: str, user: str | None) -> str:
    """Name what is missing, and the statement by which its owner grants it."""
    role, grantee = f"the role {user}" if user else "your role", _identifier(user) if user else "ROLE"
    if "row-level security" in text:
        return f"a policy hides rows from {role} ({text}). An administrator can run: ALTER ROLE {grantee} BYPASSRLS"
    if _OWNED.search(text):
        return f"{text}. Connect as the owner, or as a member of the owner's role"
    denied = _DENIED.search(text)
    if denied is None:
        return f"{role} lacks a permission: {text}"
    kind, name = denied["kind"], denied["name"]
    privilege, granted = _privileges(kind, name, statement)
    of_others = " (the other tables need it, too)" if kind == "table" else ""
    where = _identifier(name) if kind in ("table", "view") else f"{kind.upper()} {_identifier(name)}"
    return (
        f"{role} lacks the privilege {privilege} on the {kind} {name}. Its owner can run: GRANT {granted} ON {where} "
        f"TO {grantee}{of_others}"
    )


def _privileges(kind: str, name: str, statement: str) -> tuple[str, str]:
    """Return the privilege that a statement lacked, and those that its kind of work takes."""
    verb = (re.match(r"\s*(\w+)", statement) or [""])[0].strip().upper()
    if kind == "schema":
        return ("CREATE", "USAGE, CREATE") if verb == "CREATE" else ("USAGE", "USAGE")
    if kind in ("database", "function", "type"):
        privilege = {"database": "CREATE", "function": "EXECUTE", "type": "USAGE"}[kind]
        return privilege, privilege
    changed = re.search(rf'(INSERT INTO|UPDATE|DELETE FROM|COPY)\s+([\w"]+\.)?"?{re.escape(name)}"?\b', statement)
    if changed is not None:
        return {"COPY": "INSERT"}.get(changed[1], changed[1].split()[0]), _TO_WRITE
    if re.search(r"\bFOR (NO KEY )?(UPDATE|SHARE)", statement):
        return "UPDATE", _TO_WRITE
    return "SELECT", "SELECT"


def _identifier(name: str) -> str:
    return name if _PLAIN_IDENTIFIER.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _text(error: BaseException | None) -> str:
    """Return what the server says, without the statement that the driver repeats below it."""
    diagnosis = getattr(error, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or str(error)
    return " ".join(said.split()).rstrip(".")
