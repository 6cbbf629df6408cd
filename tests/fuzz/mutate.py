"""Inputs made of other inputs by a few changes of the kind that parsers get wrong; the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

CHANGES = (1, 1, 1, 1, 2, 2, 3, 4)  # how many, one as likely as another
INTERESTING = (0, 1, 2, 0x0C, 0x28, 0x29, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xFF)
LONGEST = 4096  # octets


class Mutator:
    """Draws inputs without an end."""

    def __init__(self, seeds: Sequence[bytes], seed: int) -> None:
        self._seeds = list(seeds)
        self._random = Random(seed)

    def draw(self) -> bytes:
        """One of the seeds, changed in up to four places."""
        bits = self._random.getrandbits
        out = bytearray(self._seeds[bits(16) % len(self._seeds)])
        for _ in range(CHANGES[bits(3)]):
            if not out:
                break
            self._change(out, bits(3), bits(24) % len(out))
        return bytes(out[:LONGEST])

    def _change(self, out: bytearray, kind: int, at: int) -> None:
        bits = self._random.getrandbits
        match kind:
            case 0:
                out[at] ^= 1 << bits(3)
            case 1:
                out[at] = bits(8)
            case 2:
                out[at] = INTERESTING[bits(8) % len(INTERESTING)]
            case 3:
                del out[at : at + 1 + bits(3)]
            case 4:
                out[at:at] = bits(8 * 4).to_bytes(4)
            case 5:
                out[at:at] = out[at : at + 1 + bits(6)]
            case 6:
                other = self._seeds[bits(16) % len(self._seeds)]
                out[at:] = other[at:]
            case _:
                out[at : at + 2] = (at + bits(4) - 8 & 0x3FFF | 0xC000).to_bytes(2)  # a pointer to about here
