"""What a search means, in plain Python: the expression is evaluated as code for each revision that the scope has."""

from collections.abc import Iterator, Sequence
from operator import attrgetter

from openg2g.catalog import EveryRevision
from openg2g.catalog.history.when import END_OF_TIME, When
from openg2g.models.revision import Revision
from tests.expressions.catalog_contents import Subject
from tests.expressions.python_values import NotComparedError, compiled, evaluate
from tests.machine.plain_catalog import PlainCatalog


def search_plainly(catalog: PlainCatalog, expression: str, when: When, sort: Sequence[str]) -> list[Revision]:
    """Return the hits in order.

    Args:
        catalog: Where.
        expression: A condition; where Python cannot tell because something is missing, it does not hold.
        when: What is looked at.
        sort: No key, or one by `attrgetter`, with or without `-`.
    """
    code = compiled(expression)
    hits = []
    for subject in _subjects(catalog, when):
        try:
            if evaluate(code, subject):
                hits.append(subject.revision)
        except NotComparedError:
            continue
    hits.sort(key=lambda revision: (revision.name, revision.number))
    for key in sort:
        order = attrgetter("workload.total_gpus" if key == "-total_gpus" else key.removeprefix("-"))
        hits.sort(key=order, reverse=key.startswith("-"))
    return hits


def _subjects(catalog: PlainCatalog, when: When) -> Iterator[Subject]:
    known_at = when.known_at or END_OF_TIME
    wanted = None if isinstance(when, EveryRevision) else when.as_of
    as_of = None if isinstance(when, EveryRevision) else wanted or catalog.now()
    for name in catalog.names:
        aliases = name.aliases(min(known_at, wanted or END_OF_TIME))  # Now hides none.
        for revision in name.known(known_at) if as_of is None else [name.in_force(as_of, known_at)]:
            if revision is not None and revision.workload is not None:
                here = tuple(sorted(alias for alias, number in aliases.items() if number == revision.number))
                yield Subject(revision.workload, revision, name.tags, here)
