"""Hypothesis strategies for the language of searches: `conditions()` in it, and `contents()` for them to be about.

A condition is well-typed by construction, and its constants come from the pool of what it asks about, so that most are
true of some workloads and false of others. Nothing here needs a database. `read_condition` may still refuse one for its
size, or where arithmetic could leave 64 bits.
"""

from collections.abc import Callable
from functools import cache

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.expressions import catalog_contents as pools
from tests.expressions.catalog_contents import ANNOTATION_PATHS, Contents, Subject, contents
from tests.expressions.operands import MODEL_MAPPINGS, Operands, Scope, Term, place_in_annotations

__all__ = ["Contents", "Subject", "conditions", "contents", "numbers"]

# Sets, ranges that run backwards, brackets that are never closed, and characters that mean something to other patterns.
_PATTERNS = (
    *("[Ll]lama*", "*", "?*", "[!Ll]*", "*-70[bB]", "Qwen3-*", "*[0-9]B*", "*é*", "[[]x]*", "[]x]*", "*[*?]"),
    *("*\\*", "sweep/?", "*/*", "[a-z]*", "[!a-z]*", "[z-a]*", "*[!]]", "[", "[!", "千?", "🚀*", "*a'b\"*"),
    *("*%*_*", "**o*", "[A-Zé]*", "?[a-]*", "[-a]*", "*[^a]*", "P*d", "p*", ""),
)
_DIGEST_PATTERNS = ("sha256:[0-7]*", "sha256:*[02468ace]", "sha256:?????????*", "sha256:[!0-9]*")
_KEYS_OF_ANNOTATIONS: dict[tuple[str | int, ...], tuple[str, ...]] = {
    ("models",): pools.LABELS[:3],
    ("models", "Llama-3.1-70B"): ("tpm", "task"),
    ("deep", 0): ("n", "ok", "é k"),
    ("owner",): ("", "p", "Ad", "rod", "ß"),
}
_TIME_FIELDS = ("effective_from", "recorded_at")
_COMPARISONS = ("<=", "<", "==", "!=", ">=", ">")


def conditions(max_depth: int = 3) -> st.SearchStrategy[str]:
    """Well-typed conditions about a workload, its revision and its name.

    Args:
        max_depth: How deep loops, choices and computations may lie within each other.
    """

    @st.composite
    def texts(draw: st.DrawFn) -> str:
        return _Conditions(draw, Scope(), max_depth).condition()

    return texts()


def numbers(max_depth: int = 3) -> st.SearchStrategy[str]:
    """Well-typed numbers, whole or not, as a condition may compare them."""

    @st.composite
    def texts(draw: st.DrawFn) -> str:
        return _Conditions(draw, Scope(), max_depth).number().text

    return texts()


@cache
def many_conditions() -> tuple[str, ...]:
    """Give some hundred conditions, the same in every run."""
    found: list[str] = []

    @settings(max_examples=300, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(conditions())
    def collect(expression: str) -> None:
        found.append(expression)

    collect()
    return tuple(found)


class _Conditions(Operands):
    """Writes one condition of such parts."""

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
                *((mapping, pools.LABELS) for mapping in MODEL_MAPPINGS),
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
        operator = self.one_of(("in", "not in"))
        if self.maybe():
            path = self.one_of(ANNOTATION_PATHS["container"])
            keys = _KEYS_OF_ANNOTATIONS.get(path, pools.ANNOTATION_TEXTS[:4])
            return f"{self.constant(keys)} {operator} {place_in_annotations(path)}"
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
