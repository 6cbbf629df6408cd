"""How often somebody may try to log in: from one address, and all together."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

EACH = 5  # wrong tries in a row from one address
EACH_BACK = 30.0  # seconds until one more
ALL = 30  # wrong tries in a row from everywhere
ALL_BACK = 5.0  # seconds until one more
MOST_PROVEN = 64  # addresses that a right password came from, likewise
MOST_ADDRESSES = 4096  # remembered; the one that tried longest ago makes room
PREFIX = 64  # bits: one IPv6 subscriber, RFC 6177


class Tries:
    """Tries that are left: they come back one by one with time, and a right password gives its own back.

    Where one came from has nothing to do with the tries of others from then on: they could else keep its owner out.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all = Bucket(ALL, ALL_BACK, clock())
        self._each: dict[str, Bucket] = {}
        self._proven: dict[str, None] = {}

    def wait(self, address: str) -> float:
        """Take one; 0.0, or else the seconds until this address may try again."""
        now = self._clock()
        own = self._of(address, now)
        is_proven = subscriber(address) in self._proven
        left = own.wait(now) if is_proven else max(own.wait(now), self._all.wait(now))
        if left == 0.0:
            own.level -= 1.0
            if not is_proven:
                self._all.level -= 1.0
        return left

    def give_back(self, address: str) -> None:
        """It was the right password."""
        now, key = self._clock(), subscriber(address)
        if key in self._proven:
            del self._proven[key]  # to be the last one
        else:
            self._all.give(now)
        self._of(address, now).give(now)
        self._proven[key] = None
        if len(self._proven) > MOST_PROVEN:
            del self._proven[next(iter(self._proven))]

    def _of(self, address: str, now: float) -> Bucket:
        key = subscriber(address)
        found = self._each.pop(key, None) or Bucket(EACH, EACH_BACK, now)
        self._each[key] = found
        if len(self._each) > MOST_ADDRESSES:
            del self._each[next(iter(self._each))]
        return found


class Bucket:
    """Some tries, one more every `back` seconds, at most `most`."""

    __slots__ = ("_at", "_back", "_most", "level")

    def __init__(self, most: int, back: float, now: float) -> None:
        self.level = float(most)
        self._most, self._back, self._at = float(most), back, now

    def wait(self, now: float) -> float:
        """Seconds until there is one; 0.0: there is."""
        self.level = min(self._most, self.level + (now - self._at) / self._back)
        self._at = now
        return 0.0 if self.level >= 1.0 else (1.0 - self.level) * self._back

    def give(self, now: float) -> None:
        """One more now."""
        self.wait(now)
        self.level = min(self._most, self.level + 1.0)


def subscriber(address: str) -> str:
    """What counts as one: an IPv4 address, or an IPv6 network of /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.version == 4:  # noqa: PLR2004 - IPv4
        return str(found)
    return str(ipaddress.ip_network((found, PREFIX), strict=False))
