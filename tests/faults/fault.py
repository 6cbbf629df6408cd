"""What a fault is: how the world looks before it, how it begins and ends, and what is asked of the proxy meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum, auto

from tests.faults.asking import Heard
from tests.faults.stage import Stage

HOT_P99 = 0.1  # seconds, through every fault
STALE_WITHIN = 2.5  # seconds
NEW_WITHIN = 10.0  # seconds
BACK_WITHIN = 5.0  # seconds after the fault has ended
MOST_CPU = 0.6  # of one core, while it lasts
MOST_MEMORY = 16.0  # MiB more than before, once it is over
MOST_DESCRIPTORS = 4  # more than before


class New(Enum):
    """What a name that nobody has asked for before gets while the fault lasts."""

    ANSWER = auto()
    """An answer, or SERVFAIL with the reason."""
    DATA = auto()
    """An answer, because there is another way."""
    NOT_ASKED = auto()
    """Nothing is asked: the proxy is stopped."""


World = Callable[[Stage], None]
"""Sets up the servers and starts the proxy."""

During = Callable[[Stage], AbstractContextManager[None]]
"""Begins the fault where it is entered and ends it where it is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table."""

    name: str
    world: World
    during: During
    new: New = New.ANSWER
    new_within: float = NEW_WITHIN  # seconds
    back_within: float = BACK_WITHIN  # seconds
    seconds: float = 3.0  # that it lasts and is asked in
    most_cpu: float = MOST_CPU
    needs_internet: bool = False  # addresses behind a device, not only loopback
    new_every: float = 0.25  # seconds between two new names
    check: Callable[[Stage, Sequence[Heard]], None] | None = None
    """Looks at what else has to be true once it is over, with what new names heard; raises AssertionError."""
