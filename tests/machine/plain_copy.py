"""What copying means, in plain Python: what is there already is compared, and what is new is added."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from openg2g.catalog.history.reference import NameReference
from openg2g.models.errors import HistoryConflictError, InvalidRevisionError
from openg2g.models.naming import AliasMove
from tests.machine.plain_catalog import PlainCatalog, PlainName

_Item = TypeVar("_Item")


def copy_plainly(
    source: PlainCatalog, target: PlainCatalog, references: Sequence[NameReference] | None, renames: dict[str, str]
) -> dict[str, int]:
    """Copy names, all or some, and say how many revisions each got.

    Args:
        source: Where from.
        target: Where to.
        references: Of the names; None for all.
        renames: Name there → what it is to be called here.
    """
    wanted = None if references is None else {source.require(reference.name).called for reference in references}
    incoming = sorted((n for n in source.names if wanted is None or n.called in wanted), key=lambda name: name.called)
    called_here = [renames.get(name.called, name.called) for name in incoming]
    if len(set(called_here)) < len(called_here):
        raise InvalidRevisionError("two names would be called the same")
    with target.all_or_nothing():
        own = [name for name, here in zip(incoming, called_here, strict=True) if here == name.called]
        _follow_renames(own, target)
        known = {name.called: name for name in target.names}
        known = {name.called: other for name in own if (other := _find_newer(target, name))} | known
        met = [known[here] for here in called_here if here in known]
        if any(met.count(name) > 1 for name in met):
            raise HistoryConflictError("", 0, "", "two names there are the same here")
        return {here: _add(name, here, known, target) for name, here in zip(incoming, called_here, strict=True)}


def _follow_renames(incoming: Sequence[PlainName], target: PlainCatalog) -> None:
    """Call otherwise what has been renamed there since, as long as that leaves a name to another."""
    for _ in incoming:
        for name in incoming:
            older = next((other for other in target.names if _has_become(other, name)), None)
            if older is not None and target.find(name.called) is None:
                older.rename(name.called)


def _find_newer(target: PlainCatalog, name: PlainName) -> PlainName | None:
    return next((other for other in target.names if _has_become(name, other)), None)


def _add(incoming: PlainName, here: str, known: dict[str, PlainName], target: PlainCatalog) -> int:
    name = known.get(here)
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


def _has_become(older: PlainName, newer: PlainName) -> bool:
    """Whether two names began as the same, and the one has been renamed since it was called as the other is."""
    length = len(older.renames)
    return (
        newer.renames[:length] == older.renames
        and [change.old_name for change in newer.renames[length : length + 1]] == [older.called]
        and replace(older.revisions[0], name="") == replace(newer.revisions[0], name="")
    )


def _moves_of(name: PlainName, alias: str) -> list[AliasMove]:
    return [move for move in name.moves if move.alias == alias]


def _more(name: str, there: list[_Item], incoming: list[_Item]) -> list[_Item]:
    """Return what goes beyond what is there; the rest must be the same."""
    common = min(len(there), len(incoming))
    if there[:common] != incoming[:common]:
        raise HistoryConflictError(name, 0, "", "they differ")
    return incoming[len(there) :]
