"""Stories of fastest addresses: nobody waits, the kept answer gets its order, and lives no longer for it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest

from smartdoh.cache.forget import forget
from smartdoh.config.settings import FastestIp
from smartdoh.pipeline.timing import Timed, Timing
from smartdoh.speed.board import Board
from smartdoh.speed.probe import Failure, Probed
from smartdoh.speed.prober import Prober
from smartdoh.speed.ranking import PROBE_EVERY, Verdict
from smartdoh.speed.way import Way
from smartdoh.tasks import Tasks
from smartdoh.wire.names import from_text
from tests.scenario.messages import addresses, soa, ttls
from tests.scenario.world import World, played_in, settle

WWW = "www.example.com."
LONG = 20.0  # seconds in which a story must have ended
TEN_MINUTES = PROBE_EVERY


def a(*numbers: int, ttl: int = 3600) -> list[str]:
    return [f"{WWW} {ttl} A 45.10.0.{number}" for number in numbers]


def ip(*numbers: int) -> list[str]:
    return [f"45.10.0.{number}" for number in numbers]


class Net:
    """What connects to addresses, for the prober: outcomes wait until the test says them."""

    def __init__(self) -> None:
        self.probed: list[str] = []
        self.proved: list[tuple[str, str]] = []
        self.verdicts: dict[str, Verdict] = {}
        self._waiting: dict[str, asyncio.Future[Probed | Failure]] = {}

    async def probe(self, address: bytes, dialer: object) -> Probed | Failure:
        text = str(ip_address(address))
        self.probed.append(text)
        self._waiting[text] = asyncio.get_running_loop().create_future()
        return await self._waiting[text]

    async def prove(self, host: str, address: bytes, dialer: object) -> Verdict:
        text = str(ip_address(address))
        self.proved.append((host, text))
        return self.verdicts.get(text, Verdict.NONE)

    async def say(self, outcomes: dict[int, float | Failure]) -> None:
        """Let probes under way end: seconds by the last octet of the address."""
        for number, outcome in outcomes.items():
            result = outcome if isinstance(outcome, Failure) else Probed(outcome, 443)
            self._waiting.pop(f"45.10.0.{number}").set_result(result)
        await settle()


class Timers(World):
    """A world whose group `main` has its addresses timed."""

    def __init__(self, mode: FastestIp, groups: tuple[str, ...] = ("main",), text: str = "") -> None:
        super().__init__(text, groups=groups)
        self.net = Net()
        self.tasks = Tasks(lambda name, error: self.bugs.append(error))
        board = Board(self.clock)
        self.prober = Prober(board, self.tasks, self.clock, probe=self.net.probe, prove=self.net.prove)
        modes: dict[str, Timed] = {"main": Timed(mode, Way())}
        self.timing = Timing(modes, self.fast, board, self.prober, self.clock)
        self.resolver._timing = self.timing

    async def told(self, rdtype: str = "A", **form: Any) -> list[str]:
        """The addresses that a client is told at once."""
        client = await self.ask(rdtype=rdtype, **form)
        return addresses(client.message)

    async def end(self) -> None:
        await super().end()
        await self.tasks.aclose()
        await self.prober.aclose()


Story = Callable[[Timers], Awaitable[None]]


def story(mode: FastestIp, **how: Any) -> Callable[[Story], Callable[[], None]]:
    """Make a test of a coroutine that plays in a world of timers."""
    return played_in(functools.partial(Timers, mode, **how))


@story("first")
async def test_the_first_client_gets_the_answer_at_once(world: Timers) -> None:
    client = await world.ask()
    world.upstream.answer(*a(1, 2, 3))
    await settle()
    assert addresses(client.message) == ip(1, 2, 3)
    assert sorted(world.net.probed) == ip(1, 2, 3)  # and none of them has ended yet


@story("first")
async def test_then_the_fastest_comes_first(world: Timers) -> None:
    await world.know(*a(1, 2, 3))
    assert await world.told() == ip(1, 2, 3)
    await world.net.say({1: 0.3, 2: Failure.TIMEOUT, 3: 0.1})
    assert await world.told() == ip(3, 1, 2)


@story("only")
async def test_or_stands_alone(world: Timers) -> None:
    await world.know(*a(1, 2, 3))
    assert await world.told() == ip(1, 2, 3)
    await world.net.say({1: 0.3, 2: 0.2, 3: 0.1})
    assert await world.told() == ip(3)


@story("only")
async def test_verified_beats_fast(world: Timers) -> None:
    world.net.verdicts = {"45.10.0.1": Verdict.WRONG, "45.10.0.3": Verdict.VERIFIED}
    await world.know(*a(1, 2, 3))
    await world.net.say({1: 0.001, 2: 0.1, 3: 0.9})
    assert await world.told() == ip(3)
    assert world.net.proved[0] == ("www.example.com", "45.10.0.1")


@pytest.mark.parametrize("mode", ["first", "only"])
def test_where_no_address_can_be_reached_the_answer_stays(mode: FastestIp) -> None:
    @story(mode)
    async def play(world: Timers) -> None:
        await world.know(*a(2, 1))
        await world.net.say({1: Failure.REFUSED, 2: Failure.TIMEOUT})
        assert await world.told() == ip(2, 1)

    play()


@story("only")
async def test_nobody_waits_for_a_probe(world: Timers) -> None:
    """Every question is answered while probes hang, the fetch after expiry too."""
    await world.know(*a(1, 2, ttl=60))
    for _ in range(5):
        world.clock.forward(10)
        assert await world.told() == ip(1, 2)
    world.clock.forward(100)
    client = await world.ask()
    assert addresses(client.message) == ip(1, 2)  # stale
    world.upstream.answer(*a(2, 1, ttl=60))
    await settle()
    assert await world.told() == ip(2, 1)


@story("only")
async def test_the_end_is_never_moved(world: Timers) -> None:
    """The order comes 100 s later; the TTL goes on from where it was, and ends when it would have."""
    await world.know(*a(1, 2, ttl=300))
    before = world.fast.peek(key(world))
    assert before is not None
    world.clock.forward(100)
    await world.net.say({1: 0.3, 2: 0.1})
    after = world.fast.peek(key(world))
    assert after is not None
    assert after is not before
    assert (after.stored, after.expires, after.stale) == (before.stored, before.expires, before.stale)
    client = await world.ask()
    assert (addresses(client.message), ttls(client.message)) == (ip(2), [200])


@story("only")
async def test_a_lower_ttl_that_is_dropped_still_counts(world: Timers) -> None:
    await world.know(*a(1, ttl=60), *a(2, ttl=900))
    await world.net.say({1: 0.3, 2: 0.1})
    client = await world.ask()
    assert (addresses(client.message), ttls(client.message)) == (ip(2), [60])


@story("first")
async def test_a_fetch_that_came_between_is_not_undone(world: Timers) -> None:
    await world.know(*a(1, 2, ttl=60))
    world.clock.forward(61)
    await world.ask()
    world.upstream.answer(*a(7, 8, ttl=60))
    await settle()
    await world.net.say({1: 0.3, 2: 0.1})
    assert await world.told() == ip(7, 8)


@story("first")
async def test_what_was_flushed_stays_away(world: Timers) -> None:
    await world.know(*a(1, 2))
    await forget(world.fast, [from_text("www.example.com")], [])
    await world.net.say({1: 0.3, 2: 0.1})
    assert world.fast.peek(key(world)) is None


@story("only")
async def test_a_fetched_answer_is_shaped_before_it_is_kept(world: Timers) -> None:
    """What is known of the addresses orders the next answer at once, also for the client that waits for it."""
    await world.know(*a(1, 2, ttl=60))
    await world.net.say({1: 0.3, 2: 0.1})
    world.clock.forward(60 + 86_400)
    client = await world.ask()
    assert client.is_waiting
    world.upstream.answer(*a(1, 2, ttl=60))
    await settle()
    assert addresses(client.message) == ip(1, 2)  # a day later nothing is known any more
    await world.net.say({1: 0.3, 2: 0.1})
    world.fast.flush()
    client = await world.ask()
    world.upstream.answer(*a(1, 2, ttl=60))
    await settle()
    assert addresses(client.message) == ip(2)


@story("only")
async def test_a_cut_answer_is_fetched_anew_after_ten_minutes(world: Timers) -> None:
    """Its one address may be gone, and its TTL is a day."""
    await world.know(*a(1, 2, ttl=86_400))
    await world.net.say({1: 0.3, 2: 0.1})
    world.clock.forward(TEN_MINUTES - 1)
    assert await world.told() == ip(2)
    assert world.upstream.waiting == 0
    world.clock.forward(1)
    assert await world.told() == ip(2)
    world.upstream.answer(*a(1, 2, ttl=86_400))
    await settle()
    await world.net.say({1: 0.3, 2: Failure.TIMEOUT})
    assert await world.told() == ip(1)


@story("first")
async def test_an_answer_in_order_is_not(world: Timers) -> None:
    """All its addresses are in it: whoever finds the first gone takes the next."""
    await world.know(*a(1, 2, ttl=86_400))
    await world.net.say({1: 0.3, 2: 0.1})
    world.clock.forward(TEN_MINUTES + 1)
    assert await world.told() == ip(2, 1)
    assert world.upstream.waiting == 0


@story("only")
async def test_do_gets_every_address(world: Timers) -> None:
    """A client that checks signatures needs the whole set."""
    await world.ask(do=True)
    world.upstream.answer(*a(1, 2))
    await settle()
    await world.net.say({1: 0.3, 2: 0.1})
    assert await world.told(do=True) == ip(2, 1)
    await world.ask()
    world.upstream.answer(*a(1, 2))
    await settle()
    assert await world.told() == ip(2)


@story("only")
async def test_hints_are_put_in_the_order_of_the_addresses(world: Timers) -> None:
    await world.know(*a(1, 2))
    await world.know(f'{WWW} 300 HTTPS 1 . alpn=h3 ipv4hint="45.10.0.1,45.10.0.2"', rdtype="HTTPS")
    await world.net.say({1: 0.3, 2: 0.1})
    client = await world.ask(rdtype="HTTPS")
    assert 'ipv4hint="45.10.0.2,45.10.0.1"' in client.message.answer[0].to_text()
    assert world.net.probed == ip(1, 2)


@story("only")
async def test_a_and_aaaa_are_ranked_apart(world: Timers) -> None:
    await world.know(*a(1, 2))
    await world.know(f"{WWW} 300 AAAA 2a00::1", f"{WWW} 300 AAAA 2a00::2", rdtype="AAAA")
    world.net._waiting["2a00::1"].set_result(Failure.TIMEOUT)
    world.net._waiting["2a00::2"].set_result(Probed(0.9, 443))
    await world.net.say({1: 0.3, 2: 0.1})
    assert await world.told() == ip(2)
    assert await world.told("AAAA") == ["2a00::2"]


@story("only")
async def test_one_address_is_left_in_peace(world: Timers) -> None:
    await world.know(*a(1))
    assert not world.net.probed


@story("only")
async def test_addresses_of_this_network_are_never_probed(world: Timers) -> None:
    await world.know(f"{WWW} 300 A 192.168.1.1", f"{WWW} 300 A 127.0.0.1", f"{WWW} 300 A 169.254.169.254")
    assert not world.net.probed


@story("off")
async def test_off(world: Timers) -> None:
    await world.know(*a(1, 2))
    assert not world.net.probed


@story("only", groups=("main", "other"), text='[[routing.rules]]\ndomains = ["example.com"]\ngroup = "other"')
async def test_a_group_that_wants_none_of_it(world: Timers) -> None:
    client = await world.ask()
    world.upstreams["other"].answer(*a(1, 2))
    await settle()
    assert addresses(client.message) == ip(1, 2)
    assert not world.net.probed


@story("only")
async def test_no_is_no(world: Timers) -> None:
    await world.know(authority=(soa("example.com.", 60, 60),), rcode="NXDOMAIN")
    assert not world.net.probed


@story("only")
async def test_snapshot(world: Timers) -> None:
    world.net.verdicts = {"45.10.0.2": Verdict.VERIFIED}
    await world.know(*a(1, 2, 3))
    await world.net.say({1: 0.3, 2: 0.1, 3: Failure.REFUSED})
    rows = world.timing.snapshot(from_text("www.example.com"))
    assert [(row.address, row.standing, row.seconds) for row in rows] == [
        ("45.10.0.2", "verified", 0.1),
        ("45.10.0.1", "connected", 0.3),
        ("45.10.0.3", "out of reach", None),
    ]


def key(world: Timers) -> bytes:
    return world.upstream.asked[0].key
