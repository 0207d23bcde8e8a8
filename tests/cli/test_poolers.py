"""Every command gives the same answers through PgBouncer as without it."""

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from openg2g.cli.main import _COMMANDS
from tests.cli.conftest import Cli, Outcome
from tests.cli.documents import SMALL, write
from tests.cli.test_every_command import COMMANDS, lines_of
from tests.postgres import PostgresServer

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00| UTC)?")
_DIGEST_OF_ALL = re.compile(r"(\"record\":\"end\".*\"digest\":\")[^\"]*")


def told(outcome: Outcome, url: str) -> Outcome:
    """Return what a command said, but for when and where, and for what follows from that."""
    parts = urlsplit(url)
    directory = parse_qs(parts.query)["host"][0]

    def masked(text: str) -> str:
        text = text.replace(quote(directory, safe=""), "DIRECTORY").replace(directory, "DIRECTORY")
        return _DIGEST_OF_ALL.sub(r"\1", _TIME.sub("TIME", text.replace(parts.path, "/DATABASE")))

    return Outcome(outcome.exit_code, masked(outcome.out), masked(outcome.err))


def answers(run_cli: Cli, url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """Run every command in every way on a catalog, and return what each said."""
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.setenv("OPENG2G_DATABASE", url)
    write(directory / "small.json", SMALL)
    found = {"import": run_cli("import", "small.json")}
    for command in COMMANDS:
        for line in lines_of(command, "small", url):
            key = " ".join(line).replace(url, "URL")
            found[key] = told(run_cli(*line), url)
    return found


@pytest.mark.parametrize("pooler", ["transaction"], indirect=True)
def test_every_command_says_the_same_through_a_pooler(
    run_cli: Cli,
    postgres: PostgresServer,
    migrated_postgres_template: str,
    direct_url: str,
    pooled_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with postgres.database(template=migrated_postgres_template) as other_url:
        direct = answers(run_cli, other_url, tmp_path / "direct", monkeypatch)
    pooled = answers(run_cli, pooled_url, tmp_path / "pooled", monkeypatch)
    assert {line: (pooled[line], direct[line]) for line in direct if pooled[line] != direct[line]} == {}
    assert {line.split()[0] for line in pooled} >= _COMMANDS.keys()
    assert sum(outcome.exit_code == 0 for outcome in pooled.values()) > 30
