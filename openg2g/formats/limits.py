"""How much of a file is read before it is refused: nobody's file is that large, and somebody's is malicious.

How many bytes a file may have is said by its format, or by whoever reads it (`max_bytes`). The other limits keep memory
and time in proportion to what a real file needs.
"""

MAX_DEPTH = 128
"""Levels of lists and objects in each other that any format reads. What the catalog stores has at most 103."""

MAX_LINE_BYTES = 16 * 2**20
"""Bytes of a line of JSON Lines, or of a record of CSV: what a format that streams keeps in memory."""

MAX_MODELS = 65_536
"""Models of a workload."""

MAX_BATCH_SIZES = 65_536
"""Feasible batch sizes of a model."""

MAX_PROBLEMS = 100
"""Problems that are told: nobody reads more, and a hostile file has one in every few bytes."""


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
