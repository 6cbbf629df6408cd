"""What the system's clocks say has happened between two looks at them: pure."""

from __future__ import annotations

import time
from typing import NamedTuple

TICK = 1.0  # seconds between two looks
ASLEEP = 1.0  # seconds of sleep that are one: connections may have been given up meanwhile
STOPPED = (
    3.0  # seconds late, after which the process was stopped (SIGSTOP, a frozen container, a stopped machine)
)
JUMP = 5.0  # seconds that the date may be corrected by without being another


class Clocks(NamedTuple):
    """One look: seconds of the date, of the time that the machine ran, and of the time since it was started."""

    wall: float
    running: float
    since_boot: float


def look() -> Clocks:
    """All clocks now. Where none counts sleep (CLOCK_BOOTTIME), that is not noticed as such."""
    running = time.monotonic()
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else running
    return Clocks(time.time(), running, since_boot)


class Happened(NamedTuple):
    """Something that makes what was known doubtful."""

    what: str
    seconds: float
    breaks_connections: bool


def happened(before: Clocks, after: Clocks, expected: float = TICK) -> Happened | None:
    """What came between two looks that were to be `expected` seconds apart; None where all is as it should be."""
    ran, passed = after.running - before.running, after.since_boot - before.since_boot
    if passed - ran > ASLEEP:
        return Happened("the machine slept", passed - ran, breaks_connections=True)
    if ran - expected > STOPPED:
        return Happened("the process was stopped", ran, breaks_connections=True)
    jump = after.wall - before.wall - passed
    if abs(jump) > JUMP:
        return Happened("the clock was set", jump, breaks_connections=False)
    return None
