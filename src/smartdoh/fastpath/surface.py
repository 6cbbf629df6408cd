"""What both builds of the fast path have in common: their bounds, their counters, and the sockets they drain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Protocol

from smartdoh.fastpath.counts import Answered
from smartdoh.fastpath.latency import Latency
from smartdoh.fastpath.table import OVERHEAD

TURN = 64  # datagrams a turn of the loop, so that TCP, timers and upstream sockets are never starved
MAX_QUERY = 4096  # octets read of a datagram; a query this long is junk
RECHECK = 30.0  # seconds between two attempts to refresh one entry, RFC 8767 section 5
KNOWN_CLIENTS = 8192  # addresses whose view is remembered
REFUSALS = 20.0  # answers a second, at most, to UDP clients that may not ask
NO_TIMEOUT = -1  # of a stream whose client is not told how long it may be idle
STREAM_OUT = 1 << 16  # octets of answers after which no more questions are taken from a stream at a time
OCTETS_PER_ENTRY = 1024 + OVERHEAD  # what an entry may take on average before the table counts as full

Address = tuple[Any, ...]
Clock = Callable[[], float]
ViewOf = Callable[[str], int | None]
"""Which policy the client at an address has; None if it may not ask."""

Sets = Callable[[], Sequence[Iterable[IPv4Network | IPv6Network]]]
"""The sets of clients that the policy goes by: two clients in the same of them have the same view."""


class Datagrams(Protocol):
    """The two verbs of a bound UDP socket that the drain needs."""

    def recvfrom(self, size: int, /) -> tuple[bytes, Address]:
        """One datagram and where it came from. Raises BlockingIOError when there is none."""
        ...

    def sendto(self, wire: bytes, address: Any, /) -> int:
        """Send a datagram back. Raises OSError when it cannot."""
        ...


@dataclass(slots=True)
class Statistics:
    """Plain counters since the start; a snapshot is a copy.

    `stale` are the answers from the table that were data which had expired, `hits` all others. `answered` has them by
    kind, and as REFUSED the questions of `refused`, whose types nobody looked at. `limited` were over their client's
    limit, whether they got a truncated answer or nothing. `waits` are those of the misses that were fetched.
    """

    hits: int = 0
    stale: int = 0
    misses: int = 0
    malformed: int = 0
    refused: int = 0
    limited: int = 0
    ignored: int = 0
    unsent: int = 0
    entries: int = 0
    octets: int = 0
    evictions: int = 0
    answered: list[Answered] = field(default_factory=list)
    waits: Latency = field(default_factory=Latency)
