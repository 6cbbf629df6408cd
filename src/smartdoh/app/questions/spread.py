"""How long answers took, as counts in steps of a tenth: small, summed by adding, and good for quantiles."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

STEP = 1.1  # a quantile is at most this factor off
SHORTEST = 1e-4  # seconds: all below count as one step
STEPS = 140  # the last one holds all above a minute

Spread = dict[int, float]
"""How many waits fell into each step."""


def step_of(seconds: float) -> int:
    """The number of the step that holds `seconds`."""
    if seconds <= SHORTEST:
        return 0
    return min(STEPS, math.ceil(math.log(seconds / SHORTEST, STEP)))


def seconds_of(step: int) -> float:
    """What a wait in this step took, about: the middle of it."""
    return SHORTEST * STEP ** (step - 0.5) if step else SHORTEST


def quantile(spread: Mapping[int, float], share: float) -> float | None:
    """How many seconds this share of them took at most; None where nothing was counted."""
    if not spread:
        return None
    left = share * sum(spread.values())
    for step in sorted(spread):
        left -= spread[step]
        if left <= 0:
            return seconds_of(step)
    return seconds_of(max(spread))  # what floats round


def add_up(counts: Iterable[Mapping[Key, float]]) -> dict[Key, float]:
    """All as one."""
    found: dict[Key, float] = {}
    for some in counts:
        for key, count in some.items():
            found[key] = found.get(key, 0.0) + count
    return found
