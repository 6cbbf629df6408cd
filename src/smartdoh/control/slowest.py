"""Which upstream is the slowest, for everything that points to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Slowest(NamedTuple):
    """The upstream with the highest latency."""

    latency_ms: float
    group: str
    name: str

    @property
    def place(self) -> tuple[str, str]:
        """Its group and its name."""
        return self.group, self.name


def slowest(groups: Iterable[Any]) -> Slowest | None:
    """That of all in these (GroupStatus) which were heard of; None where there is no other to be faster."""
    known = [
        Slowest(each["latency_ms"], group["name"], each["name"])
        for group in groups
        for each in group["upstreams"]
        if each["latency_ms"] is not None
    ]
    return max(known) if len(known) > 1 else None
