"""Seconds and how long answers took: counters become rates, and steps become quantiles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smartdoh.app.questions.seconds import Growth, Seconds
from smartdoh.app.questions.spread import STEP, add_up, quantile, seconds_of, step_of

WAITS = st.lists(st.floats(2e-4, 60), min_size=1, max_size=100)


def test_growth_of_counters() -> None:
    growth = Growth({"hit": 10, "stale": 1})
    assert growth.until({"hit": 25, "stale": 1}) == {"hit": 15, "stale": 0}
    assert growth.until({"hit": 4, "stale": 1, "miss": 2}) == {"hit": 4, "stale": 0, "miss": 2}, "begun anew"


def test_seconds_are_kept_as_far_as_there_is_room() -> None:
    seconds = Seconds(now=0.5, kept=2)
    for number in range(1, 4):
        seconds.took(number, 2)
        seconds.close({"hit": number, "miss": 1}, now=0.5 + number, at=1000 + number)
    assert [(one.at, dict(one.counts), one.spread) for one in seconds.all()] == [
        (1002, {"hit": 2, "miss": 1}, {2: 2}),
        (1003, {"hit": 3, "miss": 1}, {3: 2}),
    ]
    assert seconds.counts() == {"hit": 5, "miss": 2}
    assert seconds.spread() == {2: 2, 3: 2}
    assert seconds.length() == 2
    assert seconds.last() == seconds.all()[-1]


def test_a_second_that_nobody_closed_is_as_long_as_it_was() -> None:
    seconds = Seconds(now=10)
    seconds.close({"hit": 30}, now=13, at=1)
    assert seconds.length() == 3


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None


@given(WAITS, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_a_step_off_at_most(waits: list[float], share: float) -> None:
    spread = add_up({step_of(wait): 1.0} for wait in waits)
    rank = next(n for n in range(1, len(waits) + 1) if n >= share * len(waits) - 1e-9)
    true = sorted(waits)[rank - 1]
    found = quantile(spread, share)
    assert found is not None
    assert true / STEP <= found <= true * STEP


@given(st.floats(0, 1e6))
def test_every_wait_has_a_step(wait: float) -> None:
    step = step_of(wait)
    assert 0 <= step <= 140
    assert wait > 59 or wait <= 1e-4 or wait / STEP <= seconds_of(step) <= wait * STEP
