"""Messages of our own: the query that goes upstream, errors, and small answers."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from smartdoh.model import Answer, Query, Scan
from smartdoh.wire import edns
from smartdoh.wire.codes import (
    AD,
    CD,
    HEADER,
    IN,
    NXDOMAIN,
    OPCODE,
    QR,
    RA,
    RCODE,
    RD,
    SOA,
)
from smartdoh.wire.question import opt_of

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")


class Rr(NamedTuple):
    """A record of ours: owner and rdata in uncompressed wire format, TTL in seconds."""

    owner: bytes
    rtype: int
    ttl: int
    rdata: bytes
    rclass: int = IN

    def render(self) -> bytes:
        """The record in wire format."""
        return self.owner + _RECORD.pack(self.rtype, self.rclass, self.ttl, len(self.rdata)) + self.rdata


def upstream_query(query: Query) -> bytes:
    """The message that asks an upstream for `query`: id 0 (RFC 8484 section 4.1), the name folded, RD, the client's
    CD, AD to say that we want to know of it (RFC 6840 section 5.7), DO as asked, and padding to 128 octets. None
    of the client's EDNS options goes along."""
    head = _HEADER.pack(0, RD | AD | query.flags & CD, 1, 0, 0, 1)
    question = head + query.name + query.wire[query.end - 4 : query.end]
    do = query.edns is not None and query.edns.do
    return question + edns.render(do=do, options=edns.padding(len(question) + edns.FIXED))


def error(wire: bytes, rcode: int, query: Query | None = None, options: bytes = b"") -> bytes:
    """The answer to a message that gets no data. `query` is what was understood of it, if anything was.

    Id, opcode, RD and CD are the asker's (RFC 1035 section 4.1.1). Without `query` it is a header, and an OPT record
    if a sound one came (RFC 6891 section 6.1.1), so that it is never larger than what it answers; rcodes over 15
    need a client that has EDNS. `options` come behind those that the query's every answer has.
    """
    flags = QR | RA | rcode & RCODE | int.from_bytes(wire[2:4]) & (OPCODE | RD | CD)
    asked = opt_of(wire) if query is None else query.edns
    if query is not None:
        options = query.own + options
    opt = edns.render(do=asked.do, rcode=rcode, options=options) if asked else b""
    questions, question = (0, b"") if query is None else (1, wire[HEADER : query.end])
    return wire[:2] + _HEADER.pack(0, flags, questions, 0, 0, 1 if opt else 0)[2:] + question + opt


def answer(
    query: Query,
    rcode: int,
    answers: Iterable[Rr] = (),
    authority: Iterable[Rr] = (),
    *,
    source: str,
    ede: bytes = b"",
) -> Answer:
    """An answer of our own to `query`, as whole as one that came from upstream."""
    sections = (list(answers), list(authority))
    counts = [len(section) for section in sections]
    flags = QR | RA | rcode
    out = bytearray(_HEADER.pack(0, flags, 1, counts[0], counts[1], 0) + query.wire[HEADER : query.end])
    offsets = []
    for rr in (*sections[0], *sections[1]):
        offsets.append(len(out) + len(rr.owner) + 4)
        out += rr.render()
    ttls = [rr.ttl for section in sections for rr in section]
    negative = next((rr.ttl for rr in sections[1] if rr.rtype == SOA), None)
    last_type = sections[0][-1].rtype if sections[0] else 0
    scan = Scan(
        flags,
        rcode,
        query.end,
        tuple(offsets),
        min(ttls, default=0),
        negative,
        (),
        counts[0],
        last_type,
        None,
        None,
    )
    return Answer(bytes(out), scan, source, ede=ede)


def soa(zone: bytes, ttl: int) -> Rr:
    """The SOA record of a zone that we answer for, so that clients can keep a no for `ttl` seconds (RFC 2308)."""
    server = b"\tlocalhost\0"
    person = b"\x06nobody\x07invalid\0"
    return Rr(zone, SOA, ttl, server + person + struct.pack("!IIIII", 1, 3600, 1200, 604_800, ttl))


def negative(query: Query, zone: bytes, ttl: int, *, exists: bool, source: str, ede: bytes = b"") -> Answer:
    """NODATA where the name exists, else NXDOMAIN, with the zone's SOA record."""
    return answer(query, 0 if exists else NXDOMAIN, authority=[soa(zone, ttl)], source=source, ede=ede)
