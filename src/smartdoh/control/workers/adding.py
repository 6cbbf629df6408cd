"""Adding up what workers say of themselves: pure, on what their JSON has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

OF_THE_FILE = {("disk", "entries"), ("disk", "octets")}
"""Counts of the one file that all workers share: each says the same, or a moment ago did."""


def add_up(shares: Sequence[Any], at: tuple[str, ...] = ()) -> Any:
    """One value of the same shape: numbers added, flags true where all are, of anything else the first.

    Lists of what was counted are added too: `counts` place by place, records with a `count` by all that else they say.
    """
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
    return _lists(known, at) if all(isinstance(share, list) for share in known) else known[0]


def _lists(lists: list[list[Any]], at: tuple[str, ...]) -> list[Any]:
    if at[-1:] == ("counts",):
        return [sum(places) for places in zip(*lists, strict=True)]
    return _records(chain(*lists)) if any(map(_is_counted, chain(*lists))) else lists[0]


def _is_counted(record: Any) -> bool:
    return isinstance(record, dict) and "count" in record


def _records(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records:
        what = tuple(value for key, value in record.items() if key != "count")
        if what in found:
            found[what]["count"] += record["count"]
        else:
            found[what] = dict(record)
    return list(found.values())
