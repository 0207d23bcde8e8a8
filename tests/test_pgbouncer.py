"""The pooler of the tests runs as Debian's does, and where it is missing the other tests pass and the end says so."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.pgbouncer import PgBouncer
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[1]
SUITE = """
import pytest

@pytest.mark.parametrize("number", range(2))
def test_with_a_pooler(pgbouncer, number): ...

def test_without_one(): ...
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Make a suite of three tests with the conftest of this one; on its path there is no PgBouncer."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    conftest = "import tests.pgbouncer\ntests.pgbouncer.ADMINISTRATORS_PATH = ''\nfrom tests.conftest import *\n"
    (tmp_path / "conftest.py").write_text(conftest + "from tests.conftest import _LEFT_OUT\n")
    return tmp_path


def run_suite(suite: Path, *options: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        *options,
        str(suite),
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"PATH": "/nowhere", "CI": ci, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=suite, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "under pytest-xdist"])
def test_without_the_program_its_tests_are_left_out_and_named_at_the_end(suite: Path, options: tuple[str, ...]) -> None:
    result = run_suite(suite, *options)
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout
    told = "NOT RUN, since PgBouncer is not installed (sudo apt-get install pgbouncer): test_suite.py (2)\n"
    assert result.stdout.count(told) == 1
    assert "skipped" not in result.stdout


def test_in_ci_a_missing_program_is_a_failure(suite: Path) -> None:
    result = run_suite(suite, ci="true")
    assert result.returncode == 1
    assert "1 passed, 2 errors" in result.stdout
    assert "PgBouncer is not installed" in result.stdout


def test_clients_of_a_pooler_share_server_connections(postgres: PostgresServer, pgbouncer: type[PgBouncer]) -> None:
    with postgres.database() as url, pgbouncer.running(postgres, "transaction", pool_size=1) as pooler:
        pids = set()
        with psycopg.connect(pooler.url(url)) as first, psycopg.connect(pooler.url(url)) as second:
            for connection in (first, second):
                pids.add(connection.execute("SELECT pg_backend_pid()").fetchone())
                connection.commit()
        assert len(pids) == pooler.server_connections() == 1


def test_a_pooler_ends_with_the_process_that_started_it(postgres: PostgresServer, pgbouncer: type[PgBouncer]) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom types import SimpleNamespace\n"
        "from tests.pgbouncer import PgBouncer\n"
        "url, user, directory = sys.argv[1:]\n"
        "server = SimpleNamespace(url=lambda database: url, system_user=user or None)\n"
        "pooler = PgBouncer(server, Path(directory), 'session', pool_size=1, query_wait_s=1, roles=['postgres'])\n"
        "print(pooler.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    arguments = [postgres.url("postgres"), postgres.system_user or ""]
    with pgbouncer.directory() as directory:
        result = subprocess.run(
            [sys.executable, "-c", script, *arguments, str(directory)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            check=False,
        )
        pid = int(result.stdout)
        _, living = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=30)
    assert living == []
