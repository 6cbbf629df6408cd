"""What the API offers, and what each request gets. Errors are JSON too: `{"error": "why"}`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from smartdoh import __version__
from smartdoh.app.runtime import Runtime
from smartdoh.app.server import Server
from smartdoh.cache.forget import forget
from smartdoh.control.api import health, kept, lists, ondisk
from smartdoh.control.api.explaining import explain
from smartdoh.control.api.shapes import Statistics, Status
from smartdoh.control.questions import folded, parse_type
from smartdoh.errors import ConfigError
from smartdoh.fastpath import BUILD

LARGEST_BODY = 65_536  # octets
LARGEST_HEADERS = 16_384  # octets of all names and values
ROOT = b"\0"
TRUE = ("1", "true", "yes")


def application(server: Server) -> Starlette:
    """The API of one running proxy."""
    api = Api(server)
    return Starlette(
        routes=[
            Route("/status", api.status),
            Route("/statistics", api.statistics),
            Route("/upstreams", api.upstreams),
            Route("/explain", api.explain),
            Route("/lists", api.lists),
            Route("/lists", api.update_lists, methods=["POST"]),
            Route("/lists/{name}", api.update_list, methods=["POST"]),
            Route("/reload", api.reload, methods=["POST"]),
            Route("/cache", api.cache),
            Route("/cache", api.flush, methods=["DELETE"]),
            Route("/cache/export", api.export),
            Route("/cache/{name:path}", api.kept),
            Route("/cache/{name:path}", api.flush_name, methods=["DELETE"]),
        ],
        middleware=[Middleware(Limits)],
        exception_handlers={HTTPException: _refused, ConfigError: _not_understood},
    )


class Api:
    """One method for each thing that can be asked."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def status(self, _request: Request) -> Response:
        """What runs."""
        runtime = self._server.runtime
        overrides = runtime.decisions.overrides
        return JSONResponse(
            Status(
                version=__version__,
                fast_path=BUILD,
                pid=os.getpid(),
                config=str(runtime.settings.path or ""),
                listening=self._server.listening,
                uptime_s=round(time.monotonic() - self._server.started, 1),
                groups=list(runtime.groups),
                overrides=len(overrides),
            )
        )

    async def statistics(self, _request: Request) -> Response:
        """Counters."""
        runtime = self._server.runtime
        flights = runtime.resolver.flights
        groups = {
            name: {"questions": group.questions, "hedges": group.hedges}
            for name, group in runtime.groups.items()
        }
        return JSONResponse(
            Statistics(
                cache=asdict(runtime.fast.statistics()),
                disk=_disk(runtime),
                under_way=len(flights),
                waiting=flights.waiting,
                groups=groups,
            )
        )

    async def upstreams(self, _request: Request) -> Response:
        """Every group with its upstreams."""
        return JSONResponse(health.groups(self._server.runtime))

    async def explain(self, request: Request) -> Response:
        """Why a question gets the answer that it gets: ?name=, &type=A, &client=127.0.0.1."""
        wanted = request.query_params
        if "name" not in wanted:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "name is missing")
        found = await explain(
            self._server.runtime,
            wanted["name"],
            wanted.get("type", "A"),
            wanted.get("client", "127.0.0.1"),
            running=True,
        )
        return JSONResponse(found)

    async def lists(self, _request: Request) -> Response:
        """Every list as it is now."""
        return JSONResponse(lists.statuses(self._server.runtime.lists))

    async def update_lists(self, _request: Request) -> Response:
        """Look at every list now; how far it is and what came of it, a line of JSON each."""
        return self._updating(list(self._server.runtime.lists.states))

    async def update_list(self, request: Request) -> Response:
        """The same for one."""
        try:
            name = lists.known(request.path_params["name"], self._server.runtime.lists.states)
        except ConfigError as error:
            return problem(HTTPStatus.NOT_FOUND, str(error))
        return self._updating([name])

    def _updating(self, names: list[str]) -> Response:
        events = lists.updating(self._server.runtime, names)
        return StreamingResponse(lines(events), media_type="application/jsonl")

    async def reload(self, _request: Request) -> Response:
        """The config and what belongs to it, read again; 409 with the problem where it is refused."""
        try:
            await self._server.reload()
        except ConfigError as error:
            return problem(HTTPStatus.CONFLICT, str(error))
        return JSONResponse({"warnings": list(self._server.runtime.settings.warnings)})

    async def cache(self, _request: Request) -> Response:
        """The cache's counters."""
        runtime = self._server.runtime
        return JSONResponse({"memory": asdict(runtime.fast.statistics()), "disk": _disk(runtime)})

    async def kept(self, request: Request) -> Response:
        """What is kept for one name; ?below=1 also for those below it."""
        fast = self._server.runtime.fast
        found = kept.of_name(fast, folded(request.path_params["name"]), below=is_below(request))
        return StreamingResponse(lines(found), media_type="application/jsonl")

    async def export(self, _request: Request) -> Response:
        """Everything that is kept, a line of JSON each; what is in memory and on disk comes twice, as it is there."""
        return StreamingResponse(lines(_everything(self._server.runtime)), media_type="application/jsonl")

    async def flush(self, _request: Request) -> Response:
        """Forget everything: at once for those who ask, and then in memory."""
        runtime = self._server.runtime
        if runtime.disk is not None:
            runtime.disk.flush()
        removed = runtime.fast.flush()
        await forget(runtime.fast, (), (ROOT,))
        return _forgotten(runtime, removed)

    async def flush_name(self, request: Request) -> Response:
        """Forget one name; ?below=1 also those below it, ?type=A its answers to that type of question alone."""
        runtime, name = self._server.runtime, folded(request.path_params["name"])
        exact, below = ((), (name,)) if is_below(request) else ((name,), ())
        qtype = _type(request)
        if qtype is not None and below:
            raise ConfigError("type", "is for one name, not for those below it")
        if runtime.disk is not None:
            runtime.disk.flush(name, below=bool(below), qtype=qtype)
        return _forgotten(runtime, await forget(runtime.fast, exact, below, qtype))


def _forgotten(runtime: Runtime, removed: int) -> Response:
    """How many went from memory; what is on disk went too, without a count."""
    return JSONResponse({"removed": removed, "disk": runtime.disk is not None})


def _disk(runtime: Runtime) -> dict[str, int] | None:
    return asdict(runtime.disk.statistics()) if runtime.disk is not None else None


async def _everything(runtime: Runtime) -> AsyncIterator[object]:
    async for row in kept.everything(runtime.fast):
        yield row
    async for row in ondisk.everything(runtime):
        yield row


class Limits:
    """Refuses large headers, bodies that announce more than anybody here reads, and what no URL may hold.

    Bodies are not read at all.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        headers = scope.get("headers", ())
        length = dict(headers).get(b"content-length", b"0")
        app: ASGIApp = self._app
        if sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
            app = problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"at most {LARGEST_HEADERS} octets")
        elif not length.isdigit() or int(length[:20]) > LARGEST_BODY:
            app = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} octets")
        elif not scope.get("query_string", b"").isascii():
            app = problem(HTTPStatus.BAD_REQUEST, "what is behind the ? is not ASCII")
        await app(scope, receive, send)


async def lines(rows: AsyncIterator[object]) -> AsyncIterator[str]:
    """A line of JSON for each row."""
    async for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def is_below(request: Request) -> bool:
    """Whether all below the name is meant too."""
    return request.query_params.get("below", "") in TRUE


def _type(request: Request) -> int | None:
    """The type of question that is meant; None where all are."""
    text = request.query_params.get("type", "")
    return parse_type(text) if text else None


def problem(status: int, why: str) -> Response:
    """An error as all have it."""
    return JSONResponse({"error": why}, status)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    return problem(error.status_code, error.detail)


async def _not_understood(_request: Request, error: Exception) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, str(error))
