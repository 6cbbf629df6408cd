"""The counters of answers added up, for a person: by type and by rcode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import dns.rcode

from smartdoh.config import qtype_text
from smartdoh.control.api.shapes_counts import Histogram


def by_type(answered: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many answers from the table each type got, the most asked first."""
    return sums_of((_type_text(one["qtype"]), one["count"]) for one in answered)


def by_rcode(answered: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """The same by rcode."""
    return sums_of((dns.rcode.to_text(dns.rcode.Rcode.make(one["rcode"])), one["count"]) for one in answered)


def plain(counts: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The counters that are one number each."""
    return [(name, count) for name, count in counts.items() if isinstance(count, int)]


def at_most(seen: Histogram, share: float) -> str:
    """How long that share of what a histogram has took at most, as far as its buckets tell."""
    passed = 0
    for bound, count in zip(seen["bounds"], seen["counts"], strict=False):
        passed += count
        if passed >= share * seen["count"]:
            return f"up to {bound * 1e3:g} ms"
    return f"over {seen['bounds'][-1]:g} s"


def _type_text(qtype: int) -> str:
    return qtype_text(qtype) if qtype else "other"  # the fast path counts the rare ones together


def sums_of(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """The counts of each name added up, the most first."""
    sums = Counter[str]()
    for name, count in pairs:
        sums[name] += count
    return sums.most_common()
