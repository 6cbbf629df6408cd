"""The control API for all workers at once, served by the first: added up, flushed and reloaded together.

What is not here the first worker answers for itself, as a proxy alone would: lists, which it fetches for all, explain,
and upstreams.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from smartdoh.app.server import Server
from smartdoh.app.workers.seat import Seat
from smartdoh.control.api import kept, ondisk
from smartdoh.control.api.routes import Api, is_below, lines, problem
from smartdoh.control.api.routes import application as api_of
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.control.questions import folded
from smartdoh.control.workers.adding import add_up
from smartdoh.control.workers.peers import Peer, peers_of
from smartdoh.control.workers.reloading import ReloadAll
from smartdoh.control.workers.shapes import WorkerStatus
from smartdoh.control.workers.single import settle, status
from smartdoh.errors import ConfigError

Handler = Callable[[Request], Awaitable[Response]]


def application(server: Server, seat: Seat, main: Path, reloads: ReloadAll) -> Starlette:
    """The API of all workers, in the first one."""
    together = Together(server, seat, peers_of(seat, main), reloads)
    app = api_of(server)
    app.router.routes[:0] = [
        Route("/status", together.status),
        Route("/statistics", together.statistics),
        Route("/reload", together.reload, methods=["POST"]),
        Route("/cache", together.cache),
        Route("/cache", together.flush, methods=["DELETE"]),
        Route("/cache/export", together.export),
        Route("/cache/{name:path}", together.kept),
        Route("/cache/{name:path}", together.flush_name, methods=["DELETE"]),
    ]
    return app


class Together:
    """One method for each thing that takes all workers."""

    def __init__(self, server: Server, seat: Seat, peers: tuple[Peer, ...], reloads: ReloadAll) -> None:
        self._server = server
        self._seat = seat
        self._own = Api(server)
        self._peers = peers
        self._reloads = reloads

    async def status(self, request: Request) -> Response:
        """What runs, with each worker; the process is the supervisor's."""
        workers = [status(self._server, self._seat), *await asyncio.gather(*map(_worker, self._peers))]
        own = _json(await self._own.status(request))
        return JSONResponse({**own, "pid": self._seat.supervisor, "workers": workers})

    async def statistics(self, request: Request) -> Response:
        """Counters of all."""
        return await self._added_up(self._own.statistics, request)

    async def cache(self, request: Request) -> Response:
        """The caches' counters."""
        return await self._added_up(self._own.cache, request)

    async def reload(self, _request: Request) -> Response:
        """As for a proxy alone; where the first worker refuses, no other is asked."""
        try:
            await self._reloads()
        except ConfigError as error:
            return problem(HTTPStatus.CONFLICT, str(error))
        return JSONResponse({"warnings": list(self._server.runtime.settings.warnings)})

    async def flush(self, request: Request) -> Response:
        """Forget everything, in every worker."""
        return await self._flushed(self._own.flush, request)

    async def flush_name(self, request: Request) -> Response:
        """Forget one name; ?below=1 also those below it."""
        return await self._flushed(self._own.flush_name, request)

    async def kept(self, request: Request) -> Response:
        """What is kept for one name in any worker's memory, each answer once."""
        own = kept.of_name(
            self._server.runtime.fast, folded(request.path_params["name"]), below=is_below(request)
        )
        return StreamingResponse(
            lines(self._each_once(own, _target(request))), media_type="application/jsonl"
        )

    async def export(self, _request: Request) -> Response:
        """Everything that is kept: what is in any worker's memory once, then what is on disk."""
        return StreamingResponse(lines(self._everything()), media_type="application/jsonl")

    async def _everything(self) -> AsyncIterator[object]:
        async for row in self._each_once(kept.everything(self._server.runtime.fast), "/worker/memory"):
            yield row
        async for row in ondisk.everything(self._server.runtime):
            yield row

    async def _each_once(self, own: AsyncIterator[Any], target: str) -> AsyncIterator[object]:
        """The first worker's rows, and of the others what has not come yet."""
        seen = set()
        async for row in own:
            seen.add(_question(row))
            yield row
        for peer in self._peers:
            async for line in peer.lines(target):
                row = json.loads(line)
                if _question(row) not in seen:
                    seen.add(_question(row))
                    yield row

    async def _added_up(self, own: Handler, request: Request) -> Response:
        shares = [_json(await own(request)), *await self._ask("GET", _target(request))]
        return JSONResponse(add_up(shares))

    async def _flushed(self, own: Handler, request: Request) -> Response:
        """Flush in all, and once more when all has been written.

        What a worker was just writing to the shared disk when it was told may have been read by another meanwhile.
        """
        shares = [_json(await own(request)), *await self._ask("DELETE", _target(request))]
        if shares[0]["disk"]:
            await asyncio.gather(settle(self._server), self._ask("POST", "/worker/settle"))
            await asyncio.gather(own(request), self._ask("DELETE", _target(request)))
        return JSONResponse({**shares[0], "removed": sum(share["removed"] for share in shares)})

    async def _ask(self, method: str, target: str) -> list[Any]:
        """What those who run say."""
        said = await asyncio.gather(*(_said(peer, method, target) for peer in self._peers))
        return [each for each in said if each is not None]


async def _said(peer: Peer, method: str, target: str) -> Any:
    try:
        return await peer.ask(method, target)
    except (NotRunningError, RefusedError):
        return None


async def _worker(peer: Peer) -> WorkerStatus:
    found: WorkerStatus | None = await _said(peer, "GET", "/worker")
    return found or WorkerStatus(number=peer.number, pid=None, uptime_s=None, restarts=None)


def _question(row: dict[str, Any]) -> int:
    """A small stand-in for what the answer is to: half a million of them fit into some tens of MB."""
    return hash(
        tuple(row[key] for key in ("name", "type", "klass", "view", "dnssec_ok", "checking_disabled"))
    )


def _json(response: Response) -> Any:
    return json.loads(bytes(response.body))


def _target(request: Request) -> str:
    """The path and query, as they came."""
    path = request.scope["raw_path"].decode("ascii")
    query = request.scope["query_string"].decode("ascii")
    return f"{path}?{query}" if query else path
