"""Rules about what is being recorded: an expression that every revision of an import must hold to."""

from collections.abc import Mapping

from openg2g.expressions.predicate import compile_predicate
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Field, children
from openg2g.expressions.types import Kind
from openg2g.expressions.vocabulary import DRAFT_NAMES
from openg2g.models.revision import Revision

_SHOWN = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.TEXT, Kind.TIME})


class Rule:
    """An expression about a workload and its revision; tags and aliases are not known while it is being recorded.

    Raises:
        FilterError: The expression says nothing that a revision could hold to.

    Example:
        >>> Rule("total_gpus <= limit", {"limit": 8000}).expression
        'total_gpus <= limit'
    """

    def __init__(self, expression: str, parameters: Mapping[str, object] | None = None) -> None:
        self.expression = expression
        self._holds = compile_predicate(expression, parameters, DRAFT_NAMES)
        named = _fields(read_condition(expression, parameters, DRAFT_NAMES))
        self._shown = list(dict.fromkeys(field.name for field in named if field.type.kind in _SHOWN))

    def problem_of(self, revision: Revision) -> str | None:
        """Say how a revision breaks the rule, None if it does not."""
        workload = revision.workload
        if workload is None or self._holds(workload, revision):
            return None
        values = {"total_gpus": workload.total_gpus} | vars(revision)
        shown = ", ".join(f"{name} is {values[name]}" for name in self._shown)
        return f"{revision.name} breaks the rule {self.expression}{f' ({shown})' if shown else ''}."


def _fields(node: object) -> list[Field]:
    found = [node] if isinstance(node, Field) else []
    return found + [field for child in children(node) for field in _fields(child)]
