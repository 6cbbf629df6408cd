"""Durations: `"500ms"`, `"30s"`, `"5m"`, `"24h"`, `"7d"` to seconds and back."""

from __future__ import annotations

import re

MICROSECONDS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
LONGEST = 3650 * 86_400.0  # seconds; ten years, so that microseconds stay exact in a float

_FORM = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?(ms|s|m|h|d)")


def parse_duration(text: str) -> float:
    """Seconds; a number of at most three decimals with its unit. Raises ValueError for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("is not a duration")
    whole, fraction, unit = match.groups()
    thousandths = int(whole) * 1_000 + int((fraction or "").ljust(3, "0"))
    seconds = thousandths * MICROSECONDS[unit] // 1_000 / 1_000_000
    if seconds > LONGEST:
        raise ValueError("is too long")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back as the same seconds (exact to a microsecond)."""
    left = round(seconds * 1_000_000)
    if left == 0:
        return "0s"
    for unit in ("d", "h", "m", "s"):
        if left % MICROSECONDS[unit] == 0:
            return f"{left // MICROSECONDS[unit]}{unit}"
    milliseconds, rest = divmod(left, MICROSECONDS["ms"])
    return f"{milliseconds}.{rest:03}".rstrip("0").rstrip(".") + "ms"
