"""Taking records out of a message, with every compression pointer behind them put right."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Collection

from smartdoh.wire.answer import Record, records
from smartdoh.wire.codes import HEADER, POINTER
from smartdoh.wire.rdata import ANYTHING, LAYOUTS, Layout

_COUNTS = struct.Struct("!HHH")
_COUNTS_AT = 6

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
    shift = _Shift(cuts)
    for record in records(wire, question_end):
        if (
            record.start > cuts[0].start
            and record.start not in starts
            and not _mend(wire, out, record, shift)
        ):
            return None
    for cut in reversed(cuts):
        del out[cut.start : cut.end]
    return bytes(out)


class _Shift:
    """Where offsets of the old message are in the new one."""

    def __init__(self, cuts: list[Record]) -> None:
        self._starts = [cut.start for cut in cuts]
        self._ends = [cut.end for cut in cuts]
        self._gone = [0]
        for cut in cuts:
            self._gone.append(self._gone[-1] + cut.end - cut.start)

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
