"""Points in time as people say them: so long ago, or RFC 3339."""

from __future__ import annotations

import math
from datetime import datetime

from smartdoh.config.durations import parse_duration
from smartdoh.errors import ConfigError


def moment(key: str, text: str, now: float) -> float:
    """Seconds since the epoch for `2h` (before `now`) or `2026-11-23T07:00:00Z`; without a zone the time is local.

    Raises ConfigError, which names `key`.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text).timestamp()
    except (ValueError, OverflowError, OSError):
        at = math.nan
    if not math.isfinite(at):
        allowed = "a time ago, as 2h or 30m, or a point in time, as 2026-11-23T07:00:00Z"
        raise ConfigError(key, f"{text!r} is no time; allowed: {allowed}")
    return at
