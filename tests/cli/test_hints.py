"""Errors say what, where and why; the command line alone names commands and options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from openg2g.cli.exit_codes import EXIT_CODES, exit_code_lines, exit_code_of
from openg2g.cli.hints import worded
from openg2g.cli.main import openg2g
from openg2g.models import errors
from openg2g.models.errors import CatalogError, InvalidDocumentError, Problem
from tests.cli.test_help import leaf_commands

ROOT = Path(__file__).parents[2]
BELOW = sorted(path for path in (ROOT / "openg2g").rglob("*.py") if "cli" not in path.parts)
COMMAND_NAMES = openg2g.list_commands(click.Context(openg2g))
OPTIONS = {
    option
    for command in [openg2g, *leaf_commands().values()]
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
    if option.startswith("--")
}
NAMES_COMMANDS = {
    "formats/git/log.py": "options of git that commands of ours have, too",
    "formats/git/process.py": "a command of git that helps",
    "catalog/history/clock_watch.py": "warnings of the log, each with the command that helps",
}
"""Module → why it may name commands or options."""


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings, those within f-strings included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def named_in(text: str) -> list[str]:
    """Return the commands and options of ours that a text names."""
    options = [found for found in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text) if found in OPTIONS]
    return options + [found for found in re.findall(r"(?<![\w.-])openg2g ([a-z-]+)", text) if found in COMMAND_NAMES]


@pytest.mark.parametrize("path", BELOW, ids=lambda path: str(path.relative_to(ROOT / "openg2g")))
def test_nothing_below_the_command_line_names_a_command_or_an_option(path: Path) -> None:
    named = [found for text in texts_of(path) for found in named_in(text)]
    module = path.relative_to(ROOT / "openg2g").as_posix()
    assert bool(named) == (module in NAMES_COMMANDS), named


def test_commands_and_options_are_found_in_texts() -> None:
    assert named_in("Use --force, or `openg2g db check` and openg2g import-history.") == [
        "--force",
        "db",
        "import-history",
    ]
    assert named_in("the catalog openg2g stores, git --no-pager, a--name") == []


ADVICE = {
    "no catalog": (
        errors.CatalogNotFoundError("fleet.db", "the file does not exist"),
        "no catalog at fleet.db: the file does not exist. Make one with `openg2g init`.",
    ),
    "an older schema": (
        errors.SchemaOutdatedError("fleet.db", "0001", "0002"),
        "the catalog at fleet.db has schema 0001, this release needs 0002. Run `openg2g db upgrade`.",
    ),
    "somebody was faster": (
        errors.RevisionConflictError("fleet", 1, 2),
        "fleet: expected revision 1 to be the latest, but it is 2. "
        "Look at what changed (`openg2g log fleet --patch`) and try again.",
    ),
    "two histories": (
        errors.HistoryConflictError("fleet", 2, "revision", "the annotations differ"),
        "fleet: the two histories part at revision 2 (the annotations differ). Nothing is overwritten: give the "
        "incoming name another. Write --rename fleet=NEW, or name all of them anew with --prefix.",
    ),
    "a lost commit": (
        errors.UnknownOutcomeError("fleet: it cannot be asked. Look before doing it again."),
        "fleet: it cannot be asked. Look before doing it again. `openg2g log` shows whether it happened.",
    ),
    "a retired name": (
        errors.RetiredError("fleet@2", "fleet", "the name was retired"),
        "fleet@2: the name was retired. `openg2g restore fleet` brings it back.",
    ),
    "no alias": (
        errors.AliasNotFoundError("fleet@production", []),
        "fleet@production: the name has no such alias at that time (it has none). "
        "`openg2g alias set fleet@production` makes it.",
    ),
    "another alias": (
        errors.AliasNotFoundError("fleet@production", ["staging"]),
        "fleet@production: the name has no such alias at that time (it has had staging).",
    ),
    "an alias of an older release": (
        errors.AmbiguousReferenceError("fleet@latest", ["fleet@1", "fleet@2"], "is an alias."),
        "fleet@latest is an alias. `openg2g alias remove fleet@latest` removes it.",
    ),
    "a digest of several": (
        errors.AmbiguousReferenceError("sha256:ab12", ["sha256:ab12c", "sha256:ab12d"], "fits several."),
        "sha256:ab12 fits several.",
    ),
    "doubtful tables": (
        errors.SchemaError("a table is missing.", doubts=["tables"]),
        "a table is missing. Run `openg2g db check`.",
    ),
    "doubts": (
        errors.CatalogUnavailableError("a statement was ended.", doubts=["tables", "content"]),
        "a statement was ended. Run `openg2g db check` and `openg2g verify`.",
    ),
    "a file that is there": (
        errors.SourceError("a.json exists already.", setting="replace"),
        "a.json exists already. Use --force to replace it.",
    ),
    "problems": (
        InvalidDocumentError([Problem("a", "", "is wrong."), Problem("b", "name", "is missing.", 2, setting="name")]),
        "a: is wrong.\nb:2: name is missing. Give one with --name.",
    ),
    "nothing to do": (errors.NameTakenError("fleet"), "fleet exists already. Choose another name."),
}


@pytest.mark.parametrize(("error", "text"), ADVICE.values(), ids=ADVICE)
def test_advice_follows_from_the_class_and_the_data_of_an_error(error: CatalogError, text: str) -> None:
    assert worded(error) == text


def test_somebody_who_uses_python_is_told_the_function_that_makes_a_catalog() -> None:
    error = errors.CatalogNotFoundError("fleet.db", "the file does not exist")
    assert (str(error), error.__notes__) == (
        "no catalog at fleet.db: the file does not exist.",
        ["Make one with Catalog.create()."],
    )


# Exit codes.


def documented_in_readme() -> dict[int, str]:
    """Return what the README says of each exit code."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [sentence] = re.findall(r"^Exit codes: (.*?)\.\n\n", text, re.MULTILINE | re.DOTALL)
    codes = re.split(r", (?=\d )|, (?=\d{3})", " ".join(sentence.split()))
    return {int(code): meaning for code, _, meaning in (part.partition(" ") for part in codes) if len(code) == 1}


def test_the_readme_explains_each_exit_code_as_the_help_does() -> None:
    words = {code: set(re.findall(r"\w+", meaning)) for code, meaning in documented_in_readme().items()}
    assert words.keys() == {code for code, _, _ in EXIT_CODES}
    for code, meaning, _ in EXIT_CODES:
        assert words[code] <= {*re.findall(r"\w+", meaning)}, meaning


def test_the_help_lists_the_exit_codes_of_the_table() -> None:
    lines = exit_code_lines().split("\n")
    assert [line.split()[0] for line in lines] == [*map(str, range(9)), "129,"]


def test_each_kind_of_error_has_one_exit_code_or_is_any_other_failure() -> None:
    kinds = [kind for _, _, found in EXIT_CODES for kind in found]
    assert len(kinds) == len(set(kinds))
    others = {kind for kind in CatalogError.__subclasses__() if not any(issubclass(kind, known) for known in kinds)}
    assert others == {errors.MissingLibraryError}


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (CatalogError("a value is too large."), 1),
        (errors.InvalidReferenceError("it is none."), 2),
        (errors.RetiredError("fleet@2", "fleet", "retired"), 3),
        (InvalidDocumentError([]), 4),
        (errors.CatalogLockedError("it is locked."), 5),
        (errors.NotACatalogError("it is none."), 6),
        (errors.SourceError("it is none."), 7),
        (errors.RevisionConflictError("fleet", 1, 2), 8),
    ],
)
def test_an_error_ends_with_the_exit_code_of_its_kind(error: CatalogError, exit_code: int) -> None:
    assert exit_code_of(error) == exit_code
