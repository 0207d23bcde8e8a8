"""To whom a catalog on a server belongs: said to those who may not write to it."""

from sqlalchemy import Connection, text

from openg2g.catalog.schema.metadata import VERSION_TABLE

_OWNER = text(f"""
    SELECT pg_get_userbyid(relowner) FROM pg_class
    WHERE relname = '{VERSION_TABLE}' AND relkind IN ('r', 'p') AND relpersistence <> 't'
    UNION ALL
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = current_schema()
    LIMIT 1
""")


def owner_on_server(connection: Connection) -> str | None:
    """Return the role that owns the catalog, or else the schema that it would be made in."""
    owner: str | None = connection.scalar(_OWNER)
    return owner
