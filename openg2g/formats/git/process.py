"""The `git` executable, run so that it only reads, whatever the user's settings and the repository's say.

Arguments are lists and no shell is started. No pager, no hook, no external program, no network, no lock is used, and
the working tree and the index are not touched.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from openg2g.models.errors import SourceError

TIMEOUT_S = 300.0
"""How long one run of git may take, seconds."""

_SETTINGS = (
    "color.ui=false",
    "core.quotepath=false",
    "core.fsmonitor=false",  # Its value may be a program.
    "protocol.allow=never",  # A partial clone would fetch what it lacks.
    "log.follow=false",  # It would turn renames on, and copies with them.
    "log.showSignature=false",  # It would run GnuPG.
    "log.showRoot=true",  # Otherwise a file of the first commit would seem never to have been added.
    "log.diffMerges=separate",  # What -m means.
)
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # A commit id must always mean the same content.
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT_VARIABLES = re.compile(
    r"GIT_(CONFIG_(?!PARAMETERS).*|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|EXEC_PATH)$"
)
_UNTRUSTED = re.compile(r"(?:dubious ownership in|unsafe) repository (?:at )?\(?'([^']*)'")
_LACKING = re.compile(r"promisor remote|lazy fetching disabled")


@dataclass(frozen=True)
class Git:
    """Runs git in one directory."""

    executable: str
    directory: str
    label: str

    @classmethod
    def in_directory(cls, directory: str, label: str) -> "Git":
        """Find the executable."""
        executable = shutil.which("git")
        if executable is None:
            raise SourceError(f"{label}: its history needs git, which is not installed or not in PATH. Install git.")
        return cls(executable, directory, label)

    def output_of(self, *arguments: str | bytes, given: bytes = b"", may_find_nothing: bool = False) -> bytes:
        """Run a git command and return its output; `may_find_nothing` takes exit code 1 without a message for none."""
        return self._run(arguments, given, subprocess.PIPE, may_find_nothing) or b""

    def write_output_of(self, *arguments: str | bytes, given: bytes, stream: IO[bytes]) -> None:
        """Run a git command with its standard output in a file, for more than memory should hold."""
        self._run(arguments, given, stream, may_find_nothing=False)

    def _run(
        self, arguments: Sequence[str | bytes], given: bytes, output: int | IO[bytes], may_find_nothing: bool
    ) -> bytes | None:
        settings = [argument for setting in _SETTINGS for argument in ("-c", setting)]
        try:
            result = subprocess.run(
                [self.executable, "--no-pager", *settings, *arguments],
                input=given,
                stdout=output,
                stderr=subprocess.PIPE,
                cwd=self.directory,
                env=_environment(),
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceError(f"{self.label}: git took longer than {TIMEOUT_S:.0f} s and was stopped.") from None
        except OSError as error:
            raise SourceError(f"{self.label}: git cannot be run in {self.directory}: {error.strerror}.") from error
        if result.returncode == 0 or (may_find_nothing and result.returncode == 1 and not result.stderr):
            return result.stdout
        raise SourceError(f"{self.label}: {_complaint(result.stderr.decode(errors='replace'), result.returncode)}")


def _environment() -> dict[str, str]:
    """Keep of git's variables those that say where its settings are, not those that name another repository."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or _KEPT_VARIABLES.match(key)}
    return kept | _ENVIRONMENT


def _complaint(messages: str, exit_code: int) -> str:
    """Say in one line what git complains about, and what to do where we know."""
    untrusted = _UNTRUSTED.search(messages)
    if untrusted is not None:
        directory = untrusted[1]
        return (
            f"git does not trust the repository {directory}, which belongs to another user. If you do, run "
            f"`git config --global --add safe.directory {directory}`."
        )
    if "not a git repository" in messages:
        return "is in no git repository, so it has no history to import. Import the file itself."
    if _LACKING.search(messages):
        return (
            "the clone is partial and lacks older versions of the file. Run `git fetch --refetch --no-filter` "
            "(git 2.36 or newer), or clone the repository again without --filter."
        )
    lines = [line for line in messages.splitlines() if line.strip()]
    failure = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[0] if lines else "")
    return f"git failed: {failure.partition(': ')[2] or failure or f'exit code {exit_code}'}"
