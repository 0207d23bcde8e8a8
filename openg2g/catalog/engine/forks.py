"""What a forked process does with what it inherited: nothing of its parent's may be used, closed or locked by it.

A child has copies of the parent's sockets, files and locks. A statement that it sends on the parent's connection may
get the answer to a statement of the parent's; a lock that another thread held at the fork stays locked for ever.
"""

import os
import threading
from typing import Protocol
from weakref import WeakSet

from sqlalchemy.engine.interfaces import ExceptionContext

from openg2g.models.errors import CatalogError


def inherited_error() -> CatalogError:
    """Refuse to use in a forked child what its parent had begun."""
    return CatalogError(
        "a transaction that was begun before a fork belongs to the parent process. Begin another in the child."
    )


def pass_on(context: ExceptionContext) -> None:
    """Raise an error of ours as it is, where SQLAlchemy would make it one of a statement."""
    if isinstance(context.original_exception, CatalogError):
        raise context.original_exception


class Forked(Protocol):
    """What has to know of forks."""

    def before_fork(self) -> None:
        """Come to a state that a child can leave alone."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Leave to the parent what is the parent's, and start anew."""


_WATCHED: WeakSet[Forked] = WeakSet()
_TOLD: list[Forked] = []
_ONE_AT_A_TIME = threading.RLock()


def watch(forked: Forked) -> None:
    """Tell an object of each fork of the process, for as long as it lives."""
    _WATCHED.add(forked)


def _before() -> None:
    _ONE_AT_A_TIME.acquire()
    for forked in list(_WATCHED):
        forked.before_fork()
        _TOLD.append(forked)


def _after_in_parent() -> None:
    while _TOLD:
        _TOLD.pop().after_fork_in_parent()
    _ONE_AT_A_TIME.release()


def _after_in_child() -> None:
    while _TOLD:
        _TOLD.pop().after_fork_in_child()
    _ONE_AT_A_TIME.release()  # The thread that forked has it, and is the one that lives on.


if hasattr(os, "register_at_fork"):  # Windows has no fork.
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
