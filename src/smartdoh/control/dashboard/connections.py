"""Connections of browsers: who does not say within a while what is wanted makes room for others."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 30.0  # seconds for a whole request, from the connection or the answer before
COMING = (h11.IDLE, h11.SEND_BODY)  # of who sends a request: it is not whole


class Patient(H11Protocol):
    """One connection. uvicorn alone would wait for the rest of a request for ever."""

    patience = PATIENCE
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It has come."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Something of a request has come."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """An answer has been sent, another request may follow."""
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._stop()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Have the clock run while a request is not whole; what comes of it meanwhile does not wind it up."""
        has_switched = self.transport.get_protocol() is not self  # it is a WebSocket from now on
        if has_switched or self.conn.their_state not in COMING:
            self._stop()
        elif self._end is None and not self.transport.is_closing():
            self._end = self.loop.call_later(self.patience, self.transport.abort)

    def _stop(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
