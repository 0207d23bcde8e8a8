"""What happens to names and aliases beside revisions: values, recorded and never changed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Rename:
    """A change of a name.

    Attributes:
        old_name: What it was called until then.
        recorded_at: When it was renamed, UTC.
        author: Who renamed it.
        message: Why; empty if not said.
    """

    old_name: str
    recorded_at: datetime
    author: str
    message: str = ""


@dataclass(frozen=True)
class AliasMove:
    """An alias set, moved or removed.

    Attributes:
        alias: The alias.
        revision_number: The revision it stands for since; None where it was removed.
        recorded_at: When it was moved, UTC.
        author: Who moved it.
        message: Why; empty if not said.
    """

    alias: str
    revision_number: int | None
    recorded_at: datetime
    author: str
    message: str = ""
