"""The exit codes of commands: which errors end with which, and what `openg2g --help` says of them."""

from openg2g.models import errors

OTHER = 1
INVALID = 4
FILE = 7

EXIT_CODES: tuple[tuple[int, str, tuple[type[errors.CatalogError], ...]], ...] = (
    (0, "done", ()),
    (OTHER, "any other failure", ()),
    (
        2,
        "wrong usage",
        (
            errors.LocationError,
            errors.InvalidReferenceError,
            errors.InvalidRevisionError,
            errors.InvalidChangeError,
            errors.FilterError,
            errors.NameTakenError,
            errors.UnknownFormatError,
        ),
    ),
    (
        3,
        "no such workload or catalog",
        (errors.WorkloadNotFoundError, errors.AmbiguousReferenceError, errors.CatalogNotFoundError),
    ),
    (INVALID, "a document or archive is not valid", (errors.InvalidDocumentError,)),
    (5, "database unavailable, locked or read-only", (errors.CatalogUnavailableError,)),
    (
        6,
        "not a catalog, a damaged one, or another release's schema",
        (errors.SchemaError, errors.DamagedCatalogError),
    ),
    (FILE, "a file cannot be read or written", (errors.SourceError,)),
    (
        8,
        "conflict: somebody else was faster, or two histories part",
        (errors.RevisionConflictError, errors.HistoryConflictError),
    ),
)
"""Exit code, what it means, and the errors that end with it."""

_INTERRUPTED = "129, 130, 143  interrupted by SIGHUP, Ctrl-C or SIGTERM; nothing is half done"


def exit_code_of(error: errors.CatalogError) -> int:
    """Return the exit code of a command that an error ended."""
    return next((code for code, _, kinds in EXIT_CODES if isinstance(error, kinds)), OTHER)


def exit_code_lines() -> str:
    """Return the lines of the help."""
    return "\n".join([*(f"  {code}  {meaning}" for code, meaning, _ in EXIT_CODES), f"  {_INTERRUPTED}"])
