"""Every error that the package raises on purpose, in one tree.

    CatalogError
    ├── LocationError              (ValueError)       a path or URL that names no database we can use
    ├── CatalogNotFoundError       (LookupError)      no catalog there yet
    ├── CatalogUnavailableError    (OSError)          unreachable, refused, full, damaged, not permitted
    │   ├── CatalogLockedError     (TimeoutError)     somebody else held the write lock for too long
    │   ├── UnknownOutcomeError                       the connection was lost during a commit, and nobody could be asked
    │   └── CatalogReadOnlyError   (PermissionError)  a write to what may only be read
    ├── SchemaError                                   the tables are not those of this release
    │   ├── NotACatalogError                          a database, but somebody else's
    │   ├── SchemaOutdatedError                       made by an older release: upgrade it
    │   └── SchemaTooNewError                         made by a newer release: update the package
    ├── DamagedCatalogError                           stored content contradicts itself
    ├── InvalidReferenceError      (ValueError)       text that is no reference
    ├── WorkloadNotFoundError      (LookupError)      a reference that nothing answers
    │   ├── RetiredError                              a revision that retires its name, and has no workload
    │   └── AliasNotFoundError                        a name without this alias
    ├── AmbiguousReferenceError    (LookupError)      a reference that fits several workloads, specs or revisions
    ├── InvalidRevisionError       (ValueError)       a name, time or annotation that cannot be stored
    ├── RevisionConflictError      (RuntimeError)     somebody else was faster
    ├── HistoryConflictError       (RuntimeError)     a name with another history on each side
    ├── NameTakenError             (ValueError)       a new name that is in use
    ├── InvalidDocumentError       (ValueError)       a file whose content is not what it should be
    ├── InvalidChangeError         (ValueError)       changes of a workload that cannot be made
    ├── FilterError                (ValueError)       an expression that cannot be searched by
    ├── UnknownFormatError         (ValueError)       a file format that nobody reads or writes
    ├── MissingLibraryError        (ImportError)      a library that is wanted and not installed
    └── SourceError                (OSError)          a file that cannot be read or written

The second base is the builtin that a caller would expect. Errors carry data in attributes; the message says what, where
and why, and what helps in any program. Which command or option helps is told by the command line (`cli/hints.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from openg2g.models.characters import visible
from openg2g.models.columns import columns
from openg2g.models.secrets import masked_value, without_secrets

Setting = Literal["file_bytes", "format_name", "lossy", "max_problems", "name", "replace"]
"""What a caller may choose, and what was refused for the lack of it: parameters, and options of commands."""

Doubt = Literal["tables", "content"]
"""What of a catalog may not be as it should: its tables, triggers and views, or what is stored in them."""


class CatalogError(Exception):
    """Base of every error that the catalog raises on purpose.

    What looks like a secret in its text is masked: the text may quote an argument that was meant as a URL.

    Attributes:
        setting: What its caller could choose so that this is not refused; None where there is nothing.
        doubts: What of the catalog is to be checked, since the error has no other reason.
    """

    def __init__(self, message: str = "", *, setting: Setting | None = None, doubts: Sequence[Doubt] = ()) -> None:
        super().__init__(without_secrets(message))
        self.setting = setting
        self.doubts = tuple(doubts)


class LocationError(CatalogError, ValueError):
    """A path or URL does not name a database that the catalog can use."""


class CatalogNotFoundError(CatalogError, LookupError):
    """There is no catalog at the location yet.

    Attributes:
        location: Path or URL, without a password.
    """

    def __init__(self, location: str, why: str) -> None:
        super().__init__(f"no catalog at {location}: {why}.")
        self.add_note("Make one with Catalog.create().")
        self.location = location


class CatalogUnavailableError(CatalogError, OSError):
    """The database cannot be reached, opened, read or written."""


class CatalogLockedError(CatalogUnavailableError, TimeoutError):
    """Somebody else held the write lock for longer than we wait."""


class UnknownOutcomeError(CatalogUnavailableError):
    """The connection was lost during a commit, and the server could not be asked whether it happened."""


class CatalogReadOnlyError(CatalogUnavailableError, PermissionError):
    """The database may only be read."""


class SchemaError(CatalogError):
    """The tables of the database are not those of this release."""


class NotACatalogError(SchemaError):
    """The database belongs to something else."""


class SchemaOutdatedError(SchemaError):
    """The tables were made by an older release.

    Attributes:
        current: Schema revision of the database.
        head: Schema revision of this release.
    """

    def __init__(self, location: str, current: str, head: str) -> None:
        super().__init__(f"the catalog at {location} has schema {current}, this release needs {head}.")
        self.current = current
        self.head = head


class SchemaTooNewError(SchemaError):
    """The tables were made by a newer release.

    Attributes:
        current: Schema revision of the database.
        head: Schema revision of this release.
    """

    def __init__(self, location: str, current: str, head: str) -> None:
        super().__init__(
            f"the catalog at {location} has schema {current}, which this release does not know (its newest is {head}). "
            "Update the package: `pip install --upgrade openg2g-catalog`."
        )
        self.current = current
        self.head = head


class DamagedCatalogError(CatalogError):
    """Stored content contradicts itself or its digest."""


class InvalidReferenceError(CatalogError, ValueError):
    """A text is not a reference."""


class WorkloadNotFoundError(CatalogError, LookupError):
    """Nothing in the catalog answers a reference.

    Attributes:
        reference: The reference as given.
        close_matches: Names that look like it.
    """

    def __init__(self, reference: str, why: str, close_matches: Sequence[str] = ()) -> None:
        hint = f" Did you mean {' or '.join(close_matches)}?" if close_matches else ""
        super().__init__(f"{reference}: {why}.{hint}")
        self.reference = without_secrets(reference)
        self.close_matches = tuple(close_matches)


class RetiredError(WorkloadNotFoundError):
    """A revision has no workload: it retires its name.

    Attributes:
        name: The name.
    """

    def __init__(self, reference: str, name: str, why: str) -> None:
        super().__init__(reference, why)
        self.name = name


class AliasNotFoundError(WorkloadNotFoundError):
    """A name has no such alias.

    Attributes:
        aliases: Those that it has, or has had.
    """

    def __init__(self, reference: str, aliases: Sequence[str]) -> None:
        known = f"it has had {', '.join(aliases)}" if aliases else "it has none"
        super().__init__(reference, f"the name has no such alias at that time ({known})")
        self.aliases = tuple(aliases)


class AmbiguousReferenceError(CatalogError, LookupError):
    """A digest prefix fits several workloads or model specs, or NAME@latest is an alias of an older release, too.

    Attributes:
        reference: The reference as given.
        candidates: Digests or references that it fits.
    """

    def __init__(self, reference: str, candidates: Sequence[str], why: str) -> None:
        super().__init__(f"{reference} {why}")
        self.reference = without_secrets(reference)
        self.candidates = tuple(candidates)


class InvalidRevisionError(CatalogError, ValueError):
    """A name, time, text or annotation cannot be stored."""


class RevisionConflictError(CatalogError, RuntimeError):
    """The highest number of a name is not the one that the caller has seen.

    Attributes:
        name: The name.
        expected: The highest number that the caller has seen; 0 for none.
        current: The highest number; 0 for none.
    """

    def __init__(self, name: str, expected: int, current: int) -> None:
        super().__init__(f"{name}: expected revision {expected} to be the latest, but it is {current}.")
        self.name = name
        self.expected = expected
        self.current = current


class HistoryConflictError(CatalogError, RuntimeError):
    """A name has one history here and another in what is to be added.

    Attributes:
        name: The name.
        number: First revision (or rename, or alias move) in which they differ.
    """

    def __init__(self, name: str, number: int, what: str, details: str) -> None:
        super().__init__(
            f"{name}: the two histories part at {what} {number} ({details}). Nothing is overwritten: give the incoming "
            "name another."
        )
        self.name = name
        self.number = number


class NameTakenError(CatalogError, ValueError):
    """A new name is in use already.

    Attributes:
        name: The name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} exists already. Choose another name.")
        self.name = name


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one document.

    Attributes:
        where: The file, and the document in it where only that can be told (`"sweep.jsonl"`, `"fleets.json[2]"`).
        path: Field within the document (`"models[2].itl_deadline_s"`), empty for the document as a whole.
        message: Rule and value, to be read after the path (`"must be > 0, got 0."`), and a hint where there is one.
        line: Line of the file, or row where it has no lines, counted from 1; None where it cannot be told.
        column: Column in the line, in characters counted from 1; None where it cannot be told.
        setting: What its reader could choose so that this is no problem; None where there is nothing.
    """

    where: str
    path: str
    message: str
    line: int | None = None
    column: int | None = None
    setting: Setting | None = None

    def __post_init__(self) -> None:
        """Mask what looks like a secret: the message may quote a value of the document."""
        object.__setattr__(self, "message", without_secrets(self.message))

    @property
    def place(self) -> str:
        """`where:line:column`, as far as they are known: what editors and terminals make a link of."""
        return ":".join(str(part) for part in (self.where, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        """`place: path message`."""
        return f"{self.place}: {self.path} {self.message}" if self.path else f"{self.place}: {self.message}"


class InvalidDocumentError(CatalogError, ValueError):
    """Documents are not what they should be.

    Attributes:
        problems: Everything that is wrong with them.
        text: The document as its file has it, where that is one line; None else.
    """

    def __init__(self, problems: Sequence[Problem], text: str | None = None) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
        self.text = text


class InvalidChangeError(CatalogError, ValueError):
    """Changes of a workload cannot be made.

    Attributes:
        problems: Everything that is wrong with them, each as `change: field, rule, value`.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class FilterError(CatalogError, ValueError):
    """An expression cannot be searched by.

    Attributes:
        expression: The expression as given.
        problem: What is wrong with it, and what would be right.
        column: Where, counted from 1 in characters; None where it is wrong as a whole.
    """

    def __init__(self, expression: str, problem: str, column: int | None = None, width: int = 1) -> None:
        problem = without_secrets(problem, [expression])
        place = "" if column is None else f"column {column}: "
        lines = [f"{place}{problem}"]
        self.expression = masked_value(expression)
        if column is not None and self.expression == expression:  # A picture may show a part of a secret.
            lines += _pointed_at(expression, column - 1, width)
        super().__init__("\n".join(lines))
        self.problem = problem
        self.column = column


_COLUMNS_SHOWN = 76


def _pointed_at(text: str, start: int, width: int) -> list[str]:
    """Show the part of a text around a place, and a line of carets below it."""
    first = max(0, min(start - _COLUMNS_SHOWN // 2, len(text) - _COLUMNS_SHOWN))
    shown = "".join(" " if character.isspace() else character for character in text[first : first + _COLUMNS_SHOWN])
    place = start - first
    before, at, behind = map(visible, (shown[:place], shown[place : place + width], shown[place + width :]))
    left, right = "…" if first else "", "…" if first + _COLUMNS_SHOWN < len(text) else ""
    carets = "^" * max(1, columns(at))
    return [f"  {left}{before}{at}{behind}{right}", f"  {' ' * columns(left + before)}{carets}"]


class UnknownFormatError(CatalogError, ValueError):
    """Nobody reads or writes a file format."""


class MissingLibraryError(CatalogError, ImportError):
    """Something was asked for that takes a library which is not installed.

    Attributes:
        library: What the library calls itself (`"PyYAML"`); where any of several would do, all of them.
        extra: Extra of this package that installs it, or the first of them (`"yaml"`).
    """

    def __init__(self, what: str, *, library: str, extra: str) -> None:
        super().__init__(
            f"{what} takes {library}, which is not installed. Run `pip install 'openg2g-catalog[{extra}]'`."
        )
        self.library = library
        self.extra = extra


class SourceError(CatalogError, OSError):
    """A file cannot be read or written."""
