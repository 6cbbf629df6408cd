"""A stream without an end, over a real socket: who goes, and who does not read, ends it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from smartdoh import unixsocket
from smartdoh.control.api.followed import Followed
from smartdoh.control.api.serving import serve

LARGE = b"x" * 65_536
SECONDS = 20.0  # for what takes no time


class Endless:
    """Sends as long as somebody takes it."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = Followed(self.parts())
        response.patience = self.patience
        await response(scope, receive, send)

    async def parts(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield LARGE
                await asyncio.sleep(0)
        finally:
            self.ended.set()


async def served(path: Path, patience: float, *, leaves: bool) -> bytes:
    """What a client has got, who reads a little and then leaves, or reads nothing for long and then all."""
    endless = Endless(patience)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(endless, unixsocket.listen(path)))
        reader, writer = await asyncio.open_connection(sock=connected(path))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = await reader.readline()
        if leaves:
            writer.transport.abort()
        await asyncio.wait_for(endless.ended.wait(), SECONDS)
        if not leaves:
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(10**9), SECONDS)
        writer.close()
        serving.cancel()
    return got


def connected(path: Path) -> socket.socket:
    sock = unixsocket.connect(path, SECONDS)
    sock.setblocking(False)
    return sock


def test_a_client_that_reads_nothing_is_dropped(tmp_path: Path) -> None:
    got = asyncio.run(served(tmp_path / "socket", 0.05, leaves=False))
    assert got == b"HTTP/1.1 200 OK\r\n"


def test_a_client_that_goes_ends_it_whatever_patience_there_is(tmp_path: Path) -> None:
    got = asyncio.run(served(tmp_path / "socket", 1000.0, leaves=True))
    assert got == b"HTTP/1.1 200 OK\r\n"
