"""Which addresses may be probed: those that anybody may connect to, and few enough of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache

MOST_ADDRESSES = 8  # of one family of a name

Policy = Callable[[bytes], bool]
"""Whether a packed address may be connected to only to see how fast it is."""

REMEMBERED = 4096  # addresses; looking one up in the registries takes 10 µs
_SIZES = (4, 16)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last four octets are an IPv4 address


@lru_cache(REMEMBERED)
def is_public(address: bytes) -> bool:
    """Whether an address is one of the Internet's, by IANA's registries of special addresses (RFC 6890).

    An answer from outside must not make this host connect to its own network: that would let whoever answers for a
    name knock at doors inside (DNS rebinding). What wraps an IPv4 address counts as that address.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(address[-4:])
        if ip.teredo is not None:
            return False
        if inner is not None:
            return is_public(inner.packed)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def targets(addresses: Iterable[bytes], policy: Policy) -> tuple[bytes, ...]:
    """Those that are probed: of each family the first eight that `policy` lets through, each once."""
    found: list[bytes] = []
    unique = dict.fromkeys(addresses)
    for size in _SIZES:
        allowed = [address for address in unique if len(address) == size and policy(address)]
        found += allowed[:MOST_ADDRESSES]
    return tuple(found)
