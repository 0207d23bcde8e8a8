"""What copying means, in plain Python: what is there already is compared, and what is new is added."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from openg2g.catalog.reference import Reference
from openg2g.models.errors import HistoryConflictError, InvalidRevisionError
from openg2g.models.naming import AliasMove
from tests.machine.plain_catalog import PlainCatalog, PlainName

_Item = TypeVar("_Item")


def copy_plainly(
    source: PlainCatalog, target: PlainCatalog, references: Sequence[Reference] | None, renames: dict[str, str]
) -> dict[str, int]:
    """Copy names, all or some, and say how many revisions each got.

    Args:
        source: Where from.
        target: Where to.
        references: Of the names; None for all.
        renames: Name there → what it is to be called here.
    """
    wanted = None if references is None else {source.get(reference).name for reference in references}
    incoming = sorted((n for n in source.names if wanted is None or n.called in wanted), key=lambda name: name.called)
    called_here = [renames.get(name.called, name.called) for name in incoming]
    if len(set(called_here)) < len(called_here):
        raise InvalidRevisionError("two names would be called the same")
    with target.all_or_nothing():
        before = [(name.called, name) for name in target.names]
        return {here: _add(name, here, dict(before), target) for name, here in zip(incoming, called_here, strict=True)}


def _add(incoming: PlainName, here: str, known: dict[str, PlainName], target: PlainCatalog) -> int:
    name = known.get(here)
    if name is None and here == incoming.called:  # Only its own name tells whose past it was.
        name = next((other for other in known.values() if _is_another_time_of(other, incoming)), None)
    if name is None:
        name = PlainName(here, incoming.created_at, [], [], [], {})
        target.names.append(name)
    revisions = [replace(revision, name=name.called) for revision in incoming.revisions]
    num_revisions, num_renames = len(name.revisions), len(name.renames)
    name.revisions += _more(here, name.revisions, revisions)
    name.renames += _more(here, name.renames, incoming.renames)
    for alias in {move.alias: None for move in incoming.moves}:
        name.moves += _more(here, _moves_of(name, alias), _moves_of(incoming, alias))
    name.moves.sort(key=lambda move: move.recorded_at)
    name.tags = incoming.tags | name.tags
    if len(name.renames) > num_renames:
        name.rename(here)
    return len(name.revisions) - num_revisions


def _is_another_time_of(name: PlainName, other: PlainName) -> bool:
    """Whether two names began as the same, and the one has only been renamed since it was called as the other is."""
    first, second = sorted((name, other), key=lambda name: len(name.renames))
    length = len(first.renames)
    return (
        length < len(second.renames)
        and second.renames[:length] == first.renames
        and second.renames[length].old_name == first.called
        and replace(first.revisions[0], name="") == replace(second.revisions[0], name="")
    )


def _moves_of(name: PlainName, alias: str) -> list[AliasMove]:
    return [move for move in name.moves if move.alias == alias]


def _more(name: str, there: list[_Item], incoming: list[_Item]) -> list[_Item]:
    """Return what goes beyond what is there; the rest must be the same."""
    common = min(len(there), len(incoming))
    if there[:common] != incoming[:common]:
        raise HistoryConflictError(name, 0, "", "they differ")
    return incoming[len(there) :]
