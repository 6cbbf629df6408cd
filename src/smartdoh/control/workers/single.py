"""What one worker says on its own control socket: all that a proxy says, and what the first asks of it besides."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from smartdoh.app.server import Server
from smartdoh.app.workers.seat import Seat
from smartdoh.control.api import kept
from smartdoh.control.api.application import application as api_of
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Lines, Param
from smartdoh.control.api.filters import FILTERS
from smartdoh.control.api.live import share
from smartdoh.control.api.shapes import KeptAnswer, WorkerStatus
from smartdoh.control.api.shapes_live import LiveShare
from smartdoh.control.metrics.shares import Share, share_of
from smartdoh.control.workers.followers import AskedShare, Followers

LONGEST_WRITE = 5.0  # seconds that a flush waits for what was being written before it


def application(server: Server, seat: Seat) -> Starlette:
    """The API of one worker."""

    async def own(asked: Asked) -> WorkerStatus:
        return status(asked.server, seat)

    async def counts(asked: Asked) -> Share:
        return await share_of(asked.server, seat.number, seat.restarts)

    besides = (
        Endpoint("GET", "/worker", own, "Which worker this is.", Json(WorkerStatus)),
        Endpoint("GET", "/worker/memory", _memory, "What is kept in memory alone.", Lines(KeptAnswer)),
        Endpoint("POST", "/worker/overrides", _overrides, "The overrides are as their file.", Json(None)),
        Endpoint(
            "GET",
            "/worker/live",
            _live,
            "What this worker has seen.",
            Json(LiveShare),
            takes=(Param("history", "Whether with that of each second.", bool, False),),
        ),
        Endpoint("GET", "/worker/counts", counts, "All that this worker has counted.", Json(Share)),
        Endpoint(
            "GET",
            "/worker/asked",
            Followers(server.hub).fetch,
            "What was asked of this worker since a follower's last look.",
            Json(AskedShare),
            takes=(Param("follower", "Who looks: a word of its own."), *FILTERS),
        ),
        Endpoint("POST", "/worker/settle", _settled, "Nothing is left to be written to disk.", Json(bool)),
    )
    return api_of(server, besides=besides)


async def _memory(asked: Asked) -> AsyncIterator[KeptAnswer]:
    return kept.everything(asked.server.runtime.fast)


async def _overrides(asked: Asked) -> None:
    """Do not wait until the change of the file is noticed."""
    if asked.server.runtime.overrides is not None:
        await asked.server.runtime.overrides.load()


async def _live(asked: Asked) -> LiveShare:
    return share(asked.server, history=asked.flag("history"))


async def _settled(asked: Asked) -> bool:
    return await settle(asked.server)


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
