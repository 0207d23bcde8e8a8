"""A real PgBouncer, the program of Debian's package, started by the tests themselves."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.postgres import PostgresServer

Mode = Literal["session", "transaction", "statement"]
"""How long a client keeps a server connection."""

PACKAGE = "pgbouncer"
"""The package of Debian and Ubuntu that has the program."""

ADMINISTRATORS_PATH = ":/usr/sbin:/usr/local/sbin"
"""Where programs are that users have no use for, behind their own path."""

_SETTINGS = """\
[databases]
* = host={server}

[pgbouncer]
unix_socket_dir = {directory}
listen_port = 5432
auth_type = trust
auth_file = {directory}/users.txt
admin_users = postgres
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = 200
query_wait_timeout = {query_wait_s}
"""


def find_program() -> str | None:
    """Find the program, also where it is on the path of administrators only."""
    return shutil.which("pgbouncer", path=os.environ.get("PATH", os.defpath) + ADMINISTRATORS_PATH)


class PgBouncer:
    """One running pooler in front of a server; it serves every database of it.

    Like a default installation, it refuses start-up parameters that it does not know.

    Attributes:
        pid: Its process.
    """

    def __init__(
        self,
        server: PostgresServer,
        directory: Path,
        mode: Mode,
        *,
        pool_size: int,
        query_wait_s: int,
        roles: Sequence[str],
    ) -> None:
        """Write its files into a directory, and start it.

        Args:
            server: What it connects to.
            directory: Of its socket, whose path has at most 107 bytes.
            mode: How long a client keeps a server connection.
            pool_size: How many server connections there are for each pair of database and role.
            query_wait_s: How long a client waits for one, seconds.
            roles: Who may connect.
        """
        self._server_directory = parse_qs(urlsplit(server.url("postgres")).query)["host"][0]
        self._server = server
        self._directory = directory
        settings = _SETTINGS.format(
            server=self._server_directory,
            directory=directory,
            mode=mode,
            pool_size=pool_size,
            query_wait_s=query_wait_s,
        )
        (directory / "pgbouncer.ini").write_text(settings)
        (directory / "users.txt").write_text("".join(f'"{role}" ""\n' for role in roles))
        if server.system_user is not None:  # We are root, which PgBouncer refuses to be.
            shutil.chown(directory, server.system_user)
        self._process = self._started()

    @classmethod
    @contextmanager
    def running(
        cls,
        server: PostgresServer,
        mode: Mode,
        *,
        pool_size: int = 4,
        query_wait_s: int = 60,
        roles: Sequence[str] = ("postgres",),
    ) -> "Iterator[PgBouncer]":
        """Run one during a block."""
        with cls.directory() as directory:
            pooler = cls(server, Path(directory), mode, pool_size=pool_size, query_wait_s=query_wait_s, roles=roles)
            try:
                yield pooler
            finally:
                pooler.kill()

    @staticmethod
    def directory() -> tempfile.TemporaryDirectory[str]:
        """Make a directory whose path is short enough for a socket."""
        return tempfile.TemporaryDirectory(prefix="pb-")

    @property
    def pid(self) -> int:
        """Id of its process."""
        return self._process.pid

    def url(self, direct: str) -> str:
        """URL of a database through the pooler, from its URL on the server."""
        return direct.replace(self._server_directory, str(self._directory))

    def kill(self) -> None:
        """End it at once, as a crash would; the server's connections end with it."""
        self._process.kill()
        self._process.wait(60)
        with suppress(FileNotFoundError):  # A killed one leaves its socket, which the next would take for another's.
            (self._directory / ".s.PGSQL.5432").unlink()

    def start_again(self) -> None:
        """Start it after it was killed."""
        self._process = self._started()

    def server_connections(self) -> int:
        """Count the connections to the server that it holds, for every database."""
        with psycopg.connect(self.url(self._server.url("pgbouncer")), autocommit=True) as administration:
            # Its administration knows the simple protocol alone, as statements without parameters have it.
            return len(administration.execute("SHOW SERVERS").fetchall())

    def _started(self) -> "subprocess.Popen[bytes]":
        # It dies with the process that started it, however that ends.
        command = ["setpriv", "--pdeathsig", "KILL"]
        if self._server.system_user is not None:
            user = pwd.getpwnam(self._server.system_user)
            command += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        program = find_program()
        assert program is not None, f"pgbouncer is missing: apt-get install {PACKAGE}"
        with open(self._directory / "log", "ab") as log:
            process = subprocess.Popen(
                [*command, "--", program, "--quiet", str(self._directory / "pgbouncer.ini")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while not (self._directory / ".s.PGSQL.5432").exists():
            assert process.poll() is None and time.monotonic() < deadline, (self._directory / "log").read_text()
            time.sleep(0.01)
        return process
