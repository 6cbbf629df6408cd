"""The shapes of what is counted, made so that those of several workers add up: see control.workers.adding."""

from __future__ import annotations

from typing_extensions import TypedDict


class QuestionCount(TypedDict):
    """How many questions of one kind had their answer."""

    transport: str
    type: str  # other: those that are rarely asked for, and where nobody looked
    rcode: str
    outcome: str
    count: int


class Histogram(TypedDict):
    """`counts[n]` took at most `bounds[n]` seconds and longer than the bound before; the last, longer than any."""

    bounds: list[float]
    counts: list[int]
    count: int
    seconds: float  # all together
