"""The ledger: which names left this machine, towards which group and upstream, and how often. No client is in it.

Every request to a server of a group counts when it is sent, whatever becomes of it: misses, refreshes, hedges and
what is asked to fetch a list. What is counted is taken by whoever writes it down.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from smartdoh.upstream.group import Group

ROOM = 65_536  # names, between two times that they are taken
_HEAD = struct.Struct("=BHHI")  # octets of the name, the group and the upstream; how often


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


def pack(leaves: Iterable[Leaves]) -> bytes:
    """As octets, for another process on this machine."""
    packed = []
    for name, group, upstream, times in leaves:
        texts = group.encode()[:0xFFFF], upstream.encode()[:0xFFFF]
        packed += [_HEAD.pack(len(name), *map(len, texts), times), name, *texts]
    return b"".join(packed)


def unpack(octets: bytes) -> Iterator[Leaves]:
    """What `pack` wrote. Raises struct.error or ValueError where it did not."""
    at = 0
    while at < len(octets):
        *sizes, times = _HEAD.unpack_from(octets, at)
        at += _HEAD.size
        parts = []
        for size in sizes:
            parts.append(octets[at : at + size])
            at += size
        if at > len(octets):
            raise ValueError("a line of the ledger that is not whole")
        name, group, upstream = parts
        yield Leaves(name, group.decode(), upstream.decode(), times)
