"""What is known of addresses: how they connect, by way, and what they proved, by way and name. It is bounded."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from smartdoh.speed.ranking import (
    PROBE_EVERY,
    Connect,
    Place,
    Proof,
    Standing,
    Verdict,
    is_due,
    live,
    measured,
    order,
    place,
)
from smartdoh.speed.way import Way

MOST_CONNECTS = 16_384  # addresses that are remembered
MOST_NAMES = 8192
AT_A_TIME = 1000  # rows looked at before the loop has its turn
MOST_OF_A_NAME = 32  # addresses remembered of one name: names of large services show others each time

_WORDS = {
    Standing.VERIFIED: "verified",
    Standing.CONNECTED: "connected",
    Standing.UNKNOWN: "not measured",
    Standing.FAILED: "out of reach",
    Standing.WRONG: "wrong certificate",
}


class Row(NamedTuple):
    """One address of a name, as explain shows it."""

    way: str
    address: str
    standing: str
    seconds: float | None  # of a connect, smoothed
    port: int  # that took the connection, 0 if none did
    measured_ago: float | None  # seconds
    proof: str  # the last handshake's verdict, empty if there was none or it no longer holds


class Board:
    """The one owner of measurements. Times are seconds of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._connects: dict[tuple[str, bytes], Connect] = {}  # oldest probe first
        self._names: dict[tuple[Way, bytes], dict[bytes, Proof]] = {}  # least lately noted first

    def __len__(self) -> int:
        return len(self._connects)

    # What probes tell

    def begin(self, way: Way, address: bytes) -> bool:
        """Whether the address may be probed now, and if so, note that it is.

        No address is forgotten while it may not be probed again, so a flood of new ones is let pass instead.
        """
        key, now = (way.via, address), self._clock()
        before = self._connects.get(key)
        if not is_due(before, now):
            return False
        if before is not None:
            del self._connects[key]
        elif len(self._connects) >= MOST_CONNECTS:
            oldest = next(iter(self._connects))
            if now - self._connects[oldest].tried < PROBE_EVERY:
                return False
            del self._connects[oldest]
        self._connects[key] = before._replace(tried=now) if before else Connect(now)
        return True

    def connected(self, way: Way, address: bytes, seconds: float, port: int) -> None:
        """A probe that was begun has ended well."""
        key = (way.via, address)
        self._connects[key] = measured(self._connects[key], seconds, port, self._clock())

    def failed(self, way: Way, address: bytes) -> None:
        """A probe that was begun found no way to the address."""
        key, now = (way.via, address), self._clock()
        self._connects[key] = Connect(self._connects[key].tried, now)

    def note(self, way: Way, name: bytes, addresses: Iterable[bytes]) -> None:
        """These are addresses of the name; what they proved before is kept while it holds."""
        now = self._clock()
        before = self._names.pop((way, name), {})
        kept = {address: before.get(address, Proof(None, now)) for address in addresses}
        for address, proof in before.items():
            if len(kept) >= MOST_OF_A_NAME:
                break
            if now - proof.at < PROBE_EVERY or live(proof, now):
                kept.setdefault(address, proof)
        if len(self._names) >= MOST_NAMES:
            del self._names[next(iter(self._names))]
        self._names[way, name] = kept

    def proved(self, way: Way, name: bytes, address: bytes, verdict: Verdict) -> None:
        """What a handshake came to, for an address of a name that was noted."""
        proofs = self._names.get((way, name))
        if proofs is not None:
            proofs[address] = Proof(verdict, self._clock())

    async def keep_only(self, ways: Collection[Way]) -> None:
        """Forget what was measured on other ways, without stopping the loop; the path of a gone file may come again."""
        routes = {way.via for way in ways}
        connects = list(self._connects)
        for start in range(0, len(connects), AT_A_TIME):
            for key in connects[start : start + AT_A_TIME]:
                if key[0] not in routes:
                    self._connects.pop(key, None)
            await asyncio.sleep(0)
        names = list(self._names)
        for start in range(0, len(names), AT_A_TIME):
            for noted in names[start : start + AT_A_TIME]:
                if noted[0] not in ways:
                    self._names.pop(noted, None)
            await asyncio.sleep(0)

    # What is asked

    def state(self, way: Way, name: bytes, address: bytes) -> tuple[Connect | None, Proof | None]:
        """All that is known of one address for one name."""
        return self._connects.get((way.via, address)), self._names.get((way, name), {}).get(address)

    def place(self, way: Way, name: bytes, address: bytes) -> Place:
        """Where one address stands for a name now."""
        return place(*self.state(way, name, address), self._clock())

    def is_due(self, way: Way, address: bytes) -> bool:
        """Whether a probe of this address would tell something new."""
        return is_due(self._connects.get((way.via, address)), self._clock())

    def snapshot(self, name: bytes) -> list[Row]:
        """All that is known of a name's addresses, IPv4 and IPv6 apart, best first."""
        rows = []
        for (way, noted), proofs in self._names.items():
            if noted != name:
                continue
            for size in (4, 16):
                family = [address for address in proofs if len(address) == size]
                ranked, _ = order(family, lambda address, way=way: self.place(way, name, address))  # type: ignore[misc]
                rows += [self._row(way, name, address) for address in ranked]
        return rows

    def _row(self, way: Way, name: bytes, address: bytes) -> Row:
        connect, proof = self.state(way, name, address)
        now = self._clock()
        where = place(connect, proof, now)
        known = connect if connect is not None and math.isfinite(connect.measured) else None
        verdict = live(proof, now)
        return Row(
            way.shown,
            str(ipaddress.ip_address(address)),
            _WORDS[where.standing],
            known.seconds if known else None,
            known.port if known else 0,
            now - known.measured if known else None,
            verdict.value if verdict else "",
        )
