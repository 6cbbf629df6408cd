"""HTTP on the control socket: uvicorn inside of the loop that runs, bounded, without signals or logs of its own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from smartdoh.control.api.followed import ABORT
from smartdoh.control.guest import LONGEST_HEADERS, config_of

MOST_CONNECTIONS = 32  # those that follow something stay
IDLE = 5  # seconds a connection without a request stays open


async def serve(application: ASGIApp, sock: socket.socket) -> None:
    """Answer on `sock` until cancelled."""

    async def with_abort(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {ABORT: partial(_abort, inner, scope)}
        await application(scope, receive, send)

    config = config_of(
        with_abort,
        http="h11",
        ws="none",
        lifespan="off",
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
        timeout_keep_alive=IDLE,
    )
    inner = Inner(config)
    await inner.serve_until_cancelled([sock])


def _abort(server: uvicorn.Server, scope: Scope) -> None:
    """End the connection of a request at once, whatever is still to be sent on it."""
    for connection in server.server_state.connections:
        if getattr(connection, "scope", None) is scope:
            connection.transport.abort()


class Inner(uvicorn.Server):
    """uvicorn as a guest: the process and its signals belong to somebody else."""

    async def serve_until_cancelled(self, sockets: list[socket.socket]) -> None:
        """Answer on these."""
        try:
            await self.serve(sockets)
        finally:
            if self.started:
                self.force_exit = True
                await self.shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
