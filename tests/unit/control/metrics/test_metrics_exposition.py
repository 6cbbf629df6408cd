"""The text that is told: the same as in one piece, made in parts between which the loop has its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from smartdoh.control.metrics.exposition import SAMPLES, expose

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Registry:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def some_families() -> list[Metric]:
    """Some that are divided, one that is not, one without samples."""
    many = CounterMetricFamily("smartdoh_many", 'Many # of\n"them".', labels=("name",))
    for number in range(3 * SAMPLES + 1):
        many.add_metric((f'# {number} \\ "\n é',), number)
    waits = HistogramMetricFamily("smartdoh_waits_seconds", "Waits.", labels=("who",))
    for number in range(SAMPLES):
        waits.add_metric((str(number),), [("0.1", 1.0), ("+Inf", 2.0)], 0.5)
    return [
        many,
        GaugeMetricFamily("smartdoh_one", "One.", 1.0),
        GaugeMetricFamily("smartdoh_none", "None.", labels=("x",)),
        waits,
    ]


@pytest.mark.parametrize("accept", ["", "text/plain", OPENMETRICS])
def test_the_parts_make_the_whole(accept: str) -> None:
    whole, media_type = choose_encoder(accept)
    assert asyncio.run(expose(some_families(), accept)) == (whole(Registry(some_families())), media_type)


def test_the_loop_has_its_turn() -> None:
    """As often as there are parts: a timer that is due waits for none but the one that is being made."""

    async def count() -> int:
        turns = 0
        telling = asyncio.ensure_future(expose(some_families(), ""))
        while not telling.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert asyncio.run(count()) >= 3 + 1 + 1 + 3


@pytest.mark.parametrize(
    "accept", ["application/openmetrics-text; version=x", "text/plain; version=1.x; escaping=y"]
)
def test_a_version_that_is_none_gets_some_text(accept: str) -> None:
    text, media_type = asyncio.run(expose(some_families(), accept))
    assert b"smartdoh_one 1.0\n" in text
    assert media_type
