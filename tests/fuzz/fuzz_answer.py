"""Any answer of an upstream: refused, or kept, patched and cut so that each client gets a sound part of it.

The first four octets say how the client asks, the rest is the answer. The client's question is the one in the answer,
so that inputs come past the first check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dns.message
import dns.rrset

from smartdoh.errors import WireError
from smartdoh.fastpath.entry import Entry, render
from smartdoh.model import Answer, Query, Scan
from smartdoh.pipeline.fastest import shape
from smartdoh.wire import edit
from smartdoh.wire.answer import ADDITIONAL, Record, records, scan_answer
from smartdoh.wire.names import expand
from smartdoh.wire.question import parse_query
from tests.fuzz.filtered import check_filtered
from tests.fuzz.harnesses import run_file

KNOBS = 4
UDP, EDNS, DO, RD, CD, AD, SWAPPED, ONLY = (1 << bit for bit in range(8))
TTL = 300.0
OTHER = bytes.fromhex("0000 0100 0001 0000 0000 0000") + b"\5other\0\0\1\0\1"

Row = tuple[int, bytes, int, int, bytes]
"""Section, folded owner, type, class and rdata of a record."""


@dataclass(frozen=True)
class Client:
    """How the answer is asked for."""

    knobs: int
    payload: int
    age: int

    def query(self, question: bytes) -> Query:
        """Its query for that question."""
        flags = sum(bit for knob, bit in ((RD, 0x100), (CD, 0x10), (AD, 0x20)) if self.knobs & knob)
        name = question[:-4].swapcase() if self.knobs & SWAPPED else question[:-4]
        head = flags.to_bytes(2) + b"\0\1\0\0\0\0" + (b"\0\1" if self.knobs & EDNS else b"\0\0")
        do = b"\0\0\x80\0" if self.knobs & DO else bytes(4)
        opt = b"\0\0\x29" + self.payload.to_bytes(2) + do + b"\0\0" if self.knobs & EDNS else b""
        return parse_query(b"\x12\x34" + head + name + question[-4:] + opt)

    @property
    def limit(self) -> int:
        """The longest answer it takes."""
        if not self.knobs & UDP:
            return 65_535
        return min(max(self.payload, 512), 1232) if self.knobs & EDNS else 512


def check(data: bytes) -> None:
    """What holds for any answer."""
    if len(data) < KNOBS + 12:
        return
    client, wire = Client(data[0], int.from_bytes(data[1:3]), data[3] * 2), data[KNOBS:]
    other = parse_query(OTHER)
    question = _question(wire)
    if question is None or question.lower() != OTHER[12:]:
        _must_be_refused(wire, other)
    if question is None:
        return
    query = client.query(question)
    try:
        scan = scan_answer(wire, query)
    except WireError:
        return
    without = edit.remove_opt(wire, scan)
    again = scan_answer(without, query)
    _check_without_opt(wire, scan, without, again)
    _check_ttls(without, again)
    _check_shaped(client, query, without, again)
    check_filtered(query, without, again)
    made = render(query, _entry(without, again), float(client.age), udp=bool(client.knobs & UDP))
    _check_rendered(client, query, without, query.wire[:2] + made)
    if _parses(wire):
        assert _parses(without)
        assert _parses(query.wire[:2] + made)


def _question(wire: bytes) -> bytes | None:
    """The question in an answer, if a client could have asked it."""
    at = 12
    while at < len(wire) and 0 < wire[at] < 64:
        at += 1 + wire[at]
    end = at + 5
    if end > len(wire) or wire[at] or end - 4 > 12 + 255:
        return None
    return wire[12:end]


def _must_be_refused(wire: bytes, other: Query) -> None:
    try:
        scan_answer(wire, other)
    except WireError:
        return
    raise AssertionError("taken as the answer to another question")


def _entry(wire: bytes, scan: Scan) -> Entry:
    return Entry(Answer(wire, scan, ede=b"\0\x0f\0\4\0\x16ab"), 0.0, TTL, 3600.0, TTL)


def _rows(wire: bytes, question_end: int) -> list[Row]:
    found: list[Record] = list(records(wire, question_end))
    return [
        (it.section, expand(wire, it.start, {}).lower(), it.rtype, it.rclass, wire[it.rdata : it.end])
        for it in found
    ]


def _check_without_opt(wire: bytes, scan: Scan, without: bytes, again: Scan) -> None:
    assert again.opt is None
    before = [row for row in _rows(wire, scan.question_end) if row[2] != 41]
    after = _rows(without, scan.question_end)
    if scan.opt is None or scan.opt[1] == len(wire):
        assert after == before
        assert again.ttl_offsets == scan.ttl_offsets
        return
    left = iter(before)
    assert all(row in left for row in after), "not in order, or another record"
    lost = len(before) - len(after)
    assert lost <= sum(row[0] == ADDITIONAL for row in before)


def _check_ttls(wire: bytes, scan: Scan) -> None:
    rows, end = _rows(wire, scan.question_end), scan.question_end
    levelled = edit.level_ttls(wire, end)
    for changed in (
        levelled,
        edit.age_ttls(wire, scan.ttl_offsets, 7),
        edit.set_ttls(wire, scan.ttl_offsets, 30),
        edit.clamp_ttls(wire, scan.ttl_offsets, 10, 20),
    ):
        assert _rows(changed, end) == rows
    lowest: dict[tuple[int, bytes, int, int], set[int]] = {}
    for row, record in zip(rows, records(levelled, end), strict=True):
        lowest.setdefault(row[:4], set()).add(record.ttl)
    assert all(len(ttls) == 1 for ttls in lowest.values())


def _check_shaped(client: Client, query: Query, wire: bytes, scan: Scan) -> None:
    """Addresses in another order, or one alone: every owner stays what it is, and the message sound."""

    def rank(name: bytes, addresses: Sequence[bytes]) -> tuple[tuple[bytes, ...], bool]:
        return tuple(reversed(addresses)), True

    only = bool(client.knobs & ONLY)
    shaped = shape(query, Answer(wire, scan), rank, only=only)
    again = scan_answer(shaped.wire, query)
    assert again.ttl_offsets == shaped.scan.ttl_offsets
    _check_ttls(shaped.wire, again)
    owners, left = ([row[:4] for row in _rows(each, query.end)] for each in (wire, shaped.wire))
    if not only:
        assert left == owners
        return
    following = iter(owners)
    assert all(owner in following for owner in left)
    assert set(left) == set(owners), "an RRset was lost"


def _check_rendered(client: Client, query: Query, kept: bytes, made: bytes) -> None:
    assert len(made) <= client.limit
    assert made[:2] == query.wire[:2]
    assert made[12 : query.end] == query.wire[12 : query.end]
    is_cut = made[2] & 2
    scan = scan_answer(bytes(2) + bytes((made[2] & ~2,)) + made[3:], query)
    assert (scan.opt is not None) == bool(client.knobs & EDNS)
    whole, left = _rows(kept, query.end), [row for row in _rows(made, query.end) if row[2] != 41]
    assert left == whole[: len(left)]
    lost = whole[len(left) :]
    assert bool(is_cut) == any(row[0] != ADDITIONAL for row in lost)
    if left and lost:
        assert left[-1][:4] != lost[0][:4], "an RRset was cut in two"
    if client.age >= TTL:
        assert all(record.ttl == 30 for record in records(made, query.end) if record.rtype != 41)


def _parses(wire: bytes) -> dns.message.Message | None:
    """What dnspython makes of it, if it can."""
    try:
        return dns.message.from_wire(wire)
    except Exception:
        return None


if __name__ == "__main__":
    run_file(__file__)
