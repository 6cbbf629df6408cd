"""The cache's clock."""

from __future__ import annotations

import time
from functools import partial

# CLOCK_BOOTTIME goes on while a laptop sleeps, as TTLs do, and no change of the date moves it.
now = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
"""Seconds since some point in the past."""
