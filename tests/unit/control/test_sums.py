"""Counters as a person reads them."""

from __future__ import annotations

import pytest

from smartdoh.control.api.shapes_counts import Histogram
from smartdoh.control.sums import at_most, plain, sums_of


@pytest.mark.parametrize(
    ("counts", "share", "said"),
    [
        ([10, 0, 0], 0.95, "up to 5 ms"),
        ([95, 5, 0], 0.95, "up to 5 ms"),
        ([94, 6, 0], 0.95, "up to 1000 ms"),
        ([0, 0, 1], 0.5, "over 1 s"),
    ],
)
def test_how_long_a_share_took(counts: list[int], share: float, said: str) -> None:
    seen = Histogram(bounds=[0.005, 1.0], counts=counts, count=sum(counts), seconds=1.0)
    assert at_most(seen, share) == said


def test_counts_are_added_up_the_most_first() -> None:
    assert sums_of([("a", 1), ("b", 3), ("a", 1)]) == [("b", 3), ("a", 2)]
    assert plain({"hits": 1, "answered": [], "waits": {}}) == [("hits", 1)]
