"""What the objects of a catalog are in a PostgreSQL database: what its system catalogs say of them."""

import re
from collections.abc import Mapping

from sqlalchemy import Connection, text

from openg2g.catalog.schema.metadata import CATALOG_TABLES, CATALOG_VIEWS, VERSION_TABLE
from openg2g.models.errors import NotACatalogError

CATALOG_FUNCTIONS = ("refuse_catalog_change", "refuse_revision_gap")
"""What our triggers execute."""

# Everything is in the schema of the version table. Unlogged tables are emptied after a crash; row security and children
# change what a table answers; triggers that are disabled, those of foreign keys too, let anything be written.
_QUERY = text(
    """
    WITH home AS (
        SELECT relnamespace AS schema_id FROM pg_class WHERE oid = to_regclass(:version_table)
    ), ours AS (
        SELECT pg_class.*, relkind = 'r' AND relname <> ALL (:views) AS is_table
        FROM pg_class, home WHERE relnamespace = schema_id AND relname = ANY (:tables || :views)
    )
    SELECT relname::text, CASE WHEN relname = ANY (:views) THEN 'view' ELSE 'table' END, relname::text,
        concat_ws(', ',
            CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' || pg_get_viewdef(oid)
                WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table'
                ELSE 'neither table nor view' END,
            CASE relpersistence WHEN 'u' THEN 'unlogged' END,
            CASE WHEN relrowsecurity OR relforcerowsecurity THEN 'with row security' END,
            CASE WHEN EXISTS (SELECT FROM pg_inherits WHERE oid IN (inhparent, inhrelid)) THEN 'with inheritance' END)
    FROM ours
    UNION ALL
    SELECT relname, 'column', attname, concat_ws(' ', format_type(atttypid, atttypmod),
        (SELECT 'COLLATE ' || collname FROM pg_collation
            WHERE pg_collation.oid = attcollation AND collname <> 'default'),
        CASE WHEN attnotnull THEN 'NOT NULL' END,
        CASE WHEN attidentity <> '' THEN 'GENERATED AS IDENTITY' END,
        CASE WHEN attgenerated <> '' THEN 'GENERATED' END,
        (SELECT 'DEFAULT ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum))
    FROM ours JOIN pg_attribute ON attrelid = ours.oid
    WHERE is_table AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT relname, 'constraint', conname, concat_ws(', ', pg_get_constraintdef(pg_constraint.oid),
        CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgconstraint = pg_constraint.oid AND tgenabled <> 'O')
            THEN 'with disabled triggers' END)
    FROM ours JOIN pg_constraint ON conrelid = ours.oid
    WHERE is_table AND contype NOT IN ('n', 't')
    UNION ALL
    SELECT ours.relname, 'index', indexes.relname, concat_ws(', ',
        replace(pg_get_indexdef(indexrelid), format(' ON %s.', schema_id::regnamespace), ' ON '),
        CASE WHEN NOT indisvalid THEN 'invalid' END)
    FROM home, ours JOIN pg_index ON indrelid = ours.oid JOIN pg_class AS indexes ON indexes.oid = indexrelid
    WHERE is_table AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT relname, 'trigger', tgname, concat_ws(', ', pg_get_triggerdef(pg_trigger.oid, true),
        CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled for replicas only'
            WHEN 'A' THEN 'enabled for replicas, too' END)
    FROM ours JOIN pg_trigger ON tgrelid = ours.oid
    WHERE is_table AND NOT tgisinternal
    UNION ALL
    SELECT relname, 'rule', rulename, pg_get_ruledef(pg_rewrite.oid)
    FROM ours JOIN pg_rewrite ON ev_class = ours.oid
    WHERE is_table
    UNION ALL
    SELECT proname, 'function', proname, concat_ws(', ', lanname, array_to_string(proconfig, ', '),
        CASE WHEN prosecdef THEN 'security definer' END, prosrc)
    FROM home, pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE pronamespace = schema_id AND proname = ANY (:functions) AND pronargs = 0
    """
)
_STORAGE = re.compile(r" WITH \([^)]*\)$")  # Of an index: how full its pages are, for instance.
_INSIGNIFICANT = re.compile(r"[\s()]+")


def read_definitions(connection: Connection) -> dict[tuple[str, str, str], str]:
    """Read what the objects with names of ours, and those on our tables, are."""
    parameters = {
        "version_table": VERSION_TABLE,
        "tables": [*CATALOG_TABLES, VERSION_TABLE],
        "views": sorted(CATALOG_VIEWS),
        "functions": list(CATALOG_FUNCTIONS),
    }
    return {(table, kind, name): definition for table, kind, name, definition in connection.execute(_QUERY, parameters)}


def find_version_table(connection: Connection) -> bool | None:
    """Tell whether the version table is one; None where there is nothing of a catalog yet."""
    is_utf8 = "SELECT pg_encoding_to_char(encoding) = 'UTF8' FROM pg_database WHERE datname = current_database()"
    if not connection.scalar(text(is_utf8)):
        raise NotACatalogError("a catalog needs a database with the encoding UTF8: createdb --encoding=UTF8 …")
    is_table = f"SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass('{VERSION_TABLE}')"
    answer: bool | None = connection.scalar(text(is_table))
    return answer


def comparable(definitions: Mapping[tuple[str, str, str], str]) -> dict[tuple[str, str, str], str]:
    """Leave out what servers of other versions may print otherwise: parentheses and white space.

    Our conditions are conjunctions of comparisons, which mean the same without parentheses. The text of a function is
    kept as it was given.
    """
    return {
        key: text if key[1] == "function" else " ".join(_INSIGNIFICANT.sub(" ", _STORAGE.sub("", text)).split())
        for key, text in definitions.items()
    }
