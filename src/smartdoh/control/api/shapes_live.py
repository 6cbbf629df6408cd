"""The shapes of the live view, as its JSON has them."""

from __future__ import annotations

from typing_extensions import TypedDict

from smartdoh.control.api.shapes import GroupStatus

# By calls: a class cannot have a key `class`.
Question = TypedDict(
    "Question",
    {
        "id": int | None,  # in the query log; None: it is not from there
        "at": str,
        "client": str,
        "transport": str,
        "name": str,
        "type": str,
        "class": str,
        "rcode": str,
        "outcome": str,
        "group": str,
        "upstream": str,
        "rule": str,
        "list": str,
        "line": int,
        "ms": float | None,  # None: the table answered, in microseconds
    },
)
"""One question that was answered; texts are empty where there is nothing to say."""


class NameCount(TypedDict):
    """A name, and how often it was asked at least."""

    name: str
    count: int


class ClientCount(TypedDict):
    """A client, and how often it asked at least."""

    client: str
    count: int


class BlockedCount(TypedDict):
    """A blocked name, how often it was asked at least, and the list that has it; empty where a rule names none."""

    name: str
    count: int
    list: str


class Quantiles(TypedDict):
    """So many milliseconds took half of the answers, 95% and 99% of them at most."""

    p50: float
    p95: float
    p99: float


class Kept(TypedDict):
    """How much is kept in memory."""

    entries: int
    octets: int


class Point(TypedDict):
    """One second."""

    at: str
    rate: dict[str, float]
    latency_ms: Quantiles | None


class Live(TypedDict):
    """What is asked now. What is counted, the ratio and the latencies are of the last `seconds`."""

    at: str
    seconds: float  # since somebody watches, at most five minutes
    rate: dict[str, float]  # a second, by outcome, in the last second
    questions: float  # a second, all of them
    counts: dict[str, int]  # by outcome
    hit_ratio: float  # of those that memory and disk could have answered; 0 where there were none
    latency_ms: Quantiles | None  # of what was not in memory; None: there was nothing
    names: list[NameCount]
    clients: list[ClientCount]
    blocked: list[BlockedCount]
    last: list[Question]  # the newest first
    groups: list[GroupStatus]
    under_way: int
    memory: Kept
    history: list[Point]  # the oldest first; of the events of /live/follow only the first has it
    sampled: bool  # there was more than could be looked at one by one: names and clients are estimates


class ShareSecond(TypedDict):
    """One second of one worker."""

    at: int
    rate: dict[str, float]
    spread: list[tuple[int, float]]


class LiveShare(TypedDict):
    """What one worker has seen, in a form that adds up."""

    at: float
    seconds: float
    rate: dict[str, float]
    counts: dict[str, float]
    spread: list[tuple[int, float]]
    names: list[tuple[str, int]]
    clients: list[tuple[str, int]]
    blocked: list[tuple[str, int, str]]
    last: list[Question]
    groups: list[GroupStatus]
    under_way: int
    memory: Kept
    history: list[ShareSecond]
    sampled: bool
