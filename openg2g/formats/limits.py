"""How much of a file is read before it is refused: nobody's file is that large, and somebody's is malicious."""

from dataclasses import dataclass

MAX_DEPTH = 128
"""Levels of lists and objects in each other that any format reads. What the catalog stores has at most 103."""


@dataclass(frozen=True)
class Limits:
    """Bounds of what is read; each keeps memory and time in proportion to what a real file needs.

    Attributes:
        file_bytes: Bytes of a file; None for what its format can read at a time, and no bound where it streams.
        line_bytes: Bytes of a line of JSON Lines, or of a record of CSV: what a format that streams keeps in memory.
        depth: Levels of lists and objects within each other.
        models: Models of a workload.
        batch_sizes: Feasible batch sizes of a model.

    Raises:
        ValueError: The depth is not between 1 and `MAX_DEPTH`.
    """

    file_bytes: int | None = None
    line_bytes: int = 16 * 2**20
    depth: int = MAX_DEPTH
    models: int = 65_536
    batch_sizes: int = 65_536

    def __post_init__(self) -> None:
        """Refuse a depth at which reading would run out of stack."""
        if not 1 <= self.depth <= MAX_DEPTH:
            raise ValueError(f"depth must be from 1 to {MAX_DEPTH}, got {self.depth}.")


DEFAULT_LIMITS = Limits()
"""What holds where nobody says otherwise."""


def size_text(num_bytes: int) -> str:
    """Write a number of bytes for people, exactly.

    Example:
        >>> size_text(8 * 2**20), size_text(1500)
        ('8 MiB', '1500 bytes')
    """
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if num_bytes >= size and num_bytes % size == 0:
            return f"{num_bytes // size} {unit}"
    return f"{num_bytes} bytes"
