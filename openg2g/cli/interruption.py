"""Signals that end a command: each as Ctrl-C does, so that what was begun is undone and temporary files go."""

import math
import signal
import sys
import time
from types import FrameType

_ENDING = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP.
_REPEATED_WITHIN_S = 5.0


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_ending_signals() -> None:
    """Raise `Interrupted` from now on where a signal asks the process to end, and nobody said to ignore it (nohup)."""
    raised_at = -math.inf

    def interrupt(number: int, _: FrameType | None) -> None:
        """Raise the first; `timeout` and Slurm send it several times, which must not interrupt the clearing up."""
        nonlocal raised_at
        now = time.monotonic()
        if now - raised_at > _REPEATED_WITHIN_S:
            raised_at = now
            raise Interrupted(number)

    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)


def interruption_of(error: BaseException) -> tuple[str, int]:
    """Return what is said of an interruption, and the exit code: 128 and the number of the signal, as in shells."""
    cause = error if isinstance(error, KeyboardInterrupt) else error.__cause__
    number = cause.number if isinstance(cause, Interrupted) else int(signal.SIGINT)
    notes = getattr(cause, "__notes__", [])
    if notes:
        return " ".join(["Interrupted.", *notes]), 128 + number
    stored = sys.modules.get("openg2g.catalog.engine.commit")  # Not imported: nothing was stored.
    if stored is not None and stored.has_stored():
        return "Interrupted after everything was stored.", 128 + number
    return "Interrupted.", 128 + number
