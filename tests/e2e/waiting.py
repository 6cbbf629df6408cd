"""Waiting for what takes a moment, as long as a busy machine may need for it."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(is_so: Callable[[], bool], what: str = "it did not come", seconds: float = 20.0) -> None:
    """Ask again and again; what does not come in so many seconds is a failure."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.05)
