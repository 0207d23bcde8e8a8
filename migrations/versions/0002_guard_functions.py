"""Guard the trigger functions against the search path, and say how times are kept.

A restore of data alone runs with an empty search path, under which the functions of 0001 found no table; a temporary
table called `revisions` came before ours. Plain SQL that compares a time with a date gave different answers on the two
engines: comments show the spelling that is right on both. SQLite has no comments but those in the text of a view.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME_COMMENTS = {
    "catalog_info.created_at": "When the catalog was made, UTC.",
    "names.created_at": "When the name was first used, UTC.",
    "renames.recorded_at": "When it was renamed, UTC.",
    "revisions.recorded_at": "When the catalog learned it, UTC.",
    "revisions.effective_from": "Since when it applies, UTC.",
    "alias_moves.recorded_at": "When it was moved, UTC.",
}
HOW_TIMES_ARE_KEPT = (
    " timestamptz on PostgreSQL, text like '2026-04-01T00:00:00.000000Z' on SQLite: compare with a time written so."
)
VIEW_COMMENTS = {
    "VIEW named_revisions": "Revisions with their names, digests and totals.",
    "COLUMN named_revisions.recorded_at": TIME_COMMENTS["revisions.recorded_at"] + HOW_TIMES_ARE_KEPT,
    "COLUMN named_revisions.effective_from": TIME_COMMENTS["revisions.effective_from"] + HOW_TIMES_ARE_KEPT,
    "VIEW revision_models": "Models of revisions, with all their fields.",
}

NAMED_REVISIONS = """
        CREATE VIEW named_revisions AS
        SELECT names.name, revisions.number, workloads.digest, workloads.num_models, workloads.total_gpus,
               workloads.least_itl_deadline_s, workloads.greatest_itl_deadline_s, revisions.recorded_at,
               revisions.effective_from, revisions.author, revisions.message, revisions.source,
               revisions.annotations
        FROM revisions
        JOIN names ON names.id = revisions.name_id
        LEFT JOIN workloads ON workloads.id = revisions.workload_id
        """
TIMES_IN_VIEW = (
    "/* Times are text in UTC. Compare like this: effective_from <= '2026-04-01T00:00:00.000000Z' */\n        "
)

# The table is named by what fired the trigger: it is found in whatever schema it is, or comes to be.
GUARDED_GAP_FUNCTION = """
        CREATE OR REPLACE FUNCTION refuse_revision_gap() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            has_gap boolean;
        BEGIN
            EXECUTE format(
                'SELECT EXISTS (
                    SELECT FROM added WHERE number > 1 AND NOT EXISTS (
                        SELECT FROM %I.%I AS earlier
                        WHERE earlier.name_id = added.name_id AND earlier.number = added.number - 1
                    )
                )',
                TG_TABLE_SCHEMA, TG_TABLE_NAME
            ) INTO has_gap;
            IF has_gap THEN
                RAISE EXCEPTION 'revisions is append-only: the next number of the name is needed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END $$
        """
EARLIER_GAP_FUNCTION = """
        CREATE OR REPLACE FUNCTION refuse_revision_gap() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM added WHERE number > 1 AND NOT EXISTS (
                    SELECT FROM revisions
                    WHERE revisions.name_id = added.name_id AND revisions.number = added.number - 1
                )
            ) THEN
                RAISE EXCEPTION 'revisions is append-only: the next number of the name is needed'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END $$
        """


def upgrade() -> None:
    """Guard the functions, and comment on times."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP VIEW named_revisions")
        op.execute(NAMED_REVISIONS.replace("SELECT", f"{TIMES_IN_VIEW}SELECT"))
        return
    op.execute("ALTER FUNCTION refuse_catalog_change() SET search_path = pg_catalog, pg_temp")
    op.execute(GUARDED_GAP_FUNCTION)
    for column, comment in TIME_COMMENTS.items():
        _comment(f"COLUMN {column}", comment + HOW_TIMES_ARE_KEPT)
    for subject, comment in VIEW_COMMENTS.items():
        _comment(subject, comment)


def downgrade() -> None:
    """Bring functions and comments back as they were."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP VIEW named_revisions")
        op.execute(NAMED_REVISIONS)
        return
    op.execute("ALTER FUNCTION refuse_catalog_change() RESET ALL")
    op.execute(EARLIER_GAP_FUNCTION)
    for column, comment in TIME_COMMENTS.items():
        _comment(f"COLUMN {column}", comment)
    for subject in VIEW_COMMENTS:
        op.execute(f"COMMENT ON {subject} IS NULL")


def _comment(subject: str, comment: str) -> None:
    quoted = comment.replace("'", "''")
    op.execute(f"COMMENT ON {subject} IS '{quoted}'")
