"""What a forked process does with what it inherited: nothing of its parent's may be used, closed or locked by it.

A child has copies of the parent's sockets, files and locks. A statement that it sends on the parent's connection may
get the answer to a statement of the parent's; a lock that another thread held at the fork stays locked for ever.
"""

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
