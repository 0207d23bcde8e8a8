"""A function in a process of its own: forks, signals and exits in it never touch the test's process.

The process is forked from an interpreter that has imported what such functions use and does nothing else, since to
import it anew takes longer than most of them. Otherwise it is as if it were an interpreter of its own: a session with
its own environment and output, which ends as interpreters do.
"""

import atexit
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[3]
TIMEOUT_S = 60.0
WAITING = "Waiting for another process to finish with the catalog. Ctrl-C gives up."
_PRELOADED = (
    *("openg2g.catalog.catalog", "openg2g.catalog.upkeep.verify", "openg2g.cli.main", "openg2g.models.digest"),
    *("psycopg", "pytest", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
    *("tests.builders", "tests.catalog.engine.forking"),
)


@dataclass(frozen=True)
class Ending:
    """How it ended.

    Attributes:
        exit_code: Of the process; negative for a signal.
        out: What it and its children wrote to standard output.
        err: What they wrote to standard error.
    """

    exit_code: int
    out: str
    err: str


class _Origin:
    """The interpreter that such processes are forked from, one after the other."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"from tests.catalog.engine.alone import be_origin; be_origin({theirs.fileno()})",
                ],
                cwd=CHECKOUT,
                env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._end)

    def start(self, request: object, descriptors: list[int]) -> int:
        """Start a process, with files for its output and its errors; return its id."""
        message = json.dumps(request).encode() + b"\n"
        sent = socket.send_fds(self._socket, [message], descriptors)
        self._socket.sendall(message[sent:])
        return self.answer()

    def fileno(self) -> int:
        """Return what can be read as soon as the process has ended."""
        return self._socket.fileno()

    def answer(self) -> int:
        """Wait for the id, and then for the exit code, of a process."""
        answer = b""
        while not answer.endswith(b"\n"):
            read = self._socket.recv(1)
            assert read, f"the interpreter to fork from has ended: {self._process.wait()}"
            answer += read
        return int(answer)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()


_origin = cache(_Origin)


def run_alone(function: Callable[..., object], *arguments: Any, **variables: str) -> Ending:
    """Run a function of a module, with arguments that JSON can hold, to its end and that of all its children.

    Args:
        function: What it runs.
        arguments: Of the function.
        variables: Of the environment.

    Raises:
        AssertionError: It hangs: it, or a child that it left, has not ended in time.
    """
    pipes = [os.pipe(), os.pipe()]
    called = (function.__module__, function.__name__, arguments)
    process = _origin().start([{**os.environ, **variables}, *called], [writing for _, writing in pipes])
    for _, writing in pipes:
        os.close(writing)
    read = {reading: b"" for reading, _ in pipes}
    try:
        is_in_time = _read_until_the_end(read)
    finally:
        _kill_group(process)
    if not is_in_time:
        _read_until_the_end(read)
    exit_code = _origin().answer()
    for reading in read:
        os.close(reading)
    out, err = (text.decode() for text in read.values())
    assert is_in_time, f"{function.__name__} hangs: stdout {out!r}, stderr {err!r}"
    return Ending(exit_code, out, err)


def _read_until_the_end(read: dict[int, bytes]) -> bool:
    """Read what a process and its children write, until all have ended; return False where that takes too long."""
    # Its output ends when the last process that has inherited it ends, so that children are waited for.
    deadline = time.monotonic() + TIMEOUT_S
    with closing(selectors.DefaultSelector()) as awaited:
        for file in (*read, _origin().fileno()):
            awaited.register(file, selectors.EVENT_READ)
        while awaited.get_map():
            ready = awaited.select(deadline - time.monotonic())
            for key, _ in ready:
                block = os.read(key.fd, 65_536) if key.fd in read else b""
                if block:
                    read[key.fd] += block
                else:
                    awaited.unregister(key.fd)
            if not ready:
                return False
    return True


def require_success(function: Callable[..., object], *arguments: Any, **variables: str) -> None:
    """Run a function that must end well and have nothing to say, nor its children, but that they wait for a lock."""
    ending = run_alone(function, *arguments, **variables)
    assert ending.exit_code == 0, ending
    assert ending.out == "" and set(ending.err.splitlines()) <= {WAITING}, ending


def require_silent_success(function: Callable[..., object], *arguments: Any, **variables: str) -> None:
    """Run a function that must end well without waiting for a lock, in any process."""
    ending = run_alone(function, *arguments, **variables)
    assert ending == Ending(0, "", ""), ending


def be_origin(descriptor: int) -> None:
    """Import, and fork for each request; a child returns from here when it has done what it is asked for."""
    for module in _PRELOADED:
        importlib.import_module(module)
    requests = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, 65_536, 2)
        while message and not message.endswith(b"\n"):
            message += requests.recv(65_536)
        if not message:
            return
        process = os.fork()
        if process == 0:
            requests.close()
            _be_alone(descriptors, *json.loads(message))
            return
        for written in descriptors:
            os.close(written)
        requests.sendall(b"%d\n" % process)
        requests.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def _be_alone(
    descriptors: list[int], environment: dict[str, str], module: str, name: str, arguments: list[Any]
) -> None:
    os.setsid()
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # It depends on the environment.
    getattr(importlib.import_module(module), name)(*arguments)


def _kill_group(process: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
