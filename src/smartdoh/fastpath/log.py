"""What was answered from the table, for whoever wants to know what is asked: kept until it is taken."""

from __future__ import annotations

from typing import NamedTuple

from smartdoh.fastpath.counts import PER_OUTCOME, PER_TRANSPORT, RCODES
from smartdoh.fastpath.packed import WAY, pack
from smartdoh.model import Query
from smartdoh.outcome import BLOCKED, MOST

OCTETS_PER_RECORD = 96  # kept free for each; some may take more, if others take less


class Taken(NamedTuple):
    """Records as `packed` reads them, the oldest first, how many there are, and how many more there would have been."""

    packed: bytes
    kept: int
    lost: int


NOTHING_TAKEN = Taken(b"", 0, 0)


class Log:
    """At most `capacity` records; those beyond are counted and lost, and so are all but one of each `every`."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.every = 1
        self._records: list[bytes] = []
        self._lost = self._skip = 0

    def note(self, at: float, kind: int, query: Query, source: str) -> None:
        """Keep that `query` got an answer of this kind (see `counts`), if blocked then by the rule `source`."""
        self._skip -= 1
        if self._skip > 0 or len(self._records) >= self.capacity:
            self._lost += 1
            return
        self._skip = self.every
        way, is_blocked = way_of(kind, query.qtype, query.qclass)
        text = source.encode() if is_blocked else b""
        self._records.append(pack(at, query.host, query.name, way, text=text))

    def take(self) -> Taken:
        """What is kept, and how many were lost since the last time."""
        found = Taken(b"".join(self._records), len(self._records), self._lost)
        self._records, self._lost = [], 0
        return found


def way_of(kind: int, qtype: int, qclass: int) -> tuple[bytes, bool]:
    """An answer of this kind as `packed` has it, and whether it says that the name is blocked."""
    outcome = kind // PER_OUTCOME % MOST
    return WAY.pack(kind // PER_TRANSPORT, outcome, qtype, qclass, kind % RCODES), outcome == BLOCKED
