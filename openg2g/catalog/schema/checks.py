"""Rules that the database itself holds: CHECK constraints, with the same meaning on both engines."""

from sqlalchemy import CheckConstraint

# The same sets of characters, written for GLOB (45 is the hyphen of a range) and for Postgres' regular expressions.
_SQLITE_CONTROLS = "char(1, 45, 31, 127, 45, 159, 8232, 8233)"
_POSTGRES_CONTROLS = r"\u0001-\u001F\u007F-\u009F\u2028\u2029"
_SQLITE_SPACES = "char(32, 160, 5760, 8192, 45, 8202, 8239, 8287, 12288)"
_POSTGRES_SPACES = r"\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000"
_TIME_SHAPE = (  # How `UtcTimestamp` writes a time on SQLite.
    "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z"
)

Checks = tuple[CheckConstraint, ...]


def check_on_each_engine(name: str, sqlite: str, postgresql: str) -> Checks:
    """One rule whose text differs between the engines, under one name."""
    return (
        CheckConstraint(sqlite, name=name).ddl_if(dialect="sqlite"),
        CheckConstraint(postgresql, name=name).ddl_if(dialect="postgresql"),
    )


def check_digest() -> Checks:
    """`digest` is `sha256:` and 64 hexadecimal digits."""
    return check_on_each_engine(
        "digest",
        "length(digest) = 71 AND digest GLOB 'sha256:*' AND substr(digest, 8) NOT GLOB '*[^0-9a-f]*'",
        "digest ~ '^sha256:[0-9a-f]{64}$'",
    )


def check_name_column(column: str) -> Checks:
    """A column follows the rules of names, those of `openg2g.models.revision.check_name`."""
    return (
        *_check_length(column),
        *check_on_each_engine(
            f"{column}_characters",
            f"{column} NOT GLOB '*[' || {_SQLITE_CONTROLS} || {_SQLITE_SPACES} || '@:*?[]*'"
            f" AND {column} NOT GLOB '-*' AND instr(CAST({column} AS BLOB), x'00') = 0",
            f"{column} !~ '[{_POSTGRES_CONTROLS}{_POSTGRES_SPACES}@:*?[]' AND {column} !~ '^-'",
        ),
    )


def check_model_label() -> Checks:
    """`model_label` has 1 to 200 characters, none of them a control character, and is not blank."""
    return (
        *_check_length("model_label"),
        *check_on_each_engine(
            "model_label_not_blank",
            f"model_label GLOB '*[^' || {_SQLITE_SPACES} || ']*'",
            f"model_label ~ '[^{_POSTGRES_SPACES}]'",
        ),
        *check_on_each_engine(
            "model_label_no_control",
            f"model_label NOT GLOB '*[' || {_SQLITE_CONTROLS} || ']*' AND instr(CAST(model_label AS BLOB), x'00') = 0",
            f"model_label !~ '[{_POSTGRES_CONTROLS}]'",
        ),
    )


def check_finite_time(column: str) -> Checks:
    """A time is finite, and has its shape where it is text."""
    return check_on_each_engine(column, f"{column} GLOB '{_TIME_SHAPE}'", f"isfinite({column})")


def _check_length(column: str) -> Checks:
    return check_on_each_engine(
        f"{column}_length", f"length({column}) BETWEEN 1 AND 200", f"char_length({column}) BETWEEN 1 AND 200"
    )
