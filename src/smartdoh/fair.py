"""Equal shares for many clients: whose place goes when there are too many, and whose turn is next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """What clients wait for, at most `most` at a time; a lone client may have all of it.

    When it is full, a client with less than its share takes a place of one with more: its newest, which has waited
    least. Everything but that, which looks at every client now and then, takes constant time.
    """

    __slots__ = ("_clients", "_heavy", "_total", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._clients: dict[
            str, dict[T, None]
        ] = {}  # each one's, oldest first; whose turn is next comes first
        self._heavy: list[str] = []  # those who had more than their share when it was last looked
        self._total = 0

    def __len__(self) -> int:
        return self._total

    @property
    def clients(self) -> int:
        """How many wait."""
        return len(self._clients)

    def add(self, client: str, item: T) -> T | None:
        """Put `item` behind the client's others. What has lost its place instead: `item` itself if there is none."""
        items = self._clients.get(client)
        loser = None
        if self._total >= self.most:
            loser = self._displaced(0 if items is None else len(items))
            if loser is None:
                return item
        if items is None:
            items = self._clients[client] = {}
        elif item in items:
            return loser
        items[item] = None
        self._total += 1
        return loser

    def discard(self, client: str, item: T) -> None:
        """Forget `item`, if it is there."""
        items = self._clients.get(client)
        if items is not None and items.pop(item, 0) is None:
            self._total -= 1
            if not items:
                del self._clients[client]

    def take(self) -> T:
        """The oldest of the client whose turn it is; with each the turn goes on. Raises StopIteration when empty."""
        client, items = next(iter(self._clients.items()))
        del self._clients[client]
        item = next(iter(items))
        del items[item]
        self._total -= 1
        if items:
            self._clients[client] = items
        return item

    def take_oldest(self, is_over: Callable[[T], bool]) -> list[T]:
        """Everybody's oldest for which that is so."""
        found: list[T] = []
        for client, items in list(self._clients.items()):
            over = []
            for item in items:
                if not is_over(item):
                    break
                over.append(item)
            for item in over:
                self.discard(client, item)
            found += over
        return found

    def _displaced(self, held: int) -> T | None:
        """The newest of a client with more than its share, taken out, for one that holds `held`."""
        share = self.most // (len(self._clients) + (held == 0))
        if held >= share:
            return None
        client = self._over(share)
        if client is None:
            return None
        items = self._clients[client]
        item = next(reversed(items))
        self.discard(client, item)
        return item

    def _over(self, share: int) -> str | None:
        for _ in range(2):
            while self._heavy:
                client = self._heavy[-1]
                if len(self._clients.get(client, ())) > share:
                    return client
                self._heavy.pop()
            self._heavy = [client for client, items in self._clients.items() if len(items) > share]
        return None
