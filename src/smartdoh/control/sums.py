"""The counters of answers added up, for a person: by type and by rcode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import dns.rcode

from smartdoh.config import qtype_text


def by_type(answered: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """How many answers from the table each type got, the most asked first."""
    return _sums((_type_text(one["qtype"]), one["count"]) for one in answered)


def by_rcode(answered: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """The same by rcode."""
    return _sums((dns.rcode.to_text(dns.rcode.Rcode.make(one["rcode"])), one["count"]) for one in answered)


def _type_text(qtype: int) -> str:
    return qtype_text(qtype) if qtype else "other"  # the fast path counts the rare ones together


def _sums(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    sums = Counter[str]()
    for name, count in pairs:
        sums[name] += count
    return sums.most_common()
