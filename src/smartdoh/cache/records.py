"""The octets of an answer on disk: its key, its record, and the strict reading of both.

A key begins with the labels of the name in reverse, so that all that lies below a name stands together:
`www.example.com` is `3com 7example 3www 0`. Then come type, class, the bits DO and CD, and the fingerprint of what
decided the answer. A record is a checksum of the key and all that follows, then times, marks, lengths, and the message.
"""

from __future__ import annotations

import struct
from typing import NamedTuple
from zlib import crc32

FINGERPRINT = 8  # octets
MAX_TIME = 0xFFFFFFFF  # seconds, until 2106
AD_MARK = 1
ASKED_MARK = 2
MARKS = AD_MARK | ASKED_MARK

_AFTER_NAME = 2 + 2 + 1 + FINGERPRINT  # octets of a key: type, class, bits, fingerprint
_BITS = 0b11  # DO and CD, as the last octet of a query's key has them
_POLICIES = tuple(bits.to_bytes(1) for bits in range(_BITS + 1))
_CHECKSUM = struct.Struct("!I")
_HEAD = struct.Struct("!IIBBH")  # stored, lifetime, marks, octets of the source, octets of the EDE option
_WHOLE_HEAD = _CHECKSUM.size + _HEAD.size
_LONGEST_SOURCE = 255


class Record(NamedTuple):
    """One answer as it lies on disk."""

    stored: int  # seconds of the file's clock
    lifetime: int  # seconds
    ad: bool  # the upstream's AD, where it is trusted
    asked: bool  # somebody asked again after it was stored
    source: str
    ede: bytes
    wire: bytes


class Place(NamedTuple):
    """What a key says."""

    name: bytes  # folded wire format
    qtype: int
    qclass: int
    do: bool
    cd: bool
    fingerprint: bytes


class Times(NamedTuple):
    """What eviction looks at."""

    stored: int
    lifetime: int
    asked: bool


def domain_key(name: bytes) -> bytes:
    """The start of the keys of a folded wire name and of all below it; with one zero octet more, of the name alone."""
    labels, at = [], 0
    while size := name[at]:
        end = at + 1 + size
        labels.append(name[at:end])
        at = end
    labels.reverse()
    return b"".join(labels)


def key_of(name: bytes, query_key: bytes, fingerprint: bytes) -> bytes:
    """The key of an answer; `query_key` is Query.key, of which the client's view is left out.

    What an upstream said does not depend on who asked; which upstreams it was is in the fingerprint. The numbers of
    views also mean something else in each run.
    """
    return domain_key(name) + b"\0" + query_key[-7:-3] + _POLICIES[query_key[-1] & _BITS] + fingerprint


def place_of(key: bytes) -> Place | None:
    """What a key says; None where it is none of ours."""
    labels, at = [], 0
    try:
        while size := key[at]:
            labels.append(key[at : at + 1 + size])
            at += 1 + size
    except IndexError:
        return None
    rest = key[at + 1 :]
    if len(rest) != _AFTER_NAME or rest[4] & ~_BITS:
        return None
    name = b"".join(reversed(labels)) + b"\0"
    qtype, qclass = int.from_bytes(rest[:2]), int.from_bytes(rest[2:4])
    return Place(name, qtype, qclass, bool(rest[4] & 2), bool(rest[4] & 1), rest[5:])


def encode(key: bytes, record: Record) -> bytes:
    """The octets of `record` under `key`."""
    stored, lifetime, ad, asked, named, ede, wire = record
    if not 0 <= stored <= MAX_TIME:
        stored = 0 if stored < 0 else MAX_TIME
    source = named.encode("utf-8", "replace")
    if len(source) > _LONGEST_SOURCE:
        source = source[:_LONGEST_SOURCE].decode("utf-8", "ignore").encode()  # no letter is cut in two
    marks = (AD_MARK if ad else 0) | (ASKED_MARK if asked else 0)
    body = b"".join((_HEAD.pack(stored, lifetime, marks, len(source), len(ede)), source, ede, wire))
    return _CHECKSUM.pack(crc32(body, crc32(key))) + body


def decode(key: bytes, octets: bytes) -> Record | None:
    """The record that lies under `key`; None where anything about it is wrong, so that it counts as not there."""
    if len(octets) < _WHOLE_HEAD:
        return None
    body = octets[_CHECKSUM.size :]
    if _CHECKSUM.unpack_from(octets)[0] != crc32(body, crc32(key)):
        return None
    stored, lifetime, marks, source_length, ede_length = _HEAD.unpack_from(body)
    ede_at = _HEAD.size + source_length
    wire_at = ede_at + ede_length
    if marks & ~MARKS or wire_at >= len(body):
        return None
    try:
        source = body[_HEAD.size : ede_at].decode()
    except UnicodeDecodeError:
        return None
    ad, asked = bool(marks & AD_MARK), bool(marks & ASKED_MARK)
    return Record(stored, lifetime, ad, asked, source, body[ede_at:wire_at], body[wire_at:])


def times_of(octets: bytes) -> Times:
    """When a record was stored and how long it lives, unchecked; what is too short to say was over long ago."""
    if len(octets) < _WHOLE_HEAD:
        return Times(0, 0, False)
    stored, lifetime, marks, _, _ = _HEAD.unpack_from(octets, _CHECKSUM.size)
    return Times(stored, lifetime, bool(marks & ASKED_MARK))
