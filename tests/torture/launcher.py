"""Processes that begin at once: forked from one in which everything is imported, so that a kill hits work.

A launcher is a process of its own, as single-threaded as a fork needs it. It reads requests, one JSON object a line,
and answers each with one line: the id of the process that it started, or the exit code of one that has ended.
"""

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
NOBODY = 65_534
_PRELOADED = (
    "alembic.autogenerate",
    "alembic.command",
    "openg2g.catalog.engine.migrate",
    "openg2g.catalog.archive.copying",
    "openg2g.catalog.documents.transfer",
    "openg2g.catalog.upkeep.verify",
    "openg2g.cli.commands.copy",
    "openg2g.cli.commands.db",
    "openg2g.cli.output.differences",
    "openg2g.cli.commands.export",
    "openg2g.cli.commands.import_",
    "openg2g.cli.commands.init",
    "openg2g.cli.commands.list",
    "openg2g.cli.commands.log",
    "openg2g.cli.commands.search",
    "openg2g.cli.commands.set",
    "openg2g.cli.commands.show",
    "openg2g.cli.commands.verify",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "tests.torture.clocks",
    "tests.torture.workers",
)


@dataclass(frozen=True)
class Outcome:
    """What a process left behind; the exit code of one that a signal ended is the negative signal."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        assert self.exit_code == 0, self.err
        return json.loads(self.out)

    def __str__(self) -> str:
        """Show everything, for a test that fails."""
        return f"exit code {self.exit_code}, stdout {self.out!r}, stderr {self.err!r}"


class Child:
    """A process that the launcher started."""

    def __init__(self, launcher: "Launcher", pid: int, out: Path, err: Path) -> None:
        self._launcher = launcher
        self._pid = pid
        self._out = out
        self._err = err
        self._exit_code: int | None = None

    @property
    def err(self) -> str:
        """What it has said on standard error until now."""
        return self._err.read_text(encoding="utf-8")

    @property
    def out(self) -> str:
        """What it has written to standard output until now."""
        return self._out.read_text(encoding="utf-8")

    def signal(self, number: int) -> None:
        """Send it a signal; until `outcome` its id belongs to nobody else, even where it has ended."""
        os.kill(self._pid, number)

    def outcome(self) -> Outcome:
        """Wait for its end."""
        if self._exit_code is None:
            self._exit_code = self._launcher.ask({"wait": self._pid})
        return Outcome(self._exit_code, self.out, self.err)


class Launcher:
    """Starts processes that run a function of a module, or the command line."""

    def __init__(self, directory: Path) -> None:
        """Start the launcher; what its processes write is kept in a directory."""
        self._directory = directory
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.torture.launcher import serve; serve()"],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[Launcher]":
        """Start a launcher and end it, with every process that it started."""
        with tempfile.TemporaryDirectory() as directory:
            launcher = cls(Path(directory))
            try:
                yield launcher
            finally:
                assert launcher._process.stdin is not None
                with suppress(BrokenPipeError):
                    launcher._process.stdin.close()
                launcher._process.wait(60)
                assert launcher._process.stdout is not None
                launcher._process.stdout.close()

    def start(self, function: str, *arguments: Any, **circumstances: Any) -> Child:
        """Start a process that runs a function, given as `module:name`, with arguments that JSON can hold.

        Circumstances are those of `_live`: `user`, `group`, `umask`, `max_file_bytes`, `directory`.
        """
        self._count += 1
        out, err = (self._directory / f"{self._count}.{stream}" for stream in ("out", "err"))
        out.touch()
        err.touch()
        request = {"function": function, "arguments": arguments, "out": str(out), "err": str(err)}
        return Child(self, self.ask(request | circumstances), out, err)

    def start_command(self, *arguments: str, **circumstances: Any) -> Child:
        """Start `openg2g`."""
        return self.start("openg2g.cli.main:main", arguments, **circumstances)

    def run_command(self, *arguments: str, **circumstances: Any) -> Outcome:
        """Run `openg2g` to its end."""
        return self.start_command(*arguments, **circumstances).outcome()

    def ask(self, request: dict[str, Any]) -> int:
        """Send a request and return the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ChildProcessError(f"the launcher has ended with exit code {self._process.wait(60)}")
        return int(answer)


def serve() -> None:
    """Start processes until nobody asks any more; then kill those that are left."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    for module in _PRELOADED:
        importlib.import_module(module)
    living: set[int] = set()
    for line in requests:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
            living.discard(request["wait"])
        else:
            answer = os.fork()
            if answer == 0:
                os.close(requests.fileno())
                os.close(answers.fileno())
                _live(**request)
            living.add(answer)
        answers.write(f"{answer}\n")
        answers.flush()
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _live(
    function: str,
    arguments: list[Any],
    out: str,
    err: str,
    user: int | None = None,
    group: int | None = None,
    umask: int | None = None,
    max_file_bytes: int | None = None,
    directory: str = "/",
) -> None:
    """Be the new process; never return.

    Args:
        function: What it does.
        arguments: With what.
        out: File that standard output goes to.
        err: File that standard error goes to.
        user: Id of the user that it becomes, whom file permissions bind; only root can.
        group: Id of the group that it is a member of besides its own; only root can choose.
        umask: What its new files do not permit.
        max_file_bytes: How large it may make a file: to it, a full disk.
        directory: Where it works.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    exit_code = 0
    try:
        os.chdir(directory)
        if max_file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))
        if umask is not None:
            os.umask(umask)
        if user is not None and os.geteuid() == 0:
            os.setgroups([] if group is None else [group])
            os.setgid(user)
            os.setuid(user)
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(*arguments)
        sys.stdout.flush()
    except SystemExit as ending:
        exit_code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        traceback.print_exc()
        exit_code = 1
    finally:
        sys.stderr.flush()
        os._exit(exit_code)
