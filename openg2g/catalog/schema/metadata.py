"""The tables as a whole. Their columns are in `content_rows` and `history_rows`.

Content is addressed by digest and never changes. History says which content a name meant since when, and only grows.
The schema's only source is `migrations/`; a test compares the two.
"""

from openg2g.catalog.schema import content_rows, history_rows  # noqa: F401  (They describe the tables.)
from openg2g.catalog.schema.base import Row

METADATA = Row.metadata
"""Every table."""

VERSION_TABLE = "openg2g_schema_version"
"""Alembic's table under a name of our own: `alembic_version` is shared by whatever else lives in a lab's database."""

SQLITE_APPLICATION_ID = 0x4F473247
"""`OG2G` in ASCII, in the header of every SQLite catalog."""

CATALOG_TABLES = tuple(table.name for table in METADATA.sorted_tables)
"""Every table of the catalog, parents first."""

APPEND_ONLY_TABLES = tuple(name for name in CATALOG_TABLES if name not in ("names", "tags"))
"""Tables whose rows the database refuses to change or delete."""

CHECKSUMMED_TABLES = tuple(table for table in METADATA.sorted_tables if "checksum" in table.columns)
"""Tables whose rows have a checksum, parents first."""

CATALOG_VIEWS = frozenset({"named_revisions", "revision_models"})
"""What somebody with a plain SQL tool wants to see first."""
