"""From the typed tree of an expression to SQL: SQLAlchemy expressions with bound parameters, the same on both engines.

What has no value is NULL. A comparison with NULL is NULL, which `and`, `or` and WHERE treat like false; where the
difference shows, under `not`, it is made false first. Nothing of an expression becomes SQL text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
)

from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.history_rows import TagRow
from openg2g.catalog.schema.types import DOUBLE
from openg2g.catalog.search import constructs
from openg2g.catalog.search.constructs import Column, Condition
from openg2g.catalog.search.sources import Rows, Scope, SpecSource, rows_of, selected, spec_subquery
from openg2g.catalog.search.types import SQL_TYPES, bound
from openg2g.expressions import patterns, tree
from openg2g.expressions.comparisons import COMPARISON_FUNCTIONS
from openg2g.expressions.tree import may_lack_value
from openg2g.expressions.types import Kind
from openg2g.expressions.vocabulary import MODEL_MAPPINGS

_NAME_FIELDS = frozenset({"name"})
_REVISION_FIELDS = frozenset({"number", "recorded_at", "effective_from", "author", "message", "source"})
_CODE_POINT_FIELDS = frozenset({"name", "model_label", "digest"})  # Their columns sort by code points on both engines.


class Compiler:
    """Makes SQL of the nodes of one expression within one scope."""

    def __init__(self, scope: Scope) -> None:
        """Compile for a statement whose tables are those of the scope."""
        self.scope = scope

    def condition(self, node: tree.Expression) -> Condition:
        """Return a condition; NULL counts as false."""
        return self.value(node)

    def value(self, node: tree.Expression) -> Column:
        """Return the value of a node; NULL where it has none."""
        return _VALUES[type(node)](self, node)

    def _constant(self, node: tree.Constant) -> Column:
        return bound(node)

    def _field(self, node: tree.Field) -> Column:
        scope = self.scope
        owner: type[Row] = scope.workload
        if node.name in _NAME_FIELDS:
            owner = scope.name
        elif node.name in _REVISION_FIELDS:
            owner = scope.revision
        column: Column = getattr(owner, node.name)
        return column

    def _variable(self, node: tree.Variable) -> Column:
        source = self.scope.variables[node]
        assert not isinstance(source, SpecSource)
        return source

    def _element(self, node: tree.Element) -> Column:
        rows = self._rows(node.sequence, distinct=True)
        assert not isinstance(rows.value, SpecSource)
        return self._item(rows, rows.value, node.index)

    def _item(self, rows: Rows, column: Column, index: int) -> Column:
        order = [place if index >= 0 else place.desc() for place in rows.order]
        offset = index if index >= 0 else -index - 1
        return selected([column], [rows], []).order_by(*order).limit(1).offset(offset).scalar_subquery()

    def _spec_field(self, node: tree.SpecField) -> Column:
        name = "batch_size_list_id" if node.name == "feasible_batch_sizes" else node.name
        if isinstance(node.spec, tree.Element):
            rows = self._rows(node.spec.sequence, distinct=True)
            assert isinstance(rows.value, SpecSource)
            return self._item(rows, rows.value.column(name), node.spec.index)
        source = self.scope.variables[node.spec]
        assert isinstance(source, SpecSource)
        return source.column(name)

    def _lookup(self, node: tree.Lookup) -> Column:
        key = self.value(node.key)
        if node.mapping in MODEL_MAPPINGS:
            return spec_subquery(self.scope, MODEL_MAPPINGS[node.mapping], key)
        query = select(TagRow.value).where(TagRow.name_id == self.scope.revision.name_id, TagRow.key == key)
        return query.correlate_except(TagRow).scalar_subquery()

    def _compare(self, node: tree.Compare) -> Condition:
        if node.left.type.kind is Kind.BOOLEAN:
            assert isinstance(node.right, tree.Constant)
            flag = self.condition(node.left)
            return flag if (node.right.value is True) == (node.operator == "==") else not_(flag)
        left = self.value(node.left) if node.operator in ("==", "!=") else self._by_code_points(node.left)
        right = self.value(node.right)
        condition: Condition = COMPARISON_FUNCTIONS[node.operator](left, right)
        return condition

    def _one_of(self, node: tree.OneOf) -> Condition:
        assert node.constants.type.item is not None
        kind = node.constants.type.item
        return self.value(node.operand).in_([bound(tree.Constant(value, kind)) for value in node.constants.values])

    def _present(self, node: tree.Present) -> Condition:
        return self.value(node.operand).is_not(null())

    def _logical(self, node: tree.Logical) -> Condition:
        join = and_ if node.operator == "and" else or_
        return join(*(self.condition(operand) for operand in node.operands))

    def _negation(self, node: tree.Not) -> Condition:
        return not_(self.certain(node.operand))

    def certain(self, node: tree.Expression) -> Condition:
        """Return a condition that is true or false, never NULL."""
        condition = self.condition(node)
        return func.coalesce(condition, false(), type_=Boolean()) if _may_be_null(node) else condition

    def _compute(self, node: tree.Compute) -> Column:
        left, right = self.value(node.left), self.value(node.right)
        symbol = node.operator
        if symbol in ("/", "//", "%"):
            symbol = "/" if symbol == "//" else symbol
            if not isinstance(node.right, tree.Constant):
                zero = bound(tree.Constant(0 if node.right.type.kind is Kind.INTEGER else 0.0, node.right.type))
                right = func.nullif(right, zero, type_=right.type)
        return left.op(symbol, return_type=SQL_TYPES[node.type.kind])(right)

    def _as_float(self, node: tree.AsFloat) -> Column:
        return cast(self.value(node.operand), DOUBLE)

    def _in_range(self, node: tree.InRange) -> Column:
        value, kind = self.value(node.operand), node.type
        if kind.kind is Kind.INTEGER:
            low, high = literal(kind.low, BigInteger()), literal(kind.high, BigInteger())
            return case((and_(value >= low, value <= high), value))
        size: Column = func.abs(value, type_=Double())
        within = and_(size >= literal(kind.smallest, Double()), size <= literal(kind.largest, Double()))
        return case((or_(within, value == literal(0.0, Double())), value))

    def _choice(self, node: tree.Choice) -> Column:
        return case((self.condition(node.test), self.value(node.then)), else_=self.value(node.otherwise))

    def _text_length(self, node: tree.TextLength) -> Column:
        return cast(func.length(self.value(node.operand)), BigInteger())

    def _text_case(self, node: tree.TextCase) -> Column:
        return constructs.in_case(node.function, self.value(node.operand))

    def _text_test(self, node: tree.TextTest) -> Condition:
        text, is_sorted = self.value(node.operand), _is_sorted(node.operand)
        if node.test == "fnmatch":
            matches, prefix = constructs.matches(text, node.text), patterns.literal_prefix(node.text)
            return and_(_begins(text, prefix), matches) if is_sorted and prefix else matches
        if not node.text:
            return text.is_not(null())
        if node.test == "endswith":
            return constructs.ends_with(text, node.text)
        wanted = literal(node.text, Text())
        if node.test == "contains":
            return constructs.holds_text(text, wanted)
        return _begins(text, node.text) if is_sorted else func.substr(text, 1, len(node.text)) == wanted

    def _by_code_points(self, node: tree.Expression) -> Column:
        """Return a value; a text as Python sorts it."""
        value = self.value(node)
        return value if node.type.kind is not Kind.TEXT or _is_sorted(node) else constructs.by_code_points(value)

    def _annotation(self, node: tree.Annotation) -> Column:
        return constructs.annotation(self._annotations, node.path, node.type.kind)

    def _annotation_length(self, node: tree.AnnotationLength) -> Column:
        return constructs.annotation_length(self._annotations, node.path)

    def _annotation_contains(self, node: tree.AnnotationContains) -> Condition:
        return constructs.annotation_holds(self._annotations, node.path, self.value(node.item))

    @property
    def _annotations(self) -> Column:
        return self.scope.revision.annotations.expression

    def _aggregate(self, node: tree.Aggregate) -> Column:
        inner, rows, conditions = self._loops(node)
        if node.function == "any":
            found = inner.condition(node.element)
            return exists(selected([literal_column("1")], rows, [*conditions, found]))
        if node.function == "all":
            fails = not_(inner.certain(node.element))
            return not_(exists(selected([literal_column("1")], rows, [*conditions, fails])))
        if node.function == "len":
            return selected([func.count()], rows, conditions).scalar_subquery()
        value = inner._by_code_points(node.element)
        # Selected first and aggregated then: an aggregate of nothing but outer columns would be one of the outer query.
        order = [column for part in rows for column in part.order]
        places: list[Column] = [column.label(f"place_{index}") for index, column in enumerate(order)]
        elements = selected([value.label("element"), *places], rows, conditions).subquery("elements")
        element, *ordered_by = elements.c
        if node.function == "sum":
            return select(self._sum(node, element, ordered_by)).scalar_subquery()
        function = func.min if node.function == "min" else func.max
        return select(function(element, type_=element.type)).scalar_subquery()

    def _sum(self, node: tree.Aggregate, element: Column, places: Sequence[Column]) -> Column:
        if node.type.kind is Kind.INTEGER:
            return func.coalesce(cast(func.sum(element), BigInteger()), literal(0, BigInteger()))
        return func.coalesce(constructs.ordered_sum(element, places), literal(0.0, Double()), type_=Double())

    def _loops(self, node: tree.Aggregate) -> tuple["Compiler", list[Rows], list[Condition]]:
        inner: Compiler = self
        rows: list[Rows] = []
        conditions: list[Condition] = []
        for loop in node.loops:
            found = inner._rows(loop.sequence, distinct=node.function in ("sum", "len"))
            rows.append(found)
            inner = Compiler(inner.scope.within(loop.variable, found.value))
            conditions += [inner.condition(condition) for condition in loop.conditions]
        return inner, rows, conditions

    def _rows(self, sequence: tree.Sequence, *, distinct: bool) -> Rows:
        list_id = self._spec_field(sequence) if isinstance(sequence, tree.SpecField) else None
        return rows_of(self.scope, sequence, list_id, distinct=distinct)


def _may_be_null(node: tree.Expression) -> bool:
    match node:
        case tree.Compare():
            return may_lack_value(node.left) or may_lack_value(node.right)
        case tree.OneOf() | tree.TextTest():
            return may_lack_value(node.operand)
        case tree.Logical():
            return any(_may_be_null(operand) for operand in node.operands)
        case tree.Choice():
            return _may_be_null(node.then) or _may_be_null(node.otherwise)
        case tree.Annotation() | tree.AnnotationContains():
            return True
        case _:
            return False


def _is_sorted(node: tree.Expression) -> bool:
    return isinstance(node, tree.Field | tree.SpecField) and node.name in _CODE_POINT_FIELDS


def _begins(text: Column, prefix: str) -> Condition:
    """Whether a text that is sorted by code points begins with a prefix: a range, which an index answers."""
    end = next_prefix(prefix)
    first = text >= literal(prefix, Text())
    return first if end is None else and_(first, text < literal(end, Text()))


def next_prefix(prefix: str) -> str | None:
    """Return the first text after all those with a prefix; None where there is none.

    Example:
        >>> next_prefix("sweep/")
        'sweep0'
    """
    while prefix:
        code = ord(prefix[-1]) + 1
        if code <= 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
        prefix = prefix[:-1]
    return None


_VALUES: Mapping[type, Callable[[Compiler, Any], Column]] = {
    tree.Constant: Compiler._constant,
    tree.Field: Compiler._field,
    tree.Variable: Compiler._variable,
    tree.Element: Compiler._element,
    tree.SpecField: Compiler._spec_field,
    tree.Lookup: Compiler._lookup,
    tree.Annotation: Compiler._annotation,
    tree.AnnotationContains: Compiler._annotation_contains,
    tree.AnnotationLength: Compiler._annotation_length,
    tree.Compare: Compiler._compare,
    tree.OneOf: Compiler._one_of,
    tree.Present: Compiler._present,
    tree.Logical: Compiler._logical,
    tree.Not: Compiler._negation,
    tree.Compute: Compiler._compute,
    tree.AsFloat: Compiler._as_float,
    tree.InRange: Compiler._in_range,
    tree.Choice: Compiler._choice,
    tree.TextLength: Compiler._text_length,
    tree.TextCase: Compiler._text_case,
    tree.TextTest: Compiler._text_test,
    tree.Aggregate: Compiler._aggregate,
}
