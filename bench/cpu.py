"""CPU time and resident memory of a running server, read from /proc (Linux only)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """The fields of /proc/PID/stat used here, proc(5); CPU times are of all threads together."""

    pid: int
    session: int
    user_seconds: float
    system_seconds: float
    resident_bytes: int

    @property
    def cpu_seconds(self) -> float:
        return self.user_seconds + self.system_seconds


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of one session have used so far."""

    user_seconds: float
    system_seconds: float
    resident_bytes: int

    @property
    def cpu_seconds(self) -> float:
        return self.user_seconds + self.system_seconds


def parse_stat(text: str) -> ProcessStat:
    """One line of /proc/PID/stat. The command's name stands in brackets and may itself hold brackets."""
    pid, _, rest = text.partition(" (")
    fields = rest[rest.rindex(")") + 2 :].split()
    return ProcessStat(
        pid=int(pid),
        session=int(fields[3]),
        user_seconds=int(fields[11]) / TICKS_PER_SECOND,
        system_seconds=int(fields[12]) / TICKS_PER_SECOND,
        resident_bytes=int(fields[21]) * PAGE_BYTES,
    )


def _stats() -> Iterator[ProcessStat]:
    for path in PROC.glob("[0-9]*/stat"):
        try:
            yield parse_stat(path.read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked


def others_of_session(leader: int) -> list[int]:
    """The processes that a server has started."""
    return [stat.pid for stat in _stats() if stat.session == leader and stat.pid != leader]


def usage_of_process(pid: int) -> Usage:
    """One process alone."""
    stat = parse_stat((PROC / str(pid) / "stat").read_text())
    return Usage(stat.user_seconds, stat.system_seconds, stat.resident_bytes)


def usage_of_session(session: int) -> Usage:
    """The sum over a server and all it started: each server is started as a session of its own."""
    members = [stat for stat in _stats() if stat.session == session]
    return Usage(
        user_seconds=sum(stat.user_seconds for stat in members),
        system_seconds=sum(stat.system_seconds for stat in members),
        resident_bytes=sum(stat.resident_bytes for stat in members),
    )
