"""The histogram of waits: bounds, sums, and what a client that waited adds to it."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from smartdoh.fastpath.latency import BOUNDS, Latency
from tests.scenario.fast import Rig, rig


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        yield made


def test_nobody_waited(fast: Rig) -> None:
    found = fast.fast.statistics().waits
    assert found == Latency()
    assert (found.count, found.seconds, set(found.counts)) == (0, 0.0, {0})


def test_a_wait_is_counted_below_the_bound_that_it_reaches(fast: Rig) -> None:
    for seconds in (0.0, 0.001, 0.0011, 0.3, 10.0, 11.0):
        fast.fast.waited(seconds)
    found = fast.fast.statistics().waits
    counted = {bound: count for bound, count in zip((*found.bounds, 0.0), found.counts, strict=True) if count}
    assert counted == {0.001: 2, 0.002: 1, 0.5: 1, 10.0: 1, 0.0: 1}
    assert found.count == 6
    assert found.seconds == pytest.approx(21.3021)
    fast.fast.waited(1.0)
    assert found.count == 6, "a snapshot is a copy"


def test_the_bounds_about_double() -> None:
    assert (BOUNDS[0], BOUNDS[-1]) == (0.001, 10.0)
    assert all(2 <= after / before <= 2.5 + 1e-9 for before, after in itertools.pairwise(BOUNDS))


def test_it_is_written_as_json(fast: Rig) -> None:
    fast.fast.waited(0.02)
    assert json.loads(json.dumps(asdict(fast.fast.statistics())))["waits"]["count"] == 1
