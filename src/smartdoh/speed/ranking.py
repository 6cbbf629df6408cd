"""The order of addresses, from what was measured: pure functions of values and the time.

An address that proved with its certificate to be the name's comes before any that did not, however fast that is:
forged addresses take connections too. Behind them come those that were only connected to, then those nobody
looked at, then those that cannot be reached, and last those that showed a certificate for somebody else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from typing import NamedTuple

PROBE_EVERY = 600.0  # seconds between two probes of one address on one way, whatever names share it
MEASURED_FOR = 3600.0  # seconds after which a measurement says nothing any more
HALF_LIFE = 600.0  # seconds in which a measurement loses half of its weight beside a newer one
TLS_PORT = 443


class Verdict(Enum):
    """What a TLS handshake with an address for a name came to; the value is the word that explain shows."""

    VERIFIED = "verified"
    WRONG = "wrong certificate"
    NONE = "no TLS"


PROOF_LIFE = {Verdict.VERIFIED: 3600.0, Verdict.WRONG: 3600.0, Verdict.NONE: 600.0}  # seconds


class Standing(IntEnum):
    """Where an address belongs; lower is better."""

    VERIFIED = 0
    CONNECTED = 1
    UNKNOWN = 2
    FAILED = 3
    WRONG = 4


class Connect(NamedTuple):
    """How connections to one address on one way do."""

    tried: float  # when it was last probed
    measured: float = -math.inf  # when that last had an outcome
    seconds: float | None = None  # of a connect, smoothed; None if there was no connection
    port: int = 0  # the port that took the connection


class Proof(NamedTuple):
    """What one address said of itself for one name."""

    verdict: Verdict | None  # None if it was never asked
    at: float


class Place(NamedTuple):
    """What addresses are sorted by."""

    standing: Standing
    seconds: float = 0.0


PlaceOf = Callable[[bytes], Place]


def is_due(connect: Connect | None, now: float) -> bool:
    """Whether an address may be probed now."""
    return connect is None or now - connect.tried >= PROBE_EVERY


def measured(before: Connect, seconds: float, port: int, now: float) -> Connect:
    """`before` with a new measurement: the older the last one, the less it counts."""
    if before.seconds is not None and before.port == port and now - before.measured < MEASURED_FOR:
        weight = 0.5 ** ((now - before.measured) / HALF_LIFE)
        seconds += (before.seconds - seconds) * weight
    return Connect(before.tried, now, seconds, port)


def live(proof: Proof | None, now: float) -> Verdict | None:
    """The verdict, if there is one that still holds."""
    if proof is None or proof.verdict is None or now - proof.at >= PROOF_LIFE[proof.verdict]:
        return None
    return proof.verdict


def place(connect: Connect | None, proof: Proof | None, now: float) -> Place:
    """Where an address stands for a name."""
    verdict = live(proof, now)
    if verdict is Verdict.WRONG:
        return Place(Standing.WRONG)
    if connect is None or now - connect.measured >= MEASURED_FOR:
        return Place(Standing.UNKNOWN)
    if connect.seconds is None:
        return Place(Standing.FAILED)
    standing = Standing.VERIFIED if verdict is Verdict.VERIFIED else Standing.CONNECTED
    return Place(standing, connect.seconds)


def order(addresses: Sequence[bytes], place_of: PlaceOf) -> tuple[tuple[bytes, ...], bool]:
    """The addresses, best first, and whether the first may stand alone; equals stay in their order.

    Where all are out of reach or wrong nothing is known that would help, and they stay as they came.
    """
    places = {address: place_of(address) for address in addresses}
    best = min((found.standing for found in places.values()), default=Standing.FAILED)
    if best >= Standing.FAILED:
        return tuple(addresses), False
    return tuple(sorted(addresses, key=places.__getitem__)), best <= Standing.CONNECTED


StateOf = Callable[[bytes], tuple[Connect | None, Proof | None]]


def contenders(addresses: Sequence[bytes], state_of: StateOf, now: float) -> tuple[bytes, ...]:
    """Those that would come first if they were verified, and were not asked yet: the fastest first.

    Whoever connects slower than one that is verified cannot win by a proof, so nobody asks it for one.
    """
    places = {}
    for address in addresses:
        connect, proof = state_of(address)
        where = place(connect, proof, now)
        if where.standing <= Standing.CONNECTED:
            is_open = live(proof, now) is None and connect is not None and connect.port == TLS_PORT
            places[address] = (where.seconds, where.standing is Standing.VERIFIED, is_open)
    found = []
    for address, (_, is_verified, is_open) in sorted(places.items(), key=lambda item: item[1][0]):
        if is_verified:
            break
        if is_open:
            found.append(address)
    return tuple(found)
