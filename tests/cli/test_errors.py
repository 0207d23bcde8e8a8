"""Every failure that a user can cause ends in one clear line and a documented exit code."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, small, write

DOCUMENT_ERRORS = {
    "empty": (b"", "is empty."),
    "not JSON": (b"{'a': 1}", ":1:2: is not JSON"),
    "not UTF-8": (b'{"name": "\xff"}', "is not UTF-8 text"),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), "save it as UTF-8"),
    "a number": (b"5", "a workload must be an object, got 5."),
    "no models": (b"{}", "models is missing."),
    "empty models": (b'{"models": []}', "models LLMInferenceWorkload requires at least one model."),
    "a repeated key": (b'{"models": [], "name": "a", "name": "b"}', "name stands more than once."),
    "an unknown field": (b'{"models": [], "mesage": 1}', "mesage is not a known field"),
    "a newer format": (b'{"format": "openg2g-workload/2", "models": []}', "A newer release may read it."),
    "deep nesting": (b"[" * 100_000, "must not be nested more than 128 levels deep."),
    "a huge integer": (b'{"models": ' + b"9" * 5000 + b"}", "is not JSON that we read"),
    "a bad name": (b'{"name": "a b", "models": []}', "name must not contain white space"),
}


@pytest.mark.parametrize(("content", "message"), DOCUMENT_ERRORS.values(), ids=DOCUMENT_ERRORS)
def test_a_file_that_is_no_document(cli: Cli, tmp_path: Path, content: bytes, message: str) -> None:
    source = tmp_path / "x.json"
    source.write_bytes(content)
    outcome = cli("import", source)
    assert outcome.exit_code == 4
    assert message in outcome.err
    assert str(source) in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"itl_deadline_s": float("nan")}, "models[0].itl_deadline_s must be finite, got nan."),
        ({"itl_deadline_s": "0.1"}, "models[0].itl_deadline_s must be a number, got '0.1'."),
        ({"num_replicas": 1.5}, "models[0].num_replicas must be an integer, got 1.5."),
        ({"num_replicas": True}, "models[0].num_replicas must be an integer, got True."),
        ({"model_label": " "}, "models[0].model_label must not be blank, got ' '."),
        ({"model_label": "a\nb"}, r"models[0].model_label must not contain control characters, got 'a\nb'."),
        ({"feasible_batch_sizes": []}, "models[0].feasible_batch_sizes must not be empty."),
        ({"feasible_batch_sizes": [8, 0]}, "models[0].feasible_batch_sizes[1] must be > 0, got 0."),
        ({"num_replicas": 10**12}, "models[0].num_replicas must be <= 2147483647, got 1000000000000."),
        ({"num_replica": 1}, "models[0].num_replica is not a known field"),
    ],
)
def test_a_field_that_breaks_its_rule(cli: Cli, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    outcome = cli("import", write(tmp_path / "x.json", small(**changes)))
    assert outcome.exit_code == 4
    assert message in outcome.err


def test_two_models_of_one_label(cli: Cli, tmp_path: Path) -> None:
    model = SMALL["models"][0]
    outcome = cli("import", write(tmp_path / "x.json", {**SMALL, "models": [model, model]}))
    assert outcome.exit_code == 4
    assert "models has duplicate model labels: ['Llama-3.1-70B', 'Llama-3.1-70B']." in outcome.err


def test_a_file_without_a_known_suffix_needs_a_format(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("import", write(tmp_path / "x.txt", SMALL))
    assert outcome.exit_code == 2
    assert "Name it with --format (of validate: --input-format)." in outcome.err
    assert cli("import", tmp_path / "x.txt", "--format", "json").exit_code == 0


def test_a_directory_is_no_file(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("import", tmp_path, "--format", "json")
    assert (outcome.exit_code, outcome.err) == (7, f"Error: {tmp_path} cannot be read: Is a directory.\n")


@on_each_engine
def test_an_unknown_name_comes_with_close_ones(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    outcome = cli("show", "smal")
    assert (outcome.exit_code, outcome.err) == (3, "Error: smal: no workload has this name. Did you mean small?\n")


@on_each_engine
def test_an_unknown_revision_comes_with_the_known_ones(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    outcome = cli("show", "small@7")
    assert (outcome.exit_code, outcome.err) == (3, "Error: small@7: the name has revisions 1 to 1.\n")


@pytest.mark.parametrize(
    "reference", ["", "a@", "a@0", "a@b@c", "a@2026-13-01", "sha256:xyz", "sha256:ab", "a b", "@3"]
)
def test_a_text_that_is_no_reference(cli: Cli, reference: str) -> None:
    outcome = cli("show", reference)
    assert outcome.exit_code == 2
    assert "is no reference" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-03-01T12:00", "2026-13-01", "0000-01-01", "0001-01-01T00:00+01:00"]
)
def test_a_time_that_cannot_be_meant(cli: Cli, tmp_path: Path, time: str) -> None:
    outcome = cli("import", write(tmp_path / "x.json", SMALL), "--effective-from", time)
    assert outcome.exit_code == 2
    assert repr(time) in outcome.err


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "a"), ("export", "--all"), ("db", "status"), ("db", "check")]
)
def test_reading_makes_no_catalog(run_cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    database = tmp_path / "missing.db"
    outcome = run_cli(*arguments, "--database", database)
    assert outcome.exit_code == 3
    assert f"no catalog at {database}" in outcome.err
    assert "openg2g init" in outcome.err
    assert not database.exists()


def test_a_database_of_something_else_is_left_alone(run_cli: Cli, tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE precious (id)")
    connection.close()
    before = database.read_bytes()
    for arguments in (("init",), ("list",), ("db", "upgrade"), ("import", write(tmp_path / "x.json", SMALL))):
        outcome = run_cli(*arguments, "--database", database)
        assert outcome.exit_code == 6
        assert "is not a catalog" in outcome.err
    assert database.read_bytes() == before


@pytest.mark.parametrize("arguments", [("init",), ("list",)])
def test_a_text_file_is_not_a_catalog(run_cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    database = tmp_path / "notes.txt"
    database.write_text("These are notes. " * 100)
    outcome = run_cli(*arguments, "--database", database)
    assert outcome.exit_code == 6
    assert outcome.err == f"Error: {database} is not a catalog: it is not an SQLite file.\n"


def test_a_directory_that_does_not_exist(run_cli: Cli, tmp_path: Path) -> None:
    outcome = run_cli("init", "--database", tmp_path / "nowhere" / "fleet.db")
    assert outcome.exit_code == 5
    assert f"the directory {tmp_path}/nowhere does not exist" in outcome.err


def test_a_server_that_does_not_answer(run_cli: Cli) -> None:
    outcome = run_cli("list", "--database", "postgresql://ada:canary-secret@127.0.0.1:1/fleet")
    assert outcome.exit_code == 5
    assert "cannot be reached" in outcome.err
    assert "canary" not in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/db", "mysql:// is not supported"),
        ("postgresql://ada:pass@word@host/db", "as %40"),
        ("postgresql://host:port/db", "cannot be read"),
        ("sqlite://", "not in memory"),
        (":memory:", "not in memory"),
        ("", "is empty"),
    ],
)
def test_a_url_that_cannot_be_used(run_cli: Cli, url: str, message: str) -> None:
    outcome = run_cli("list", "--database", url)
    assert outcome.exit_code == 2
    assert message in outcome.err
    assert "word" not in outcome.err.replace("password", "")


MISPLACED_URLS = {
    "a URL": "postgresql://ada:canary-secret@h/x",
    "with white space": "postgresql://ada:my canary-secret@h/x",
    "a setting": "DATABASE_URL=postgresql://ada:canary-secret@h/x",
    "a connection string": "host=h user=ada password=canary-secret",
    "without a scheme": "ada:canary-secret@db.example/x",
    "without a colon, with an @ in the password": "postgresql\u200b//ada:my@canary-secret@h/x",
    "encoded": "postgresql ://ada%3Acanary-secret%40h/x",
}


@pytest.mark.parametrize("url", MISPLACED_URLS.values(), ids=MISPLACED_URLS)
@pytest.mark.parametrize(
    "arguments",
    [
        ("URL",),
        ("show", "URL"),
        ("diff", "URL", "URL"),
        ("search", "URL"),
        ("search", "name == 'a' and URL"),
        ("list", "--as-of", "URL"),
        ("list", "--format", "URL"),
        ("list", "a", "URL", "URL"),
        ("list", "--databse", "URL"),
        ("list", "--databse=URL"),
        ("search", "True", "--limit", "URL"),
        ("search", "True", "--sort", "URL"),
        ("search", "True", "--after", "URL"),
        ("search", "a", "--param", "URL"),
        ("import", "URL"),
        ("import", "URL", "--format", "json"),
        ("validate", "URL", "--input-format", "json"),
        ("export", "a", "-o", "URL"),
        ("set", "URL", "models[0].num_replicas=1"),
        ("set", "small", "URL"),
        ("rename", "small", "URL"),
        ("tag", "URL", "a=b"),
        ("alias", "set", "small", "URL"),
        ("alias", "set", "URL"),
        ("list", "--tz", "URL"),
        ("copy", "URL"),
        ("verify", "URL"),
        ("db", "upgrade", "URL"),
        ("db", "URL"),
    ],
    ids=" ".join,
)
def test_a_url_in_a_wrong_place_is_not_repeated(
    cli: Cli, small_file: Path, arguments: tuple[str, ...], url: str
) -> None:
    cli("import", small_file)
    outcome = cli(*(argument.replace("URL", url) for argument in arguments))
    assert outcome.exit_code in (2, 3, 4, 6, 7)
    assert "canary" not in outcome.out + outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("argument", "message"), [(b"Fl\xc3\xa9et", "no workload has this name"), (b"\xff", "Unicode")]
)
def test_a_name_in_a_locale_without_its_letters_is_read_all_the_same(
    cli: Cli, small_file: Path, argument: bytes, message: str
) -> None:
    assert cli("import", small_file, "--name", "Flöet").exit_code == 0
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "show", argument]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert message in result.stderr.decode()
    command[-1] = "Flöet".encode()
    shown = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    assert "Flöet@1" in shown.decode()


def test_a_broken_pipe_is_quiet(cli: Cli, database_url: str, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "export", "small"]
    result = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)
    assert (result.returncode, result.stderr) == (1, b"")


def test_a_full_disk_behind_standard_output_is_told(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "export", "small"]
    with open("/dev/full", "wb") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 7
    assert b"No space left on device" in result.stderr
    assert b"Traceback" not in result.stderr


@on_each_engine
def test_an_import_whose_report_is_not_read_says_that_everything_was_stored(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", SMALL)
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "import", str(source)]
    with open("/dev/full", "wb") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 7
    assert b"Everything was stored before the output broke off." in result.stderr
    assert cli("list", "--format", "names").out == "small\n"
