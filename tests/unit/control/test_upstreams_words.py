"""The slowest upstream, named below the tables of all."""

from __future__ import annotations

from typing import Any

import pytest

from smartdoh.control.upstreams import slowest_of


def group(name: str, **latencies: float | None) -> Any:
    return {
        "name": name,
        "upstreams": [{"name": one, "latency_ms": latency} for one, latency in latencies.items()],
    }


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([], ""),
        ([group("main", a=None, b=None)], ""),
        ([group("main", a=12.5, b=None)], ""),
        ([group("main", a=12.5, b=150.0, c=None)], "slowest: b of group main, 150.0 ms\n"),
        ([group("main", a=12.5), group("far", b=8.0)], "slowest: a of group main, 12.5 ms\n"),
    ],
)
def test_it_is_the_one_that_takes_longest_of_those_that_were_heard_of(groups: list[Any], said: str) -> None:
    assert slowest_of(groups) == said
