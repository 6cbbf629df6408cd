"""How often one client may ask over UDP: token buckets, in bounded memory; who is who is the same for both builds.

A bucket is kept as the time at which it is full again: a question moves that by a token's worth, and is over the limit
where it lies further ahead than the burst allows.
"""

from __future__ import annotations

import socket
from enum import IntEnum

from smartdoh.fastpath.surface import KNOWN_CLIENTS

BUCKETS = 16_384  # clients that are told apart at a time
NEVER = bytes(8)  # the bucket of clients that are not limited
_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 in IPv6, RFC 4291 section 2.5.5.2
_LOOPBACK4, _LOOPBACK6 = 127, bytes(15) + b"\x01"


class Verdict(IntEnum):
    """What becomes of a datagram."""

    PASS = 0
    SLIP = 1  # over the limit: a truncated answer, so that a real client comes back over TCP
    DROP = 2  # over the limit: nothing, so that whoever pretends to be the client gains nothing


class Limits:
    """One bucket for each client; when there are too many, the one that was asked from longest ago begins anew."""

    def __init__(self, rate: int, burst: int) -> None:
        """`rate` questions a second in the long run, `burst` at once."""
        self._step = 1.0 / rate
        self._room = (burst - 0.5) / rate  # half a token for what rounding may add up to
        self._full_at: dict[bytes, float] = {}
        self._slipped: dict[bytes, bool] = {}
        self._known: dict[str, bytes] = {}

    def verdict(self, host: str, now: float) -> Verdict:
        """Take a token from the bucket of a client, if there is one."""
        bucket = self._known.get(host) or self._learn(host)
        if bucket == NEVER:
            return Verdict.PASS
        full_at = max(self._taken_out(bucket, now), now)
        if full_at - now <= self._room:
            self._full_at[bucket] = full_at + self._step
            return Verdict.PASS
        self._full_at[bucket] = full_at
        slipped = self._slipped[bucket] = not self._slipped.get(bucket, False)
        return Verdict.SLIP if slipped else Verdict.DROP

    def _taken_out(self, bucket: bytes, now: float) -> float:
        """When a bucket is full again, out of its place: whoever asks goes to the end of the row."""
        full_at = self._full_at.pop(bucket, None)
        if full_at is not None:
            return full_at
        if len(self._full_at) >= BUCKETS:
            oldest = next(iter(self._full_at))
            del self._full_at[oldest]
            self._slipped.pop(oldest, None)
        return now

    def _learn(self, host: str) -> bytes:
        if len(self._known) >= KNOWN_CLIENTS:
            self._known.clear()
        bucket = self._known[host] = bucket_of(host)
        return bucket


def bucket_of(host: str) -> bytes:
    """The name of a client's bucket, 8 octets: IPv4 by address, IPv6 by /56, link-local by interface.

    An end site has a prefix of 48 to 56 bits (RFC 6177), so a longer one could be changed at will.
    """
    if ":" not in host:
        return _bucket_of_ipv4(socket.inet_pton(socket.AF_INET, host))
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    if packed.startswith(_MAPPED):
        return _bucket_of_ipv4(packed[12:])
    if packed == _LOOPBACK6:
        return NEVER
    if packed[0] == 0xFE and packed[1] & 0xC0 == 0x80:  # noqa: PLR2004 - fe80::/10, RFC 4291 section 2.5.6
        return b"\x07" + packed[9:]
    return b"\x06" + packed[:7]


def _bucket_of_ipv4(packed: bytes) -> bytes:
    return NEVER if packed[0] == _LOOPBACK4 else b"\x04\0\0\0" + packed
