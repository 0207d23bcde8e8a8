"""What the revisions of a name mean in the order of the times from which they apply."""

from collections.abc import Sequence
from datetime import datetime

from openg2g.models.errors import InvalidRevisionError
from openg2g.models.revision import Revision, RevisionDraft


def find_ended(revisions: Sequence[Revision], now: datetime) -> RevisionDraft:
    """Return a draft of what the retirement that is in force ended, or else of what the next one to come will end.

    The draft applies from the time of a retirement that is to come, and expects the last of the revisions.

    Raises:
        InvalidRevisionError: The name is not retired and will not be, or has had no workload before.
    """
    name = revisions[0].name
    order = sorted(revisions, key=lambda revision: (revision.effective_from, revision.number))
    applying = {revision.effective_from: revision for revision in order}.values()
    in_force = next((revision for revision in reversed(applying) if revision.effective_from <= now), None)
    to_come = (revision for revision in applying if revision.effective_from > now and revision.is_retirement)
    retirement = in_force if in_force is not None and in_force.is_retirement else next(to_come, None)
    if retirement is None:
        what = "nothing is in force yet" if in_force is None else f"{in_force.reference} is in force"
        raise InvalidRevisionError(f"{name} is not retired: {what}.")
    for revision in reversed(order[: order.index(retirement)]):
        if revision.workload is not None:
            ends_at = None if retirement is in_force else retirement.effective_from
            return RevisionDraft(
                name,
                revision.workload,
                effective_from=ends_at,
                source=revision.source,
                annotations=revision.annotations,
                expect=revisions[-1].number,
            )
    raise InvalidRevisionError(f"{name} cannot be restored: it had no workload before {retirement.reference}.")
