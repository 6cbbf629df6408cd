"""How long a worker that died rests before it is started again."""

from __future__ import annotations

from smartdoh.app.workers.pauses import FIRST, LONGEST, SETTLED, Pauses


def test_the_first_death_costs_no_pause() -> None:
    assert Pauses().next(0.0) == 0.0


def test_they_grow_and_are_bounded() -> None:
    pauses = Pauses()
    found = [pauses.next(0.1) for _ in range(2000)]
    assert found[:5] == [0.0, FIRST, FIRST * 2, FIRST * 4, FIRST * 8]
    assert found == sorted(found)
    assert found[-1] == LONGEST


def test_a_long_life_ends_the_series() -> None:
    pauses = Pauses()
    for _ in range(5):
        pauses.next(SETTLED - 1)
    assert pauses.next(SETTLED) == 0.0
    assert pauses.next(0.0) == FIRST
