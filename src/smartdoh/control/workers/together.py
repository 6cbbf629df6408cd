"""The control API for all workers at once, served by the first.

Each endpoint says who answers for all: the first worker as a proxy alone would, all of them added up, or all told. What
takes more than that has its own way here.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from smartdoh.app.server import Server
from smartdoh.app.workers.seat import Seat
from smartdoh.control.api import kept, ondisk
from smartdoh.control.api.application import application as api_of
from smartdoh.control.api.endpoint import Asked, Endpoint, Event, Handler
from smartdoh.control.api.endpoints import cache, overrides, proxy, queries
from smartdoh.control.api.endpoints.live import following
from smartdoh.control.api.filters import wanted
from smartdoh.control.api.live import merged, share
from smartdoh.control.api.shapes import Forgotten, OverrideChange, Reloaded, Status, WorkerStatus
from smartdoh.control.api.shapes_live import Live, Question
from smartdoh.control.api.table import ENDPOINTS
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.control.questions import folded
from smartdoh.control.workers.adding import add_up
from smartdoh.control.workers.peers import Peer, peers_of
from smartdoh.control.workers.reloading import ReloadAll
from smartdoh.control.workers.single import settle, status
from smartdoh.errors import ConfigError


def application(server: Server, seat: Seat, main: Path, reloads: ReloadAll) -> Starlette:
    """The API of all workers, in the first one."""
    together = Together(server, seat, peers_of(seat, main), reloads)
    return api_of(server, together.handlers())


class Together:
    """One method for each way in which all workers answer."""

    def __init__(self, server: Server, seat: Seat, peers: tuple[Peer, ...], reloads: ReloadAll) -> None:
        self._server = server
        self._seat = seat
        self._peers = peers
        self._reloads = reloads

    def handlers(self) -> dict[str, Handler]:
        """What answers for all, by the endpoints' names, where the first worker's own word would not do."""
        own: dict[str, Handler] = {
            "GET /status": self._status,
            "POST /reload": self._reload,
            "DELETE /cache": partial(self._flushed, cache.flush),
            "DELETE /cache/{name}": partial(self._flushed, cache.flush_name),
            "PUT /overrides/{key}": partial(self._overridden, overrides.put),
            "DELETE /overrides/{key}": partial(self._overridden, overrides.remove),
            "GET /cache/{name}": self._kept,
            "GET /cache/export": self._export,
            "GET /live": self._live,
            "GET /live/follow": self._follow_live,
            "GET /queries/follow": self._follow_queries,
        }
        return {
            endpoint.name: own[endpoint.name] if endpoint.workers == "own" else self._way(endpoint)
            for endpoint in ENDPOINTS
            if endpoint.workers != "first"
        }

    def _way(self, endpoint: Endpoint) -> Handler:
        ways = {"added": self._added_up, "told": self._told}
        return partial(ways[endpoint.workers], endpoint)

    async def _added_up(self, endpoint: Endpoint, asked: Asked) -> Any:
        """What all say, added up."""
        own, others = await asyncio.gather(endpoint.answer(asked), self._ask(endpoint.method, asked))
        return add_up([own, *others])

    async def _told(self, endpoint: Endpoint, asked: Asked) -> Any:
        """All are told; where the first refuses, no other is."""
        own = await endpoint.answer(asked)
        await self._ask(endpoint.method, asked)
        return own

    async def _status(self, asked: Asked) -> Status:
        """What runs, with each worker; the process is the supervisor's."""
        workers = [status(self._server, self._seat), *await asyncio.gather(*map(_worker, self._peers))]
        found = await proxy.status(asked)
        found["pid"], found["workers"] = self._seat.supervisor, workers
        return found

    async def _reload(self, _asked: Asked) -> Reloaded:
        """As for a proxy alone; where the first worker refuses, no other is asked."""
        try:
            await self._reloads()
        except ConfigError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
        return Reloaded(warnings=list(self._server.runtime.settings.warnings))

    async def _overridden(self, own: Handler, asked: Asked) -> OverrideChange:
        """The first writes the file, and all of them read it before this ends."""
        done: OverrideChange = await own(asked)
        await asyncio.gather(*(_said(peer, "POST", "/worker/overrides") for peer in self._peers))
        return done

    async def _kept(self, asked: Asked) -> AsyncIterator[object]:
        """What is kept for one name in any worker's memory, each answer once."""
        fast = self._server.runtime.fast
        own = kept.of_name(fast, folded(asked.text("name")), below=asked.flag("below"))
        return self._each_once(own, asked.target)

    async def _export(self, _asked: Asked) -> AsyncIterator[object]:
        """Everything that is kept: what is in any worker's memory once, then what is on disk."""
        return self._everything()

    async def _live(self, _asked: Asked) -> Live:
        """What is asked now of any worker."""
        return await self._look(history=True)

    async def _follow_live(self, _asked: Asked) -> AsyncIterator[Event]:
        """The same each second."""
        return following(self._server.live, lambda history: self._look(history=history))

    async def _follow_queries(self, asked: Asked) -> AsyncIterator[Event]:
        """What is asked of any worker from now on."""
        query = asked.target.partition("?")[2]
        target = f"/worker/asked?follower={secrets.token_hex(8)}" + (f"&{query}" if query else "")

        async def others() -> tuple[list[Question], int]:
            said = await asyncio.gather(*(_said(peer, "GET", target) for peer in self._peers))
            found = [each for each in said if each is not None]
            rows = [row for each in found for row in each["questions"]]
            return rows, sum(each["lost"] for each in found)

        return queries.following(self._server.hub, wanted(asked), others)

    async def _look(self, *, history: bool) -> Live:
        own = share(self._server, history=history)
        target = f"/worker/live?history={int(history)}"
        others = await asyncio.gather(*(_said(peer, "GET", target) for peer in self._peers))
        return merged([own, *(other for other in others if other is not None)])

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

    async def _flushed(self, own: Handler, asked: Asked) -> Forgotten:
        """Flush in all, and once more when all has been written.

        What a worker was just writing to the shared disk when it was told may have been read by another meanwhile.
        """
        shares = [await own(asked), *await self._ask("DELETE", asked)]
        if shares[0]["disk"]:
            await asyncio.gather(
                settle(self._server), *(_said(peer, "POST", "/worker/settle") for peer in self._peers)
            )
            await asyncio.gather(own(asked), self._ask("DELETE", asked))
        return Forgotten(removed=sum(share["removed"] for share in shares), disk=shares[0]["disk"])

    async def _ask(self, method: str, asked: Asked) -> list[Any]:
        """What those who run say."""
        said = await asyncio.gather(*(_said(peer, method, asked.target, asked.body) for peer in self._peers))
        return [each for each in said if each is not None]


async def _said(peer: Peer, method: str, target: str, body: bytes = b"") -> Any:
    try:
        return await peer.ask(method, target, body)
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
