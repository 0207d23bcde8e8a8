"""The README is true: its commands run, and print what it says they print."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.cli.main import _COMMANDS
from tests.builders import make_workload
from tests.catalog.plain_sql import PlainSql
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|python|text|json|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def expected_pattern(text: str) -> re.Pattern[str]:
    """Make a pattern of expected output, in which … stands for anything within a line."""
    return re.compile(re.escape(text).replace("…", ".*"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Prepare a directory with the example file, and this environment's programs on the path."""
    directory = tmp_path_factory.mktemp("readme")
    shutil.copy(ROOT / "scripts" / "examples" / "five-models.json", directory)
    variables = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OPENG2G_DATABASE": "fleet.db",
    }
    return directory, variables


def test_every_example_prints_what_the_readme_says(environment: tuple[Path, dict[str, str]]) -> None:
    directory, variables = environment
    output = None
    compared = 0
    for language, text in BLOCK.findall(README):
        if language in ("sh", "python"):
            command = ["sh", "-eu", "-c", text] if language == "sh" else [sys.executable, "-W", "error", "-c", text]
            result = subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=False)
            assert result.returncode == 0, result.stderr
            output = result.stdout
        elif language == "text":
            assert output is not None, "an expected output follows a command"
            assert expected_pattern(text).fullmatch(output), f"expected:\n{text}\ngot:\n{output}"
            output = None
            compared += 1
        elif language == "sql":
            with closing(sqlite3.connect(directory / "fleet.db")) as connection:
                assert ("fleet", 2) in {row[:2] for row in connection.execute(text)}
        else:
            (directory / "document.json").write_text(text, encoding="utf-8")
            command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "import", "document.json"]
            result = subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=True)
            assert result.stdout.startswith("small: ")
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
    from openg2g.catalog.tables import CATALOG_TABLES

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
