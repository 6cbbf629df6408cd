"""Answers from the table, counted by what they were: how both builds number the kinds, and how a count is shown.

A kind is a number of 16 bits, below KINDS: transport, outcome, type and rcode, each in bits of its own, so that
counting is one addition in an array. Types above 255 count together as 0. The spine counts by the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smartdoh import outcome as outcomes

UDP, TCP = 0, 1
TRANSPORTS = ("udp", "tcp")
OUTCOMES = outcomes.NAMES
TYPES = 256
RCODES = 16  # those of the header (RFC 1035 section 4.1.1): what is kept has no others
PER_OUTCOME = TYPES * RCODES
PER_TRANSPORT = outcomes.MOST * PER_OUTCOME
KINDS = len(TRANSPORTS) * PER_TRANSPORT


@dataclass(frozen=True, slots=True)
class Answered:
    """How many answers of one kind were given; type 0 stands for all types above 255."""

    transport: str
    outcome: str
    qtype: int
    rcode: int
    count: int


def kind_of(transport: int, outcome: int, qtype: int, rcode: int) -> int:
    """The number of a kind of answer."""
    if qtype >= TYPES:
        qtype = 0
    return transport * PER_TRANSPORT + outcome * PER_OUTCOME + qtype * RCODES + rcode


def answered(counts: Iterable[tuple[int, int]]) -> list[Answered]:
    """What `counts`, pairs of a kind and how many, say."""
    return [
        Answered(
            TRANSPORTS[kind // PER_TRANSPORT],
            OUTCOMES[kind // PER_OUTCOME % outcomes.MOST],
            kind // RCODES % TYPES,
            kind % RCODES,
            count,
        )
        for kind, count in counts
        if count
    ]


def totals(found: Iterable[Answered]) -> tuple[int, int]:
    """How many of the table's answers were data that had expired, and how many all others.

    What is refused is not in the table.
    """
    counts = dict.fromkeys(OUTCOMES, 0)
    for one in found:
        counts[one.outcome] += one.count
    stale = counts[OUTCOMES[outcomes.STALE]]
    return stale, sum(counts.values()) - stale - counts[OUTCOMES[outcomes.REFUSED]]
