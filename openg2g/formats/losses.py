"""What a file format loses of a document, one thing at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from openg2g.formats.document import Document


class LossKind(Enum):
    """What becomes of something in another format."""

    REFUSED = "refused"
    """Whoever reads the format refuses it, or it cannot be written."""
    CHANGED = "changes meaning"
    """The same value means something else there."""
    DROPPED = "not expressed"
    """It is left out, or ignored by whoever reads the format."""


@dataclass(frozen=True)
class Loss:
    """One thing that a format loses of a document.

    Attributes:
        kind: What becomes of it.
        path: Field in a file of the format (`"models[2].gpu_model"`), or in the catalog's own document where the file
            has none; empty for the document as a whole.
        message: Why, to be read after the path, and what to do about it where there is something.
    """

    kind: LossKind
    path: str
    message: str

    def __str__(self) -> str:
        """`kind: path message`."""
        return f"{self.kind.value}: {self.path} {self.message}" if self.path else f"{self.kind.value}: {self.message}"


class KeepsEverything:
    """A format from which every document comes back as it was."""

    def losses(self, document: Document) -> Sequence[Loss]:
        """Return nothing: what such a format cannot write, it refuses."""
        return ()
