"""Taking records, or parts of them, out of a message, with every compression pointer behind them put right."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Collection, Sequence

from smartdoh.wire.answer import Record, records
from smartdoh.wire.codes import HEADER, POINTER
from smartdoh.wire.rdata import ANYTHING, LAYOUTS, Layout

_COUNTS = struct.Struct("!HHH")
_COUNTS_AT = 6
_LENGTH = struct.Struct("!H")

_OCTETS_ALONE = Layout(names=0)  # of every type that no reader decompresses


def without(wire: bytes, question_end: int, starts: Collection[int]) -> bytes | None:
    """The scanned message without the records that begin at `starts`; None where one that stays leans on one of them.

    Only the octets of what stays that are pointers to names further up change. They get smaller, so that they
    fit where they were.
    """
    cuts = [record for record in records(wire, question_end) if record.start in starts]
    if not cuts:
        return wire
    out = bytearray(wire)
    counts = list(_COUNTS.unpack_from(wire, _COUNTS_AT))
    for cut in cuts:
        counts[cut.section] -= 1
    _COUNTS.pack_into(out, _COUNTS_AT, *counts)
    spans = [(cut.start, cut.end) for cut in cuts]
    left = [record for record in records(wire, question_end) if record.start not in starts]
    return _closed_up(wire, out, left, spans)


def shorten(wire: bytes, question_end: int, parts: Sequence[tuple[Record, tuple[int, int]]]) -> bytes | None:
    """The scanned message without these parts (start, end) of the rdata of these records, in their order.

    None where a name that stays leans on one of them. The parts hold no pointers.
    """
    out = bytearray(wire)
    for record, (start, end) in parts:
        at = record.rdata - _LENGTH.size
        _LENGTH.pack_into(out, at, _LENGTH.unpack_from(out, at)[0] - (end - start))
    return _closed_up(wire, out, list(records(wire, question_end)), [span for _, span in parts])


def _closed_up(
    wire: bytes, out: bytearray, left: list[Record], spans: Sequence[tuple[int, int]]
) -> bytes | None:
    """`out`, a copy of `wire`, without the spans, which ascend; `left` are the records that stay."""
    shift = _Shift(spans)
    for record in left:
        if record.end > spans[0][0] and not _mend(wire, out, record, shift):
            return None
    for start, end in reversed(spans):
        del out[start:end]
    return bytes(out)


class _Shift:
    """Where offsets of the old message are in the new one."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self._gone = [0]
        for start, end in spans:
            self._gone.append(self._gone[-1] + end - start)

    def new(self, at: int) -> int | None:
        """None for an offset that is cut out."""
        before = bisect_right(self._starts, at)
        if before and at < self._ends[before - 1]:
            return None
        return at - self._gone[before]


def _mend(wire: bytes, out: bytearray, record: Record, shift: _Shift) -> bool:
    """Put the pointers of one record right; False where one cannot be."""
    layout = LAYOUTS.get(record.rtype, _OCTETS_ALONE)
    if layout.strings or layout.after == ANYTHING:  # old types, not worth reading for
        return False
    at = _mend_name(wire, out, record.start, shift)
    at = record.rdata + layout.before if at else 0
    for _ in range(layout.names):
        if not at or at >= record.end:  # rdata was never looked at: an empty one holds no name
            break
        at = _mend_name(wire, out, at, shift)
    return bool(at)


def _mend_name(wire: bytes, out: bytearray, at: int, shift: _Shift) -> int:
    """Put the pointer that may end the name at `at` right; the offset after the name, 0 where it cannot be."""
    while at < len(wire):
        size = wire[at]
        if size >= POINTER and at + 1 < len(wire):
            target = shift.new((size & ~POINTER) << 8 | wire[at + 1])
            if target is None or target < HEADER:
                return 0
            out[at : at + 2] = (POINTER << 8 | target).to_bytes(2)
            return at + 2
        if size == 0:
            return at + 1
        at += 1 + size
    return 0
