"""Which addresses no public host has: those of this machine, of a link, of a site, and of none at all."""

from __future__ import annotations

import struct
from typing import Final

GLOBAL_UNICAST: Final = (
    0x20  # 2000::/3, RFC 4291 section 2.4: the first three bits of all public IPv6 addresses
)
GLOBAL_MASK: Final = 0xE0

_FOUR = struct.Struct("!I")
_FOUR_SIZE: Final = 4
_NETWORKS_4: Final = (  # network, mask
    (0x00000000, 0xFF000000),  # 0.0.0.0/8, this host, RFC 1122 section 3.2.1.3
    (0x7F000000, 0xFF000000),  # 127.0.0.0/8, loopback
    (0x0A000000, 0xFF000000),  # 10.0.0.0/8, RFC 1918
    (0xAC100000, 0xFFF00000),  # 172.16.0.0/12
    (0xC0A80000, 0xFFFF0000),  # 192.168.0.0/16
    (0xA9FE0000, 0xFFFF0000),  # 169.254.0.0/16, link-local, RFC 3927
    (0x64400000, 0xFFC00000),  # 100.64.0.0/10, shared, RFC 6598
)
SUSPECT_4: Final = frozenset(network >> 24 for network, _ in _NETWORKS_4)
"""The first octets that private IPv4 addresses have: any other is public at one look."""

_EMBEDDED: Final = (  # before an IPv4 address, which is then what counts
    bytes(10) + b"\xff\xff",  # ::ffff:0:0/96, IPv4-mapped, RFC 4291 section 2.5.5.2
    bytes(12),  # ::/96, IPv4-compatible, section 2.5.5.1; :: and ::1 look as if they were of these
    bytes.fromhex("0064ff9b") + bytes(8),  # 64:ff9b::/96, RFC 6052 section 2.1
)
_LOCAL_PREFIX: Final = bytes.fromhex("0064ff9b0001")  # 64:ff9b:1::/48, RFC 8215
_NETWORKS_6: Final = (  # first octets, and the bits of them that count
    (0xFE80, 0xFFC0),  # fe80::/10, link-local, RFC 4291 section 2.5.6
    (0xFEC0, 0xFFC0),  # fec0::/10, site-local, RFC 3879
    (0xFC00, 0xFE00),  # fc00::/7, unique local, RFC 4193
)


def is_private(address: bytes) -> bool:
    """Whether a packed IPv4 or IPv6 address is private, loopback, link-local, shared, or the one of no host.

    An IPv4 address in IPv6 clothes is judged by itself.
    """
    if len(address) == _FOUR_SIZE:
        return address[0] in SUSPECT_4 and _is_private_4(address)
    if address[0] & GLOBAL_MASK == GLOBAL_UNICAST:
        return False
    if address[:12] in _EMBEDDED:
        return _is_private_4(address[12:])
    first = int.from_bytes(address[:2])
    return any(first & mask == network for network, mask in _NETWORKS_6) or address.startswith(_LOCAL_PREFIX)


def _is_private_4(address: bytes) -> bool:
    value = _FOUR.unpack(address)[0]
    return any(value & mask == network for network, mask in _NETWORKS_4)
