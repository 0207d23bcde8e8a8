"""What a search means, in plain Python: the expression is evaluated as code for each revision that the scope has."""

from collections.abc import Iterator
from operator import attrgetter

from openg2g.catalog import SearchScope
from openg2g.catalog.history.reference import END_OF_TIME
from openg2g.models.revision import Revision
from tests.expressions.catalog_contents import Subject
from tests.expressions.python_values import NotComparedError, compiled, evaluate
from tests.machine.plain_catalog import PlainCatalog


def search_plainly(catalog: PlainCatalog, expression: str, scope: SearchScope) -> list[Revision]:
    """Return the hits in order.

    Args:
        catalog: Where.
        expression: A condition; where Python cannot tell because something is missing, it does not hold.
        scope: What is looked at; its sort key is none, or one by `attrgetter`, with or without `-`.
    """
    code = compiled(expression)
    hits = []
    for subject in _subjects(catalog, scope):
        try:
            if evaluate(code, subject):
                hits.append(subject.revision)
        except NotComparedError:
            continue
    hits.sort(key=lambda revision: (revision.name, revision.number))
    for key in scope.sort:
        order = attrgetter("workload.total_gpus" if key == "-total_gpus" else key.removeprefix("-"))
        hits.sort(key=order, reverse=key.startswith("-"))
    return hits


def _subjects(catalog: PlainCatalog, scope: SearchScope) -> Iterator[Subject]:
    known_at = scope.known_at or END_OF_TIME
    as_of = None if scope.all_revisions else scope.as_of or catalog.now()
    for name in catalog.names:
        aliases = name.aliases(min(known_at, scope.as_of or END_OF_TIME))  # Now hides none.
        for revision in name.known(known_at) if as_of is None else [name.in_force(as_of, known_at)]:
            if revision is not None and revision.workload is not None:
                here = tuple(sorted(alias for alias, number in aliases.items() if number == revision.number))
                yield Subject(revision.workload, revision, name.tags, here)
