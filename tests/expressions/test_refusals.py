"""What the language refuses: syntax that it does not have, unknown names, kinds that do not fit."""

import pytest

from openg2g.expressions.read import read_condition
from openg2g.models.errors import CatalogError, FilterError
from tests.expressions.refusals import refusal


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("lambda: 1", "lambda is not allowed in a search. Allowed: comparisons, and/or/not", 1),
        ("f'{name}' == 'a'", "an f-string is not allowed", 1),
        ("name == f'a'", "an f-string is not allowed", 9),
        ("(x := 3) > 2", ":= is not allowed", 2),
        ("await name", "await is not allowed", 1),
        ("(yield)", "yield is not allowed", 2),
        ("(yield from models)", "yield is not allowed", 2),
        ("name == {'a': 1}", "a dictionary is not allowed", 9),
        ("{**tags} == 1", "a dictionary is not allowed", 1),
        ("1 in {x for x in models}", "a set comprehension is not allowed", 6),
        ("1 in {x: x for x in models}", "a dictionary comprehension is not allowed", 6),
        ("len(*models) > 1", "* is not allowed", 5),
        ("total_gpus in (*models,)", "* is not allowed", 16),
        ("len(**models) > 1", "functions of a search take no named arguments", 7),
        ("len(obj=models) > 1", "functions of a search take no named arguments", 9),
        ("name.startswith(prefix='a')", "functions of a search take no named arguments", 24),
        ("models[0:1] == 1", "slices are not allowed", 1),
        ("name[::-1] == 'a'", "slices are not allowed", 1),
        ("models[0:1, 2] == 1", "a slice is not allowed", 8),
        ("name.__class__ == 1", "a text has no field '__class__'. Texts have .startswith('…')", 1),
        ("().__class__", "a list of texts has no field '__class__'", 1),
        ("[].__class__.__base__ == 1", "a list of texts has no field '__class__'", 1),
        ("(1).real == 1", "a whole number has no field 'real'", 1),
        ("models.total_gpus > 1", "a list of model specs has no field 'total_gpus'", 1),
        ("annotations.a == 1", "a mapping has no field 'a'", 1),
        ("annotations['a'].b == 1", "an annotation has no field 'b'", 1),
        (
            "name.format('a') == 'a'",
            "there is no such method in a search. Texts have .startswith('…'), .endswith('…')",
            1,
        ),
        ("name.lower(1) == 'a'", "there is no such method in a search", 1),
        ("name.startswith() == 'a'", "there is no such method in a search", 1),
        ("name.startswith('a', 1)", "there is no such method in a search", 1),
        ("tags.get('a') == 'b'", "there is no such method in a search", 1),
        ("eval('1')", "there is no function 'eval' in a search", 1),
        ("__import__('os').system('true')", "there is no such method in a search", 1),
        ("open('/etc/passwd').read() == ''", "there is no such method in a search", 1),
        ("name.lower()()", "this cannot be called. Functions: any, all, sum, min, max, len, fnmatch, date.", 1),
        ("models[0]()", "this cannot be called", 1),
        ("any(m.total_gpus > 1 for m, n in models)", "a loop has one variable: for m in models.", 26),
        ("any(m.total_gpus > 1 for m.x in models)", "a loop has one variable", 26),
        ("any(m.total_gpus > 1 async for m in models)", "a loop has one variable", 32),
        ("(m for m in models) == 1", "a loop stands inside any(), all(), sum(), min(), max() or len().", 1),
        ("[m for m in models][0] == 1", "a loop stands inside any()", 1),
        ("total_gpus is 3", "is and is not are not allowed in a search. Use == and !=", 1),
        ("total_gpus is not 3", "is and is not are not allowed", 1),
        ("total_gpus ** 2 > 3", "this operator is not allowed in a search. Operators: + - * / // %", 1),
        ("1 < total_gpus << 2", "this operator is not allowed", 5),
        ("total_gpus | 2 > 3", "this operator is not allowed", 1),
        ("total_gpus @ 2 > 3", "this operator is not allowed", 1),
        ("~total_gpus > 3", "~ is not allowed", 1),
        ("name == b'a'", "b'a' is nothing that can be compared. Use numbers, texts, times, True or False.", 9),
        ("total_gpus == 1j", "1j is nothing that can be compared", 15),
        ("total_gpus == ...", "Ellipsis is nothing that can be compared", 15),
        ("name == None", "None is nothing that can be compared", 9),
        ("name == 'a\\0b'", "a text must be valid Unicode without NUL.", 9),
        ("name == '\\ud800'", "a text must be valid Unicode without NUL.", 9),
        ("name == 'a\\udfff'", "a text must be valid Unicode without NUL.", 9),
        ("total_gpus < 1e999", "a number must be finite.", 14),
    ],
)
def test_what_is_no_part_of_the_language_is_refused(text: str, problem: str, column: int) -> None:
    error = refusal(text)
    assert problem in error.problem
    assert (error.column, error.expression) == (column, text)


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("total_gpus = 3", "", 12),
        ("total_gpus >", "invalid syntax.", 13),
        ("total_gpus > 1; name == 'a'", "invalid syntax.", 15),
        ("total_gpus && 3", "invalid syntax.", 13),
        ("import os", "invalid syntax.", 1),
        ("(total_gpus > 1", "'(' was never closed.", 1),
        ("total_gpus > 1)", "unmatched ')'.", 15),
        ("name == '千问' and total_gpus > 1)", "unmatched ')'.", 32),
        ("name == 'a", "unterminated string literal", 9),
        ("name\u00a0== 'a'", "invalid non-printable character U+00A0.", 5),
        ("name == ‘a’", "invalid character '‘' (U+2018).", 9),
        ("  total_gpus ≤ 3", "invalid character '≤' (U+2264).", 14),
    ],
)
def test_what_python_cannot_parse_is_refused_in_its_words(text: str, problem: str, column: int) -> None:
    error = refusal(text)
    assert error.problem.startswith(f"this is no Python expression: {problem}")
    assert error.column == column


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("total_gpus > 1 && name == 'a'", "joined by and"),
        ("total_gpus > 1 OR name == 'a'", "joined by or"),
        ("total_gpus <> 3", "!="),
        ("name LIKE 'a%'", "fnmatch"),
        ("total_gpus = 3", "=="),
        ("m.total_gpus > 1 for m in models", "any("),
        ("num_replicas > 1", "models[0].num_replicas"),
        ("least_itl_deadline_s < 1", "min(m.itl_deadline_s for m in models)"),
    ],
)
def test_what_was_probably_meant_is_said(text: str, hint: str) -> None:
    assert hint in refusal(text).problem


@pytest.mark.parametrize(
    "text", ["total_gpus > 01", "name == '千问' and 01 < 1", "name == '\\N{NO SUCH}'", "name == '\\x'"]
)
def test_what_pythons_tokenizer_refuses_is_refused_within_the_expression(text: str) -> None:
    error = refusal(text)
    assert error.problem.startswith("this is no Python expression: ")
    assert error.column is not None and 1 <= error.column <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("total_gpu < 1", "unknown name 'total_gpu'. Did you mean total_gpus?", 1),
        ("1 < total_gpu", "unknown name 'total_gpu'. Did you mean total_gpus?", 5),
        (
            "any(m.itl_deadline < 1 for m in models)",
            "a model spec has no field 'itl_deadline'. Did you mean itl_deadline_s?",
            5,
        ),
        ("models[0].digest == 'a'", "a model spec has no field 'digest'. Known here: model_label, num_replicas,", 1),
        (
            "any(m.num_replicas > 0 for n in models)",
            "unknown name 'm'. Known here: models, model_labels, total_gpus,",
            5,
        ),
        ("any(label == 'a' for lable in model_labels)", "unknown name 'label'. Did you mean lable", 5),
        ("sun(m.num_replicas for m in models) > 1", "there is no function 'sun' in a search. Did you mean sum?", 1),
        (
            "qwertz(1)",
            "there is no function 'qwertz' in a search. Known here: any, all, sum, min, max, len, fnmatch, date.",
            1,
        ),
        ("len == 3", "len is a function: call it, len(models).", 1),
        ("fnmatch", "fnmatch is a function: call it, fnmatch(name, 'sweep/*').", 1),
        ("is_new", "unknown name 'is_new'.", 1),
        ("workload.total_gpus > 1", "unknown name 'workload'.", 1),
        ("tag['k'] == 'v'", "unknown name 'tag'. Did you mean tags", 1),
    ],
)
def test_an_unknown_name_is_refused_with_what_is_close_to_it(text: str, problem: str, column: int) -> None:
    error = refusal(text)
    assert error.problem.startswith(problem)
    assert error.column == column


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("'a' < 3", "a text cannot be compared with a whole number by <.", 1),
        ("name > 3.5", "a text cannot be compared with a number by >.", 1),
        ("total_gpus == 'a'", "a whole number cannot be compared with a text by ==.", 1),
        ("itl_deadline_by_model['a'] == name", "a number cannot be compared with a text by ==.", 1),
        ("recorded_at < 3", "a time cannot be compared with a whole number by <.", 1),
        ("recorded_at < name", "a time can be compared with a time written out, not with a text of the catalog.", 1),
        (
            "recorded_at < 'yesterday'",
            "'yesterday' is no time. Write 2026-03-01 (its start in UTC) or",
            1,
        ),
        ("recorded_at < '2026-03-01T12:00'", "'2026-03-01T12:00' is no time. Write", 1),
        ("recorded_at in ('2026-13-01',)", "'2026-13-01' is no time", 1),
        ("recorded_at < date('2026-02-30')", "'2026-02-30' is no time", 15),
        ("recorded_at < date(name)", "a text written out, or a parameter, is needed here.", 20),
        ("recorded_at - effective_from > 3", "a number is needed here, this is a time.", 1),
        ("total_gpus", "a condition is needed here, this is a whole number. Compare it with something.", 1),
        ("name and number > 1", "a condition is needed here, this is a text.", 1),
        ("number > 1 and models", "a condition is needed here, this is a list of model specs.", 16),
        ("not total_gpus", "a condition is needed here, this is a whole number.", 5),
        ("any(m for m in models)", "a condition is needed here, this is a model spec.", 5),
        ("any(True for m in models if m.num_replicas)", "a condition is needed here, this is a whole number.", 29),
        ("(1 if total_gpus else 2) > 1", "a condition is needed here, this is a whole number.", 7),
        ("(total_gpus > 1) == (number > 1)", "conditions cannot be compared. Join them with and, or, not.", 1),
        ("(total_gpus > 1) == True", "conditions cannot be compared.", 1),
        ("(total_gpus > 1) in (True,)", "conditions cannot be compared.", 1),
        ("annotations['a'] < True", "conditions cannot be compared.", 1),
        (
            "any(m == n for m in models for n in models)",
            "a model spec cannot be compared. Compare one of its fields.",
            5,
        ),
        ("models[0] == 3", "a model spec cannot be compared.", 1),
        ("tags == 3", "a mapping cannot be compared.", 1),
        ("models == []", "models holds model specs, which cannot be compared. Compare model_labels, or fields.", 1),
        (
            "models[0] in models",
            "models holds model specs. Ask for a label in model_labels, or any(… for m in models).",
            1,
        ),
        ("model_labels == aliases", "a list can be compared with a list written out only.", 1),
        ("models[0].feasible_batch_sizes == {8, 16}", "a list has an order, and a set has none.", 1),
        ("() == ()", "a list can be compared with a list written out only.", 1),
        ("model_labels < ['a']", "a list of texts cannot be compared with a list of texts by <.", 1),
        ("model_labels == 'a'", "a list of texts cannot be compared with a text by ==.", 1),
        ("model_labels == [1]", "a text cannot be compared with a whole number by ==.", 1),
        (
            "annotations['a'] == annotations['b']",
            "two annotations cannot be compared: it is not known of which kind they are.",
            1,
        ),
        ("annotations['a'] < recorded_at", "an annotation cannot be compared with a time.", 1),
        ("annotations['a'] == model_labels", "an annotation cannot be compared with a list of texts.", 1),
        ("3 in total_gpus", "nothing is in a whole number: in and not in want a list, a mapping or a text.", 1),
        ("3 in model_labels", "a text cannot be compared with a whole number by ==.", 1),
        ("'a' in feasible_batch_sizes_union", "a whole number cannot be compared with a text by ==.", 1),
        ("3 in tags", "the keys of tags are texts, this is a whole number.", 1),
        ("3 in annotations", "the keys of annotations are texts, this is a whole number.", 1),
        ("3 in annotations['a']", "the keys of an annotation are texts, this is a whole number.", 1),
        ("name in message", "in a text, only a text written out (or a parameter) can be looked for.", 1),
        ("'a' in (1, 2)", "a text cannot be compared with a whole number by ==.", 1),
        ("total_gpus in (1, 'a')", "the items of a list must be of one kind: numbers, texts or times.", 15),
        ("total_gpus in (1, number)", "a list holds numbers, texts or times written out, or parameters.", 19),
        ("name + 'a' == 'b'", "a number is needed here, this is a text.", 1),
        (
            "total_gpus + (number > 1) > 3",
            "a number is needed here, this is a condition. Count conditions with (1 if … else 0).",
            1,
        ),
        ("-name == 'a'", "a number is needed here, this is a text.", 1),
        ("+recorded_at > 1", "a number is needed here, this is a time.", 1),
        ("sum(m.model_label for m in models) > 1", "a number is needed here, this is a text.", 5),
        ("sum(models) > 1", "a number is needed here, this is a model spec.", 5),
        ("min(m for m in models) > 1", "min() wants numbers or texts, this is a model spec.", 5),
        ("max(recorded_at for m in models) > '2026-01-01'", "max() wants numbers or texts, this is a time.", 5),
        ("max(('a', 'b')) == 'b'", "max() of a list written out wants numbers.", 5),
        ("max((True, False)) == 1", "max() of a list written out wants numbers.", 5),
        ("sum(()) == 0", "sum() of a list written out wants numbers.", 5),
        ("any(models)", "any() wants a loop: any(m.itl_deadline_s < 0.1 for m in models)", 5),
        ("all(model_labels)", "all() wants a loop", 5),
        ("any((True, False))", "any() wants a loop", 5),
        ("len(3) == 1", "a list is needed here, this is a whole number. Lists: models, model_labels, aliases, …", 5),
        ("len(models[0]) == 1", "a list is needed here, this is a model spec.", 5),
        ("len(tags) == 1", "the keys of tags cannot be listed. Ask for one: 'key' in tags.", 5),
        ("any(k == 'a' for k in annotations)", "the keys of annotations cannot be listed.", 23),
        ("any(c == 'a' for c in name)", "a list is needed here, this is a text.", 23),
        ("any(x > 1 for x in annotations['a'])", "a list is needed here, this is an annotation.", 20),
        ("len() == 1", "write len(models)", 1),
        ("max(1, 2) == 2", "write max(m.itl_deadline_s for m in models)", 1),
        ("fnmatch(name)", "write fnmatch(name, 'sweep/*')", 1),
        ("fnmatch(name, message)", "a text written out, or a parameter, is needed here.", 15),
        ("fnmatch(3, '*')", "a text is needed here, this is a whole number.", 9),
        ("fnmatch(name, 3)", "a text written out, or a parameter, is needed here.", 15),
        ("name.startswith(message)", "a text written out, or a parameter, is needed here.", 17),
        ("name.startswith(('a', 'b'))", "a text written out, or a parameter, is needed here.", 17),
        ("total_gpus.lower() == 'a'", "a text is needed here, this is a whole number.", 1),
        ("models.startswith('a')", "a text is needed here, this is a list of model specs.", 1),
        (
            "(1 if number > 1 else 'a') == 1",
            "both sides of a choice must be of one kind, these are a whole number and a text.",
            2,
        ),
        ("(models if number > 1 else models) == 1", "both sides of a choice must be of one kind", 2),
        ("(annotations['a'] if number > 1 else 1) == 1", "both sides of a choice must be of one kind", 2),
        ("itl_deadline_by_model[1] > 1", "the keys of itl_deadline_by_model are texts, this is a whole number.", 23),
        ("tags[number] == 'a'", "the keys of tags are texts, this is a whole number.", 6),
        ("annotations[name] == 1", "a place in the annotations is a text or a whole number written out.", 13),
        ("annotations['a'][1.5] == 1", "a place in the annotations is a text or a whole number written out.", 18),
        ("annotations['a'][True] == 1", "a place in the annotations is a text or a whole number written out.", 18),
        ("annotations['a'][1000001] == 1", "an index must lie between -1000000 and 1000000.", 18),
        ("models[number].total_gpus > 1", "an index is a whole number written out.", 8),
        ("models['a'].total_gpus > 1", "an index is a whole number written out.", 8),
        ("models[1.0].total_gpus > 1", "an index is a whole number written out.", 8),
        ("models[True].total_gpus > 1", "an index is a whole number written out.", 8),
        ("models[1000001].total_gpus > 1", "an index must lie between -1000000 and 1000000.", 1),
        ("name[0] == 'a'", "a text has no items by number.", 1),
        ("models[0][0] == 1", "a model spec has no items by number.", 1),
        ("(1, 2)[2] == 1", "there is no item 2 in this list.", 1),
    ],
)
def test_kinds_are_checked(text: str, problem: str, column: int) -> None:
    error = refusal(text)
    assert error.problem.startswith(problem)
    assert error.column == column


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("total_gpus / 0 > 1", "this divides by zero.", 1),
        ("1 // 0 > 1", "this divides by zero.", 1),
        ("total_gpus % 0 > 1", "this divides by zero.", 1),
        ("1 / 0.0 > total_gpus", "this divides by zero.", 1),
        ("1e308 * 10 > total_gpus", "a number must be finite.", 1),
        ("total_gpus // 2.5 > 1", "// is for whole numbers that stay within 64 bits. Use / for others.", 1),
        ("models[0].itl_deadline_s % 2 > 1", "% is for whole numbers that stay within 64 bits.", 1),
        ("annotations['n'] // 2 > 1", "// is for whole numbers that stay within 64 bits.", 1),
        ("total_gpus * total_gpus // 2 > 1", "// is for whole numbers that stay within 64 bits.", 1),
        (
            "(total_gpus - 9) // number > 1",
            "// of numbers that may be negative needs a number as divisor, not an expression.",
            1,
        ),
        ("total_gpus % (number - 9) > 1", "% of numbers that may be negative needs a number as divisor", 1),
        ("total_gpus // 10000000000000000000 > 1", "a whole number in arithmetic must fit 64 bits.", 1),
        ("total_gpus // -10000000000000000000 > 1", "// is for whole numbers that stay within 64 bits.", 1),
        ("10000000000000000000 // total_gpus > 1", "a whole number beyond 64 bits can be compared with only.", 1),
        ("total_gpus % 1 * 10000000000000000000 > 1", "a whole number beyond 64 bits can be compared with only.", 1),
        (
            "max(10000000000000000000 for m in models) > 1",
            "a whole number beyond 64 bits can be compared with only.",
            5,
        ),
        (
            "(10000000000000000000 if number > 1 else 1) > 1",
            "a whole number beyond 64 bits can be compared with only.",
            2,
        ),
        ("any(x > total_gpus for x in (1, 10000000000000000000))", "a whole number beyond 64 bits can be", 29),
        (f"models[0].itl_deadline_s < {'9' * 400}", "this number is too large.", 1),
        (f"total_gpus in ({'9' * 400}, 0.5)", "this number is too large.", 15),
        (f"any(models[0].itl_deadline_s < x for x in ({'9' * 400},))", "a whole number beyond 64 bits can be", 43),
        (f"{'9' * 400} / 2 < total_gpus", "the result is too large.", 1),
        (f"total_gpus + {'9' * 400} > 1", "this number is too large.", 1),
        (
            " * ".join(["models[0].itl_deadline_s"] * 10) + " > 1",
            "the result could become too large or too small to compute with.",
            1,
        ),
        ("total_gpus / 1e-300 > 1", "the result could become too large or too small to compute with.", 1),
        ("total_gpus * 1e300 > 1", "the result could become too large or too small to compute with.", 1),
    ],
)
def test_arithmetic_that_the_databases_would_not_agree_about_is_refused(text: str, problem: str, column: int) -> None:
    error = refusal(text)
    assert error.problem.startswith(problem)
    assert error.column == column


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_an_empty_expression_is_refused(text: str) -> None:
    assert refusal(text).problem == "the expression is empty. Write a condition, for instance: total_gpus < 7200"
    assert refusal(text).column is None


def test_an_expression_must_be_a_string() -> None:
    with pytest.raises(FilterError, match=r"an expression is a string\."):
        read_condition(3)  # type: ignore[arg-type]  # The mistake itself.


def test_a_refusal_is_an_error_of_the_catalog_and_of_a_value() -> None:
    error = refusal("total_gpu < 1")
    assert isinstance(error, CatalogError) and isinstance(error, ValueError)
    assert str(error).startswith(f"column 1: {error.problem}\n")
