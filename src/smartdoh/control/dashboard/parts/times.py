"""Times as the proxy tells them, as numbers."""

from __future__ import annotations

from datetime import datetime


def epoch(at: str | float) -> float:
    """Seconds since the epoch, of those or of RFC 3339."""
    return float(at) if isinstance(at, int | float) else datetime.fromisoformat(at).timestamp()
