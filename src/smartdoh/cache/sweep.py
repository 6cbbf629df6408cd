"""Eviction from the file: a hand goes round the keys, and of those it passes what is over or was asked least goes."""

from __future__ import annotations

from itertools import islice

import lmdb

from smartdoh.cache.records import times_of

SLICE = 256  # neighbouring records that are compared with each other
SHARE = SLICE // 4  # at most so many of them go while they may still be given
MOST_SLICES = 128  # looked at for one batch, so that writing is never held up for long


class Sweep:
    """The place of the hand. A lap gives each record the chance to be asked again before the next one."""

    def __init__(self, stale: float) -> None:
        """`stale` is how long past its life an answer may still be given (seconds)."""
        self.stale = stale
        self._hand = b""

    def run(self, cursor: lmdb.Cursor[bytes], excess: int, now: float) -> int:
        """Delete what is over from the next slice, and so many records as are too many; how many went.

        `now` is the file's clock. Of what is left over after MOST_SLICES the next batch takes care.
        """
        gone = 0
        for _ in range(MOST_SLICES):
            gone += self._slice(cursor, excess - gone, now)
            if gone >= excess:
                break
        return gone

    def _slice(self, cursor: lmdb.Cursor[bytes], excess: int, now: float) -> int:
        if not cursor.set_range(self._hand) and not cursor.first():
            return 0
        ranked: list[tuple[bool, bool, int, bytes]] = []
        for key, octets in islice(cursor.iternext(), SLICE):
            stored, lifetime, asked = times_of(octets)
            ranked.append((now < stored + lifetime + self.stale, asked, stored, key))
        self._hand = ranked[-1][3] + b"\0" if len(ranked) == SLICE else b""
        ranked.sort()
        over = sum(not is_alive for is_alive, _, _, _ in ranked)
        goes = max(over, min(excess, over + SHARE))
        for _, _, _, key in ranked[:goes]:
            if cursor.set_key(key):
                cursor.delete()
        return min(goes, len(ranked))
