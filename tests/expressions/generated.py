"""Hypothesis strategies for the language of searches: `conditions()` in it, and `contents()` for them to be about.

A condition is well-typed by construction, and its constants come from the pool of what it asks about, so that most are
true of some workloads and false of others. Nothing here needs a database. `read_condition` may still refuse one for its
size, or where arithmetic could leave 64 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.expressions import catalog_contents as pools
from tests.expressions.catalog_contents import ANNOTATION_PATHS, Contents, Subject, contents

__all__ = ["Contents", "Subject", "conditions", "contents"]

_Item = TypeVar("_Item")

_WHOLE_FIELDS = {"total_gpus": pools.TOTALS, "number": pools.NUMBERS}
_SPEC_WHOLE_FIELDS = {
    "num_replicas": pools.REPLICAS,
    "gpus_per_replica": pools.GPUS_PER_REPLICA,
    "initial_batch_size": pools.BATCH_SIZES,
    "total_gpus": pools.TOTALS,
}
_WHOLE_MAPPINGS = {"initial_batch_size_by_model": pools.BATCH_SIZES, "required_measured_gpus": pools.GPUS_PER_REPLICA}
_MODEL_MAPPINGS = (*_WHOLE_MAPPINGS, "itl_deadline_by_model")
_TEXT_FIELDS = {
    "name": pools.NAMES,
    "author": pools.AUTHORS,
    "message": pools.MESSAGES,
    "source": pools.SOURCES,
}
_TIME_FIELDS = ("effective_from", "recorded_at")
_SMALL = (1, 0, 2, 3, 4)
_DIVISORS = (1, 2, 3, 7, 8, 128)
_FACTORS = (2, 3, 0.5, 0.1, 1e-3, 1000, -1)
_PATTERNS = (
    *("[Ll]lama*", "*", "?*", "[!Ll]*", "*-70[bB]", "Qwen3-*", "*[0-9]B*", "*é*", "[[]x]*", "[]x]*", "*[*?]", "*\\*"),
    *(
        "sweep/?",
        "*/*",
        "[a-z]*",
        "[!a-z]*",
        "[z-a]*",
        "*[!]]",
        "[",
        "[!",
        "千?",
        "🚀*",
        "*a'b\"*",
        "*%*_*",
        "**o*",
        "",
    ),
    *("[A-Zé]*", "?[a-]*", "[-a]*", "*[^a]*", "P*d", "p*"),
)
_DIGEST_PATTERNS = ("sha256:[0-7]*", "sha256:*[02468ace]", "sha256:?????????*", "sha256:[!0-9]*")
_COMPARISONS = ("<=", "<", "==", "!=", ">=", ">")
_VARIABLES = ("m", "n", "v", "w", "x")


@dataclass(frozen=True)
class Term:
    """An operand: its text, and constants that it may well be compared with."""

    text: str
    pool: tuple[Any, ...]


@dataclass(frozen=True)
class _Scope:
    """The variables of the loops around, by what they are at."""

    specs: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def with_variable(self, name: str, kind: str) -> "_Scope":
        found = {k: tuple(n for n in getattr(self, k) if n != name) for k in ("specs", "wholes", "texts")}
        found[kind] = (*found[kind], name)
        return _Scope(**found)

    @property
    def depth(self) -> int:
        return len(self.specs) + len(self.wholes) + len(self.texts)


def conditions(max_depth: int = 3) -> st.SearchStrategy[str]:
    """Well-typed conditions about a workload, its revision and its name.

    Args:
        max_depth: How deep loops, choices and computations may lie within each other.
    """

    @st.composite
    def texts(draw: st.DrawFn) -> str:
        return _Writer(draw, _Scope(), max_depth).condition()

    return texts()


class _Writer:
    """Writes parts of one condition, with so many levels left below.

    A method gives a part of one type, drawn from forms of which the simplest come first: Hypothesis shrinks to these.
    """

    def __init__(self, draw: st.DrawFn, scope: _Scope, depth: int) -> None:
        self.draw = draw
        self.scope = scope
        self.depth = depth

    def one_of(self, items: "tuple[_Item, ...] | list[_Item]") -> _Item:
        return self.draw(st.sampled_from(items))

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def seldom(self) -> bool:
        return self.draw(st.integers(0, 3)) == 3

    def inner(self, scope: _Scope | None = None) -> "_Writer":
        return _Writer(self.draw, scope or self.scope, self.depth - 1)

    def any_of(self, flat: list[Callable[[], _Item]], deep: list[Callable[[], _Item]]) -> _Item:
        """Write one of several forms; the deep ones only where a level is left."""
        return self.one_of([*flat, *deep] if self.depth > 0 else flat)()

    # Conditions.

    def condition(self) -> str:
        flat = [
            *(self.compared_numbers, self.compared_texts, self.compared_times, self.text_test, self.membership),
            *(self.text_membership, self.list_equality, self.boolean_annotation, self.annotation_membership),
        ]
        deep = [self.loop_condition] * 4 + [self.joined] * 3 + [self.negated, self.chain, self.choice_of_conditions]
        return self.any_of(flat, deep)

    def compared_numbers(self) -> str:
        return self.compared(self.number(), self.inner().number if self.depth > 0 else self.natural)

    def compared(self, left: Term, other: Callable[[], Term]) -> str:
        """Compare with a constant, or sometimes with another operand of the kind; either way round."""
        right = other().text if self.seldom() else self.constant(left.pool)
        if left.text.startswith("annotations[") and right.startswith("annotations["):
            right = self.constant(left.pool)  # Of two annotations, it is not known of which kind they are.
        first, second = (right, left.text) if self.seldom() else (left.text, right)
        return f"{first} {self.one_of(_COMPARISONS)} {second}"

    def compared_texts(self) -> str:
        return self.compared(self.text(), self.text)

    def compared_times(self) -> str:
        time = self.one_of(_TIME_FIELDS)
        if self.seldom():
            return f"{time} {self.one_of(('in', 'not in'))} {self.written_list(pools.TIMES)}"
        return self.compared(Term(time, pools.TIMES), lambda: Term(self.one_of(_TIME_FIELDS), pools.TIMES))

    def text_test(self) -> str:
        operand = self.any_of([self.text, self.text, self.digest], [])
        constant = self.one_of(operand.pool)
        cut = self.draw(st.integers(0, 4))
        tests: list[Callable[[], str]] = [
            lambda: f"{operand.text}.startswith({constant[:cut]!r})",
            lambda: f"{operand.text}.endswith({constant[len(constant) - cut :]!r})",
            lambda: f"{constant[cut : cut + 2]!r} {self.one_of(('in', 'not in'))} {operand.text}",
            lambda: f"fnmatch({operand.text}, {self.pattern(operand.pool)!r})",
        ]
        return self.one_of(tests)()

    def pattern(self, pool: tuple[str, ...]) -> str:
        if pool[0].startswith("sha256:"):
            return self.one_of(_DIGEST_PATTERNS)
        if self.maybe():
            return self.one_of(_PATTERNS)
        return self.draw(st.text("aLlQ*?[]!-\\é千7.", max_size=6)) + self.one_of(("", "*"))

    def membership(self) -> str:
        """Ask whether a number is in a list that is written out, or in a list of batch sizes."""
        operator = self.one_of(("in", "not in"))
        if self.maybe():
            number = self.number()
            return f"{number.text} {operator} {self.written_list(number.pool)}"
        batch_size = self.any_of([lambda: self.constant(pools.BATCH_SIZES), lambda: self.natural().text], [])
        return f"{batch_size} {operator} {self.batch_sizes()}"

    def text_membership(self) -> str:
        operator = self.one_of(("in", "not in"))
        if self.maybe():
            text = self.text()
            return f"{text.text} {operator} {self.written_list(text.pool)}"
        container, pool = self.one_of(
            (
                ("model_labels", pools.LABELS),
                *((mapping, pools.LABELS) for mapping in _MODEL_MAPPINGS),
                ("aliases", pools.ALIASES),
                ("tags", pools.TAG_KEYS),
                ("annotations", tuple(path[0] for paths in ANNOTATION_PATHS.values() for path in paths)),
            )
        )
        key = self.constant(pool) if not self.seldom() else self.text().text
        return f"{key} {operator} {container}"

    def list_equality(self) -> str:
        name, pool = self.one_of(
            ((self.batch_sizes(), pools.BATCH_SIZES), ("model_labels", pools.LABELS), ("aliases", pools.ALIASES))
        )
        operator = self.one_of(("==", "!="))
        items = [self.one_of(pool) for _ in range(self.one_of((1, 1, 2, 1, 0)))]
        written = ", ".join(map(repr, items))
        return f"{name} {operator} [{written}]"

    def boolean_annotation(self) -> str:
        place = self.annotation("boolean")
        return self.one_of((place, f"{place} == True", f"{place} != True", f"{place} == False", f"False != {place}"))

    def annotation_membership(self) -> str:
        operator, place = self.one_of(("in", "not in")), self.annotation("container")
        keys = (*pools.ANNOTATION_TEXTS, "n", "ok", "é k", "task", "tpm", *pools.LABELS[:2])
        if self.maybe():
            return f"{self.constant(keys)} {operator} {place}"
        kind, pool = self.one_of((("text", pools.ANNOTATION_TEXTS), ("number", pools.ANNOTATION_NUMBERS)))
        return f"{self.annotation(kind)} {operator} {self.written_list(pool)}"

    def joined(self) -> str:
        """Join conditions, with or without parentheses: any grouping is well-typed."""
        parts = [self.inner().condition() for _ in range(self.draw(st.integers(2, 3)))]
        operator = self.one_of(("and", "or"))
        text = f" {operator} ".join(part if self.maybe() else f"({part})" for part in parts)
        return text if self.maybe() else f"({text})"

    def negated(self) -> str:
        return f"not {self.inner().condition()}" if self.maybe() else f"not ({self.inner().condition()})"

    def chain(self) -> str:
        """Compare twice or more, mostly with a lower bound before the upper one."""
        middle = self.one_of((self.number, self.text))()
        low, high = sorted((self.one_of(middle.pool), self.one_of(middle.pool)))
        upward = ("<", "<=", "!=")
        operators = (self.one_of(_COMPARISONS if self.seldom() else upward) for _ in range(3))
        text = f"{low!r} {next(operators)} {middle.text} {next(operators)} {high!r}"
        return f"{text} {next(operators)} {self.constant(middle.pool)}" if self.seldom() else text

    def choice_of_conditions(self) -> str:
        writer = self.inner()
        return f"(({writer.condition()}) if {writer.condition()} else ({writer.condition()}))"

    def loop_condition(self) -> str:
        writer, loops = self.loops()
        element = writer.condition() if self.maybe() else writer.about_variable()
        return f"{self.one_of(('any', 'all'))}({element} {loops})"

    def about_variable(self) -> str:
        """Ask for what a loop is at: otherwise, conditions seldom name it."""
        if self.scope.specs:
            return self.one_of((self.spec_number, self.spec_number, self.spec_text, self.spec_sizes))()
        if self.scope.wholes:
            return self.compared(Term(self.one_of(self.scope.wholes), pools.BATCH_SIZES), self.natural)
        return self.compared(Term(self.one_of(self.scope.texts), pools.LABELS), self.label_term)

    def spec_number(self) -> str:
        return self.compared(self.any_of([self.spec_whole, self.deadline], []), self.natural)

    def spec_text(self) -> str:
        label = Term(f"{self.spec()}.model_label", pools.LABELS)
        return self.compared(label, self.text) if self.maybe() else f"{label.text} in {self.written_list(label.pool)}"

    def spec_sizes(self) -> str:
        return f"{self.constant(pools.BATCH_SIZES)} {self.one_of(('in', 'not in'))} {self.spec()}.feasible_batch_sizes"

    # Numbers.

    def number(self) -> Term:
        """Any number, whole or not."""
        flat = [self.whole, self.whole, self.deadline, self.deadline, self.number_annotation]
        deep = [self.computed, self.quotient, self.aggregated_number, self.choice_of_numbers]
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
        return "annotations" + "".join(f"[{key!r}]" for key in self.one_of(ANNOTATION_PATHS[kind]))

    def loops(self) -> tuple["_Writer", str]:
        """Write one or two loops; the writer knows their variables."""
        writer, parts = self.inner(), []
        for _ in range(self.one_of((1, 1, 1, 2))):
            sequence, kind = writer.sequence()
            fresh = [name for name in _VARIABLES if name not in writer.all_variables()]
            variable = fresh[0] if fresh and not (self.seldom()) else "m"
            writer = _Writer(self.draw, writer.scope.with_variable(variable, kind), writer.depth)
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
            *((("model_labels", "texts"), ("aliases", "texts"), (self.one_of(_MODEL_MAPPINGS), "texts"))),
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
