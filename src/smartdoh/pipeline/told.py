"""What is told of a question that the table could not answer, once it has its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from smartdoh.model import Query, Route


class Told(NamedTuple):
    """One question and what became of it."""

    query: Query
    route: Route | None  # None: there was a bug before it was known
    udp: bool
    rcode: int
    outcome: str  # one of smartdoh.outcome.NAMES
    seconds: float  # from when it came
    source: str = ""  # what the answer came from: an upstream, a rule, a step that answers here


Tell = Callable[[Told], None]
"""Hears of a question after its client has the answer; never raises and never waits."""
