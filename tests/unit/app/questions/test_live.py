"""The live view as a sink, with the test's time: what it is given comes out counted, and nothing grows."""

from __future__ import annotations

import pytest

from smartdoh.app.questions.live import LAST, LISTS, TOP, LiveView
from smartdoh.app.questions.seen import Seen


class World:
    """A view, its clocks, and the table's counters."""

    def __init__(self) -> None:
        self.now = 100.25
        self.counters = {"hit": 7.0}
        self.view = LiveView(lambda: dict(self.counters), lambda: self.now, lambda: self.now + 1000)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.view.tick()


def seen(name: str = "a", outcome: str = "miss", **more: object) -> Seen:
    values: dict[str, object] = {"seconds": None if outcome == "hit" else 0.02, **more}
    wire = bytes([len(name)]) + name.encode() + b"\0"
    client = str(values.pop("client", "127.0.0.1"))
    return Seen(1100.0, "udp", client, wire, 1, 1, 0, outcome, **values)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_yet(world: World) -> None:
    look = world.view.look()
    assert (look.seconds, look.last_second, look.names, look.last, look.history) == (0, None, [], [], [])
    assert not look.sampled


def test_rates_are_from_counters_and_not_from_what_was_seen(world: World) -> None:
    world.counters |= {"hit": 1007.0, "miss": 1.0, "blocked": 1.0}
    world.view.take([seen(outcome="hit", weight=990.0), seen(), seen("b", "blocked")], lost=989)
    world.pass_by(1)
    look = world.view.look()
    assert look.last_second is not None
    assert look.last_second.counts == {"hit": 1000, "miss": 1, "blocked": 1}
    assert look.counts == look.last_second.counts
    assert look.seconds == 1
    assert look.sampled
    world.pass_by(1)
    assert world.view.look().last_second is not look.last_second
    world.pass_by(300)
    assert not world.view.look().sampled


def test_rates_are_of_the_time_that_passed(world: World) -> None:
    world.counters["hit"] += 30
    world.pass_by(3)
    last = world.view.look().last_second
    assert last is not None
    assert last.counts["hit"] / last.length == 10


def test_names_clients_and_what_blocks_them(world: World) -> None:
    world.view.take([seen(outcome="hit", weight=4.0), seen("b", "blocked", list="ads", line=3)], 3)
    world.view.take([seen("b", "blocked", seconds=None)], 0)
    look = world.view.look()
    assert look.names == [(b"\1a\0", 4), (b"\1b\0", 2)]
    assert look.clients == [("127.0.0.1", 6)]
    assert look.blocked == [(b"\1b\0", 2, "ads")], "the table knows the name, not the list"
    assert [one.name for one in look.last] == [b"\1b\0", b"\1b\0", b"\1a\0"], "newest first"


def test_nothing_grows_with_a_flood(world: World) -> None:
    for number in range(4 * LISTS):
        world.view.take([seen(f"x{number}", "blocked", list="ads", client=f"10.0.{number}")], 0)
        world.pass_by(0.5)
    look = world.view.look()
    assert (len(look.names), len(look.clients), len(look.blocked)) == (TOP, TOP, TOP)
    assert (len(look.last), len(look.history), look.seconds) == (LAST, 300, 300)
    assert len(world.view._lists) == LISTS
