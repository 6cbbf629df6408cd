"""DNS cookies (RFC 7873, RFC 9018): what a client's says of it, and the one that it gets back.

A server cookie is version, three reserved octets, the time at which it was made and a keyed hash of these, the client's
cookie and its address. Whoever sends it back gets what is sent to that address, so its questions are not forged.
"""

from __future__ import annotations

import hmac
import socket
from collections.abc import Callable
from functools import partial
from hashlib import blake2b

from smartdoh.fastpath.siphash import siphash24
from smartdoh.wire.edns import CLIENT_COOKIE

KEY = 16  # octets of the key that everything is derived from, and of a secret
SERVER_COOKIE = 16  # octets, RFC 9018 section 4
VERSION = b"\1\0\0\0"  # and the reserved octets, RFC 9018 sections 4.1 and 4.2
GOOD = 3600  # seconds for which a server cookie is good, RFC 9018 section 4.3
FRESH = 1800  # seconds for which it is given back as it came, same section
AHEAD = 300  # seconds that it may lie in the future, same section
PERIOD = 86_400  # seconds for which a secret is in use; RFC 7873 section 7.1 wants at most 26 hours
_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 in IPv6, RFC 4291 section 2.5.5.2


class Secrets:
    """The secrets of all times, a new one each day, all of them from one key.

    Which one a cookie was made with is told by its time: so nobody has to remember the last one, and all who have the
    key agree. At what time of the day they change is told by the key, too (RFC 7873 section 7.1).
    """

    def __init__(self, key: bytes) -> None:
        self._derived = partial(blake2b, key=key)
        self.offset = int.from_bytes(self._derived(b"offset", digest_size=4).digest()) % PERIOD

    def secret(self, period: int) -> bytes:
        """The secret of a period, which is a time plus `offset` in units of PERIOD."""
        return self._derived(period.to_bytes(8), digest_size=KEY).digest()


class Cookies:
    """All that is known of cookies; nothing of any client is kept."""

    def __init__(self, secrets: Secrets, wall: Callable[[], float]) -> None:
        """`wall` is the time in seconds since 1970."""
        self.secrets = secrets
        self.wall = wall

    def answer(self, cookie: bytes, host: str) -> tuple[bytes, bool]:
        """What the client at `host`, who sent a cookie of a sound length, gets back, and whether it was one of ours."""
        client, server = cookie[:CLIENT_COOKIE], cookie[CLIENT_COOKIE:]
        address = address_of(host)
        now = int(self.wall()) & 0xFFFF_FFFF
        age = _age(server, now)
        is_ours = -AHEAD <= age <= GOOD and self._is_ours(client, server, address)
        if not is_ours or age >= FRESH:
            server = self._signed(client, VERSION + now.to_bytes(4), address)
        return client + server, is_ours

    def _is_ours(self, client: bytes, server: bytes, address: bytes) -> bool:
        return hmac.compare_digest(server, self._signed(client, server[:8], address))

    def _signed(self, client: bytes, head: bytes, address: bytes) -> bytes:
        """The server cookie that begins with `head`: version, reserved octets and time (RFC 9018 section 4.4)."""
        period = (int.from_bytes(head[4:]) + self.secrets.offset) // PERIOD
        return head + siphash24(self.secrets.secret(period), client + head + address)


def _age(server: bytes, now: int) -> int:
    """Seconds since a server cookie was made, by serial numbers (RFC 1982), or more than any good one has."""
    if len(server) != SERVER_COOKIE or server[0] != VERSION[0]:
        return GOOD + 1
    age = (now - int.from_bytes(server[4:8])) & 0xFFFF_FFFF
    return age - (1 << 32) if age >> 31 else age


def address_of(host: str) -> bytes:
    """A client's address as cookies have it: 4 octets or 16, without a zone."""
    if ":" not in host:
        return socket.inet_pton(socket.AF_INET, host)
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return packed[12:] if packed.startswith(_MAPPED) else packed
