"""Giving back to the system what was freed: the C library keeps it where something small still lies behind it."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Do so, where the C library can (glibc's malloc_trim(3)); it takes milliseconds, so only after a burst."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
