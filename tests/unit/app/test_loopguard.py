"""When a server is barred for a loop, and when it is let go: in virtual time, with servers that the test plays."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from smartdoh.app.loopguard import DOUBTS, PAUSE, LoopGuard
from smartdoh.config import LoopGuarding
from smartdoh.errors import Timeout
from smartdoh.model import Answer, Query, Route
from smartdoh.pipeline.selfprobe import SelfProbe
from smartdoh.tasks import Tasks
from smartdoh.wire import compose
from tests import virtual_time

ROUTE = Route("main", False, False, "")
NEAR, PUBLIC = "192.168.1.1", "9.9.9.9"


class Server:
    """Asks us, says no, or says nothing."""

    def __init__(self, probe: SelfProbe, host: str = NEAR, port: int = 53) -> None:
        self.name = host
        self.bar = ""
        self.suspect: Callable[[], None] | None = None
        self.endpoints = [(host, port)] if host else []
        self.probes = 0
        self.how = "loops"
        self._probe = probe

    async def probe(self, query: Query, deadline: float) -> Answer:
        self.probes += 1
        await asyncio.sleep(0.1)
        if self.how == "silent":
            raise Timeout("no answer in time", self.name)
        returned = self._probe.answer(query, ROUTE) if self.how == "loops" else None
        return returned or compose.answer(query, 3, source=self.name)


class Story:
    def __init__(self, *hosts: str, mode: LoopGuarding = "local", listening: str = "127.0.0.1") -> None:
        self.bugs: list[BaseException] = []
        self.tasks = Tasks(lambda name, error: self.bugs.append(error))
        probe = SelfProbe()
        self.servers = [Server(probe, host) for host in hosts or (NEAR,)]
        self.local = {"192.168.1.2"}
        own = [(listening, 53)]
        self.asked_again = True
        self.guard = LoopGuard(
            probe, self.tasks, own, asked_again=self.joined_at, is_local=lambda host: host in self.local
        )
        self.guard.watch(self.servers, mode)

    def joined_at(self) -> float:
        return asyncio.get_running_loop().time() if self.asked_again else -math.inf

    async def no_answer(self, server: Server, times: int = DOUBTS) -> None:
        for _ in range(times):
            if server.suspect is not None:
                server.suspect()
        await asyncio.sleep(0.2)

    async def end(self) -> None:
        await self.tasks.aclose()
        assert not self.bugs


def test_nobody_is_asked_while_all_is_well() -> None:
    async def play() -> None:
        story = Story(NEAR, PUBLIC)
        await asyncio.sleep(10 * PAUSE)
        assert [server.probes for server in story.servers] == [0, 0]
        await story.end()

    virtual_time.run(play())


def test_a_loop_is_barred_and_let_go_when_it_is_none_any_more() -> None:
    async def play() -> None:
        story = Story()
        (server,) = story.servers
        with capture_logs() as lines:
            await story.no_answer(server, times=5)
            assert server.probes == 1
            assert server.bar
            await asyncio.sleep(3 * PAUSE)
            assert server.bar
            server.how = "no"
            await asyncio.sleep(2 * PAUSE)
            assert not server.bar
            probes = server.probes
            await asyncio.sleep(10 * PAUSE)
            assert server.probes == probes
        assert [line["log_level"] for line in lines] == ["error", "info"]
        await story.end()

    virtual_time.run(play())


def test_few_failures_and_those_of_questions_that_never_come_back_are_no_sign_of_a_loop() -> None:
    async def play() -> None:
        story = Story()
        (server,) = story.servers
        await story.no_answer(server, times=DOUBTS - 1)
        await asyncio.sleep(PAUSE)
        await story.no_answer(server, times=DOUBTS - 1)
        await asyncio.sleep(2 * PAUSE)
        story.asked_again = False
        await story.no_answer(server, times=10)
        assert server.probes == 0
        await story.end()

    virtual_time.run(play())


@pytest.mark.parametrize("how", ["no", "silent"])
def test_one_that_is_only_ill_is_not_barred_and_not_asked_often(how: str) -> None:
    async def play() -> None:
        story = Story()
        (server,) = story.servers
        server.how = how
        for _ in range(100):
            await story.no_answer(server)
        assert not server.bar
        assert server.probes == 1
        await asyncio.sleep(PAUSE)
        await story.no_answer(server)
        assert server.probes == 2
        await story.end()

    virtual_time.run(play())


@pytest.mark.parametrize(
    ("mode", "asked"), [("local", [1, 0, 0, 1]), ("all", [1, 1, 1, 1]), ("off", [0, 0, 0, 0])]
)
def test_who_may_be_probed(mode: LoopGuarding, asked: list[int]) -> None:
    """Near ones, a public one, one behind a proxy, and one that has a public address of this very machine."""

    async def play() -> None:
        story = Story(NEAR, PUBLIC, "", "45.0.0.1", mode=mode)
        story.local.add("45.0.0.1")
        for server in story.servers:
            await story.no_answer(server)
        assert [server.probes for server in story.servers] == asked
        await story.end()

    virtual_time.run(play())


@pytest.mark.parametrize(
    ("listening", "host", "is_ours"),
    [
        ("0.0.0.0", "192.168.1.2", True),
        ("192.168.1.2", "192.168.1.2", True),
        ("0.0.0.0", "192.168.1.1", False),
        ("127.0.0.1", "192.168.1.2", False),
        ("0.0.0.0", "127.0.0.9", True),
    ],
)
def test_our_own_address_is_not_even_probed(listening: str, host: str, is_ours: bool) -> None:
    async def play() -> None:
        story = Story(host, listening=listening)
        (server,) = story.servers
        assert bool(server.bar) == is_ours
        assert server.probes == 0
        await story.end()

    virtual_time.run(play())


def test_another_network_is_another_chance_at_once() -> None:
    """The address that was ours is another's now, and the router that asked us is another one."""

    async def play() -> None:
        story = Story("192.168.1.2", NEAR, listening="0.0.0.0")
        ours, router = story.servers
        await story.no_answer(router)
        assert ours.bar
        assert router.bar
        story.local.clear()
        ours.how = router.how = "no"
        story.guard.look()
        await asyncio.sleep(1.0)
        assert not ours.bar
        assert not router.bar
        await story.end()

    virtual_time.run(play())


def test_what_a_reload_takes_away_is_not_looked_after() -> None:
    async def play() -> None:
        story = Story()
        (server,) = story.servers
        await story.no_answer(server)
        story.guard.watch([], "local")
        assert server.suspect is None
        probes = server.probes
        await asyncio.sleep(5 * PAUSE)
        assert server.probes == probes
        story.guard.watch([server], "off")
        assert not server.bar
        await story.end()

    virtual_time.run(play())
