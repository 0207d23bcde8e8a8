"""Parts of generated conditions: numbers, texts, places and loops, each with constants that it may be compared with."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar

from hypothesis import strategies as st

from tests.expressions import catalog_contents as pools
from tests.expressions.catalog_contents import ANNOTATION_PATHS

_Item = TypeVar("_Item")

_WHOLE_FIELDS = {"total_gpus": pools.TOTALS, "number": pools.NUMBERS}
_SPEC_WHOLE_FIELDS = {
    "num_replicas": pools.REPLICAS,
    "gpus_per_replica": pools.GPUS_PER_REPLICA,
    "initial_batch_size": pools.BATCH_SIZES,
    "total_gpus": pools.TOTALS,
}
_WHOLE_MAPPINGS = {"initial_batch_size_by_model": pools.BATCH_SIZES, "required_measured_gpus": pools.GPUS_PER_REPLICA}
MODEL_MAPPINGS = (*_WHOLE_MAPPINGS, "itl_deadline_by_model")
_TEXT_FIELDS = {
    "name": pools.NAMES,
    "author": pools.AUTHORS,
    "message": pools.MESSAGES,
    "source": pools.SOURCES,
}
_SMALL = (1, 0, 2, 3, 4)
_DIVISORS = (1, 2, 3, 7, 8, 128)
_FACTORS = (2, 3, 0.5, 0.1, 1e-3, 1000, -1)
_VARIABLES = ("m", "n", "v", "w", "x")


@dataclass(frozen=True)
class Term:
    """An operand: its text, and constants that it may well be compared with."""

    text: str
    pool: tuple[Any, ...]


@dataclass(frozen=True)
class Scope:
    """The variables of the loops around, by what they are at."""

    specs: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def with_variable(self, name: str, kind: str) -> "Scope":
        found = {k: tuple(n for n in getattr(self, k) if n != name) for k in ("specs", "wholes", "texts")}
        found[kind] = (*found[kind], name)
        return Scope(**found)

    @property
    def depth(self) -> int:
        return len(self.specs) + len(self.wholes) + len(self.texts)


def place_in_annotations(path: tuple[str | int, ...]) -> str:
    """Write a place."""
    return "annotations" + "".join(f"[{key!r}]" for key in path)


class Operands(ABC):
    """Writes parts of one condition, with so many levels left below.

    A method gives a part of one type, drawn from forms of which the simplest come first: Hypothesis shrinks to these.
    """

    def __init__(self, draw: st.DrawFn, scope: Scope, depth: int) -> None:
        self.draw = draw
        self.scope = scope
        self.depth = depth

    def one_of(self, items: "tuple[_Item, ...] | list[_Item]") -> _Item:
        return self.draw(st.sampled_from(items))

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def seldom(self) -> bool:
        return self.draw(st.integers(0, 3)) == 3

    def inner(self, scope: Scope | None = None) -> Self:
        return type(self)(self.draw, scope or self.scope, self.depth - 1)

    def any_of(self, flat: list[Callable[[], _Item]], deep: list[Callable[[], _Item]]) -> _Item:
        """Write one of several forms; the deep ones only where a level is left."""
        return self.one_of([*flat, *deep] if self.depth > 0 else flat)()

    @abstractmethod
    def condition(self) -> str:
        """Write a condition."""

    @abstractmethod
    def about_variable(self) -> str:
        """Write a condition about what a loop is at: otherwise, conditions seldom name it."""

    # Numbers.

    def number(self) -> Term:
        """Any number, whole or not."""
        flat = [self.whole, self.whole, self.deadline, self.deadline, self.number_annotation]
        if self.depth >= 0:
            flat += [self.signed_division, self.signed_division, self.computed, self.quotient]
        deep = [self.computed, self.aggregated_number, self.choice_of_numbers]
        return self.any_of(flat, deep)

    def natural(self) -> Term:
        """A whole number of 0 or more, surely within 64 bits."""
        flat = [self.whole_field, self.spec_whole, self.looked_up_whole, self.length]
        if self.scope.wholes:
            flat += [lambda: Term(self.one_of(self.scope.wholes), pools.BATCH_SIZES)] * 3
        deep = [self.sum_of_naturals, self.count, self.least_or_greatest, self.floor_division]
        return self.any_of(flat, deep)

    def whole(self) -> Term:
        """A whole number that may be negative, within 64 bits unless the numbers below are extreme."""
        return self.any_of([self.natural], [self.natural, self.natural, self.difference, self.signed_division])

    def whole_field(self) -> Term:
        name = self.one_of(tuple(_WHOLE_FIELDS))
        return Term(name, _WHOLE_FIELDS[name])

    def spec_whole(self) -> Term:
        name = self.one_of(tuple(_SPEC_WHOLE_FIELDS))
        return Term(f"{self.spec()}.{name}", _SPEC_WHOLE_FIELDS[name])

    def looked_up_whole(self) -> Term:
        if self.maybe():
            return Term(f"{self.batch_sizes()}[{self.one_of((0, 1, -1, -2))}]", pools.BATCH_SIZES)
        mapping = self.one_of(tuple(_WHOLE_MAPPINGS))
        return Term(f"{mapping}[{self.label()}]", _WHOLE_MAPPINGS[mapping])

    def deadline(self) -> Term:
        if self.maybe():
            return Term(f"itl_deadline_by_model[{self.label()}]", pools.DEADLINES)
        return Term(f"{self.spec()}.itl_deadline_s", pools.DEADLINES)

    def number_annotation(self) -> Term:
        return Term(self.annotation("number"), pools.ANNOTATION_NUMBERS)

    def length(self) -> Term:
        lists = ("models", "model_labels", "feasible_batch_sizes_union", "aliases", "itl_deadline_by_model")
        whole_list = self.one_of((*lists, self.batch_sizes()))
        return self.any_of(
            [
                lambda: Term(f"len({whole_list})", _SMALL),
                lambda: Term(f"len({self.text().text})", (13, 0, 4, 5, 15)),
                lambda: Term(f"len({self.annotation('text')})", (4, 0, 1, 3)),
                lambda: Term(f"len({self.annotation('container')})", (1, 0, 2, 3, 4)),
            ],
            [],
        )

    def computed(self) -> Term:
        writer = self.inner()
        left = writer.number()
        right = Term(self.constant(_FACTORS), ()) if self.maybe() else writer.number()
        text = f"({left.text} {self.one_of(('+', '-', '*'))} {right.text})"
        return Term(self.one_of((text, text, f"(-{left.text})", f"(+{left.text})")), left.pool)

    def quotient(self) -> Term:
        writer = self.inner()
        left = writer.number()
        right = self.constant(_FACTORS) if self.maybe() else writer.natural().text
        return Term(f"({left.text} / {right})", left.pool)

    def difference(self) -> Term:
        left = self.inner().natural()
        right = self.inner().natural().text if self.maybe() else self.constant(pools.REPLICAS)
        return Term(f"({left.text} {self.one_of(('-', '+'))} {right})", (-720, -1, *left.pool))

    def signed_division(self) -> Term:
        """Floor and remainder, where Python and SQL round differently."""
        left, sign = self.inner().whole().text, self.one_of(("", "-"))
        divisor = self.one_of(_DIVISORS)
        operator = self.one_of(("//", "%"))
        return Term(f"({left} {operator} {sign}{divisor})", (1, -8, -2, -1, 0, 2, 8, 90))

    def floor_division(self) -> Term:
        left, right = self.inner().natural(), self.inner().natural()
        divisor = right.text if self.maybe() else str(self.one_of(_DIVISORS))
        return Term(f"({left.text} {self.one_of(('//', '%'))} {divisor})", (1, 0, 2, 8, 90))

    def sum_of_naturals(self) -> Term:
        if self.scope.depth == 0 and self.seldom():
            return Term("sum(feasible_batch_sizes_union)", pools.BATCH_SIZES)
        writer, loops = self.loops()
        simple = writer.any_of([writer.whole_field, writer.spec_whole, writer.looked_up_whole, writer.length], [])
        return Term(f"sum({simple.text} {loops})", (0, *simple.pool))

    def count(self) -> Term:
        writer, loops = self.loops()
        condition = writer.condition()
        forms = (f"sum({condition} {loops})", f"sum(1 if {condition} else 0 {loops})", f"len([1 {loops}])")
        return Term(self.one_of(forms), _SMALL)

    def least_or_greatest(self) -> Term:
        function = self.one_of(("min", "max"))
        if self.seldom():
            return Term(f"{function}({self.batch_sizes()})", pools.BATCH_SIZES)
        writer, loops = self.loops()
        element = writer.natural()
        return Term(f"{function}({element.text} {loops})", element.pool)

    def aggregated_number(self) -> Term:
        writer, loops = self.loops()
        element = writer.number()
        return Term(f"{self.one_of(('min', 'max', 'sum'))}({element.text} {loops})", element.pool)

    def choice_of_numbers(self) -> Term:
        writer = self.inner()
        then, otherwise = writer.any_of([writer.whole, writer.deadline], []), writer.any_of([writer.whole], [])
        return Term(f"({then.text} if {writer.condition()} else {otherwise.text})", then.pool + otherwise.pool)

    # Texts.

    def text(self) -> Term:
        flat = [self.text_field, self.label_term, self.tag, self.text_annotation, self.text_element]
        if self.scope.texts:
            flat += [lambda: Term(self.one_of(self.scope.texts), pools.LABELS + pools.ALIASES)] * 3
        if self.depth >= 0:
            flat.append(self.in_case)
        return self.any_of(flat, [self.in_case, self.aggregated_text, self.choice_of_texts])

    def text_field(self) -> Term:
        name = self.one_of(tuple(_TEXT_FIELDS))
        return Term(name, _TEXT_FIELDS[name])

    def digest(self) -> Term:
        return Term("digest", ("sha256:", "sha256:8", f"sha256:{'0' * 64}", "sha256:c"))

    def label_term(self) -> Term:
        return Term(f"{self.spec()}.model_label", pools.LABELS)

    def tag(self) -> Term:
        return Term(f"tags[{self.constant(pools.TAG_KEYS)}]", pools.TAG_VALUES)

    def text_annotation(self) -> Term:
        return Term(f"{self.annotation('text')}", pools.ANNOTATION_TEXTS)

    def text_element(self) -> Term:
        name, pool = self.one_of((("model_labels", pools.LABELS), ("aliases", pools.ALIASES)))
        return Term(f"{name}[{self.one_of((0, 1, -1, -2, 4))}]", pool)

    def in_case(self) -> Term:
        function = self.one_of(("lower", "upper"))
        text = self.inner().text()
        return Term(f"{text.text}.{function}()", (*(getattr(item, function)() for item in text.pool), *text.pool))

    def aggregated_text(self) -> Term:
        if self.seldom():
            return Term(f"{self.one_of(('min', 'max'))}(model_labels)", pools.LABELS)
        writer, loops = self.loops()
        # Without any more to say of what kind it is, an annotation counts as a number.
        element = writer.any_of(
            [writer.label_term, writer.text_field, writer.tag, writer.text_element], [writer.in_case]
        )
        return Term(f"{self.one_of(('min', 'max'))}({element.text} {loops})", element.pool)

    def choice_of_texts(self) -> Term:
        writer = self.inner()
        then, otherwise = writer.label_term(), writer.text_field()
        return Term(f"({then.text} if {writer.condition()} else {otherwise.text})", then.pool + otherwise.pool)

    # Places, lists, loops, constants.

    def spec(self) -> str:
        if self.scope.specs and (not self.seldom()):
            return self.one_of(self.scope.specs)
        return f"models[{self.one_of((0, 0, 0, -1, -1, 1, -2))}]"

    def batch_sizes(self) -> str:
        return self.one_of((f"{self.spec()}.feasible_batch_sizes", "feasible_batch_sizes_union"))

    def label(self) -> str:
        """A key of the mappings, mostly one that is there."""
        keys = (*(f"{spec}.model_label" for spec in self.scope.specs), *self.scope.texts, "model_labels[0]")
        return self.one_of(keys) if self.maybe() else self.constant(pools.LABELS)

    def annotation(self, kind: str) -> str:
        return place_in_annotations(self.one_of(ANNOTATION_PATHS[kind]))

    def loops(self) -> tuple[Self, str]:
        """Write one or two loops; the writer knows their variables."""
        writer, parts = self.inner(), []
        for _ in range(self.one_of((1, 1, 1, 2))):
            sequence, kind = writer.sequence()
            fresh = [name for name in _VARIABLES if name not in writer.all_variables()]
            variable = fresh[0] if fresh and not (self.seldom()) else "m"
            writer = type(self)(self.draw, writer.scope.with_variable(variable, kind), writer.depth)
            parts.append(f"for {variable} in {sequence}")
            if self.seldom():
                test = writer.inner().condition() if writer.depth > 0 else writer.about_variable()
                parts.append(f"if {test}")
        return writer, " ".join(parts)

    def all_variables(self) -> tuple[str, ...]:
        return self.scope.specs + self.scope.wholes + self.scope.texts

    def sequence(self) -> tuple[str, str]:
        sequences = (
            *((("models", "specs"),) * 4),
            (self.batch_sizes(), "wholes"),
            *((("model_labels", "texts"), ("aliases", "texts"), (self.one_of(MODEL_MAPPINGS), "texts"))),
            (self.written_list(pools.BATCH_SIZES), "wholes"),
            (self.written_list(pools.LABELS), "texts"),
        )
        own = tuple((f"{spec}.feasible_batch_sizes", "wholes") for spec in self.scope.specs)
        return self.one_of((*sequences, *own * 3))

    def constant(self, pool: tuple[Any, ...]) -> str:
        return self.literal(self.one_of(pool))

    def literal(self, value: object) -> str:
        if isinstance(value, datetime):
            day, time = value.strftime("%Y-%m-%d"), repr(value.isoformat())
            is_start = value.isoformat().endswith("T00:00:00+00:00")
            return self.one_of((f"date({day!r})", repr(day))) if is_start else self.one_of((f"date({time})", time))
        return repr(value)

    def written_list(self, pool: tuple[Any, ...]) -> str:
        items = self.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))
        if isinstance(items[0], datetime):
            return "({},)".format(", ".join(f"date({item.isoformat()!r})" for item in items))
        written = ", ".join(map(repr, items))
        return self.one_of((f"({written},)", f"[{written}]"))
