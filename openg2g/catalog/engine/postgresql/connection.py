"""A connection to PostgreSQL that belongs to one process, and what a forked child does with its copy of it."""

import os
import socket
from contextlib import closing
from typing import Any

import psycopg

from openg2g.catalog.engine import forks


class ProcessConnection(psycopg.Connection[Any]):
    """A connection that only the process which opened it can use.

    Attributes:
        is_inherited: Whether this is a forked child's copy of it.
    """

    is_inherited = False

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """Return a cursor, unless the process was forked since."""
        if self.is_inherited:
            raise forks.inherited_error()
        return super().cursor(*args, **kwargs)

    def give_up(self) -> None:
        """Close it, in a forked child, without a word to the server: its socket leads nowhere from then on."""
        if not self.closed:
            nowhere, other_end = socket.socketpair()
            with closing(nowhere):
                other_end.close()
                os.dup2(nowhere.fileno(), self.fileno(), inheritable=False)
        self.close()
        self.is_inherited = True
