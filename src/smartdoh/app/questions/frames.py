"""What a proxy sends to the writer: frames of packed records, each behind its length."""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEADER = struct.Struct("=IId")
"""Octets of the records, how many more were lost, how far the time of day is ahead of the records' clock (seconds)."""

LARGEST = 1 << 26  # octets of one frame; more is nothing that we sent


class FrameError(ValueError):
    """These octets are no frames."""


def frame(packed: bytes, lost: int, ahead: float) -> bytes:
    """One frame."""
    return HEADER.pack(len(packed), min(lost, 0xFFFF_FFFF), ahead) + packed


class Frames:
    """Frames out of octets as they come."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> Iterator[tuple[bytes, int, float]]:
        """The records, losses and clock of each frame that is whole by now. Raises FrameError."""
        self._octets += octets
        at, header = 0, HEADER.size
        while len(self._octets) - at >= header:
            size, lost, ahead = HEADER.unpack_from(self._octets, at)
            if size > LARGEST:
                raise FrameError(f"a frame of {size} octets")
            end = at + header + size
            if end > len(self._octets):
                break
            yield bytes(self._octets[at + header : end]), lost, ahead
            at = end
        del self._octets[:at]
