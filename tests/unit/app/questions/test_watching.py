"""Whether somebody watches, in virtual time: the view is there from the first look until a minute after the last."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from smartdoh.app.questions.hub import Hub, Sink
from smartdoh.app.questions.watching import FEW, MOST_FOLLOWERS, PATIENCE, RECORDS, Watching
from smartdoh.tasks import Tasks
from tests.virtual_time import run

FOREVER = 10 * PATIENCE


def never(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


def watching(hub: Hub) -> Watching:
    now = asyncio.get_running_loop().time
    return Watching(hub, lambda: {"hit": now()}, Tasks(never), now, lambda: now() + 0.3)


def test_it_costs_nothing_until_somebody_looks_nor_a_minute_after() -> None:
    async def story() -> None:
        hub = Hub()
        live = watching(hub)
        await asyncio.sleep(FOREVER)
        assert not hub.is_wanted
        assert live.look().history == []
        assert hub.is_wanted
        await asyncio.sleep(PATIENCE - 5)
        assert 50 < live.look().seconds <= PATIENCE
        await asyncio.sleep(PATIENCE - 5)
        assert hub.is_wanted, "the second look counts from itself"
        await asyncio.sleep(10)
        assert not hub.is_wanted
        assert live.look().seconds == 0, "it has begun anew"
        await asyncio.sleep(PATIENCE)

    run(story())


def test_it_goes_on_while_somebody_follows() -> None:
    async def story() -> None:
        hub = Hub()
        live = watching(hub)
        for _ in range(int(FOREVER)):
            await live.next_second()
        look = live.look()
        assert [second.counts["hit"] for second in look.history[-5:]] == [1.0] * 5
        assert look.seconds == 300
        await asyncio.sleep(PATIENCE + 5)
        assert not hub.is_wanted

    run(story())


def test_where_it_is_kept_it_has_a_past_for_whoever_looks_first() -> None:
    async def story() -> None:
        hub = Hub()
        live = watching(hub)
        live.keep(True)
        live.keep(True)
        await asyncio.sleep(FOREVER)
        assert live.look().seconds == 300
        assert hub.sinks == 1
        await asyncio.sleep(PATIENCE / 2)
        live.keep(False)
        await asyncio.sleep(PATIENCE / 2 - 5)
        assert hub.is_wanted, "somebody looked half a minute ago"
        await asyncio.sleep(10)
        assert not hub.is_wanted
        live.keep(True)
        await asyncio.sleep(5)
        live.keep(False)
        await asyncio.sleep(2)
        assert not hub.is_wanted, "nobody looks"

    run(story())


class Wants(Hub):
    """A hub that remembers how much the view wanted."""

    def add(self, sink: Sink, most: int = 0) -> None:
        self.wanted = most
        super().add(sink, most)


def test_while_nobody_looks_it_takes_few() -> None:
    async def story() -> None:
        hub = Wants()
        live = watching(hub)
        live.keep(True)
        assert hub.wanted == FEW
        live.look()
        assert hub.wanted == RECORDS
        await asyncio.sleep(PATIENCE - 5)
        assert hub.wanted == RECORDS
        await asyncio.sleep(10)
        assert hub.wanted == FEW
        await live.next_second()
        assert hub.wanted == RECORDS
        live.keep(False)
        await asyncio.sleep(PATIENCE + 5)
        assert not hub.is_wanted

    run(story())


def test_so_many_may_follow() -> None:
    async def story() -> None:
        live = watching(Hub())
        with ExitStack() as others:
            for _ in range(MOST_FOLLOWERS - 1):
                others.enter_context(live.following())
            assert not live.is_full
            with live.following():
                assert live.is_full
            assert not live.is_full

    run(story())
