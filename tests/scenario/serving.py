"""Listeners on real sockets of loopback, in the test's own loop, before a scripted World; on both kinds of loop."""

from __future__ import annotations

import asyncio
import functools
import inspect
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import dns.message
import pytest
import uvloop

from smartdoh.listener import connections, tcp
from smartdoh.listener.connections import Connections
from smartdoh.listener.tcp import TcpListener
from tests.scenario.messages import CLIENT
from tests.scenario.world import World

LONG = 20.0  # seconds in which a test must have ended
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Peer:
    """A TCP client that reads and writes when it is told to."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, *wires: bytes) -> None:
        """Questions with their lengths, in one piece."""
        await self.send_raw(b"".join(framed(wire) for wire in wires))

    async def send_raw(self, octets: bytes) -> None:
        await self._loop.sock_sendall(self.sock, octets)

    async def read(self) -> dns.message.Message | None:
        """The next answer; None where the other side has closed."""
        length = await self._exactly(2)
        return dns.message.from_wire(await self._exactly(int.from_bytes(length))) if length else None

    async def answer(self) -> dns.message.Message:
        """The next answer, which has to come."""
        message = await self.read()
        assert message is not None, "closed"
        return message

    async def is_closed(self) -> bool:
        """Whether the other side closes without another word."""
        return await self.read() is None

    async def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            try:
                part = await self._loop.sock_recv(self.sock, count - len(found))
            except ConnectionError:
                part = b""
            if not part:
                return b""
            found += part
        return found


class Serving:
    """A TCP listener, the World behind it, and its clients."""

    def __init__(self, stack: ExitStack, world: World, **how: Any) -> None:
        self.world = world
        self._stack = stack
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        sock.setblocking(False)
        sock.bind((CLIENT, 0))
        sock.listen()
        self.address = sock.getsockname()
        self.connections = Connections(**how)
        self.listener = TcpListener(
            sock, world.fast, world.resolver, self.connections, lambda _, error: world.bugs.append(error)
        )

    async def connect(self, *, receive_buffer: int = 0, source: str = CLIENT) -> Peer:
        """One more client."""
        sock = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        sock.setblocking(False)
        sock.bind((source, 0))
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(sock, self.address)
        return Peer(sock)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the loop run until something is so; the test's own time limit ends a wait in vain."""
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)

    async def asked(self, count: int) -> None:
        """Wait until so many questions have reached the upstream."""
        await self.until(lambda: len(self.world.upstream.asked) >= count)


Tell = Callable[..., Awaitable[None]]


def framed(wire: bytes) -> bytes:
    """A message with its length before it (RFC 1035 section 4.2.2)."""
    return len(wire).to_bytes(2) + wire


def serving(
    *, constants: dict[str, float] | None = None, **how: Any
) -> Callable[[Tell], Callable[..., None]]:
    """Make a test, run on both loops, of a coroutine that gets a started Serving (with the arguments of Connections).

    `constants` are of listener.tcp and listener.connections, changed for this test. In the end no connection may be
    left, no bug reported and nothing raised into the loop.
    """

    def decorate(tell: Tell) -> Callable[..., None]:
        async def play(stack: ExitStack) -> None:
            wrong: list[dict[str, Any]] = []
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: wrong.append(context))
            world = World()
            made = Serving(stack, world, **how)
            made.listener.start()
            try:
                await asyncio.wait_for(tell(made), LONG)
            finally:
                await world.end()
                made.listener.stop()
                made.listener.close()
                await made.until(lambda: len(made.connections) == 0)
            assert not wrong
            assert not world.bugs

        @pytest.mark.parametrize("loop", LOOPS)
        def test(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
            for name, value in (constants or {}).items():
                monkeypatch.setattr(tcp if hasattr(tcp, name) else connections, name, value)
            with ExitStack() as stack, asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                runner.run(play(stack))

        functools.update_wrapper(test, tell)
        test.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ("loop", "monkeypatch")]
        )
        return test

    return decorate
