"""What a process gives up for good before it executes somebody's file.

Contract: `confine` limits time, memory, files and processes.  On Linux it also asks the kernel, as far as it can, for
no new privileges; no other process, program or socket, no change of who may do what with a file (seccomp); no file but
to read what Python and the program are made of, no signal to a process outside, no look into one (Landlock).  Nothing
of it can be taken back.  What a system cannot do is left out.  It stands against mistakes and mischief in homework, not
against somebody with a flaw of the kernel at hand: for that, a machine of its own is the place.

Source: Linux, Documentation/userspace-api/landlock.rst and seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MEGABYTE = 1 << 20


def confine(seconds: int, megabytes: int, readable: Iterable[str], own: str) -> None:
    """Limit this process; it may read what lies under `readable`, and write to `own`."""
    _limit(seconds, megabytes)
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError, TypeError):
        kernel = _Kernel()
        kernel.prctl(38, 1)  # PR_SET_NO_NEW_PRIVS, without which neither of the others is allowed
        with suppress(OSError):
            _fence(kernel, readable, own)
        if platform.machine() in _CALLS:
            _filter(kernel, *_CALLS[platform.machine()])


def available() -> bool:
    """Whether this system has both the fence and the filter."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return False
    with suppress(OSError, AttributeError, TypeError):
        return _Kernel().call(_CREATE, None, ctypes.c_size_t(0), 1) >= max(_VERSIONS)
    return False


def _limit(seconds: int, megabytes: int) -> None:
    """As far as the system has limits: time, memory, files, processes."""
    try:
        import resource
    except ImportError:
        return
    sizes = Path("/proc/self/statm")
    used = int(sizes.read_text().split()[0]) * resource.getpagesize() if sizes.exists() else 0
    wanted = {
        "RLIMIT_CPU": seconds, "RLIMIT_AS": used + megabytes * MEGABYTE, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 64,
        "RLIMIT_NPROC": 0, "RLIMIT_CORE": 0,
    }  # fmt: skip
    for kind, most in wanted.items():
        if hasattr(resource, kind):
            resource.setrlimit(getattr(resource, kind), (most, most))


class _Kernel:
    """System calls, an `OSError` where one fails."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(None, use_errno=True)

    def call(self, number: int, *arguments: object) -> int:
        found = int(self.library.syscall(ctypes.c_long(number), *arguments))
        if found < 0:
            raise OSError(ctypes.get_errno(), f"system call {number}")
        return found

    def prctl(self, option: int, *arguments: object) -> None:
        given = [*arguments, *[ctypes.c_ulong(0)] * (4 - len(arguments))]
        if self.library.prctl(option, *given):
            raise OSError(ctypes.get_errno(), f"prctl {option}")


# --- Landlock: files, signals and other processes ---------------------------------------------------------------------

#: Its system calls have these numbers on every machine.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_WRITE_FILE, _READ_FILE, _READ_DIRECTORY = 1 << 1, 1 << 2, 1 << 3
#: How many kinds of access to files, to the network, and of reach to other processes each version knows.
_VERSIONS = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}


def _fence(kernel: _Kernel, readable: Iterable[str], own: str) -> None:
    """Everything is denied that the kernel knows to deny, but for these paths."""
    version = kernel.call(_CREATE, None, ctypes.c_size_t(0), 1)
    files, network, reach = ((1 << bits) - 1 for bits in _VERSIONS[min(version, max(_VERSIONS))])
    wanted = struct.pack("=QQQ", files, network, reach)[: 8 * (1 if version < 4 else 2 if version < 6 else 3)]
    rules = kernel.call(_CREATE, wanted, ctypes.c_size_t(len(wanted)), 0)
    allowed = dict.fromkeys(readable, _READ_FILE | _READ_DIRECTORY)
    allowed |= {"/dev/null": _READ_FILE | _WRITE_FILE, "/dev/urandom": _READ_FILE, own: files & ~1}
    for path, access in allowed.items():
        with suppress(OSError):
            below = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rights = access if Path(path).is_dir() else access & (_READ_FILE | _WRITE_FILE)
            kernel.call(_ADD, rules, 1, struct.pack("=Qi", rights, below), 0)
            os.close(below)
    kernel.call(_RESTRICT, rules, 0)
    os.close(rules)


# --- seccomp: calls ---------------------------------------------------------------------------------------------------

#: The machine's name there, its clone, and what is denied: fork, vfork, execve, execveat, socket, ptrace,
#: process_vm_readv and _writev, then chmod, chown and setxattr with their kin.
_CALLS = {
    "x86_64": (0xC000003E, 56, (57, 58, 59, 322, 41, 101, 310, 311, *range(90, 95), 188, 189, 190, 260, 268, 452)),
    "aarch64": (0xC00000B7, 220, (221, 281, 198, 117, 270, 271, *range(52, 56), 5, 6, 7, 452)),
}
_CLONE3, _IO_URING, _THREAD, _OTHER_TABLE = 435, 425, 0x10000, 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _DENY, _ABSENT = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38


def _filter(kernel: _Kernel, machine: int, clone: int, denied: Iterable[int]) -> None:
    """A thread may be started, a process not; `clone3`, whose flags a filter cannot see, is absent."""
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    lines += [(_AT_LEAST, 0, 1, _OTHER_TABLE), (_RETURN, 0, 0, _DENY)]
    for number in (*denied, _IO_URING):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _DENY)]
    lines += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ABSENT)]
    lines += [(_EQUAL, 0, 3, clone), (_LOAD, 0, 0, 16), (_ANY_BIT, 1, 0, _THREAD), (_RETURN, 0, 0, _DENY)]
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("=HBBI", *line) for line in [*lines, (_RETURN, 0, 0, _ALLOW)])
    )
    program = struct.pack("@HP", len(lines) + 1, ctypes.addressof(code))
    kernel.prctl(22, ctypes.c_ulong(2), program)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
