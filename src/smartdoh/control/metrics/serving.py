"""HTTP for the metrics' address: few connections, each for one request, and none of them for long."""

from __future__ import annotations

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

from smartdoh.control.api.serving import Inner
from smartdoh.control.guest import LONGEST_HEADERS, config_of
from smartdoh.control.metrics.page import Page

MOST_CONNECTIONS = 16
LONGEST = 10.0  # seconds from a connection to its end: what Prometheus waits for a scrape by default


class Bounded(H11Protocol):
    """A connection that is ended at once where there are too many, and after a while whatever it does."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection has come."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._end = self.loop.call_later(LONGEST, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


async def serve(page: Page, sock: socket.socket) -> None:
    """Answer on `sock` until cancelled."""
    config = config_of(
        page,
        http=Bounded,
        ws="none",
        lifespan="off",
        h11_max_incomplete_event_size=LONGEST_HEADERS,
    )
    await Inner(config).serve_until_cancelled([sock])
