"""Messages octet by octet, so that a test can say what no library would write."""

from __future__ import annotations

import struct

from smartdoh.model import Query
from smartdoh.wire.question import parse_query

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, RRSIG = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 46
IN = 1
QUERY, ANSWER = 0x0100, 0x8180  # flags: RD; QR, RD and RA
TO_QUESTION = b"\xc0\x0c"  # a pointer to the name behind the header


def name(text: str) -> bytes:
    """The wire form of a name of plain labels."""
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def pointer(to: int) -> bytes:
    """A compression pointer."""
    return (0xC000 | to).to_bytes(2)


def header(counts: tuple[int, int, int, int], flags: int = ANSWER, id: int = 0) -> bytes:  # noqa: A002 - RFC 1035
    """The twelve octets; counts are of question, answer, authority and additional section."""
    return struct.pack("!HHHHHH", id, flags, *counts)


def question(owner: bytes, rtype: int = A, rclass: int = IN) -> bytes:
    """An entry of the question section."""
    return owner + struct.pack("!HH", rtype, rclass)


def record(owner: bytes, rtype: int, rdata: bytes, ttl: int = 300, rclass: int = IN) -> bytes:
    """A record with a length that fits its rdata."""
    return owner + struct.pack("!HHIH", rtype, rclass, ttl, len(rdata)) + rdata


def option(code: int, data: bytes = b"") -> bytes:
    """An EDNS option (RFC 6891 section 6.1.2)."""
    return struct.pack("!HH", code, len(data)) + data


def opt(options: bytes = b"", payload: int = 1232, version: int = 0, flags: int = 0, upper: int = 0) -> bytes:
    """An OPT record (RFC 6891 section 6.1.3)."""
    return record(b"\0", OPT, options, upper << 24 | version << 16 | flags, payload)


def soa(minimum: int, server: bytes = b"\2ns\0", person: bytes = b"\2me\0") -> bytes:
    """The rdata of an SOA record."""
    return server + person + struct.pack("!IIIII", 1, 7200, 900, 1209600, minimum)


WWW = name("www.example.com")
QUESTION = question(WWW)
QUESTION_END = 12 + len(QUESTION)


def query_wire(*additional: bytes, asked: bytes = QUESTION, flags: int = QUERY, id: int = 0x1234) -> bytes:  # noqa: A002
    """A query with whole records in its additional section."""
    return header((1, 0, 0, len(additional)), flags, id) + asked + b"".join(additional)


def query(*additional: bytes, asked: bytes = QUESTION, flags: int = QUERY) -> Query:
    """The same, parsed."""
    return parse_query(query_wire(*additional, asked=asked, flags=flags))


def answer_wire(
    answers: tuple[bytes, ...] = (),
    authority: tuple[bytes, ...] = (),
    additional: tuple[bytes, ...] = (),
    *,
    asked: bytes = QUESTION,
    flags: int = ANSWER,
) -> bytes:
    """An answer of whole records."""
    counts = (1, len(answers), len(authority), len(additional))
    return header(counts, flags) + asked + b"".join((*answers, *authority, *additional))


def address(last: int, ttl: int = 300, owner: bytes = TO_QUESTION) -> bytes:
    """An A record of 16 octets where its owner is a pointer."""
    return record(owner, A, bytes((192, 0, 2, last)), ttl)
