"""How reloads have gone since the start."""

from __future__ import annotations

import time
from collections.abc import Callable


class Reloads:
    """Counts them; what runs came from the config as it was at `succeeded_at`."""

    __slots__ = ("_wall", "is_last_good", "refused", "succeeded", "succeeded_at")

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        """`wall` is the time of day in seconds since 1970."""
        self._wall = wall
        self.succeeded = 0
        self.refused = 0
        self.is_last_good = True
        self.succeeded_at = wall()
        """When the config in force was taken: at the start, or by a reload."""

    def note(self, *, is_good: bool) -> None:
        """One has ended."""
        self.is_last_good = is_good
        if is_good:
            self.succeeded += 1
            self.succeeded_at = self._wall()
        else:
            self.refused += 1
