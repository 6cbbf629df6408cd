"""A proxy without sockets: the fast path and the pipeline of a config, a clock to move, upstreams to script."""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import dns.message

from smartdoh import config
from smartdoh.app.overrides import wall_clock
from smartdoh.cache.disk import Disk
from smartdoh.cache.fingerprint import fingerprint
from smartdoh.cache.policy import Bounds
from smartdoh.cache.second import SecondLevel
from smartdoh.errors import UpstreamError
from smartdoh.fastpath import FastPath
from smartdoh.model import Answer, Query, Shaper, Stage
from smartdoh.pipeline import order
from smartdoh.pipeline.asked import Asked
from smartdoh.pipeline.bogus import Bogus
from smartdoh.pipeline.order import ipv4_first, stages
from smartdoh.pipeline.resolve import Resolver
from smartdoh.pipeline.zones import Zones
from smartdoh.rules.decide import Decisions
from smartdoh.rules.router import Router
from smartdoh.rules.views import Views
from tests.scenario.messages import CLIENT, answer_to, question

GROUPS = '[groups.{}]\nupstreams = ["https://192.0.2.1/dns-query"]\n'
TURNS = 20  # of the loop, more than any step of the pipeline takes
LONG = 20.0  # seconds in which a story must have ended


class Clock:
    """The cache's clock, in seconds; only the test moves it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Datagrams:
    """A UDP socket in memory: what waits to be read, and what was sent."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[bytes, tuple[Any, ...]]] = deque()
        self.sent: list[tuple[bytes, tuple[Any, ...]]] = []

    def recvfrom(self, size: int, /) -> tuple[bytes, tuple[Any, ...]]:
        if not self.waiting:
            raise BlockingIOError
        wire, address = self.waiting.popleft()
        return wire[:size], address

    def sendto(self, wire: bytes, address: Any, /) -> int:
        self.sent.append((wire, address))
        return len(wire)


class ScriptedUpstream:
    """An upstream whose questions wait until the test answers them, oldest first."""

    def __init__(self) -> None:
        self.asked: list[Query] = []
        self._waiting: deque[tuple[Query, asyncio.Future[Answer]]] = deque()

    async def exchange(self, query: Query, deadline: float) -> Answer:
        """As Upstream.exchange."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.asked.append(query)
        self._waiting.append((query, future))
        return await future

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def answer(self, *records: str, **how: Any) -> None:
        """Answer the oldest question that waits."""
        asked, future = self._waiting.popleft()
        future.set_result(answer_to(asked, *records, **how))

    def answer_to(self, qtype: int, *records: str, **how: Any) -> None:
        """Answer the oldest question for this type."""
        place = next(place for place, (asked, _) in enumerate(self._waiting) if asked.qtype == qtype)
        self._waiting.rotate(-place)
        self.answer(*records, **how)
        self._waiting.rotate(place)

    def fail(self, error: UpstreamError | Exception) -> None:
        """Fail the oldest question that waits."""
        self._waiting.popleft()[1].set_exception(error)


class Client:
    """One question and every answer that its client got to it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self._answered = asyncio.Event()

    def reply(self, wire: bytes) -> None:
        self.got.append(wire)
        self._answered.set()

    @property
    def is_waiting(self) -> bool:
        return not self.got

    @property
    def wire(self) -> bytes:
        (wire,) = self.got
        return wire

    @property
    def message(self) -> dns.message.Message:
        return dns.message.from_wire(self.wire)

    async def answered(self) -> None:
        """Wait for the answer, where it comes by a timer."""
        await self._answered.wait()


class World:
    """Everything between a client's packet and the upstreams."""

    def __init__(
        self,
        text: str = "",
        *,
        groups: tuple[str, ...] = ("main",),
        extra_stages: tuple[Stage, ...] = (),
        shapers: tuple[Shaper, ...] | None = None,
        disk: Disk | None = None,
        clock: Clock | None = None,
        before: World | None = None,
    ) -> None:
        """`text` is the config without its groups, `groups` their names, the first one the default; none: it has them.

        `disk` is the second level, to be closed by whoever opened it; it counts with the same `clock`. `before` is the
        world of the config before a reload, whose table and upstreams go on. `shapers` take the place of the config's.
        """
        settings = config.parse(f"{text}\n" + "".join(map(GROUPS.format, groups)))
        groups = groups or tuple(settings.groups)
        origins = {name: fingerprint(group, settings.cache) for name, group in settings.groups.items()}
        self.clock: Clock = before.clock if before else clock or Clock()
        self.bugs: list[BaseException] = before.bugs if before else []
        known: dict[str, ScriptedUpstream] = before.upstreams if before else {}
        self.upstreams: dict[str, ScriptedUpstream] = {
            name: known.get(name) or ScriptedUpstream() for name in groups
        }
        self.upstream = self.upstreams[groups[0]]
        views = Views(settings.listen.allow, settings.routing.rules)
        at_once = not settings.cache.stale_after
        if before is None:
            self.fast = FastPath(entries=1000, view_of=views.view_of, clock=self.clock, stale_at_once=at_once)
        else:
            self.fast = before.fast
            self.fast.change_policy(views.view_of, stale_at_once=at_once)
        self.zones: Zones = before.zones if before else Zones()
        self.asked: Asked = before.asked if before else Asked()
        self.decisions = Decisions(Router(settings.routing.rules, settings.routing.default), wall_clock)
        self.bogus = Bogus({name: group.bogus_nxdomain for name, group in settings.groups.items()})
        self.shapers = order.shapers(settings, self.decisions, self.bogus, self.fast.peek)
        self.resolver = Resolver(
            self.fast,
            self.decisions,
            self.upstreams,
            (*extra_stages, *stages(settings)),
            self.shapers if shapers is None else shapers,
            _bounds(settings.cache),
            lambda name, error: self.bugs.append(error),
            self.clock,
            settings.cache.stale_after,
            None if disk is None else SecondLevel(disk, origins, _bounds(settings.cache), self.clock),
            origins=origins,
            zones=self.zones,
            asked=self.asked,
            questions=settings.limits.questions,
            patience=settings.limits.wait,
            ipv4_first=ipv4_first(settings),
        )
        self.zones.limit(settings.limits.zone_failures)

    def send(self, wire: bytes, host: str = CLIENT) -> Client:
        """One datagram, as the UDP listener handles it."""
        client, datagrams = Client(), Datagrams()
        datagrams.waiting.append((wire, (host, 5353)))
        for query, _ in self.fast.drain(datagrams):
            self.resolver.submit(query, client.reply, udp=True)
        client.got += [sent for sent, _ in datagrams.sent]
        for query in self.fast.take_due():
            self.resolver.refresh(query)
        return client

    async def ask(
        self, name: str = "www.example.com.", rdtype: str = "A", *, host: str = CLIENT, **form: Any
    ) -> Client:
        """One question over UDP, and all that follows from it at once."""
        client = self.send(question(name, rdtype, **form), host)
        await settle()
        return client

    async def know(
        self, *records: str, name: str = "www.example.com.", rdtype: str = "A", **how: Any
    ) -> None:
        """Have an answer in the table: ask for it, and let the upstream say it."""
        client = await self.ask(name, rdtype)
        assert client.is_waiting
        self.upstream.answer(*records, **how)
        await settle()
        assert not client.is_waiting

    async def end(self) -> None:
        await self.resolver.flights.aclose()


def _bounds(cache: config.CacheSettings) -> Bounds:
    return Bounds(
        int(cache.min_ttl),
        int(cache.max_ttl),
        int(cache.negative_max),
        cache.failure,
        cache.stale,
        cache.prefetch,
    )


async def settle() -> None:
    """Let the loop run until nothing is left to do but waiting."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


Story = Callable[[World], Awaitable[None]]
AnyWorld = TypeVar("AnyWorld", bound=World)


def story(text: str = "", **how: Any) -> Callable[[Story], Callable[[], None]]:
    """Make a test of a coroutine that plays in a World of its own, made with these arguments."""
    return played_in(functools.partial(World, text, **how))


def played_in(
    make: Callable[[], AnyWorld], run: Callable[[Coroutine[Any, Any, None]], object] = asyncio.run
) -> Callable[[Callable[[AnyWorld], Awaitable[None]]], Callable[[], None]]:
    """Make a test of a coroutine that plays in what `make` makes, in the loop of `run`.

    At its end no fetch may be left under way and no bug reported, unless the story says so by emptying `bugs`.
    """

    def decorate(tell: Callable[[AnyWorld], Awaitable[None]]) -> Callable[[], None]:
        async def play() -> None:
            world = make()
            try:
                await asyncio.wait_for(tell(world), LONG)
            finally:
                await world.end()
            assert not world.bugs

        def test() -> None:
            run(play())

        functools.update_wrapper(test, tell)
        del test.__wrapped__  # type: ignore[attr-defined]  # pytest would look for a fixture `world`
        return test

    return decorate
