"""Who records a revision when nobody says: the user's git identity, else the login name."""

import getpass
import shutil
import subprocess
from functools import cache

_GIT_TIMEOUT_S = 5


@cache
def default_author() -> str:
    """`Name <email>` as git has it configured, else the login name, else `unknown`."""
    name = _git_setting("user.name")
    if name:
        email = _git_setting("user.email")
        return f"{name} <{email}>" if email else name
    try:
        return getpass.getuser().encode(errors="replace").decode()  # Bytes that are no UTF-8 come as surrogates.
    except (KeyError, OSError, ImportError):  # A user id without an entry, as in some containers.
        return "unknown"


def _git_setting(key: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        result = subprocess.run([git, "config", "--get", key], capture_output=True, timeout=_GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.decode(errors="replace").strip()
