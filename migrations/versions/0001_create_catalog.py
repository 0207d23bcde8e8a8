"""Create the catalog: content addressed by digest, and names with append-only revisions.

The whole first schema in one step, so that a catalog either has all of it or nothing.

Revision ID: 0001
Revises:
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPLICATION_ID = 0x4F473247  # "OG2G": marks a SQLite file as a catalog.

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOUBLE = sa.Double().with_variant(sa.REAL(), "sqlite")
CODE_POINT_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
TIMESTAMP = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
JSON = sa.Text().with_variant(postgresql.JSON(), "postgresql")

# The same sets of characters, written for GLOB (45 is the hyphen of a range) and for Postgres' regular expressions.
SQLITE_CONTROLS = "char(1, 45, 31, 127, 45, 159, 8232, 8233)"
POSTGRES_CONTROLS = r"\u0001-\u001F\u007F-\u009F\u2028\u2029"
SQLITE_SPACES = "char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288)"
POSTGRES_SPACES = r"\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000"

TIME_SHAPE = (
    "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
)

IMMUTABLE_TABLES = (
    "catalog_info",
    "batch_size_lists",
    "batch_sizes",
    "model_specs",
    "workloads",
    "workload_models",
    "renames",
    "revisions",
    "alias_moves",
)
TABLES = (
    "catalog_info",
    "batch_size_lists",
    "batch_sizes",
    "model_specs",
    "workloads",
    "workload_models",
    "names",
    "renames",
    "tags",
    "revisions",
    "alias_moves",
)


def upgrade() -> None:
    """Make tables, views and triggers."""
    _create_content()
    _create_history()
    _create_views()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _create_sqlite_triggers()
    else:
        _create_postgresql_triggers()


def downgrade() -> None:
    """Drop everything, unless that would lose a revision."""
    count = op.get_bind().scalar(sa.text("SELECT count(*) FROM revisions"))
    if count:
        raise CommandError(f"downgrading below 0001 would lose all {count} revisions")
    op.execute("DROP VIEW revision_models")
    op.execute("DROP VIEW named_revisions")
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA application_id = 0")
    else:
        op.execute("DROP FUNCTION refuse_catalog_change()")
        op.execute("DROP FUNCTION refuse_revision_gap()")


def _identifier() -> sa.Column:
    return sa.Column("id", INTEGER, primary_key=True, autoincrement=False, comment="Assigned by writers.")


def _checksum() -> sa.Column:
    comment = "CRC-32 of the other values, so that verify finds damage."
    return sa.Column("checksum", INTEGER, nullable=False, comment=comment)


def _check(table: str, name: str, text: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(text, name=op.f(f"ck_{table}_{name}"))


def _check_per_engine(table: str, name: str, sqlite: str, postgresql: str) -> tuple[sa.CheckConstraint, ...]:
    return (
        _check(table, name, sqlite).ddl_if(dialect="sqlite"),
        _check(table, name, postgresql).ddl_if(dialect="postgresql"),
    )


def _digest_check(table: str) -> tuple[sa.CheckConstraint, ...]:
    return _check_per_engine(
        table,
        "digest",
        "length(digest) = 71 AND digest GLOB 'sha256:*' AND substr(digest, 8) NOT GLOB '*[^0-9a-f]*'",
        "digest ~ '^sha256:[0-9a-f]{64}$'",
    )


def _name_checks(table: str, column: str) -> tuple[sa.CheckConstraint, ...]:
    return (
        *_check_per_engine(
            table,
            f"{column}_length",
            f"length({column}) BETWEEN 1 AND 200",
            f"char_length({column}) BETWEEN 1 AND 200",
        ),
        *_check_per_engine(
            table,
            f"{column}_characters",
            f"{column} NOT GLOB '*[' || {SQLITE_CONTROLS} || {SQLITE_SPACES} || '@:*?[]*'"
            f" AND {column} NOT GLOB '-*' AND instr(CAST({column} AS BLOB), x'00') = 0",
            f"{column} !~ '[{POSTGRES_CONTROLS}{POSTGRES_SPACES}@:*?[]' AND {column} !~ '^-'",
        ),
    )


def _create_content() -> None:
    op.create_table(
        "batch_size_lists",
        _identifier(),
        sa.Column("digest", CODE_POINT_TEXT, nullable=False, comment="sha256: of the list as JSON."),
        sa.Column(
            "batch_sizes",
            sa.Text(),
            nullable=False,
            comment="The list as JSON: [8,16,32]. Its members are batch_sizes.",
        ),
        sa.Column("num_batch_sizes", INTEGER, nullable=False, comment="Length of the list."),
        sa.PrimaryKeyConstraint("id", name="pk_batch_size_lists"),
        sa.UniqueConstraint("digest", name="uq_batch_size_lists_digest"),
        *_digest_check("batch_size_lists"),
        _check("batch_size_lists", "num_batch_sizes", "num_batch_sizes >= 1"),
        comment="Distinct ordered lists of feasible batch sizes.",
        sqlite_strict=True,
    )
    op.create_table(
        "batch_sizes",
        sa.Column("batch_size_list_id", INTEGER, nullable=False, comment="The list."),
        sa.Column("position", INTEGER, nullable=False, comment="Place in the list, from 0. Baseline mode uses 0."),
        sa.Column("batch_size", INTEGER, nullable=False, comment="Requests in a batch."),
        sa.PrimaryKeyConstraint("batch_size_list_id", "position", name="pk_batch_sizes"),
        sa.ForeignKeyConstraint(
            ["batch_size_list_id"],
            ["batch_size_lists.id"],
            name="fk_batch_sizes_batch_size_list_id_batch_size_lists",
        ),
        _check("batch_sizes", "position", "position >= 0"),
        _check("batch_sizes", "batch_size", "batch_size > 0 AND batch_size <= 2147483647"),
        comment="Members of the lists.",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_batch_sizes_batch_size_batch_size_list_id", "batch_sizes", ["batch_size", "batch_size_list_id"])
    op.create_table(
        "model_specs",
        _identifier(),
        sa.Column("digest", CODE_POINT_TEXT, nullable=False, comment="sha256: of the canonical form of the spec."),
        sa.Column("model_label", CODE_POINT_TEXT, nullable=False, comment="Human-readable model identifier."),
        sa.Column("num_replicas", INTEGER, nullable=False, comment="Replicas in the whole datacenter."),
        sa.Column("gpus_per_replica", INTEGER, nullable=False, comment="GPUs of each replica."),
        sa.Column("initial_batch_size", INTEGER, nullable=False, comment="Batch size at the start, requests."),
        sa.Column("itl_deadline_s", DOUBLE, nullable=False, comment="Inter-token latency deadline, seconds."),
        sa.Column("batch_size_list_id", INTEGER, nullable=False, comment="Feasible batch sizes."),
        sa.Column("total_gpus", INTEGER, nullable=False, comment="num_replicas * gpus_per_replica."),
        sa.PrimaryKeyConstraint("id", name="pk_model_specs"),
        sa.UniqueConstraint("digest", name="uq_model_specs_digest"),
        sa.UniqueConstraint("id", "model_label", name="uq_model_specs_id_model_label"),
        sa.ForeignKeyConstraint(
            ["batch_size_list_id"],
            ["batch_size_lists.id"],
            name="fk_model_specs_batch_size_list_id_batch_size_lists",
        ),
        *_digest_check("model_specs"),
        *_check_per_engine(
            "model_specs",
            "model_label_length",
            "length(model_label) BETWEEN 1 AND 200",
            "char_length(model_label) BETWEEN 1 AND 200",
        ),
        *_check_per_engine(
            "model_specs",
            "model_label_not_blank",
            f"model_label GLOB '*[^' || {SQLITE_SPACES} || ']*'",
            f"model_label ~ '[^{POSTGRES_SPACES}]'",
        ),
        *_check_per_engine(
            "model_specs",
            "model_label_no_control",
            f"model_label NOT GLOB '*[' || {SQLITE_CONTROLS} || ']*' AND instr(CAST(model_label AS BLOB), x'00') = 0",
            f"model_label !~ '[{POSTGRES_CONTROLS}]'",
        ),
        _check("model_specs", "num_replicas", "num_replicas >= 0 AND num_replicas <= 2147483647"),
        _check("model_specs", "gpus_per_replica", "gpus_per_replica >= 1 AND gpus_per_replica <= 2147483647"),
        _check("model_specs", "initial_batch_size", "initial_batch_size > 0 AND initial_batch_size <= 2147483647"),
        _check("model_specs", "itl_deadline_s", "itl_deadline_s > 0 AND itl_deadline_s <= 1.7976931348623157e308"),
        _check("model_specs", "total_gpus", "total_gpus = num_replicas * gpus_per_replica"),
        comment="Distinct model specs.",
        sqlite_strict=True,
    )
    op.create_index("ix_model_specs_model_label", "model_specs", ["model_label"])
    op.create_index("ix_model_specs_batch_size_list_id", "model_specs", ["batch_size_list_id"])
    op.create_table(
        "workloads",
        _identifier(),
        sa.Column("digest", CODE_POINT_TEXT, nullable=False, comment="sha256: of the canonical form of the workload."),
        sa.Column("num_models", INTEGER, nullable=False, comment="How many models it serves."),
        sa.Column("total_gpus", INTEGER, nullable=False, comment="GPUs of all its models."),
        sa.Column(
            "least_itl_deadline_s",
            DOUBLE,
            nullable=False,
            comment="Least inter-token latency deadline of its models, seconds.",
        ),
        sa.Column(
            "greatest_itl_deadline_s",
            DOUBLE,
            nullable=False,
            comment="Greatest inter-token latency deadline of its models, seconds.",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workloads"),
        sa.UniqueConstraint("digest", name="uq_workloads_digest"),
        *_digest_check("workloads"),
        _check("workloads", "num_models", "num_models >= 1"),
        _check("workloads", "total_gpus", "total_gpus >= 0"),
        _check(
            "workloads",
            "least_itl_deadline_s",
            "least_itl_deadline_s > 0 AND least_itl_deadline_s <= greatest_itl_deadline_s",
        ),
        _check("workloads", "greatest_itl_deadline_s", "greatest_itl_deadline_s <= 1.7976931348623157e308"),
        comment="Distinct workloads.",
        sqlite_strict=True,
    )
    # Stored facts about all models of a workload let a search start at either end of a question.
    for first, second in (
        ("total_gpus", "least_itl_deadline_s"),
        ("least_itl_deadline_s", "total_gpus"),
        ("greatest_itl_deadline_s", "total_gpus"),
    ):
        op.create_index(f"ix_workloads_{first}_{second}", "workloads", [first, second])
    op.create_table(
        "workload_models",
        sa.Column("workload_id", INTEGER, nullable=False, comment="The workload."),
        sa.Column("position", INTEGER, nullable=False, comment="Place in the workload, from 0."),
        sa.Column("model_spec_id", INTEGER, nullable=False, comment="The model spec."),
        sa.Column(
            "model_label",
            CODE_POINT_TEXT,
            nullable=False,
            comment="Label of that spec, so that the database refuses two of one label in a workload.",
        ),
        sa.PrimaryKeyConstraint("workload_id", "position", name="pk_workload_models"),
        sa.UniqueConstraint("workload_id", "model_label", name="uq_workload_models_workload_id_model_label"),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_workload_models_workload_id_workloads"),
        sa.ForeignKeyConstraint(
            ["model_spec_id", "model_label"],
            ["model_specs.id", "model_specs.model_label"],
            name="fk_workload_models_model_spec_id_model_label_model_specs",
        ),
        _check("workload_models", "position", "position >= 0"),
        comment="The models of each workload.",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_workload_models_model_spec_id", "workload_models", ["model_spec_id"])


def _create_history() -> None:
    catalog_info = op.create_table(
        "catalog_info",
        sa.Column("id", INTEGER, autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column("created_at", TIMESTAMP, nullable=False, comment="When the catalog was made, UTC."),
        sa.PrimaryKeyConstraint("id", name="pk_catalog_info"),
        _check("catalog_info", "single_row", "id = 1"),
        comment="One row: this catalog. Writers lock it.",
        sqlite_strict=True,
    )
    now = datetime.now(UTC)
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    created_at = now.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if on_sqlite else now
    op.bulk_insert(catalog_info, [{"id": 1, "created_at": created_at}])
    op.create_table(
        "names",
        _identifier(),
        sa.Column("name", CODE_POINT_TEXT, nullable=False, comment="The name, as in references."),
        sa.Column("created_at", TIMESTAMP, nullable=False, comment="When the name was first used, UTC."),
        _checksum(),
        sa.PrimaryKeyConstraint("id", name="pk_names"),
        sa.UniqueConstraint("name", name="uq_names_name"),
        *_name_checks("names", "name"),
        comment="Names of workloads.",
        sqlite_strict=True,
    )
    op.create_table(
        "renames",
        sa.Column("name_id", INTEGER, nullable=False, comment="The name."),
        sa.Column("number", INTEGER, nullable=False, comment="1, 2, 3, … within the name."),
        sa.Column("old_name", CODE_POINT_TEXT, nullable=False, comment="What it was called until then."),
        sa.Column("recorded_at", TIMESTAMP, nullable=False, comment="When it was renamed, UTC."),
        sa.Column("author", sa.Text(), nullable=False, comment="Who renamed it."),
        sa.Column("message", sa.Text(), nullable=False, comment="Why; empty if not said."),
        _checksum(),
        sa.PrimaryKeyConstraint("name_id", "number", name="pk_renames"),
        sa.ForeignKeyConstraint(["name_id"], ["names.id"], name="fk_renames_name_id_names"),
        _check("renames", "number", "number >= 1"),
        *_name_checks("renames", "old_name"),
        comment="Changes of names, append-only.",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_renames_old_name", "renames", ["old_name"])
    op.create_table(
        "tags",
        sa.Column("name_id", INTEGER, nullable=False, comment="The name."),
        sa.Column("key", CODE_POINT_TEXT, nullable=False, comment="The tag's key."),
        sa.Column("value", sa.Text(), nullable=False, comment="The tag's value; empty if it has none."),
        _checksum(),
        sa.PrimaryKeyConstraint("name_id", "key", name="pk_tags"),
        sa.ForeignKeyConstraint(["name_id"], ["names.id"], name="fk_tags_name_id_names"),
        *_name_checks("tags", "key"),
        comment="Tags of names.",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revisions",
        sa.Column("name_id", INTEGER, nullable=False, comment="The name."),
        sa.Column("number", INTEGER, nullable=False, comment="1, 2, 3, … within the name, without gaps."),
        sa.Column(
            "workload_id",
            INTEGER,
            nullable=True,
            comment="The workload it stands for; NULL where the name was retired.",
        ),
        sa.Column("recorded_at", TIMESTAMP, nullable=False, comment="When the catalog learned it, UTC."),
        sa.Column("effective_from", TIMESTAMP, nullable=False, comment="Since when it applies, UTC."),
        sa.Column("author", sa.Text(), nullable=False, comment="Who recorded it."),
        sa.Column("message", sa.Text(), nullable=False, comment="Why; empty if not said."),
        sa.Column("source", sa.Text(), nullable=False, comment="The file it came from; empty if none."),
        sa.Column("annotations", JSON, nullable=False, comment="What is known beyond the workload: a JSON object."),
        _checksum(),
        sa.PrimaryKeyConstraint("name_id", "number", name="pk_revisions"),
        sa.ForeignKeyConstraint(["name_id"], ["names.id"], name="fk_revisions_name_id_names"),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name="fk_revisions_workload_id_workloads"),
        _check("revisions", "number", "number >= 1"),
        *_check_per_engine("revisions", "recorded_at", f"recorded_at GLOB '{TIME_SHAPE}'", "isfinite(recorded_at)"),
        *_check_per_engine(
            "revisions", "effective_from", f"effective_from GLOB '{TIME_SHAPE}'", "isfinite(effective_from)"
        ),
        *_check_per_engine(
            "revisions",
            "annotations",
            "json_valid(annotations) AND json_type(annotations) = 'object'",
            "json_typeof(annotations) = 'object'",
        ),
        comment="Revisions of names, append-only.",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_revisions_workload_id", "revisions", ["workload_id"])
    op.create_index("ix_revisions_name_id_effective_from_number", "revisions", ["name_id", "effective_from", "number"])
    op.create_index("ix_revisions_recorded_at", "revisions", ["recorded_at"])
    op.create_table(
        "alias_moves",
        sa.Column("name_id", INTEGER, nullable=False, comment="The name."),
        sa.Column("alias", CODE_POINT_TEXT, nullable=False, comment="The alias, as in NAME@alias."),
        sa.Column("number", INTEGER, nullable=False, comment="1, 2, 3, … within the alias."),
        sa.Column(
            "revision_number",
            INTEGER,
            nullable=True,
            comment="The revision it stands for since; NULL where it was removed.",
        ),
        sa.Column("recorded_at", TIMESTAMP, nullable=False, comment="When it was moved, UTC."),
        sa.Column("author", sa.Text(), nullable=False, comment="Who moved it."),
        sa.Column("message", sa.Text(), nullable=False, comment="Why; empty if not said."),
        _checksum(),
        sa.PrimaryKeyConstraint("name_id", "alias", "number", name="pk_alias_moves"),
        sa.ForeignKeyConstraint(["name_id"], ["names.id"], name="fk_alias_moves_name_id_names"),
        sa.ForeignKeyConstraint(
            ["name_id", "revision_number"],
            ["revisions.name_id", "revisions.number"],
            name="fk_alias_moves_name_id_revision_number_revisions",
        ),
        _check("alias_moves", "number", "number >= 1"),
        *_name_checks("alias_moves", "alias"),
        *_check_per_engine("alias_moves", "alias_first_character", "alias NOT GLOB '[0-9+]*'", "alias !~ '^[0-9+]'"),
        comment="Moves of aliases, append-only.",
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _create_views() -> None:
    """Make what somebody with a plain SQL tool wants to see first."""
    op.execute(
        """
        CREATE VIEW named_revisions AS
        SELECT names.name, revisions.number, workloads.digest, workloads.num_models, workloads.total_gpus,
               workloads.least_itl_deadline_s, workloads.greatest_itl_deadline_s, revisions.recorded_at,
               revisions.effective_from, revisions.author, revisions.message, revisions.source,
               revisions.annotations
        FROM revisions
        JOIN names ON names.id = revisions.name_id
        LEFT JOIN workloads ON workloads.id = revisions.workload_id
        """
    )
    op.execute(
        """
        CREATE VIEW revision_models AS
        SELECT names.name, revisions.number, workload_models.position, model_specs.model_label,
               model_specs.num_replicas, model_specs.gpus_per_replica, model_specs.initial_batch_size,
               model_specs.itl_deadline_s, batch_size_lists.batch_sizes AS feasible_batch_sizes,
               model_specs.total_gpus
        FROM revisions
        JOIN names ON names.id = revisions.name_id
        JOIN workload_models ON workload_models.workload_id = revisions.workload_id
        JOIN model_specs ON model_specs.id = workload_models.model_spec_id
        JOIN batch_size_lists ON batch_size_lists.id = model_specs.batch_size_list_id
        """
    )


def _create_sqlite_triggers() -> None:
    for table in IMMUTABLE_TABLES:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} is refused'); END"
            )
    # INSERT OR REPLACE would delete a revision without firing the DELETE trigger.
    op.execute(
        "CREATE TRIGGER revisions_refuse_gap BEFORE INSERT ON revisions "
        "WHEN EXISTS (SELECT 1 FROM revisions WHERE name_id = NEW.name_id AND number = NEW.number) "
        "OR (NEW.number > 1 AND NOT EXISTS "
        "(SELECT 1 FROM revisions WHERE name_id = NEW.name_id AND number = NEW.number - 1)) "
        "BEGIN SELECT RAISE(ABORT, 'revisions is append-only: the next number of the name is needed'); END"
    )


def _create_postgresql_triggers() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_catalog_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for table in IMMUTABLE_TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_catalog_change()"
        )
    # Per statement, not per row: a bulk insert pays for it once.
    op.execute(
        """
        CREATE FUNCTION refuse_revision_gap() RETURNS trigger LANGUAGE plpgsql AS $$
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
    )
    op.execute(
        "CREATE TRIGGER revisions_refuse_gap AFTER INSERT ON revisions REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_revision_gap()"
    )
