"""Reading an answer: one pass finds all that keeping and patching it needs, or refuses it whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from smartdoh.errors import WireError
from smartdoh.model import Edns, Query, Scan
from smartdoh.wire import edns as edns_
from smartdoh.wire.codes import AAAA, FORMERR, HEADER, IN, OPCODE, OPT, QR, RCODE, SOA, TC, A
from smartdoh.wire.names import Known, end_of_name, skip_name
from smartdoh.wire.places import judge_by
from smartdoh.wire.rdata import LAYOUTS, check_names

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_FIXED = _RECORD.size
_unpack_record = _RECORD.unpack_from
_MINIMUM = struct.Struct("!I")  # the last field of an SOA record
_ADDRESS_SIZE = {A: 4, AAAA: 16}
_TO_QUESTION = b"\xc0\x0c"  # a compression pointer to the question's name, the owner of most records

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
    """One loop without a call for the records that nearly every answer consists of: this runs on each miss."""
    offsets: list[int] = []
    addresses: list[tuple[int, int]] = []
    known: Known = {}
    judge = judge_by(wire, offsets)
    size, at = len(wire), question_end
    min_ttl, upper, last_types = 0xFFFFFFFF, 0, [0, 0, 0]
    negative: int | None = None
    opt: tuple[int, int] | None = None
    edns: Edns | None = None
    for section, count in enumerate(counts):
        for _ in range(count):
            start = at
            at = at + 2 if wire[at : at + 2] == _TO_QUESTION else skip_name(wire, at, known, judge)
            rtype, rclass, ttl, length = _unpack_record(wire, at)
            rdata = at + _FIXED
            end = rdata + length
            if end > size:
                raise WireError(FORMERR, "a record runs over the end")
            if rtype == OPT:
                edns, upper = _read_opt(wire, start, end, is_allowed=opt is None and section == ADDITIONAL)
                opt = (start, end)
            else:
                offsets.append(at + 4)
                min_ttl = min(min_ttl, ttl)
                last_types[section] = rtype
                if rtype in _ADDRESS_SIZE:
                    if rclass == IN and _is_address(rtype, length) and section == ANSWER:
                        addresses.append((rdata, length))
                elif rtype in LAYOUTS:
                    check_names(wire, rtype, rdata, end, known, judge)
                    if rtype == SOA and section == AUTHORITY:
                        negative = _lowest(negative, ttl, _MINIMUM.unpack_from(wire, end - 4)[0])
            at = end
    if at != size:
        raise WireError(FORMERR, "junk after the last record")
    return Scan(
        flags,
        upper << 4 | flags & RCODE,
        question_end,
        tuple(offsets),
        min_ttl if offsets else 0,
        negative,
        tuple(addresses),
        counts[0],
        last_types[ANSWER],
        opt,
        edns,
    )


def records(wire: bytes, question_end: int) -> Iterator[Record]:
    """The records of a message that was scanned before, so that nothing in it can be wrong."""
    counts: tuple[int, ...] = _HEADER.unpack_from(wire)[3:]
    at = question_end
    for section, count in enumerate(counts):
        for _ in range(count):
            start, at = at, end_of_name(wire, at)
            rtype, rclass, ttl, length = _unpack_record(wire, at)
            rdata = at + _FIXED
            yield Record(section, start, rtype, rclass, at + 4, ttl, rdata, rdata + length)
            at = rdata + length


def _read_opt(wire: bytes, start: int, end: int, *, is_allowed: bool) -> tuple[Edns, int]:
    if not is_allowed or wire[start]:
        raise WireError(FORMERR, "a second OPT record, or one in the wrong place")
    return edns_.parse(wire, start, end)


def _is_address(rtype: int, length: int) -> bool:
    if length != _ADDRESS_SIZE[rtype]:
        raise WireError(FORMERR, "an address of the wrong length")
    return True


def _lowest(negative: int | None, ttl: int, minimum: int) -> int:
    """How long a no may be kept, by what was known of it and one more SOA record (RFC 2308 section 5)."""
    bound = min(ttl, minimum)
    return bound if negative is None else min(bound, negative)
