"""The command line, run in this process against an empty catalog."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openg2g.cli.main import run
from tests.cli.documents import SMALL, write


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Cli = Callable[..., Outcome]


@pytest.fixture
def run_cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line; the database is whatever the environment says."""

    def invoke(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfd.readouterr()
        exit_code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Outcome(exit_code, captured.out, captured.err)

    return invoke


on_each_engine = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""Runs a test on both engines; the others, to which the engine is no matter, run on SQLite."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest, migrated_sqlite_file: Path, tmp_path: Path) -> str:
    """Give the place of an empty catalog, a file but where a test asks for another engine."""
    if getattr(request, "param", "sqlite") == "postgresql":
        url: str = request.getfixturevalue("direct_url")
        return url
    return f"sqlite:///{shutil.copyfile(migrated_sqlite_file, tmp_path / 'catalog.db')}"


@pytest.fixture
def cli(run_cli: Cli, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run a command line on an empty catalog, in a directory of its own."""
    monkeypatch.setenv("OPENG2G_DATABASE", database_url)
    monkeypatch.chdir(tmp_path)
    return run_cli


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """Write the smallest workload there is."""
    return write(tmp_path / "small.json", SMALL)
