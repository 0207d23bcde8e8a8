"""The columns of a Parquet file, and which types of other writers are taken for them.

Whole numbers have 64 bits, so that `num_replicas * gpus_per_replica` overflows in no engine. The product itself is not
stored: it could contradict its factors.
"""

from importlib import import_module
from typing import Any

from openg2g.formats.document import Report
from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.rows.model_rows import COLUMNS, check_columns
from openg2g.models.errors import MissingLibraryError

FORMAT = "openg2g-rows/1"
"""Version of these columns, which the metadata of a file tell under `FORMAT_KEY`."""

FORMAT_KEY = b"openg2g.format"

PLACE_COLUMNS = ("workload_index", "position")
"""Which workload of the file a row belongs to, and which model of it the row is; both counted from 0."""

ALL_COLUMNS = (*PLACE_COLUMNS, *COLUMNS)
"""Columns, in the order of writing."""

KINDS = {
    **dict.fromkeys(COLUMNS, "text"),
    **dict.fromkeys(PLACE_COLUMNS, "integer"),
    **dict.fromkeys(("num_replicas", "gpus_per_replica", "initial_batch_size", "number"), "integer"),
    "itl_deadline_s": "number",
    "feasible_batch_sizes": "integers",
    **dict.fromkeys(("effective_from", "recorded_at"), "time"),
}
"""Column → kind of its values."""

_SPARK_KEY = b"org.apache.spark.version"
"""What the metadata of every file that Spark writes tell."""

_EXPECTED = {
    "text": "strings",
    "integer": "whole numbers",
    "number": "doubles",
    "integers": "lists of integers",
    "time": "timestamps with a time zone",
}


def load_library() -> tuple[Any, Any]:
    """Import pyarrow, which has no type stubs, and its Parquet module."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingLibraryError("reading and writing Parquet", library="pyarrow", extra="parquet") from error


def written_schema(arrow: Any) -> Any:
    """Return the schema that is written, with what must not be null."""
    sizes = arrow.list_(arrow.field("element", arrow.int64(), nullable=False))
    types = {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "integers": sizes,
        "time": arrow.timestamp("us", tz="UTC"),
    }
    always = {*PLACE_COLUMNS, *MODEL_FIELDS}
    return arrow.schema([arrow.field(c, types[KINDS[c]], nullable=c not in always) for c in ALL_COLUMNS])


def check_schema(arrow: Any, file: Any, report: Report) -> None:
    """Note every column that is not known, stands twice, is missing, or could only be read by changing its values."""
    schema = file.schema_arrow
    has_places = any(column in schema.names for column in PLACE_COLUMNS)
    check_columns(schema.names, ALL_COLUMNS, (*(PLACE_COLUMNS if has_places else ()), *MODEL_FIELDS), report)
    if report.problems:
        return
    instants = _instants_of_spark(file)
    for field in schema:
        is_absent = arrow.types.is_null(field.type) and field.name not in MODEL_FIELDS
        is_instant = KINDS[field.name] == "time" and field.name in instants
        if not is_absent and not is_instant and not _is_of_kind(arrow.types, field.type, KINDS[field.name]):
            got = str(field.type)
            report.add(field.name, f"must be a column of {_EXPECTED[KINDS[field.name]]}, got {got[:80]}.")


def _instants_of_spark(file: Any) -> frozenset[str]:
    """Return the columns that hold times in 96 bits, which name no zone, if Spark has written them.

    It writes its timestamps so unless it is told otherwise, and always in UTC. Impala writes local times in them.
    """
    if _SPARK_KEY not in (file.metadata.metadata or {}):
        return frozenset()
    columns = map(file.schema.column, range(len(file.schema)))
    return frozenset(column.path for column in columns if column.physical_type == "INT96")


def _is_of_kind(types: Any, type_: Any, kind: str) -> bool:
    """Whether a column may have values of a kind as they are: a deadline of 32 bits would be another number than meant.

    Whole numbers may be doubles, as pandas makes of a column in which some are missing; each must be whole.
    """
    match kind:
        case "text":
            return _is_text(types, type_.value_type if types.is_dictionary(type_) else type_)
        case "integer":
            return bool(types.is_integer(type_) or types.is_float64(type_))
        case "number":
            return bool(types.is_float64(type_) or types.is_integer(type_) or types.is_decimal(type_))
        case "integers":
            is_list = types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_)
            return bool(is_list and types.is_integer(type_.value_type))
        case _:
            return bool(types.is_timestamp(type_) and type_.tz is not None)


def _is_text(types: Any, type_: Any) -> bool:
    return bool(types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_))
