"""Changing an answer without understanding it: TTLs, truncation, taking OPT out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from smartdoh.errors import WireError
from smartdoh.model import Scan
from smartdoh.wire.answer import ADDITIONAL, Record, records
from smartdoh.wire.codes import HEADER
from smartdoh.wire.names import Expanded, Known, expand, skip_name
from smartdoh.wire.rdata import LAYOUTS

_TTL = struct.Struct("!I")
_RrsetKey = tuple[int, bytes, int, int]
"""Section, folded owner, type and class."""


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
    rrsets: dict[_RrsetKey, list[Record]] = {}
    for record, rrset_key in _with_rrsets(wire, question_end):
        rrsets.setdefault(rrset_key, []).append(record)
    out = bytearray(wire)
    for rrset in rrsets.values():
        lowest = min(record.ttl for record in rrset)
        for record in rrset:
            _TTL.pack_into(out, record.ttl_at, lowest)
    return bytes(out)


def _with_rrsets(wire: bytes, question_end: int) -> Iterator[tuple[Record, _RrsetKey]]:
    """Each record with what it has in common with its RRset alone, however its owner is written or spelled."""
    names: Expanded = {}
    owners: dict[bytes, bytes] = {}
    for record in records(wire, question_end):
        written = wire[record.start : record.ttl_at - 4]
        owner = owners.get(written)
        if owner is None:
            owner = owners[written] = expand(wire, record.start, names).lower()
        yield record, (record.section, owner, record.rtype, record.rclass)


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
        moved, lost = _moved_up(wire, scan.question_end, start, end)
        additional -= lost
        tail = b"".join(moved)
    return wire[:10] + additional.to_bytes(2) + wire[12:start] + tail


def _moved_up(wire: bytes, question_end: int, opt_start: int, opt_end: int) -> tuple[list[bytes], int]:
    """The records behind OPT that mean the same in its place, and how many others there are."""
    head, known = wire[:opt_start], Known()
    behind = [record for record in records(wire, question_end) if record.start >= opt_end]
    moved = [wire[it.start : it.end] for it in behind if _may_move(head, wire, it, known)]
    return moved, len(behind) - len(moved)


def _may_move(head: bytes, wire: bytes, record: Record, known: Known) -> bool:
    """Whether a record means the same behind `head`: its owner needs nothing else, and no name is in its rdata."""
    if record.rtype in LAYOUTS:
        return False
    try:
        skip_name(head + wire[record.start : record.ttl_at - 4], len(head), known)
    except (WireError, IndexError):
        return False
    return True


class Run(NamedTuple):
    """Records of one RRset that follow each other, and how many records of each section come before them."""

    start: int
    end: int
    section: int
    before: tuple[int, int, int]


def rrset_runs(wire: bytes, question_end: int) -> list[Run]:
    """The RRsets of a message without OPT in the order in which they stand: where one may be cut off."""
    runs: list[Run] = []
    counts, previous = [0, 0, 0], None
    for record, rrset_key in _with_rrsets(wire, question_end):
        if rrset_key == previous:
            runs[-1] = runs[-1]._replace(end=record.end)
        else:
            runs.append(Run(record.start, record.end, record.section, (counts[0], counts[1], counts[2])))
            previous = rrset_key
        counts[record.section] += 1
    return runs


def truncate(wire: bytes, question_end: int, limit: int) -> tuple[bytes, bool]:
    """Cut a message without OPT to at most `limit` octets at the end of a whole RRset.

    Returns (message, whether the client has to ask again over TCP). Losing additional records alone is no reason
    to (RFC 2181 section 9). A message whose question alone is longer is cut behind the question.
    """
    if len(wire) <= limit:
        return wire, False
    first = next(run for run in rrset_runs(wire, question_end) if run.end > limit)
    head = wire[:6] + b"".join(count.to_bytes(2) for count in first.before)
    return head + wire[HEADER : first.start], first.section != ADDITIONAL
