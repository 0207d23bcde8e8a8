"""The tables: what the migrations make, described for queries.

Content (`batch_size_lists`, `batch_sizes`, `model_specs`, `workloads`, `workload_models`) is addressed by digest and
never changes. History (`names`, `revisions`) says which content a name meant since when, and only grows. The schema's
only source is `migrations/`; a test compares the two.

They are tables of SQLAlchemy Core, whose columns are typed by the class before each. Nothing here is an object that is
kept up to date, and `sqlalchemy.orm` with its mappings would take a fourth of the start of each command.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    cast,
)
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from openg2g.models.errors import DamagedCatalogError

VERSION_TABLE = "openg2g_schema_version"
"""Alembic's table under a name of our own: `alembic_version` is shared by whatever else lives in a lab's database."""

SQLITE_APPLICATION_ID = 0x4F473247
"""`OG2G` in ASCII, in the header of every SQLite catalog."""


class UtcTimestamp(TypeDecorator[datetime]):
    """An instant in UTC with microseconds; text of fixed width on SQLite, which keeps no offset and sorts text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite."""
        return Text() if dialect.name == "sqlite" else DateTime(timezone=True)

    @property
    def python_type(self) -> type[datetime]:
        """What values are."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Convert to UTC; refuse a time without an offset, which SQLite would store as something else."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without an offset cannot be stored: {value}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return _time_of_text(value) if isinstance(value, str) else value.astimezone(UTC)


@lru_cache(maxsize=64)  # What was imported together has most of its times in common.
def _time_of_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise DamagedCatalogError(f"a stored time is no time: {text!r}. Run `openg2g verify`.") from None


class JsonText(TypeDecorator[str]):
    """JSON as its exact text. Postgres' JSONB would reorder keys and turn 1e22 into an integer."""

    impl = Text()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """JSON on Postgres, so that `->>` works there in plain SQL."""
        return _PostgresJson() if dialect.name == "postgresql" else Text()

    @property
    def python_type(self) -> type[str]:
        """What values are."""
        return str

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Select the text itself: the driver would parse a JSON column."""
        return cast(column, Text)


class _PostgresJson(UserDefinedType[str]):
    """Postgres' JSON without SQLAlchemy's conversion: values are JSON text already."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name of the type."""
        return "JSON"


_BIG_INTEGER = BigInteger().with_variant(Integer(), "sqlite")  # STRICT tables know INTEGER only, which has 64 bits.
DOUBLE: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
_CODE_POINT_TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # Sorts the same on both engines.


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _time(comment: str) -> Column[datetime]:
    kept = (
        "timestamptz on PostgreSQL, text like '2026-04-01T00:00:00.000000Z' on SQLite: compare with a time written so."
    )
    return Column(UtcTimestamp, comment=f"{comment} {kept}")


def _per_engine(name: str, sqlite: str, postgresql: str) -> tuple[CheckConstraint, CheckConstraint]:
    """One rule whose text differs between the engines, under one name."""
    return (
        CheckConstraint(sqlite, name=name).ddl_if(dialect="sqlite"),
        CheckConstraint(postgresql, name=name).ddl_if(dialect="postgresql"),
    )


def _digest_check() -> tuple[CheckConstraint, CheckConstraint]:
    return _per_engine(
        "digest",
        "length(digest) = 71 AND digest GLOB 'sha256:*' AND substr(digest, 8) NOT GLOB '*[^0-9a-f]*'",
        "digest ~ '^sha256:[0-9a-f]{64}$'",
    )


# The same sets of characters, written for GLOB (45 is the hyphen of a range) and for Postgres' regular expressions.
_SQLITE_CONTROLS = "char(1, 45, 31, 127, 45, 159, 8232, 8233)"
_POSTGRES_CONTROLS = r"\u0001-\u001F\u007F-\u009F\u2028\u2029"
_TIME_SHAPE = (  # How `UtcTimestamp` writes a time on SQLite.
    "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
)
_SQLITE_SPACES = "char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288)"
_POSTGRES_SPACES = r"\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000"


class CatalogInfoColumns(TypedColumns):
    """One row: this catalog. Writers on Postgres lock it, so that ids and revision numbers stay dense."""

    id: Named[int] = Column(_BIG_INTEGER, primary_key=True, autoincrement=False, comment="Always 1.")
    created_at: Named[datetime] = _time("When the catalog was made, UTC.")


CATALOG_INFO = Table(
    "catalog_info",
    METADATA,
    CatalogInfoColumns,
    CheckConstraint("id = 1", name="single_row"),
    comment="One row: this catalog. Writers lock it.",
    sqlite_strict=True,
)


class BatchSizeListColumns(TypedColumns):
    """A distinct ordered list of feasible batch sizes."""

    id: Named[int] = Column(_BIG_INTEGER, primary_key=True, autoincrement=False, comment="Assigned by writers.")
    digest: Named[str] = Column(_CODE_POINT_TEXT, comment="sha256: of the list as JSON.")
    batch_sizes: Named[str] = Column(Text, comment="The list as JSON: [8,16,32]. Its members are batch_sizes.")
    num_batch_sizes: Named[int] = Column(_BIG_INTEGER, comment="Length of the list.")


BATCH_SIZE_LISTS = Table(
    "batch_size_lists",
    METADATA,
    BatchSizeListColumns,
    UniqueConstraint("digest"),
    *_digest_check(),
    CheckConstraint("num_batch_sizes >= 1", name="num_batch_sizes"),
    comment="Distinct ordered lists of feasible batch sizes.",
    sqlite_strict=True,
)


class BatchSizeColumns(TypedColumns):
    """A member of a list of feasible batch sizes."""

    batch_size_list_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(BATCH_SIZE_LISTS.c.id), primary_key=True, autoincrement=False, comment="The list."
    )
    position: Named[int] = Column(
        _BIG_INTEGER, primary_key=True, autoincrement=False, comment="Place in the list, from 0. Baseline mode uses 0."
    )
    batch_size: Named[int] = Column(_BIG_INTEGER, comment="Requests in a batch.")


BATCH_SIZES = Table(
    "batch_sizes",
    METADATA,
    BatchSizeColumns,
    CheckConstraint("position >= 0", name="position"),
    CheckConstraint("batch_size > 0 AND batch_size <= 2147483647", name="batch_size"),
    Index(None, "batch_size", "batch_size_list_id"),
    comment="Members of the lists.",
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


class ModelSpecColumns(TypedColumns):
    """A distinct `LLMInferenceModelSpec`."""

    id: Named[int] = Column(_BIG_INTEGER, primary_key=True, autoincrement=False, comment="Assigned by writers.")
    digest: Named[str] = Column(_CODE_POINT_TEXT, comment="sha256: of the canonical form of the spec.")
    model_label: Named[str] = Column(_CODE_POINT_TEXT, comment="Human-readable model identifier.")
    num_replicas: Named[int] = Column(_BIG_INTEGER, comment="Replicas in the whole datacenter.")
    gpus_per_replica: Named[int] = Column(_BIG_INTEGER, comment="GPUs of each replica.")
    initial_batch_size: Named[int] = Column(_BIG_INTEGER, comment="Batch size at the start, requests.")
    itl_deadline_s: Named[float] = Column(DOUBLE, comment="Inter-token latency deadline, seconds.")
    batch_size_list_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(BATCH_SIZE_LISTS.c.id), comment="Feasible batch sizes."
    )
    total_gpus: Named[int] = Column(_BIG_INTEGER, comment="num_replicas * gpus_per_replica.")


MODEL_SPECS = Table(
    "model_specs",
    METADATA,
    ModelSpecColumns,
    UniqueConstraint("digest"),
    UniqueConstraint("id", "model_label"),  # The target of workload_models' composite foreign key.
    *_digest_check(),
    *_per_engine(
        "model_label_length",
        "length(model_label) BETWEEN 1 AND 200",
        "char_length(model_label) BETWEEN 1 AND 200",
    ),
    *_per_engine(
        "model_label_not_blank",
        f"model_label GLOB '*[^' || {_SQLITE_SPACES} || ']*'",
        f"model_label ~ '[^{_POSTGRES_SPACES}]'",
    ),
    *_per_engine(
        "model_label_no_control",
        f"model_label NOT GLOB '*[' || {_SQLITE_CONTROLS} || ']*' AND instr(CAST(model_label AS BLOB), x'00') = 0",
        f"model_label !~ '[{_POSTGRES_CONTROLS}]'",
    ),
    CheckConstraint("num_replicas >= 0 AND num_replicas <= 2147483647", name="num_replicas"),
    CheckConstraint("gpus_per_replica >= 1 AND gpus_per_replica <= 2147483647", name="gpus_per_replica"),
    CheckConstraint("initial_batch_size > 0 AND initial_batch_size <= 2147483647", name="initial_batch_size"),
    CheckConstraint("itl_deadline_s > 0 AND itl_deadline_s <= 1.7976931348623157e308", name="itl_deadline_s"),
    CheckConstraint("total_gpus = num_replicas * gpus_per_replica", name="total_gpus"),
    Index(None, "model_label"),
    Index(None, "batch_size_list_id"),
    comment="Distinct model specs.",
    sqlite_strict=True,
)


class WorkloadColumns(TypedColumns):
    """A distinct `LLMInferenceWorkload`.

    Facts about all its models are stored with it, so that "each deadline is at most 0.1 s" and "some deadline is" are
    answered from an index, without a look at the models of every workload.
    """

    id: Named[int] = Column(_BIG_INTEGER, primary_key=True, autoincrement=False, comment="Assigned by writers.")
    digest: Named[str] = Column(_CODE_POINT_TEXT, comment="sha256: of the canonical form of the workload.")
    num_models: Named[int] = Column(_BIG_INTEGER, comment="How many models it serves.")
    total_gpus: Named[int] = Column(_BIG_INTEGER, comment="GPUs of all its models.")
    least_itl_deadline_s: Named[float] = Column(
        DOUBLE, comment="Least inter-token latency deadline of its models, seconds."
    )
    greatest_itl_deadline_s: Named[float] = Column(
        DOUBLE, comment="Greatest inter-token latency deadline of its models, seconds."
    )


WORKLOADS = Table(
    "workloads",
    METADATA,
    WorkloadColumns,
    UniqueConstraint("digest"),
    *_digest_check(),
    CheckConstraint("num_models >= 1", name="num_models"),
    CheckConstraint("total_gpus >= 0", name="total_gpus"),
    CheckConstraint(
        "least_itl_deadline_s > 0 AND least_itl_deadline_s <= greatest_itl_deadline_s",
        name="least_itl_deadline_s",
    ),
    CheckConstraint("greatest_itl_deadline_s <= 1.7976931348623157e308", name="greatest_itl_deadline_s"),
    Index(None, "total_gpus", "least_itl_deadline_s"),
    Index(None, "least_itl_deadline_s", "total_gpus"),
    Index(None, "greatest_itl_deadline_s", "total_gpus"),
    comment="Distinct workloads.",
    sqlite_strict=True,
)


class WorkloadModelColumns(TypedColumns):
    """A model spec at its place in a workload."""

    workload_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(WORKLOADS.c.id), primary_key=True, autoincrement=False, comment="The workload."
    )
    position: Named[int] = Column(
        _BIG_INTEGER, primary_key=True, autoincrement=False, comment="Place in the workload, from 0."
    )
    model_spec_id: Named[int] = Column(_BIG_INTEGER, comment="The model spec.")
    model_label: Named[str] = Column(
        _CODE_POINT_TEXT, comment="Label of that spec, so that the database refuses two of one label in a workload."
    )


WORKLOAD_MODELS = Table(
    "workload_models",
    METADATA,
    WorkloadModelColumns,
    UniqueConstraint("workload_id", "model_label"),
    ForeignKeyConstraint(["model_spec_id", "model_label"], [MODEL_SPECS.c.id, MODEL_SPECS.c.model_label]),
    CheckConstraint("position >= 0", name="position"),
    Index(None, "model_spec_id"),
    comment="The models of each workload.",
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def _checksum() -> Column[int]:
    """The last column of each table of the history; `openg2g.catalog.engine.bulk` fills it."""
    return Column(_BIG_INTEGER, comment="CRC-32 of the other values, so that verify finds damage.")


def _name_checks(column: str) -> tuple[CheckConstraint, ...]:
    """Rules of names: those of `openg2g.models.revision.check_name`."""
    return (
        *_per_engine(
            f"{column}_length",
            f"length({column}) BETWEEN 1 AND 200",
            f"char_length({column}) BETWEEN 1 AND 200",
        ),
        *_per_engine(
            f"{column}_characters",
            f"{column} NOT GLOB '*[' || {_SQLITE_CONTROLS} || {_SQLITE_SPACES} || '@:*?[]*'"
            f" AND {column} NOT GLOB '-*' AND instr(CAST({column} AS BLOB), x'00') = 0",
            f"{column} !~ '[{_POSTGRES_CONTROLS}{_POSTGRES_SPACES}@:*?[]' AND {column} !~ '^-'",
        ),
    )


class NameColumns(TypedColumns):
    """A name under which revisions are kept."""

    id: Named[int] = Column(_BIG_INTEGER, primary_key=True, autoincrement=False, comment="Assigned by writers.")
    name: Named[str] = Column(_CODE_POINT_TEXT, comment="The name, as in references.")
    created_at: Named[datetime] = _time("When the name was first used, UTC.")
    checksum: Named[int] = _checksum()


NAMES = Table(
    "names",
    METADATA,
    NameColumns,
    UniqueConstraint("name"),
    *_name_checks("name"),
    comment="Names of workloads.",
    sqlite_strict=True,
)


class RenameColumns(TypedColumns):
    """A change of a name: append-only."""

    name_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(NAMES.c.id), primary_key=True, autoincrement=False, comment="The name."
    )
    number: Named[int] = Column(
        _BIG_INTEGER, primary_key=True, autoincrement=False, comment="1, 2, 3, … within the name."
    )
    old_name: Named[str] = Column(_CODE_POINT_TEXT, comment="What it was called until then.")
    recorded_at: Named[datetime] = _time("When it was renamed, UTC.")
    author: Named[str] = Column(Text, comment="Who renamed it.")
    message: Named[str] = Column(Text, comment="Why; empty if not said.")
    checksum: Named[int] = _checksum()


RENAMES = Table(
    "renames",
    METADATA,
    RenameColumns,
    CheckConstraint("number >= 1", name="number"),
    *_name_checks("old_name"),
    Index(None, "old_name"),
    comment="Changes of names, append-only.",
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


class TagColumns(TypedColumns):
    """A tag of a name. Tags describe a name as it is now; they have no history."""

    name_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(NAMES.c.id), primary_key=True, autoincrement=False, comment="The name."
    )
    key: Named[str] = Column(_CODE_POINT_TEXT, primary_key=True, comment="The tag's key.")
    value: Named[str] = Column(Text, comment="The tag's value; empty if it has none.")
    checksum: Named[int] = _checksum()


TAGS = Table(
    "tags",
    METADATA,
    TagColumns,
    *_name_checks("key"),
    comment="Tags of names.",
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


class RevisionColumns(TypedColumns):
    """What a name meant since when: append-only."""

    name_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(NAMES.c.id), primary_key=True, autoincrement=False, comment="The name."
    )
    number: Named[int] = Column(
        _BIG_INTEGER, primary_key=True, autoincrement=False, comment="1, 2, 3, … within the name, without gaps."
    )
    workload_id: Named[int | None] = Column(
        _BIG_INTEGER, ForeignKey(WORKLOADS.c.id), comment="The workload it stands for; NULL where the name was retired."
    )
    recorded_at: Named[datetime] = _time("When the catalog learned it, UTC.")
    effective_from: Named[datetime] = _time("Since when it applies, UTC.")
    author: Named[str] = Column(Text, comment="Who recorded it.")
    message: Named[str] = Column(Text, comment="Why; empty if not said.")
    source: Named[str] = Column(Text, comment="The file it came from; empty if none.")
    annotations: Named[str] = Column(JsonText, comment="What is known beyond the workload: a JSON object.")
    checksum: Named[int] = _checksum()


REVISIONS = Table(
    "revisions",
    METADATA,
    RevisionColumns,
    CheckConstraint("number >= 1", name="number"),
    *_per_engine("recorded_at", f"recorded_at GLOB '{_TIME_SHAPE}'", "isfinite(recorded_at)"),
    *_per_engine("effective_from", f"effective_from GLOB '{_TIME_SHAPE}'", "isfinite(effective_from)"),
    *_per_engine(
        "annotations",
        "json_valid(annotations) AND json_type(annotations) = 'object'",
        "json_typeof(annotations) = 'object'",
    ),
    Index(None, "workload_id"),
    Index(None, "name_id", "effective_from", "number"),
    Index(None, "recorded_at"),
    comment="Revisions of names, append-only.",
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


class AliasMoveColumns(TypedColumns):
    """An alias set, moved or removed: append-only."""

    name_id: Named[int] = Column(
        _BIG_INTEGER, ForeignKey(NAMES.c.id), primary_key=True, autoincrement=False, comment="The name."
    )
    alias: Named[str] = Column(_CODE_POINT_TEXT, primary_key=True, comment="The alias, as in NAME@alias.")
    number: Named[int] = Column(
        _BIG_INTEGER, primary_key=True, autoincrement=False, comment="1, 2, 3, … within the alias."
    )
    revision_number: Named[int | None] = Column(
        _BIG_INTEGER, comment="The revision it stands for since; NULL where it was removed."
    )
    recorded_at: Named[datetime] = _time("When it was moved, UTC.")
    author: Named[str] = Column(Text, comment="Who moved it.")
    message: Named[str] = Column(Text, comment="Why; empty if not said.")
    checksum: Named[int] = _checksum()


ALIAS_MOVES = Table(
    "alias_moves",
    METADATA,
    AliasMoveColumns,
    ForeignKeyConstraint(["name_id", "revision_number"], [REVISIONS.c.name_id, REVISIONS.c.number]),
    CheckConstraint("number >= 1", name="number"),
    *_name_checks("alias"),
    *_per_engine("alias_first_character", "alias NOT GLOB '[0-9+]*'", "alias !~ '^[0-9+]'"),
    comment="Moves of aliases, append-only.",
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


CATALOG_TABLES = tuple(table.name for table in METADATA.sorted_tables)
"""Every table of the catalog, parents first."""

APPEND_ONLY_TABLES = tuple(name for name in CATALOG_TABLES if name not in ("names", "tags"))
"""Tables whose rows the database refuses to change or delete."""

CHECKSUMMED_TABLES = tuple(table for table in METADATA.sorted_tables if "checksum" in table.columns)
"""Tables whose rows have a checksum, parents first."""

CATALOG_VIEWS = frozenset({"named_revisions", "revision_models"})
"""What somebody with a plain SQL tool wants to see first."""
