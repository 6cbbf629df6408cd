"""The pages of the metrics' address: /metrics, and a link to it; nothing can be changed there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any

from smartdoh.app.server import Server
from smartdoh.control.metrics.beside import Gather
from smartdoh.control.metrics.exposition import expose, warm_up
from smartdoh.control.metrics.families import families
from smartdoh.control.metrics.processes import of_processes
from smartdoh.control.metrics.shares import Share, added_up, share_of
from smartdoh.control.metrics.states import states_of

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

HOME = b'<!doctype html><title>smartdoh</title><a href="/metrics">metrics</a>\n'
TEXT, HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"
READING = ("GET", "HEAD")


def alone(server: Server) -> Gather:
    """For the only process."""

    async def gather() -> Sequence[Share]:
        return [await share_of(server)]

    return gather


class Page:
    """Answers requests, an ASGI application."""

    def __init__(self, server: Server, gather: Gather) -> None:
        """To be called in a thread: what is slow the first time is done here."""
        self._server = server
        self._gather = gather
        self._one_at_a_time = asyncio.Lock()
        warm_up()

    async def __call__(self, scope: Scope, _receive: object, send: Send) -> None:
        """ASGI. Who may not ask questions may not read this either."""
        host = (scope.get("client") or ("",))[0]
        if self._server.runtime.views.view_of(host.partition("%")[0]) is None:
            await _say(send, HTTPStatus.FORBIDDEN, b"listen.allow does not have your address\n", TEXT)
        elif scope["path"] not in ("/", "/metrics"):
            await _say(send, HTTPStatus.NOT_FOUND, b"there is /metrics\n", TEXT)
        elif scope["method"] not in READING:
            await _say(send, HTTPStatus.METHOD_NOT_ALLOWED, b"there is nothing but to read\n", TEXT)
        elif scope["path"] == "/":
            await _say(send, HTTPStatus.OK, HOME, HTML)
        else:
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            await _say(send, HTTPStatus.OK, *await self._metrics(accept))

    async def _metrics(self, accept: str) -> tuple[bytes, str]:
        """One scrape at a time: many at once cost no more than they would one after the other."""
        async with self._one_at_a_time:
            shares = await self._gather()
            states = await states_of(self._server)
            counts = await added_up(shares)
            processes = await asyncio.to_thread(lambda: list(of_processes(shares)))
            return await expose(chain(families(counts, states), processes), accept)


async def _say(send: Send, status: HTTPStatus, body: bytes, media_type: str) -> None:
    headers = [
        (b"content-type", media_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),  # so that nobody holds one for longer than a request takes
    ]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
