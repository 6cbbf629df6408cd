"""Changing an answer without understanding it: TTLs, truncation, taking OPT out."""

from __future__ import annotations

import struct

from smartdoh.model import Scan
from smartdoh.wire.answer import ADDITIONAL, Record, records
from smartdoh.wire.codes import CNAME, DNAME, HEADER, MX, NAPTR, NS, PTR, SOA, SRV

_TTL = struct.Struct("!I")
_POINTER = 0xC000
_MAY_BE_COMPRESSED = frozenset(
    (NS, CNAME, SOA, PTR, MX, SRV, NAPTR, DNAME, *range(3, 10), 14, 15, 17, 18, 21, 24, 26)
)
"""Types whose rdata may hold compressed names (RFC 3597 section 4): it cannot be moved without being understood."""


def age_ttls(wire: bytes, offsets: tuple[int, ...], seconds: int) -> bytes:
    """The message with `seconds` taken from each TTL, at least 0 left."""
    if not seconds:
        return wire
    out = bytearray(wire)
    for at in offsets:
        ttl = _TTL.unpack_from(out, at)[0] - seconds
        _TTL.pack_into(out, at, ttl if ttl > 0 else 0)
    return bytes(out)


def set_ttls(wire: bytes, offsets: tuple[int, ...], ttl: int) -> bytes:
    """The message with every TTL set to `ttl` seconds, as a stale answer has them (RFC 8767 section 4)."""
    out = bytearray(wire)
    for at in offsets:
        _TTL.pack_into(out, at, ttl)
    return bytes(out)


def clamp_ttls(wire: bytes, offsets: tuple[int, ...], low: int, high: int) -> bytes:
    """The message with every TTL brought between `low` and `high` seconds."""
    out = bytearray(wire)
    for at in offsets:
        _TTL.pack_into(out, at, min(max(_TTL.unpack_from(out, at)[0], low), high))
    return bytes(out)


def level_ttls(wire: bytes, question_end: int) -> bytes:
    """The message with the TTLs of each RRset brought to its lowest (RFC 2181 section 5.2)."""
    rrsets: dict[tuple[object, ...], list[Record]] = {}
    for record in records(wire, question_end):
        owner = wire[record.start : record.ttl_at - 4]
        rrsets.setdefault((record.section, owner, record.rtype, record.rclass), []).append(record)
    out = bytearray(wire)
    for rrset in rrsets.values():
        lowest = min(record.ttl for record in rrset)
        for record in rrset:
            _TTL.pack_into(out, record.ttl_at, lowest)
    return bytes(out)


def remove_opt(wire: bytes, scan: Scan) -> bytes:
    """The message without its OPT record, which is never kept or passed on (RFC 6891 section 6.1.1).

    Nearly every server puts OPT last, and then this cuts the end off. Records behind it move up;
    those that a move could break, with a pointer to what moved or in rdata, are left out, which the additional
    section, the only place where OPT may stand, allows (RFC 2181 section 9).
    """
    if scan.opt is None:
        return wire
    start, end = scan.opt
    additional = int.from_bytes(wire[10:12]) - 1
    tail = b""
    if end != len(wire):
        tail, lost = _moved_up(wire, scan.question_end, start, end)
        additional -= lost
    return wire[:10] + additional.to_bytes(2) + wire[12:start] + tail


def _moved_up(wire: bytes, question_end: int, opt_start: int, opt_end: int) -> tuple[bytes, int]:
    kept, lost = [], 0
    for record in records(wire, question_end):
        if record.start < opt_end:
            continue
        pointer = int.from_bytes(wire[record.start : record.start + 2])
        is_root = wire[record.start] == 0
        is_safe = is_root or (pointer >= _POINTER and pointer - _POINTER < opt_start)
        if not is_safe or record.rtype in _MAY_BE_COMPRESSED:
            lost += 1
        else:
            kept.append(wire[record.start : record.end])
    return b"".join(kept), lost


def truncate(wire: bytes, question_end: int, limit: int) -> tuple[bytes, bool]:
    """Cut a message without OPT to at most `limit` octets at the end of a whole RRset.

    Returns (message, whether the client has to ask again over TCP). Losing additional records alone is no reason
    to (RFC 2181 section 9). A message whose question alone is longer is cut behind the question.
    """
    if len(wire) <= limit:
        return wire, False
    counts = [0, 0, 0]
    kept, cut, previous, at_section_end = question_end, [0, 0, 0], None, True
    for record in records(wire, question_end):
        rrset = (record.section, record.rtype, wire[record.start : record.ttl_at - 4])
        if rrset != previous:
            kept, cut = record.start, counts.copy()
            previous = rrset
        if record.end > limit:
            at_section_end = record.section == ADDITIONAL
            break
        counts[record.section] += 1
    head = wire[:6] + b"".join(count.to_bytes(2) for count in cut)
    return head + wire[HEADER:kept], not at_section_end
