"""The README is true: its commands run, and print what it says they print."""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.cli.main import _COMMANDS, run
from tests.builders import make_workload
from tests.catalog.plain_sql import PlainSql
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|python|text|json|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


QUOTED = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
"""What a shell takes for one piece, whatever is in it."""

PLAIN = re.compile(r"""'[^']*'|"[^"$`\\]*\"""")
"""A quotation in which a shell finds nothing to do."""

SPECIAL = frozenset("|&;<>()$`*?[]{}~#!\\'\"")
"""Characters that mean something to a shell where they are not quoted."""


def expected_pattern(text: str) -> re.Pattern[str]:
    """Make a pattern of expected output, in which … stands for anything within a line."""
    return re.compile(re.escape(text).replace("…", ".*"))


def statements_of(block: str) -> list[str]:
    """Split a block for the shell into statements, each of a line or of several that belong together."""
    if "<<" in block:
        return [block]
    statements = [""]
    for line in block.splitlines(keepends=True):
        statements[-1] += line
        is_complete = not line.endswith("\\\n") and not {"'", '"'} & set(QUOTED.sub("", statements[-1]))
        if is_complete:
            statements.append("")
    assert statements.pop() == "", f"a statement that does not end: {block}"
    return statements


def arguments_of(statement: str) -> list[str] | None:
    """Return the arguments of a call of openg2g for which the shell only takes words apart; None of anything else."""
    statement = statement.replace("\\\n", "")
    if SPECIAL & set(PLAIN.sub("", statement)):
        return None
    words = shlex.split(statement)
    return words[1:] if words[:1] == ["openg2g"] else None


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("openg2g list\n", ["list"]),
        (
            "openg2g set fleet a=1 \\\n  -m 'why; not' --author \"A > B\"\n",
            ["set", "fleet", "a=1", "-m", "why; not", "--author", "A > B"],
        ),
        ("openg2g search \"a\n and 'b*'\"\n", ["search", "a\n and 'b*'"]),
        ("openg2g list | head -1\n", None),
        ("openg2g list > list.txt\n", None),
        ("openg2g list 2>&1\n", None),
        ("openg2g list && openg2g list\n", None),
        ("openg2g show $NAME\n", None),
        ('openg2g show "$NAME"\n', None),
        ("openg2g show `cat name`\n", None),
        ("openg2g import *.json\n", None),
        ("openg2g show it\\'s\n", None),
        ("cmp openg2g openg2g\n", None),
        ("\n", None),
    ],
)
def test_only_calls_that_need_no_shell_are_made_without_one(statement: str, arguments: list[str] | None) -> None:
    assert statements_of(f"{statement}openg2g list\n") == [statement, "openg2g list\n"]
    assert arguments_of(statement) == arguments


class Reader:
    """Runs what the README says, as a reader would: in one directory, one after the other."""

    def __init__(self, directory: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.capture = capture

    def run_shell(self, block: str) -> str:
        """Run a block for the shell and return what it prints; calls of openg2g in this process, which saves time."""
        printed = ""
        for statement in statements_of(block):
            arguments = arguments_of(statement)
            if arguments is None:
                command = ["sh", "-eu", "-c", statement]
                result = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
                exit_code, out, err = result.returncode, result.stdout, result.stderr
            else:
                self.capture.readouterr()
                exit_code = run(arguments)
                out, err = self.capture.readouterr()
            assert exit_code == 0, f"{statement}\n{out}\n{err}"
            printed += out
        return printed

    def run_python(self, block: str) -> str:
        """Run a block of Python and return what it prints; a warning is an error, as in every test."""
        self.capture.readouterr()
        exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
        return self.capture.readouterr().out


@pytest.fixture
def reader(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Prepare a directory with the example file, and this environment's programs on the path."""
    shutil.copy(ROOT / "scripts" / "examples" / "five-models.json", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("OPENG2G_DATABASE", "fleet.db")
    return Reader(tmp_path, capfd)


def test_every_example_prints_what_the_readme_says(reader: Reader) -> None:
    output = None
    compared = 0
    for language, text in BLOCK.findall(README):
        if language == "sh":
            output = reader.run_shell(text)
        elif language == "python":
            output = reader.run_python(text)
        elif language == "text":
            assert output is not None, "an expected output follows a command"
            assert expected_pattern(text).fullmatch(output), f"expected:\n{text}\ngot:\n{output}"
            output = None
            compared += 1
        elif language == "sql":
            with closing(sqlite3.connect(reader.directory / "fleet.db")) as connection:
                assert ("fleet", 2) in {row[:2] for row in connection.execute(text)}
        else:
            (reader.directory / "document.json").write_text(text, encoding="utf-8")
            assert reader.run_shell("openg2g import document.json\n").startswith("small: ")
    assert compared >= 4


def test_every_statement_of_sql_has_the_same_answer_on_both_engines(tmp_path: Path, postgres: PostgresServer) -> None:
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    answers = []
    with postgres.database() as url:
        for place in (f"sqlite:///{tmp_path / 'catalog.db'}", url):
            with Catalog.create(place) as catalog:
                for number, seconds in enumerate((-1, 0, 1), 1):
                    effective_from = midnight + timedelta(microseconds=seconds)
                    workload = make_workload(1, model_label="Llama-3.1-70B", num_replicas=number)
                    catalog.save("fleet", workload, effective_from=effective_from)
            with PlainSql(place) as sql:
                answers.append([sorted(sql.run(text)) for language, text in BLOCK.findall(README) if language == "sql"])
    assert answers[0] == answers[1]
    assert [("fleet", 1), ("fleet", 2)] in answers[0]


def test_every_command_is_in_the_readme() -> None:
    for command in _COMMANDS:
        assert f"`openg2g {command}" in README


def test_every_module_directory_and_table_is_in_the_readme() -> None:
    from openg2g.catalog.schema.metadata import CATALOG_TABLES

    for table in CATALOG_TABLES:
        assert f"`{table}`" in README


def test_the_demonstration_runs_from_a_copy_of_the_checkout(tmp_path: Path) -> None:
    # The copy gets this environment instead of one from the network; everything else is the script's own work.
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])
    stamp = checkout / ".venv" / ".installed-demo"
    stamp.touch()
    result = subprocess.run(
        ["sh", str(checkout / "scripts" / "demo")],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "exported.json is config.json again, byte for byte." in result.stdout
    assert "fleet: revision 1 → 2" in result.stdout
