"""Answers from the table, counted by what they were: how both builds number the kinds, and how a count is shown.

A kind is a number below KINDS: transport, outcome, type and rcode, each in bits of its own, so that counting is one
addition in an array. Types above 255 count together as 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

UDP, TCP = 0, 1
HIT, STALE, BLOCKED = 0, 1, 2
TRANSPORTS = ("udp", "tcp")
OUTCOMES = ("hit", "stale", "blocked")
OUTCOME_PLACES = 4  # a power of two, for what is masked in C
TYPES = 256
RCODES = 16  # those of the header (RFC 1035 section 4.1.1): what is kept has no others
PER_OUTCOME = TYPES * RCODES
PER_TRANSPORT = OUTCOME_PLACES * PER_OUTCOME
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
            OUTCOMES[kind // PER_OUTCOME % OUTCOME_PLACES],
            kind // RCODES % TYPES,
            kind % RCODES,
            count,
        )
        for kind, count in counts
        if count
    ]


def total(found: Iterable[Answered], outcome: int) -> int:
    """How many of them have this outcome."""
    return sum(one.count for one in found if one.outcome == OUTCOMES[outcome])
