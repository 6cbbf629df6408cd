"""What occurs most often, counted in bounded memory: the bounds of space-saving, whatever comes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from smartdoh.app.questions.busiest import Busiest, Counters

ROOM = 8
NAMES = st.one_of(st.integers(0, 5), st.integers(0, 200))  # some come often, most once
COMING = st.lists(st.tuples(NAMES, st.integers(1, 9)), max_size=400)


@given(COMING)
def test_bounds_of_space_saving(coming: list[tuple[int, int]]) -> None:
    counters, true = Counters[int](ROOM), Counter[int]()
    for name, weight in coming:
        counters.add(name, weight)
        true[name] += weight
    total = sum(true.values())
    listed = dict(counters.counts())
    assert len(counters) == len(listed) <= ROOM
    assert counters.total == total
    for name, count in true.items():
        assert listed.get(name, 0) <= count <= counters.most(name)
        assert counters.most(name) - count <= total / ROOM
        assert name in listed or count <= total / ROOM, "more than one in ROOM has a place"


@given(COMING, st.lists(st.integers(0, 3), max_size=400))
def test_what_is_busiest_is_listed_over_all_panes(coming: list[tuple[int, int]], steps: list[int]) -> None:
    """While none of the panes has gone: a share of the whole is as large a share of one of them at least."""
    busiest, true, now = Busiest[int](panes=1000, seconds=1, room=ROOM), Counter[int](), 0.0
    for (name, weight), step in zip(coming, [*steps, *[0] * len(coming)], strict=False):
        now += step
        busiest.add(name, weight, now)
        true[name] += weight
    listed = dict(busiest.top(10**6, now))
    total = sum(true.values())
    for name, count in true.items():
        assert name in listed or count <= total / ROOM
        assert listed.get(name, 0) <= count


def test_what_is_old_is_forgotten() -> None:
    busiest = Busiest[str](panes=2, seconds=10, room=ROOM)
    busiest.add("old", 5, now=0)
    busiest.add("new", 1, now=12)
    assert busiest.top(9, now=19) == [("old", 5), ("new", 1)]
    assert busiest.top(9, now=20) == [("new", 1)]
    assert busiest.top(9, now=1000) == []
    assert busiest.top(9, now=3) == [], "a clock that goes back makes nothing young again"


def test_a_flood_of_names_takes_no_memory_and_hides_nobody() -> None:
    busiest = Busiest[str](panes=2, seconds=60, room=50)
    for number in range(20_000):
        busiest.add(f"random-{number}", 1, now=number / 200)
        if number % 10 == 0:
            busiest.add("busy", 1, now=number / 200)
    first, second, *_ = busiest.top(10**6, now=100)
    assert first[0] == "busy"
    assert 1800 < first[1] <= 2000
    assert second[1] == 1, "none of the others is said to have come more often than it did"
    assert sum(len(pane) for pane in busiest._kept.values()) <= 100


def test_weights_need_not_be_whole() -> None:
    busiest = Busiest[str]()
    for _ in range(10):
        busiest.add("a", 1.5, now=0)
    busiest.add("b", 0.2, now=0)
    assert busiest.top(2, now=0) == [("a", 15), ("b", 1)]
