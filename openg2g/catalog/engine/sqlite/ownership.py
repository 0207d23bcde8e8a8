"""To whom a catalog belongs: said to those who may not write to it."""

import os
from pathlib import Path

from sqlalchemy import Connection, text

from openg2g.catalog.schema.tables import VERSION_TABLE

_OWNER_ON_SERVER = text(f"""
    SELECT pg_get_userbyid(relowner) FROM pg_class
    WHERE relname = '{VERSION_TABLE}' AND relkind IN ('r', 'p') AND relpersistence <> 't'
    UNION ALL
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = current_schema()
    LIMIT 1
""")
_MAY_WRITE_ON_SERVER = text("SELECT has_table_privilege('revisions', 'INSERT')")


def other_owner_of_file(path: Path) -> str | None:
    """Return the owner of a file or directory; None where that is this user, or cannot be told."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not hasattr(os, "geteuid") or status.st_uid == os.geteuid():  # Windows has no such owners.
        return None
    try:
        return path.owner()
    except KeyError:  # A user of another machine.
        return f"the user with the id {status.st_uid}"


def owner_on_server(connection: Connection) -> str | None:
    """Return the role that owns the catalog, or else the schema that it would be made in."""
    owner: str | None = connection.scalar(_OWNER_ON_SERVER)
    return owner


def why_read_only(connection: Connection, path: Path | None) -> str | None:
    """Say why this user may only read a catalog; None where they may write to it.

    Args:
        connection: To the catalog.
        path: Its file; None on a server.
    """
    if path is None:
        return None if connection.scalar(_MAY_WRITE_ON_SERVER) else f"it belongs to {owner_on_server(connection)}"
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            owner = other_owner_of_file(place)
            return f"{place} belongs to {owner}" if owner is not None else f"check the permissions of {place}"
    return None
