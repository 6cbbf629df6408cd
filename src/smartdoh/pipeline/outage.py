"""Which kept failures may be the network's and not their names': they are forgotten when it is back."""

from __future__ import annotations

import math
from collections.abc import Callable

from smartdoh.cache.policy import is_failure
from smartdoh.errors import UpstreamError
from smartdoh.fastpath import FastPath

MOST = 1000  # questions remembered for a group: forgetting them all takes the loop some milliseconds


class Outages:
    """The questions that each group failed on while it answered nothing else.

    One that failed while others were answered failed by itself: that is kept for its time (RFC 9520 section 3.2).
    """

    def __init__(self, fast: FastPath, clock: Callable[[], float]) -> None:
        """`clock` is the cache's; `since` below counts by another one, the caller's."""
        self._fast = fast
        self._clock = clock
        self._failed: dict[str, dict[bytes, None]] = {}
        self._answered_at: dict[str, float] = {}

    def failed(self, group: str, key: bytes, since: float, error: UpstreamError) -> None:
        """The group, asked at `since`, had no answer to the question of `key`."""
        if not error.is_their_fault or self._answered_at.get(group, -math.inf) >= since:
            return
        failed = self._failed.setdefault(group, {})
        failed[key] = failed.pop(key, None)
        if len(failed) > MOST:
            del failed[next(iter(failed))]

    def answered(self, group: str, now: float) -> None:
        """The group answered: what it failed on before may be asked again."""
        self._answered_at[group] = now
        if self._failed:
            for key in self._failed.pop(group, ()):
                self._forget(key)

    def end(self) -> None:
        """The network is another: all that was failed on may be asked again."""
        failed, self._failed = self._failed, {}
        for keys in failed.values():
            for key in keys:
                self._forget(key)

    def _forget(self, key: bytes) -> None:
        """A failure goes; data whose refresh failed is due for another."""
        entry = self._fast.peek(key)
        if entry is None:
            return
        if is_failure(entry):
            self._fast.remove(key)
        elif entry.refresh_at > (now := self._clock()):
            due = entry.again(entry.stale)
            due.refresh_at = now
            self._fast.store(key, due)
