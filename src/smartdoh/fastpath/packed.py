"""Records of answered questions as octets: written without a Python object by the compiled fast path, read anywhere.

A record is, in the machine's own byte order and without gaps: HEADER, the client's address (4 or 16 octets; one of
IPv4 that is mapped into IPv6 as 4; any other text with the highest bit of its length set), the name in wire form, and
what else is known as text. WAY, the last part of the header, is all that many records have in common with others.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from smartdoh.outcome import NAMES

HEADER = struct.Struct("=HBBHdf8s")
"""Octets of the record, of the client, of the name, of the text; when (seconds); how long it took (seconds); WAY."""

WAY = struct.Struct("=BBHHH")
"""Transport and outcome as their places in the tuples below, type, class, rcode."""

TRANSPORTS = ("udp", "tcp")
OUTCOMES = NAMES

UNTIMED = -1.0  # seconds of a question that was answered at once
IS_TEXT = 0x80  # in the length of a client
MOST_TEXT = 1024  # octets
_TEXT = bytes(16)  # before the text of a client, which makes it longer than any address
_MAPPED = bytes(10) + b"\xff\xff"


class Packed(NamedTuple):
    """One record. `seconds` is negative where nobody waited; `text` is what whoever wrote it put there."""

    at: float
    seconds: float
    way: bytes
    client: bytes
    name: bytes
    text: bytes


def pack(at: float, host: str, name: bytes, way: bytes, seconds: float = UNTIMED, text: bytes = b"") -> bytes:
    """One record of a question by the client at `host`, its way packed by WAY. Text that is too long is cut."""
    size, client = packed_client(host)
    text = text[:MOST_TEXT]
    whole = HEADER.size + len(client) + len(name) + len(text)
    return HEADER.pack(whole, size, len(name), len(text), at, seconds, way) + client + name + text


def packed_client(host: str) -> tuple[int, bytes]:
    """How a client is written: what stands for its length, and the octets."""
    try:
        if ":" not in host:
            return 4, socket.inet_pton(socket.AF_INET, host)
        address = socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        octets = host.encode("utf-8", "replace")[: IS_TEXT - 1]
        return IS_TEXT | len(octets), octets
    return (4, address[12:]) if address.startswith(_MAPPED) else (16, address)


def client_text(client: bytes) -> str:
    """The address of a record's client; `client` as `read` gives it."""
    if len(client) == 4:  # noqa: PLR2004 - octets of IPv4
        return socket.inet_ntop(socket.AF_INET, client)
    if len(client) == 16:  # noqa: PLR2004 - octets of IPv6
        return socket.inet_ntop(socket.AF_INET6, client)
    return client.removeprefix(_TEXT).decode("utf-8", "replace")


def read(octets: bytes, every: int = 1) -> Iterator[Packed]:
    """The records that `octets` are made of, or one of so many. A client that is no address is longer than one.

    Raises struct.error or ValueError where they are no whole records.
    """
    at, end, number = 0, len(octets), 0
    header = HEADER.size
    while at < end:
        size, client_size, name_size, text_size, when, seconds, way = HEADER.unpack_from(octets, at)
        if number % every == 0:
            start = at + header
            middle = start + (client_size & ~IS_TEXT)
            client = octets[start:middle]
            if client_size & IS_TEXT:
                client = _TEXT + client
            tail = middle + name_size
            yield Packed(when, seconds, way, client, octets[middle:tail], octets[tail : tail + text_size])
        at += size
        number += 1
        if size < header or at > end:
            raise ValueError("a record that is not whole")
