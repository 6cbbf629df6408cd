"""A unit's filter on system calls as the kernel takes it, made of what systemd says its sets hold.

`python -m tests.servers.seccomp FILTER COMMAND...` puts the filter in a file on itself and becomes the command. It is
no whole systemd: of the settings that become filters it knows those that the unit of this project has.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.servers.required import require_server

_INSTRUCTION = struct.Struct("=HBBI")  # code, jump if true, jump if false, value: struct sock_filter
_LOAD, _EQUAL, _AND, _AT_LEAST, _RETURN = 0x20, 0x15, 0x54, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_WRITE, _EXEC, _SHM_EXEC = 2, 4, 0o100000
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW flag
_SET_ID = 0o6000
_REAL_TIME = (1, 2, 6)  # SCHED_FIFO, SCHED_RR, SCHED_DEADLINE
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

_NO = _ERRNO | errno.EPERM


def filter_of(unit: str) -> bytes:
    """The program for a service's settings."""
    numbers = _numbers()
    parts = [
        _instruction(_LOAD, _ARCHITECTURE),
        *_unless_equal(_ARCHITECTURES[platform.machine()], _KILL),
        _instruction(_LOAD, _NUMBER),
        *_if_at_least(_X32, _NO),
        *(part for rule in _rules(unit, numbers) for part in rule),
    ]
    for name in sorted(_allowed(unit)):
        if name in numbers:
            parts += _if_equal(numbers[name], _ALLOW)
    parts.append(_instruction(_RETURN, _NO))
    return b"".join(parts)


def _rules(unit: str, numbers: dict[str, int]) -> Iterable[list[bytes]]:
    """What is looked at beside the number of the call."""

    def is_on(key: str) -> bool:
        return f"\n{key}=yes\n" in unit

    if is_on("MemoryDenyWriteExecute"):
        yield _call(numbers["mmap"], _masked(2, _WRITE | _EXEC, [_WRITE | _EXEC], _NO))
        yield _call(numbers["mprotect"], _masked(2, _EXEC, [_EXEC], _NO))
        yield _call(numbers["pkey_mprotect"], _masked(2, _EXEC, [_EXEC], _NO))
        yield _call(numbers["shmat"], _masked(2, _SHM_EXEC, [_SHM_EXEC], _NO))
    if is_on("RestrictNamespaces"):
        yield _call(numbers["clone3"], [_instruction(_RETURN, _ERRNO | errno.ENOSYS)])
        yield _call(numbers["clone"], _unless_masked(0, _NEW_NAMESPACES, [0], _NO))
        for name in ("unshare", "setns"):
            yield _call(numbers[name], [_instruction(_RETURN, _NO)])
    if is_on("LockPersonality"):
        yield _call(numbers["personality"], _unless_masked(0, 0xFFFFFFFF, [0], _NO))
    if is_on("RestrictRealtime"):
        yield _call(numbers["sched_setscheduler"], _masked(1, 0xFF, _REAL_TIME, _NO))
    if is_on("RestrictSUIDSGID"):
        for name, place in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2)):
            if name in numbers:
                yield _call(numbers[name], _unless_masked(place, _SET_ID, [0], _NO))
    families = [_FAMILIES[name] for name in _words(unit, "RestrictAddressFamilies")]
    yield _call(numbers["socket"], _unless_masked(0, 0xFFFFFFFF, families, _ERRNO | errno.EAFNOSUPPORT))


def _allowed(unit: str) -> set[str]:
    """The names of the calls that SystemCallFilter lets through."""
    sets, allowed = _sets(), set[str]()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        names = {name for word in line.removeprefix("~").split() for name in _members(word, sets)}
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed | _members("@default", sets)


def _sets() -> dict[str, list[str]]:
    said = subprocess.run(
        [require_server("systemd-analyze"), "syscall-filter", "--no-pager"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sets: dict[str, list[str]] = {}
    name = ""
    for line in said.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif line.startswith("    ") and "#" not in line:
            sets[name].append(line.strip())
    return sets


def _members(word: str, sets: dict[str, list[str]]) -> set[str]:
    if not word.startswith("@"):
        return {word}
    return {name for member in sets[word] for name in _members(member, sets)}


def _numbers() -> dict[str, int]:
    """The numbers of system calls on this machine, from the C library's headers."""
    said = subprocess.run(
        [require_server("gcc"), "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", os.devnull],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {
        name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", said, re.MULTILINE)
    }


def _words(unit: str, key: str) -> list[str]:
    return [word for line in re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE) for word in line.split()]


def _instruction(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, if_so, if_not, value)


def _if_equal(value: int, verdict: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, 0, 1), _instruction(_RETURN, verdict)]


def _unless_equal(value: int, verdict: int) -> list[bytes]:
    return [_instruction(_EQUAL, value, 1, 0), _instruction(_RETURN, verdict)]


def _if_at_least(value: int, verdict: int) -> list[bytes]:
    return [_instruction(_AT_LEAST, value, 0, 1), _instruction(_RETURN, verdict)]


def _call(number: int, then: list[bytes]) -> list[bytes]:
    """`then`, if it is this call; afterwards the number is loaded again."""
    rest = [*then, _instruction(_LOAD, _NUMBER)]
    return [_instruction(_EQUAL, number, 0, len(rest)), *rest]


def _masked(place: int, mask: int, values: Iterable[int], verdict: int) -> list[bytes]:
    """The verdict if an argument's lower half, masked, is one of these values."""
    found = [_instruction(_LOAD, _ARGUMENTS + 8 * place), _instruction(_AND, mask)]
    for value in values:
        found += _if_equal(value, verdict)
    return found


def _unless_masked(place: int, mask: int, values: list[int], verdict: int) -> list[bytes]:
    """The verdict if it is none of them."""
    checks = [_instruction(_EQUAL, value, len(values) - number, 0) for number, value in enumerate(values)]
    load = [_instruction(_LOAD, _ARGUMENTS + 8 * place), _instruction(_AND, mask)]
    return [*load, *checks, _instruction(_RETURN, verdict)]


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def put_on(program: bytes) -> None:
    """From now on this process and all that it becomes go by the filter. It must not be able to gain privileges."""
    wanted = _Program(len(program) // _INSTRUCTION.size, program)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(wanted)):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")


def main() -> None:
    """Put the filter on, then be the command."""
    _, file, *command = sys.argv
    put_on(Path(file).read_bytes())
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
