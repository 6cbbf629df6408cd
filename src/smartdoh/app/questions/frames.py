"""What a proxy sends to the writer: frames of packed records, or of what its ledger counted, each behind its length."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

HEADER = struct.Struct("=IId")
"""Octets of the records, how many more were lost, how far the time of day is ahead of the records' clock (seconds)."""

LARGEST = 1 << 26  # octets of one frame; more is nothing that we sent


IS_LEDGER = 1 << 31  # in that number of octets: they are `ledger.pack`'s, and no records

OfLedger = Callable[[bytes, int], None]
"""Gets what a ledger counted, and how many requests it could not."""


class FrameError(ValueError):
    """These octets are no frames."""


def frame(packed: bytes, lost: int, ahead: float) -> bytes:
    """One frame."""
    return HEADER.pack(len(packed), min(lost, 0xFFFF_FFFF), ahead) + packed


def ledger_frame(packed: bytes, lost: int) -> bytes:
    """One frame of what a ledger counted."""
    return HEADER.pack(len(packed) | IS_LEDGER, min(lost, 0xFFFF_FFFF), 0.0) + packed


class Frames:
    """Frames out of octets as they come."""

    def __init__(self, of_ledger: OfLedger | None = None) -> None:
        """`of_ledger` gets the frames of a ledger."""
        self._octets = bytearray()
        self._of_ledger = of_ledger

    def feed(self, more: bytes) -> Iterator[tuple[bytes, int, float]]:
        """The records, losses and clock of each frame that is whole by now. Raises FrameError."""
        self._octets += more
        at, header = 0, HEADER.size
        while len(self._octets) - at >= header:
            size, lost, ahead = HEADER.unpack_from(self._octets, at)
            is_ledger, size = bool(size & IS_LEDGER), size & ~IS_LEDGER
            if size > LARGEST:
                raise FrameError(f"a frame of {size} octets")
            end = at + header + size
            if end > len(self._octets):
                break
            octets = bytes(self._octets[at + header : end])
            if not is_ledger:
                yield octets, lost, ahead
            elif self._of_ledger is not None:
                self._of_ledger(octets, lost)
            at = end
        del self._octets[:at]
