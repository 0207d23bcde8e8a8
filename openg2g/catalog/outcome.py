"""What became of a commit that was never answered: asked of the server before anything is done again."""

import time

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from openg2g.models.errors import UnknownOutcomeError

ASKING_S = 5.0
"""How long a server that is away is waited for, seconds."""

_PAUSE_S = 0.1
_STATUS = text("SELECT pg_xact_status(CAST(:transaction_id AS xid8))")


def was_committed(engine: Engine, transaction_id: str, where: str) -> bool:
    """Return whether a transaction of PostgreSQL was committed; wait where it is not decided yet.

    Args:
        engine: Connects to the server.
        transaction_id: What `pg_current_xact_id()` said in that transaction.
        where: The database, for the error.

    Raises:
        UnknownOutcomeError: The server is away for too long, is another one by now, or has forgotten.
    """
    deadline = time.monotonic() + ASKING_S
    reason = "the server has not decided"
    while time.monotonic() < deadline:
        try:
            with engine.connect() as connection:
                status = connection.scalar(_STATUS, {"transaction_id": transaction_id})
        except DBAPIError as error:
            reason = " ".join(str(error.orig).split())
        else:
            if status in ("committed", "aborted"):
                return bool(status == "committed")
        time.sleep(_PAUSE_S)
    raise UnknownOutcomeError(
        f"{where}: the connection was lost during a commit, and whether it happened cannot be asked ({reason}). "
        "Look with `openg2g log` before doing it again."
    )
