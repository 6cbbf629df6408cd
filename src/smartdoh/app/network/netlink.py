"""rtnetlink(7): hearing that links, addresses or routes have changed, and asking the kernel for the way to an address.

How it works. What the kernel tells is not read: a message only means that it is time to look again, because most of
them (another container's cable, a router's advertisement that says what it said before) change no way of ours. A way
is two questions, for the route and for the link that it takes, each answered before the call returns. That is all of
the protocol that is needed here; a library that speaks all of it takes 13 MB and a tenth of a second to import.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # RTMGRP_: links, addresses and routes of IPv4, of IPv6
MOST_READ = 1000  # messages at a time: a router's routes may change without an end
LARGEST = 1 << 16  # octets of one answer
PATIENCE = 1.0  # seconds for the kernel, which answers at once

_REQUEST = 1  # NLM_F_REQUEST
_NEW_LINK, _GET_LINK = 16, 18
_NEW_ROUTE, _GET_ROUTE = 24, 26
_DESTINATION, _OUT, _GATEWAY, _SOURCE, _VIA = 1, 4, 5, 7, 18  # RTA_
_CARRIER = 0x10000  # IFF_LOWER_UP
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, destination bits, ..., type, flags
_LINK = struct.Struct("=BxHiII")  # family, kind, index, flags, change
_ATTRIBUTE = struct.Struct("=HH")  # length, type


class Way(NamedTuple):
    """How packets to an address leave; two that differ lead connections astray."""

    source: bytes  # our address, packed
    gateway: bytes = b""  # packed; empty where the address is on the link itself
    link: int = 0  # its index
    has_carrier: bool = True  # whether its cable is in, its radio in range


def subscribed() -> socket.socket:
    """A socket that can be read whenever links, addresses or routes change. Raises OSError."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    try:
        sock.bind((0, GROUPS))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def empty(sock: socket.socket) -> None:
    """Read what is there, or much of it. That some was lost because it was too much (ENOBUFS) makes no difference."""
    for _ in range(MOST_READ):
        try:
            sock.recv(LARGEST)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                return


def way_to(address: str) -> Way | None:
    """The way that packets to `address` take now; None where there is none. Raises OSError where it cannot be asked."""
    target = ipaddress.ip_address(address.partition("%")[0])
    family = socket.AF_INET if target.version == 4 else socket.AF_INET6  # noqa: PLR2004
    body = _ROUTE.pack(family, target.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(target.packed), _DESTINATION) + target.packed
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(PATIENCE)
        answer = _ask(sock, _GET_ROUTE, _NEW_ROUTE, body)
        if answer is None:
            return None
        found = dict(_attributes(answer[_ROUTE.size :]))
        link = int.from_bytes(found.get(_OUT, b""), sys.byteorder)
        told = _ask(sock, _GET_LINK, _NEW_LINK, _LINK.pack(0, 0, link, 0, 0))
    flags = _LINK.unpack_from(told)[3] if told is not None else 0
    gateway = found.get(_GATEWAY, found.get(_VIA, b""))
    return Way(found.get(_SOURCE, b""), gateway, link, flags & _CARRIER != 0)


def _ask(sock: socket.socket, kind: int, wanted: int, body: bytes) -> bytes | None:
    """The kernel's answer without its header; None where it says no."""
    sock.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST, 1, 0) + body)
    answer = sock.recv(LARGEST)
    length, got = _HEADER.unpack_from(answer)[:2]
    return answer[_HEADER.size : length] if got == wanted else None


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each attribute's type and value, as long as they make sense."""
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3  # RTA_ALIGN
