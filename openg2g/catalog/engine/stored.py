"""Whether this process has stored anything: whoever interrupts it must be told."""

_has_stored = False


def note_stored() -> None:
    """Remember that a write transaction was committed."""
    global _has_stored
    _has_stored = True


def has_stored() -> bool:
    """Whether one was."""
    return _has_stored
