"""Processes whose kernel says that a file system has no locks, or that grants the same lock to everybody."""

import ctypes
import errno
import fcntl
import platform
import struct

_NUMBER_OF_FCNTL = {"x86_64": 72, "aarch64": 25}
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_ERROR = 0x00050000

NO_LOCKS = errno.ENOLCK
EVERYBODY_GETS_IT = 0


def let_locks_end_with(error: int) -> None:
    """Let each attempt of this process and its children to lock a part of a file end with an error, or with success."""
    load, equal, give = 0x20, 0x15, 0x06
    program = [
        (load, 0, 0, 0),  # Number of the system call.
        (equal, 0, 4, _NUMBER_OF_FCNTL[platform.machine()]),
        (load, 0, 0, 24),  # Its second argument.
        (equal, 1, 0, fcntl.F_SETLK),
        (equal, 0, 1, fcntl.F_SETLKW),
        (give, 0, 0, _ERROR | error),
        (give, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    described = struct.pack("HL", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.create_string_buffer(described), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")
