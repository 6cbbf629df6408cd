"""The hub: what is asked reaches all who look, costs nobody who does not, and no view more than it asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smartdoh.app.questions.hub import Gathered, Hub
from smartdoh.app.questions.seen import Seen, by_rule
from smartdoh.fastpath.log import NOTHING_TAKEN
from tests.scenario.world import World, story

A = "www.example.com. 300 A 192.0.2.1"
RULES = """
[routing]
rules = [{ domains = ["ads.example"], action = "block" }]
"""


class Watcher:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.lost = 0

    def take(self, batch: Sequence[Seen], lost: int) -> None:
        self.seen += batch
        self.lost += lost


class Taker:
    """An output that keeps everything."""

    def __init__(self) -> None:
        self.found: list[Gathered] = []

    def take(self, found: Gathered) -> None:
        self.found.append(found)


@story(RULES)
async def test_nothing_is_kept_while_nobody_looks(world: World) -> None:
    hub, watcher = Hub(world.clock), Watcher()
    hub.serve(world.fast, world.resolver)
    await world.know(A)
    assert world.resolver.tell is None
    hub.add(watcher)
    await world.ask()
    hub.look()
    hub.remove(watcher)
    await world.ask()
    hub.look()
    assert [seen.outcome for seen in watcher.seen] == ["hit"]
    assert world.resolver.tell is None
    assert world.fast.take_log() == NOTHING_TAKEN


@story(RULES)
async def test_a_blocked_name_is_blocked_each_time(world: World) -> None:
    hub, watcher = Hub(world.clock), Watcher()
    hub.serve(world.fast, world.resolver)
    hub.add(watcher)
    for _ in range(3):
        await world.ask("x.ads.example.")
    hub.look()
    assert [(seen.outcome, seen.rule) for seen in watcher.seen] == [("blocked", "routing.rules[0]")] * 3


@pytest.mark.parametrize("most", [1, 7, 100, 1000])
def test_a_sink_gets_what_it_wants_and_weights_for_the_rest(most: int) -> None:
    @story(RULES)
    async def play(world: World) -> None:
        hub, watcher, other, taker = Hub(world.clock, room=200), Watcher(), Watcher(), Taker()
        hub.serve(world.fast, world.resolver)
        hub.add(watcher, most)
        hub.add(other, 1000)
        hub.add_output(taker)
        await world.know(A)
        for number in range(250):
            await world.ask()
            await world.ask(f"n{number}.ads.example.")
        hub.look()
        assert len(watcher.seen) <= 2 * most
        assert sum(seen.weight for seen in watcher.seen) == pytest.approx(501)
        assert len(watcher.seen) + watcher.lost == 501
        assert len(other.seen) == 200 + 251
        assert [seen.at for seen in watcher.seen] == sorted(seen.at for seen in watcher.seen)
        (found,) = taker.found
        assert (found.hits.kept, found.hits.lost, len(found.others)) == (200, 50, 251)

    play()


@story(RULES)
async def test_of_too_many_some_are_kept_all_along(world: World) -> None:
    """Not all of the first moment and none of the rest: what is shown is what goes on."""
    hub, watcher = Hub(world.clock), Watcher()
    hub.serve(world.fast, world.resolver)
    hub.add(watcher, 100_000)
    await world.know(A)
    hub.look()
    for _ in range(2):
        world.clock.forward(0.001)
        for _ in range(20_000):
            await world.ask()
        hub.look()
    assert 20_000 < len(watcher.seen) < 30_000
    assert sum(seen.weight for seen in watcher.seen) == pytest.approx(40_001)
    world.clock.forward(10)
    hub.look()
    for _ in range(10):
        await world.ask()
    watcher.seen.clear()
    hub.look()
    assert len(watcher.seen) >= 5, "all of them, but for the pause that had begun"


class Broken:
    """A sink and an output with a mistake."""

    def take(self, *_what: object) -> None:
        raise ValueError("x.ads.example.")


@story(RULES)
async def test_who_raises_is_left_out_and_the_others_go_on(world: World) -> None:
    said = list[str]()
    hub = Hub(world.clock, report=lambda where, _: said.append(where))
    watcher, taker = Watcher(), Taker()
    hub.serve(world.fast, world.resolver)
    hub.add_output(Broken())
    hub.add(Broken())
    hub.add(watcher)
    hub.add_output(taker)
    for _ in range(3):
        await world.ask("x.ads.example.")
        hub.look()
    assert len(watcher.seen) == len(taker.found) == 3
    assert said == ["Broken, which is left out from now on"] * 2
    assert hub.sinks == 1


@story(RULES)
async def test_no_more_is_kept_than_views_need_where_nothing_else_takes_it(world: World) -> None:
    hub, watcher, taker = Hub(world.clock), Watcher(), Taker()
    hub.serve(world.fast, world.resolver)
    hub.add(watcher, 10)
    await world.know(A)
    hub.look()
    for turn in range(4):
        if turn == 2:
            hub.add_output(taker)
        world.clock.forward(1)
        for _ in range(5000):
            await world.ask()
        kept = world.fast.take_log().kept if turn == 1 else 0
        if turn == 1:
            assert 200 <= kept <= 250, "of 10 each 0.2 s four times as many"
        hub.look()
    assert taker.found[-1].hits.kept == 5000


@story(RULES)
async def test_another_table_goes_on_where_the_last_ended(world: World) -> None:
    hub, watcher = Hub(world.clock), Watcher()
    hub.serve(world.fast, world.resolver)
    hub.add(watcher)
    await world.know(A)
    await world.ask()
    other = World(groups=("main",), clock=world.clock)
    hub.serve(other.fast, other.resolver)
    await other.know(A)
    await world.ask("x.ads.example.")  # of what ends, and tells still
    hub.look()
    assert sorted(seen.outcome for seen in watcher.seen) == ["blocked", "hit", "miss", "miss"]
    await other.end()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("routing.rules[2]: ads line 17", ("ads", 17)),
        ("routing.rules[2]: ads line 17, by alias t.example.", ("ads", 17)),
        ("routing.rules[0]", ("", 0)),
        ("overrides.json: line.example", ("", 0)),
        ("routing.rules[1]: list ads is missing", ("", 0)),
    ],
)
def test_a_rule_names_its_list(rule: str, expected: tuple[str, int]) -> None:
    found = by_rule(rule)
    assert (found.list, found.line) == expected
    assert found.rule == rule
