"""Connections that never say what they want, against the server that the dashboard runs on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from smartdoh.control.api.serving import Inner
from smartdoh.control.dashboard.connections import Patient

WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Hasty(Patient):
    patience = 0.2


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await asyncio.sleep(2 * Hasty.patience)
        await send({"type": "websocket.send", "text": "done"})
        await send({"type": "websocket.close"})
        return
    await asyncio.sleep(2 * Hasty.patience)
    await PlainTextResponse("done")(scope, receive, send)


@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc", b"\r\n"],
)
def test_half_a_request_ends(said: bytes) -> None:
    async def run() -> None:
        async with served() as (reader, writer):
            writer.write(said)
            with contextlib.suppress(ConnectionError):
                await ended(reader)

    asyncio.run(run())


def test_an_answer_may_take_longer_and_what_follows_it_may_not() -> None:
    async def run() -> None:
        async with served() as (reader, writer):
            for _ in range(2):
                writer.write(WHOLE)
                assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 200")
            writer.write(WHOLE[:9])
            with contextlib.suppress(ConnectionError):
                await ended(reader)

    asyncio.run(run())


def test_a_websocket_stays() -> None:
    async def run() -> None:
        async with served() as (reader, writer):
            writer.write(UPGRADE)
            async with asyncio.timeout(30):
                assert (await reader.readuntil(b"done")).startswith(b"HTTP/1.1 101")

    asyncio.run(run())


async def ended(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(30):
        while await reader.read(1024):
            pass


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(
        slow, http=Hasty, ws="wsproto", lifespan="off", log_config=None, timeout_keep_alive=600
    )
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setblocking(False)
        task = asyncio.create_task(Inner(config).serve_until_cancelled([sock]))
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
