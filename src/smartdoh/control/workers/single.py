"""What one worker says on its own control socket: all that a proxy says, and what the first asks of it besides."""

from __future__ import annotations

import asyncio
import os
import time

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from smartdoh.app.server import Server
from smartdoh.app.workers.seat import Seat
from smartdoh.control.api import kept
from smartdoh.control.api.routes import application as api_of
from smartdoh.control.api.routes import lines
from smartdoh.control.workers.shapes import WorkerStatus

LONGEST_WRITE = 5.0  # seconds that a flush waits for what was being written before it


def application(server: Server, seat: Seat) -> Starlette:
    """The API of one worker."""
    own = Own(server, seat)
    app = api_of(server)
    app.router.routes[:0] = [
        Route("/worker", own.status),
        Route("/worker/memory", own.memory),
        Route("/worker/settle", own.settle, methods=["POST"]),
    ]
    return app


class Own:
    """One method for each thing that only the first worker asks."""

    def __init__(self, server: Server, seat: Seat) -> None:
        self._server = server
        self._seat = seat

    async def status(self, _request: Request) -> Response:
        """Which worker this is."""
        return JSONResponse(status(self._server, self._seat))

    async def memory(self, _request: Request) -> Response:
        """What is kept in memory alone."""
        rows = kept.everything(self._server.runtime.fast)
        return StreamingResponse(lines(rows), media_type="application/jsonl")

    async def settle(self, _request: Request) -> Response:
        """Nothing is left that was to be written to disk."""
        return JSONResponse({"settled": await settle(self._server)})


def status(server: Server, seat: Seat) -> WorkerStatus:
    """One worker, as it says itself."""
    return WorkerStatus(
        number=seat.number,
        pid=os.getpid(),
        uptime_s=round(time.monotonic() - server.started, 1),
        restarts=seat.restarts,
    )


async def settle(server: Server) -> bool:
    """Wait until nothing is left to be written to disk; whether that is so."""
    disk = server.runtime.disk
    return disk is None or await asyncio.to_thread(disk.settle, LONGEST_WRITE)
