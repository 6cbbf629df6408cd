"""The running server in the test's own loop: it answers, through reloads and refused ones, until it is told to stop."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from smartdoh import config
from smartdoh.app.server import Server
from smartdoh.config import Settings
from smartdoh.errors import ConfigError, ListenError
from tests.scenario.messages import addresses, question
from tests.scenario.serving import LONG, LOOPS, Peer

GROUP = '[groups.one]\nupstreams = ["https://127.0.0.1:1/dns-query"]\n'
RULES = '[routing]\nrules = [{{ domains = ["ads.example"], action = "block" }}]\n[block]\nanswer = "{}"\n'
BLOCKED = {"null": dns.rcode.NOERROR, "nxdomain": dns.rcode.NXDOMAIN, "refused": dns.rcode.REFUSED}


class Running:
    """A server, the config that its next reload reads, and a client."""

    def __init__(self, port: int, manager: socket.socket) -> None:
        self.port = port
        self.manager = manager
        self.refused = False
        self.answer = "null"
        self.more = ""
        self.server = Server(self.load(), self.load)
        self.done = asyncio.ensure_future(self.server.run())

    def load(self) -> Settings:
        if self.refused:
            raise ConfigError("listen.dns", "this cannot be")
        return config.parse(
            f'[listen]\ndns = ["127.0.0.1:{self.port}"]\n{GROUP}' + RULES.format(self.answer) + self.more
        )

    async def hears(self, state: bytes) -> None:
        """Wait until the service manager hears it."""
        while not (await asyncio.get_running_loop().sock_recv(self.manager, 4096)).startswith(state):
            pass

    async def reload(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await self.hears(b"RELOADING=1")
        await self.hears(b"READY=1")

    async def ask(self, name: str, sock: socket.socket) -> dns.message.Message:
        sock.sendto(question(name), ("127.0.0.1", self.port))
        return dns.message.from_wire(await asyncio.get_running_loop().sock_recv(sock, 65_535))


Tell = Callable[[Running, socket.socket], Awaitable[None]]


@pytest.fixture(params=LOOPS)
def running(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Tell], None]:
    """Runs a coroutine beside a server that is ready; the server has to end in order."""
    kind: str = request.param
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    for name in ("LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC"):
        monkeypatch.delenv(name, raising=False)

    async def play(tell: Tell) -> None:
        with (
            closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager,
            closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client,
        ):
            manager.bind(str(tmp_path / "notify"))
            for sock in (manager, client):
                sock.setblocking(False)
            made = Running(free_port(), manager)
            await made.hears(b"READY=1")
            await tell(made, client)
            if not made.done.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await made.done
            assert asyncio.all_tasks() == {asyncio.current_task()}

    def run(tell: Tell) -> None:
        async def limited() -> None:
            async with asyncio.timeout(LONG):
                await play(tell)

        with asyncio.Runner(loop_factory=LOOPS[kind]) as runner:
            runner.run(limited())

    return run


def free_port() -> int:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return int(tcp.getsockname()[1])


def test_it_answers_until_it_is_told_to_stop(running: Callable[[Tell], None]) -> None:
    async def tell(made: Running, client: socket.socket) -> None:
        assert addresses(await made.ask("localhost.", client)) == ["127.0.0.1"]
        os.kill(os.getpid(), signal.SIGTERM)
        await made.hears(b"STOPPING=1")
        await made.done
        with pytest.raises(ConnectionRefusedError), socket.socket() as late:
            late.connect(("127.0.0.1", made.port))

    running(tell)


def test_sigint_stops_it_too(running: Callable[[Tell], None]) -> None:
    async def tell(made: Running, client: socket.socket) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await made.done

    running(tell)


def test_where_there_is_a_dashboard_the_live_view_runs(running: Callable[[Tell], None]) -> None:
    async def tell(made: Running, client: socket.socket) -> None:
        hub = made.server.hub
        assert not hub.is_wanted
        made.more = f'[dashboard]\nlisten = "127.0.0.1:{free_port()}"\n'
        await made.reload()
        assert hub.sinks == 1
        await made.reload()
        assert hub.sinks == 1
        made.more = ""
        await made.reload()
        while hub.sinks:  # it ends with the second that has begun
            await made.ask("localhost.", client)

    running(tell)


def test_reloading_keeps_answering_and_takes_the_new_config(running: Callable[[Tell], None]) -> None:
    """Over UDP and on a TCP connection that outlives every reload; no question is lost meanwhile."""

    async def tell(made: Running, client: socket.socket) -> None:
        with closing(socket.socket()) as stream:
            stream.setblocking(False)
            await asyncio.get_running_loop().sock_connect(stream, ("127.0.0.1", made.port))
            peer, asked, stop = Peer(stream), 0, asyncio.Event()

            async def keep_asking() -> None:
                nonlocal asked
                with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as own:
                    own.setblocking(False)
                    while not stop.is_set():
                        assert addresses(await made.ask("x.localhost.", own)) == ["127.0.0.1"]
                        asked += 1

            asking = asyncio.ensure_future(keep_asking())
            for made.answer in ("nxdomain", "refused", "null", "nxdomain"):
                before = asked
                await made.reload()
                assert (await made.ask("www.ads.example.", client)).rcode() == BLOCKED[made.answer]
                await peer.send(question("www.ads.example."))
                assert (await peer.answer()).rcode() == BLOCKED[made.answer]
                while asked == before:  # noqa: ASYNC110 - one more has to be answered by the new one
                    await asyncio.sleep(0)
            stop.set()
            await asking

    running(tell)


def test_a_reload_that_is_refused_changes_nothing(running: Callable[[Tell], None]) -> None:
    async def tell(made: Running, client: socket.socket) -> None:
        await made.ask("www.ads.example.", client)
        kept = made.server._runtime
        made.answer, made.refused = "nxdomain", True
        await made.reload()
        assert made.server._runtime is kept
        assert (await made.ask("www.ads.example.", client)).rcode() == dns.rcode.NOERROR
        made.refused = False
        await made.reload()
        assert (await made.ask("www.ads.example.", client)).rcode() == dns.rcode.NXDOMAIN

    running(tell)


def test_a_question_under_way_is_answered_through_a_reload(running: Callable[[Tell], None]) -> None:
    """Nothing listens at the upstream, so what it gets is the failure, from the runtime that it asked."""

    async def tell(made: Running, client: socket.socket) -> None:
        client.sendto(question("www.example.com."), ("127.0.0.1", made.port))
        await made.reload()
        wire = await asyncio.get_running_loop().sock_recv(client, 65_535)
        assert dns.message.from_wire(wire).rcode() == dns.rcode.SERVFAIL

    running(tell)


def test_a_port_in_use_leaves_nothing_open() -> None:
    async def play() -> None:
        with closing(socket.socket()) as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            before = len(os.listdir("/proc/self/fd"))
            settings = config.parse(f'[listen]\ndns = ["127.0.0.1:{port}"]\n{GROUP}')
            with pytest.raises(ListenError):
                Server(settings, lambda: settings)
            assert len(os.listdir("/proc/self/fd")) == before

    asyncio.run(play())
