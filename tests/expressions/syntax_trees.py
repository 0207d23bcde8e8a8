"""Random syntax trees of Python expressions: every kind of node, in places where it mostly makes no sense."""

import ast
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import TypeVar

from openg2g.expressions.calls import FUNCTIONS
from openg2g.expressions.vocabulary import SPEC_FIELDS, WORKLOAD_NAMES

_Item = TypeVar("_Item")

_NAMES = (*WORKLOAD_NAMES, *FUNCTIONS, "m", "m", "m", "n", "x", "spam", "µ", "名前", "__import__")
_ATTRIBUTES = (*SPEC_FIELDS, "lower", "upper", "startswith", "endswith", "__class__", "format", "digest")
_CONSTANTS: tuple[bool | int | float | complex | str | bytes | None, ...] = (
    *(0, 1, 3, -1, 128, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 10**400, 0.1, 1e-7, 5e-324, 1e308, 2j, True, False),
    *("", "a", "Llama-3.1-70B", "owner", "2026-03-01", "[a-", "千问", "a\nb", "\0", "'\"\\", "x" * 300, b"a", None),
)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Eq, ast.NotEq, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.BitOr)


def random_expression(random: Random) -> str:
    """Write a random syntax tree as Python would write it."""
    return ast.unparse(_Trees(random).tree(random.choice((1, 2, 3, 4, 5, 5, 6))))


def crossed_expression(random: Random, trees: Sequence[ast.expr]) -> str:
    """Write one of some trees, with a few parts replaced by parts of the others, or by random ones."""
    root = ast.Expression(deepcopy(random.choice(trees)))
    for _ in range(random.choice((1, 1, 2, 3))):
        part = random.choice(_parts(random.choice(trees))) if random.random() < 0.8 else _Trees(random).tree(2)
        _Replacement(random.choice(_parts(root)), part).visit(root)
    return ast.unparse(root)


def _parts(tree: ast.AST) -> list[ast.expr]:
    """Return every expression in a tree, but for the pieces of an f-string, which stand nowhere else."""
    own = [tree] if isinstance(tree, ast.expr) else []
    below = [] if isinstance(tree, ast.JoinedStr) else list(ast.iter_child_nodes(tree))
    return own + [part for child in below for part in _parts(child)]


class _Replacement(ast.NodeTransformer):
    """Puts one node where another is."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old = old
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        return deepcopy(self.new) if node is self.old else super().visit(node)


class _Trees:
    """Makes trees of so many levels; those that the language has come more often than those that it refuses."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def tree(self, depth: int) -> ast.expr:
        if depth <= 0:
            return self.leaf(0)
        known: tuple[Callable[[int], ast.expr], ...] = (
            *(self.compare, self.compare, self.join, self.compute, self.choice, self.call, self.method, self.item),
            *(self.field, self.unary, self.several, self.leaf, self.leaf),
        )
        strange = (self.function, self.mapping, self.walrus, self.formatted, self.asynchronous, self.starred)
        return self.chosen((*known * 5, *strange, self.slice))(depth - 1)

    def trees(self, depth: int, least: int, most: int) -> list[ast.expr]:
        return [self.tree(depth) for _ in range(self.random.randint(least, most))]

    def chosen(self, items: tuple[_Item, ...]) -> _Item:
        return self.random.choice(items)

    def leaf(self, depth: int) -> ast.expr:
        return self.chosen((self.name, self.constant))()

    def name(self) -> ast.expr:
        return ast.Name(self.chosen(_NAMES))

    def constant(self) -> ast.expr:
        return ast.Constant(self.chosen((*_CONSTANTS, ...)))

    def compare(self, depth: int) -> ast.expr:
        right = self.trees(depth, 1, 2)
        return ast.Compare(self.tree(depth), [self.chosen(_COMPARISONS)() for _ in right], right)

    def join(self, depth: int) -> ast.expr:
        return ast.BoolOp(self.chosen((ast.And, ast.Or))(), self.trees(depth, 2, 3))

    def compute(self, depth: int) -> ast.expr:
        return ast.BinOp(self.tree(depth), self.chosen(_OPERATORS)(), self.tree(depth))

    def unary(self, depth: int) -> ast.expr:
        return ast.UnaryOp(self.chosen((ast.Not, ast.Not, ast.USub, ast.UAdd, ast.Invert))(), self.tree(depth))

    def choice(self, depth: int) -> ast.expr:
        return ast.IfExp(self.tree(depth), self.tree(depth), self.tree(depth))

    def call(self, depth: int) -> ast.expr:
        function = ast.Name(self.chosen((*FUNCTIONS, "eval", "spam")))
        loop = [self.loops(ast.GeneratorExp, depth)] if self.random.random() < 0.6 else self.trees(depth, 0, 2)
        keywords = [ast.keyword("key", self.tree(depth))] if self.random.random() < 0.05 else []
        return ast.Call(function, loop, keywords)

    def loops(self, kind: Callable[[ast.expr, list[ast.comprehension]], ast.expr], depth: int) -> ast.expr:
        loops = []
        for _ in range(self.random.choice((1, 1, 2, 5))):
            target = ast.Name(self.chosen(("m", "n", "x"))) if self.random.random() < 0.9 else self.tree(1)
            sequence = ast.Name("models") if self.random.random() < 0.5 else self.tree(depth)
            loops.append(ast.comprehension(target, sequence, self.trees(depth, 0, 1), self.random.random() < 0.03))
        return kind(self.tree(depth), loops)

    def method(self, depth: int) -> ast.expr:
        return ast.Call(ast.Attribute(self.tree(depth), self.chosen(_ATTRIBUTES)), self.trees(0, 0, 1), [])

    def field(self, depth: int) -> ast.expr:
        return ast.Attribute(self.tree(depth), self.chosen(_ATTRIBUTES))

    def item(self, depth: int) -> ast.expr:
        return ast.Subscript(self.tree(depth), self.tree(self.random.choice((0, depth))))

    def several(self, depth: int) -> ast.expr:
        kinds: tuple[Callable[[list[ast.expr]], ast.expr], ...] = (ast.Tuple, ast.List, ast.Set)
        return self.chosen(kinds)(self.trees(depth, 1, 3))

    def function(self, depth: int) -> ast.expr:
        arguments = ast.arguments([], [ast.arg("x")], None, [], [], None, [])
        return ast.Lambda(arguments, self.tree(depth))

    def mapping(self, depth: int) -> ast.expr:
        keys = self.trees(depth, 0, 2)
        loop = self.loops(self.chosen((ast.ListComp, ast.SetComp)), depth)
        return self.chosen((loop, ast.Dict([*keys, None], [self.tree(depth) for _ in (*keys, None)])))

    def walrus(self, depth: int) -> ast.expr:
        return ast.NamedExpr(ast.Name("x"), self.tree(depth))

    def formatted(self, depth: int) -> ast.expr:
        return ast.JoinedStr([ast.Constant("a"), ast.FormattedValue(self.name(), -1)])

    def asynchronous(self, depth: int) -> ast.expr:
        kinds: tuple[Callable[[ast.expr], ast.expr], ...] = (ast.Await, ast.Yield, ast.YieldFrom)
        return self.chosen(kinds)(self.tree(depth))

    def starred(self, depth: int) -> ast.expr:
        return ast.Call(ast.Name(self.chosen(_NAMES)), [ast.Starred(self.tree(depth))], [])

    def slice(self, depth: int) -> ast.expr:
        return ast.Subscript(self.tree(depth), ast.Slice(self.tree(0), None, self.tree(0)))
