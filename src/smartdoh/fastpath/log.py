"""What was answered from the table, for the query log: kept until somebody takes it, as far as there is room."""

from __future__ import annotations

from typing import NamedTuple

from smartdoh.fastpath.counts import OUTCOMES, PER_OUTCOME, PER_TRANSPORT, RCODES, TRANSPORTS
from smartdoh.model import Query


class Logged(NamedTuple):
    """One question that the table answered."""

    at: float  # the fast path's clock, seconds
    transport: str
    host: str
    name: bytes  # in wire form, folded
    qtype: int
    qclass: int
    rcode: int
    outcome: str
    view: int


class Log:
    """At most `capacity` records; those beyond are counted and lost."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._records: list[Logged] = []
        self._lost = 0

    def note(self, at: float, kind: int, query: Query) -> None:
        """Keep that `query` got an answer of this kind (see `counts`)."""
        if len(self._records) < self.capacity:
            self._records.append(
                logged(at, kind, query.host, query.name, query.qtype, query.qclass, query.view)
            )
        else:
            self._lost += 1

    def take(self) -> tuple[list[Logged], int]:
        """What is kept, the oldest first, and how many were lost since the last time."""
        found = self._records, self._lost
        self._records, self._lost = [], 0
        return found


def logged(at: float, kind: int, host: str, name: bytes, qtype: int, qclass: int, view: int) -> Logged:
    """A record of an answer of this kind."""
    transport = TRANSPORTS[kind // PER_TRANSPORT]
    outcome = OUTCOMES[kind // PER_OUTCOME % len(OUTCOMES)]
    return Logged(at, transport, host, name, qtype, qclass, kind % RCODES, outcome, view)
