"""Questions under way: one fetch for each, and everybody who waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from smartdoh.model import Query, Reply

MOST_FLIGHTS = 10_000  # fetches under way
MOST_WAITING = 50_000  # clients' questions that wait for them


class Waiter:
    """One client's question that waits. It is answered once: by the fetch, or earlier by a stale answer."""

    __slots__ = ("query", "reply", "udp")

    def __init__(self, query: Query, reply: Reply | None, *, udp: bool) -> None:
        self.query = query
        self.reply = reply
        self.udp = udp


@dataclass(slots=True)
class Flights:
    """Keys to waiters. A fetch goes on when its waiters leave: the next one will want its answer."""

    waiting: int = 0
    _flights: dict[bytes, list[Waiter]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: bytes) -> bool:
        return key in self._flights

    @property
    def has_room(self) -> bool:
        """Whether one more question may wait."""
        return len(self._flights) < MOST_FLIGHTS and self.waiting < MOST_WAITING

    def join(self, key: bytes, waiter: Waiter | None) -> bool:
        """Wait for the fetch of `key`; True if there is none yet, so that the caller has to start it."""
        flight = self._flights.get(key)
        is_new = flight is None
        if flight is None:
            flight = self._flights[key] = []
        if waiter is not None:
            flight.append(waiter)
            self.waiting += 1
        return is_new

    def land(self, key: bytes) -> Iterator[Waiter]:
        """End the fetch of `key`, giving those who still wait."""
        flight = self._flights.pop(key, [])
        self.waiting -= len(flight)
        return (waiter for waiter in flight if waiter.reply is not None)
