"""Reading an answer: one pass finds all that keeping and patching it needs, or refuses it whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from smartdoh.errors import WireError
from smartdoh.model import Edns, Query, Scan
from smartdoh.wire import edns as edns_
from smartdoh.wire.codes import AAAA, FORMERR, HEADER, IN, OPCODE, OPT, QR, RCODE, SOA, TC, A
from smartdoh.wire.names import Known, skip_name

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_FIXED = _RECORD.size
_MINIMUM = struct.Struct("!I")
_SOA_FIXED = 20  # octets of the five numbers that end an SOA record
_ADDRESS_SIZE = {A: 4, AAAA: 16}
_TO_QUESTION = 0xC00C  # a compression pointer to the question's name, the owner of most records

ANSWER, AUTHORITY, ADDITIONAL = range(3)
"""The sections of Record."""


class Record(NamedTuple):
    """Where one record lies in a message: owner at `start`, then type, class, TTL, length, rdata up to `end`."""

    section: int
    start: int
    rtype: int
    rclass: int
    ttl_at: int
    ttl: int
    rdata: int
    end: int


def scan_answer(wire: bytes, query: Query) -> Scan:
    """Read what an upstream said to `query`.

    Raises WireError where it is not a whole and sound answer to exactly that question: id 0 (RFC 8484 section 4.1),
    QR set, opcode QUERY, TC clear (over DoH nothing is cut, RFC 7766 section 5), the same name, type and class,
    and every count, length and pointer in bounds (RFC 9267).
    """
    if len(wire) < HEADER:
        raise WireError(FORMERR, "shorter than a header")
    message_id, flags, questions, answers, authority, additional = _HEADER.unpack_from(wire)
    if message_id or flags & (QR | OPCODE | TC) != QR or questions != 1:
        raise WireError(FORMERR, "not an answer: wrong id, QR, opcode, TC or question count")
    name_end = HEADER + len(query.name)
    end = name_end + 4
    if (
        wire[HEADER:name_end].lower() != query.name
        or wire[name_end:end] != query.wire[query.end - 4 : query.end]
    ):
        raise WireError(FORMERR, "an answer to another question")
    try:
        return _scan_records(wire, end, flags, (answers, authority, additional))
    except (IndexError, struct.error) as error:
        raise WireError(FORMERR, "cut short") from error


def _scan_records(wire: bytes, question_end: int, flags: int, counts: tuple[int, int, int]) -> Scan:
    offsets: list[int] = []
    addresses: list[tuple[int, int]] = []
    min_ttl = 0xFFFFFFFF
    negative, opt, edns, upper, last_type = None, None, None, 0, 0
    at = question_end
    for record in _walk(wire, question_end, counts):
        section, start, rtype, rclass, ttl_at, ttl, rdata, at = record
        if rtype == OPT:
            edns, upper = _read_opt(wire, record, edns)
            opt = (start, at)
            continue
        offsets.append(ttl_at)
        min_ttl = min(min_ttl, ttl)
        if section == ANSWER:
            last_type = rtype
            if rtype in _ADDRESS_SIZE and rclass == IN:
                addresses.append((rdata, _address_size(record)))
        elif section == AUTHORITY and rtype == SOA:
            negative = _negative_ttl(wire, record)
    if at != len(wire):
        raise WireError(FORMERR, "junk after the last record")
    rcode = upper << 4 | flags & RCODE
    ttl = min_ttl if offsets else 0
    return Scan(
        flags,
        rcode,
        question_end,
        tuple(offsets),
        ttl,
        negative,
        tuple(addresses),
        counts[0],
        last_type,
        opt,
        edns,
    )


def _walk(wire: bytes, at: int, counts: tuple[int, int, int]) -> Iterator[Record]:
    """Every record, its owner and its length checked. Raises WireError, IndexError or struct.error."""
    known: Known = {}
    size = len(wire)
    unpack = _RECORD.unpack_from
    for section, count in enumerate(counts):
        for _ in range(count):
            start = at
            if wire[at] << 8 | wire[at + 1] == _TO_QUESTION:
                at += 2
            else:
                at = skip_name(wire, at, known)
            rtype, rclass, ttl, length = unpack(wire, at)
            rdata = at + _FIXED
            end = rdata + length
            if end > size:
                raise WireError(FORMERR, "a record runs over the end")
            yield Record(section, start, rtype, rclass, at + 4, ttl, rdata, end)
            at = end


def records(wire: bytes, question_end: int) -> Iterator[Record]:
    """The records of a message that was scanned before, so that nothing in it can be wrong."""
    counts: tuple[int, int, int] = _HEADER.unpack_from(wire)[3:]
    return _walk(wire, question_end, counts)


def _read_opt(wire: bytes, record: Record, seen: Edns | None) -> tuple[Edns, int]:
    if seen or record.section != ADDITIONAL or wire[record.start]:
        raise WireError(FORMERR, "a second OPT record, or one in the wrong place")
    return edns_.parse(wire, record.start, record.end)


def _address_size(record: Record) -> int:
    size = record.end - record.rdata
    if size != _ADDRESS_SIZE[record.rtype]:
        raise WireError(FORMERR, "an address of the wrong length")
    return size


def _negative_ttl(wire: bytes, record: Record) -> int:
    """min(TTL, MINIMUM) of an SOA record (RFC 2308 section 5)."""
    known: Known = {}
    numbers = skip_name(wire, skip_name(wire, record.rdata, known), known)
    if numbers + _SOA_FIXED != record.end:
        raise WireError(FORMERR, "an SOA record of the wrong length")
    minimum: int = _MINIMUM.unpack_from(wire, numbers + 16)[0]
    return min(record.ttl, minimum)
