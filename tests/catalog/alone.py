"""A function in an interpreter of its own: forks, signals and exits in it never touch the test's process."""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
TIMEOUT_S = 60.0
WAITING = "Waiting for another process to finish with the catalog. Ctrl-C gives up."


@dataclass(frozen=True)
class Ending:
    """How it ended.

    Attributes:
        exit_code: Of the interpreter; negative for a signal.
        out: What it and its children wrote to standard output.
        err: What they wrote to standard error.
    """

    exit_code: int
    out: str
    err: str


def run_alone(function: Callable[..., object], *arguments: Any, **variables: str) -> Ending:
    """Run a function of a module, with arguments that JSON can hold, to its end and that of all its children.

    Args:
        function: What it runs.
        arguments: Of the function.
        variables: Of the environment.

    Raises:
        AssertionError: It hangs: it, or a child that it left, has not ended in time.
    """
    # Its output ends when the last process that has inherited it ends, so that children are waited for.
    process = subprocess.Popen(
        [sys.executable, "-c", "from tests.catalog.alone import be_alone; be_alone()"],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    request = json.dumps([function.__module__, function.__name__, arguments])
    try:
        out, err = process.communicate(request, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _kill_group(process)
        out, err = process.communicate()
        raise AssertionError(f"{function.__name__} hangs: stdout {out!r}, stderr {err!r}") from None
    finally:
        _kill_group(process)
    return Ending(process.returncode, out, err)


def require_success(function: Callable[..., object], *arguments: Any, **variables: str) -> None:
    """Run a function that must end well and have nothing to say, nor its children, but that they wait for a lock."""
    ending = run_alone(function, *arguments, **variables)
    assert ending.exit_code == 0, ending
    assert ending.out == "" and set(ending.err.splitlines()) <= {WAITING}, ending


def require_silent_success(function: Callable[..., object], *arguments: Any, **variables: str) -> None:
    """Run a function that must end well without waiting for a lock, in any process."""
    ending = run_alone(function, *arguments, **variables)
    assert ending == Ending(0, "", ""), ending


def be_alone() -> None:
    """Run what standard input says."""
    module, name, arguments = json.loads(sys.stdin.read())
    getattr(importlib.import_module(module), name)(*arguments)


def _kill_group(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
