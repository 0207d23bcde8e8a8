"""What somebody who waits is told: one line, once, and only where it takes long enough to wonder."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOCK_WAIT_S = 30.0
"""How long a writer waits for another before it gives up, seconds."""

TELL_AFTER_S = 1.0
"""How long a wait is silent, seconds."""

logger = logging.getLogger("openg2g.catalog")


def tell_of_waiting() -> None:
    """Say that another process is in the way. Without any set-up, Python's logging writes a warning to stderr."""
    logger.warning("Waiting for another process to finish with the catalog. Ctrl-C gives up.")


@contextmanager
def telling_of_waiting() -> Iterator[None]:
    """Tell once if the block, in which only a server can know what it waits for, takes long."""
    timer = threading.Timer(TELL_AFTER_S, tell_of_waiting)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
