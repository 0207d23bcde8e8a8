"""What reads the nodes of an expression, as the functions of the language see it."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from openg2g.expressions.syntax import RefusalError, Source
from openg2g.expressions.tree import Expression

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Reader(ABC):
    """Reads nodes of one expression in one scope.

    Attributes:
        source: The expression.
        names: What each name stands for here: fields, parameters, and the variables of the loops around.
        depth: How many loops are around.
    """

    source: Source
    names: Mapping[str, Expression]
    depth: int = 0

    @abstractmethod
    def read(self, node: ast.expr) -> Expression:
        """Read any node."""

    @abstractmethod
    def condition(self, node: ast.expr) -> Expression:
        """Read a node that must be a condition."""

    @abstractmethod
    def within(self, names: Mapping[str, Expression]) -> "Reader":
        """Read further in, where a loop gives names a meaning."""

    def refuse(self, node: ast.AST, problem: str) -> NoReturn:
        """Refuse a node."""
        raise self.source.error(node, problem)

    def attempt(self, node: ast.AST, make: Callable[..., _Made], *arguments: Any) -> _Made:
        """Make a typed node; a refusal points at the syntax node."""
        try:
            return make(*arguments)
        except RefusalError as refusal:
            raise self.source.error(node, str(refusal)) from None
