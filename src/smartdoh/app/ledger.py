"""The ledger: which names left this machine, towards which group and upstream, and how often. No client is in it.

Every request to a server of a group counts when it is sent, whatever becomes of it: misses, refreshes, hedges and
what is asked to fetch a list. What is counted is taken by whoever writes it down.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from smartdoh.upstream.group import Group

ROOM = 65_536  # names, between two times that they are taken


class Leaves(NamedTuple):
    """How often a name was sent to an upstream of a group."""

    name: bytes  # folded wire format
    group: str
    upstream: str
    times: int


class Ledger:
    """Counts of one process, from one time that they are taken to the next."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._counts: dict[tuple[str, str], dict[bytes, int]] = {}
        self._names = 0
        self._lost = 0

    def watch(self, groups: Iterable[Group], *, is_wanted: bool) -> None:
        """Count what the members of these groups send from now on, or no more."""
        for group in groups:
            for member in group.members:
                member.sent = partial(self._sent, (group.name, member.name)) if is_wanted else None

    def take(self) -> tuple[list[Leaves], int]:
        """What was counted since the last time, and how many requests found no room."""
        counts, lost = self._counts, self._lost
        self._counts, self._names, self._lost = {}, 0, 0
        return [
            Leaves(name, group, upstream, count)
            for (group, upstream), names in counts.items()
            for name, count in names.items()
        ], lost

    def _sent(self, to: tuple[str, str], name: bytes) -> None:
        names = self._counts.get(to)
        if names is None:
            names = self._counts[to] = {}
        count = names.get(name)
        if count is not None:
            names[name] = count + 1
        elif self._names < self._room:
            names[name] = 1
            self._names += 1
        else:
            self._lost += 1
