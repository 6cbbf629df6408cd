"""Adding up what workers say of themselves: pure, on what their JSON has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

OF_THE_FILE = {("disk", "entries"), ("disk", "octets")}
"""Counts of the one file that all workers share: each says the same, or a moment ago did."""


def add_up(shares: Sequence[Any], at: tuple[str, ...] = ()) -> Any:
    """One value of the same shape: numbers added, flags true where all are, of anything else the first."""
    known = [share for share in shares if share is not None]
    if not known:
        return None
    if all(isinstance(share, dict) for share in known):
        keys = dict.fromkeys(key for share in known for key in share)
        return {key: add_up([share.get(key) for share in known], (*at, key)) for key in keys}
    if all(isinstance(share, bool) for share in known):
        return all(known)
    if all(isinstance(share, (int, float)) for share in known):
        return max(known) if at in OF_THE_FILE else sum(known)
    return known[0]
