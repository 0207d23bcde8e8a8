"""What holds for every command: no secret in any output, and nothing from outside is run or steers a terminal."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from openg2g.catalog import Catalog, CatalogUnavailableError
from openg2g.cli.exit_codes import EXIT_CODES
from tests.cli.conftest import Cli, Outcome
from tests.cli.documents import SMALL, write
from tests.cli.test_help import leaf_commands
from tests.postgres import PostgresServer

CANARY = "canary-9f31"

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "init": ((),),
    "import": (("small.json",), ("small.json", "--require", "total_gpus < {}"), ("small.json", "--name", "{}")),
    "import-history": (("small.json",), ("{}",), ("small.json", "--name", "{}")),
    "validate": (("small.json",), ("{}",)),
    "export": (("small",), ("--all",), ("--where", "name == {!r}"), ("--all", "--history"), ("small", "-o", "{}.json")),
    "check": (("small", "--target", "toml"), ("{}", "--target", "openg2g-0.2")),
    "schema": ((),),
    "list": ((), ("{}",)),
    "search": (("{}",), ("total_gpus > 0", "--sort", "{}"), ("name == x", "--param", "x={}"), ("name == {!r}",)),
    "models list": ((), ("{}",), ("--where", "m.model_label == {!r}")),
    "models show": (("sha256:{}",),),
    "stats": ((), ("--where", "author == {!r}")),
    "audit": (("total_gpus < 0",), ("{}",)),
    "show": (("small",), ("{}",), ("small@{}",)),
    "diff": (("small", "small@1"), ("small", "{}"), ("small", "{}.json")),
    "set": (("small", "Llama-3.1-70B.num_replicas=19", "-m", "{}"), ("small", "{}.num_replicas=1"), ("small", "{}")),
    "blame": (("small",), ("{}",)),
    "log": (("small",), ("{}",), ("--author", "{}"), ("--grep", "{}")),
    "retire": (("small", "-m", "{}"), ("{}",)),
    "restore": (("small", "-m", "{}"), ("{}",)),
    "rename": (("small", "{}"), ("{}", "small")),
    "tag": (("small", "team={}"), ("small", "{}=x"), ("{}",)),
    "alias set": (("small@production", "-m", "{}"), ("small@{}",), ("{}@production",)),
    "alias remove": (("small@production",), ("small@{}",)),
    "alias list": (("small",), ("{}",)),
    "alias log": (("small",), ("{}",)),
    "copy": (("{database}", "copied.db"), ("{database}", "copied.db", "{}"), ("{database}", "{}")),
    "verify": ((), ("{}",)),
    "check-scripts": ((".",), ("{}",), (".", "--name-map", "fleet={}")),
    "db status": ((),),
    "db backup": (("copy.db",), ("{}",)),
    "db upgrade": ((), ("{}",)),
    "db downgrade": (("{}",),),
    "db check": ((),),
    "completion": (("bash",), ("{}",)),
}
"""Command → ways to run it on a catalog that holds `small`; `{}` is whatever the test puts there."""


def test_the_table_has_every_command() -> None:
    assert COMMANDS.keys() == leaf_commands().keys()


def lines_of(command: str, value: str, database: str) -> Iterator[list[str]]:
    for arguments in COMMANDS[command]:
        filled = [
            argument.replace("{database}", database).replace("{!r}", repr(value)).replace("{}", value)
            for argument in arguments
        ]
        yield [*command.split(), *filled]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Run a command line on a catalog of one name."""
    write(tmp_path / "small.json", SMALL)
    assert cli("import", "small.json").exit_code == 0
    return cli


# Secrets.


@pytest.fixture(scope="module")
def guarded_url(postgres: PostgresServer) -> Iterator[str]:
    """Give the place of a catalog that its role may open with its password only."""
    postgres.require_password("keeper", CANARY)
    with postgres.database() as url:
        Catalog.create(url).close()
        yield url.replace("postgres:@", f"keeper:{CANARY}@")


@pytest.fixture(scope="module")
def guarded_urls(guarded_url: str) -> dict[str, str]:
    """Name the ways in which a connection with a password ends."""
    return {
        "opens": guarded_url,
        "wrong password": guarded_url.replace(CANARY, f"{CANARY}-wrong"),
        "no such database": guarded_url.replace("?host=", "-missing?host="),
        "no server": f"postgresql://keeper:{CANARY}@127.0.0.1:1/fleet",
        "no URL": f"postgresql://keeper:{CANARY}@127.0.0.1:port/fleet",
    }


@pytest.mark.parametrize("way", ["opens", "wrong password", "no such database", "no server", "no URL"])
def test_no_command_shows_a_password(
    run_cli: Cli,
    guarded_urls: dict[str, str],
    way: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = guarded_urls[way]
    monkeypatch.setenv("OPENG2G_DATABASE", url)
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    write(tmp_path / "small.json", SMALL)
    codes = set()
    for command in COMMANDS:
        for line in lines_of(command, "small", url):
            outcome = run_cli(*line)
            assert CANARY not in outcome.out + outcome.err, line
            codes.add(outcome.exit_code)
    assert CANARY not in caplog.text
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes(), path
    assert (0 in codes) and (way == "opens" or 5 in codes or 2 in codes)


def test_a_password_is_not_shown_when_the_server_goes_away(guarded_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'"
    with Catalog.open(guarded_url) as catalog, psycopg.connect(postgres_url(guarded_url), autocommit=True) as other:
        other.execute("ALTER ROLE keeper NOLOGIN")  # It is not found again, either.
        try:
            other.execute(kill)
            with pytest.raises(CatalogUnavailableError) as raised:
                catalog.load("nobody")
        finally:
            other.execute("ALTER ROLE keeper LOGIN")
        assert CANARY not in "".join(traceback.format_exception(raised.value))
    assert CANARY not in caplog.text


def postgres_url(url: str) -> str:
    """URL of the same database for its superuser, who needs no password."""
    return url.replace(f"keeper:{CANARY}@", "postgres:@")


# Hostile texts.

HOSTILE = (
    "'; DROP TABLE revisions; --",
    "\x1b[31mred\x1b]0;title\x07",
    "__import__('os').system('touch owned')",
    "$(touch owned)`touch owned`",
    "../../../../etc/passwd",
    "a\u202eb",
    "b\u2028c",
    "%s%n{0.__class__}\\",
    "--database",
    "\udcff",
    "x" * 5000,
)
DOCUMENTED = {code for code, _, _ in EXIT_CODES}
CONTROLS = {chr(code) for code in [*range(32), *range(127, 160), 0x2028, 0x202E]} - set("\n\t")


@pytest.mark.parametrize(
    ("database_url", "text"),
    [*(("sqlite", text) for text in HOSTILE), ("postgresql", HOSTILE[0])],
    ids=lambda value: ascii(value)[:20],
    indirect=["database_url"],
)
def test_no_text_is_run_or_steers_the_terminal(filled: Cli, database_url: str, text: str, tmp_path: Path) -> None:
    for command in COMMANDS:
        if command == "completion":
            continue  # Its output is a script of the shell, with control characters of its own.
        for line in lines_of(command, text, database_url):
            check_harmless(filled(*line), line)
    assert not list(tmp_path.rglob("owned"))
    assert filled("verify").exit_code == 0


def check_harmless(outcome: Outcome, line: list[str]) -> None:
    assert outcome.exit_code in DOCUMENTED, (line, outcome)
    assert "Traceback" not in outcome.err, (line, outcome.err)
    assert not CONTROLS & set(outcome.out + outcome.err), (line, outcome)


@pytest.mark.parametrize(
    ("database_url", "text"),
    [*(("sqlite", text) for text in HOSTILE if text not in ("\udcff", "a\u202eb")), ("postgresql", HOSTILE[0])],
    ids=lambda value: ascii(value)[:20],
    indirect=["database_url"],
)
def test_what_was_stored_with_a_hostile_message_is_shown_harmlessly_and_comes_back(filled: Cli, text: str) -> None:
    stored = filled("set", "small", "Llama-3.1-70B.num_replicas=19", "-m", text)
    assert stored.exit_code == 0, stored
    assert filled("show", "small", "--format", "json").json["revision"]["message"] == text
    for line in (["show", "small"], ["log"], ["list"], ["blame", "small"], ["log", "--format", "csv"]):
        check_harmless(filled(*line), line)
