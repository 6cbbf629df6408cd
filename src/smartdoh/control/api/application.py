"""The API as an ASGI application: a route for each path of the table. Errors are JSON too: `{"error": "why"}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from smartdoh.app.server import Server
from smartdoh.control.api.answering import head_of_stream, not_allowed, problem, response_of, values_of
from smartdoh.control.api.endpoint import Asked, Endpoint, Handler, Json
from smartdoh.control.api.limits import LARGEST_BODY, Limits, body_of
from smartdoh.control.api.table import ENDPOINTS
from smartdoh.errors import ConfigError

INSIDE = "an error inside smartdoh; it is in the log"
_LAST = re.compile(r"\{(\w+)\}$")


class _Rest(Convertor[str]):
    """All that is left of a path, whatever it holds; Starlette's own `path` ends at a line's end."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("rest", _Rest())


def application(
    server: Server, instead: Mapping[str, Handler] | None = None, besides: Sequence[Endpoint] = ()
) -> Starlette:
    """The API of one running proxy.

    `instead` are other handlers by the endpoints' names; `besides` are endpoints that no document tells of.
    """
    answers = {endpoint.name: endpoint.answer for endpoint in (*besides, *ENDPOINTS)} | dict(instead or {})
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in (*besides, *ENDPOINTS):
        by_path.setdefault(endpoint.path, []).append(endpoint)
    routes = [Route(_pattern(path), Path(server, found, answers)) for path, found in by_path.items()]

    async def inside(_request: Request, error: Exception) -> Response:
        server.runtime.tasks.report("control socket", error)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, INSIDE)

    made = Starlette(
        routes=routes,
        middleware=[Middleware(Limits)],
        exception_handlers={HTTPException: _refused, ConfigError: _not_understood, Exception: inside},
    )
    made.router.redirect_slashes = False
    return made


class Path:
    """One path: the request is put to the endpoint of its method."""

    def __init__(self, server: Server, endpoints: Iterable[Endpoint], answers: Mapping[str, Handler]) -> None:
        self._server = server
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        response = await self._response(scope, receive)
        await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response:
        is_head = scope["method"] == "HEAD"
        endpoint = self._endpoints.get("GET" if is_head else scope["method"])
        if endpoint is None:
            return not_allowed(self._endpoints)
        values = values_of(endpoint, scope["path_params"], scope["query_string"])
        if is_head and not isinstance(endpoint.gives, Json):
            return head_of_stream(endpoint)
        body = await body_of(receive) if endpoint.body is not None else b""
        if body is None:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} octets")
        asked = Asked(self._server, _target(scope), values, body, ENDPOINTS)
        return response_of(endpoint, await self._answers[endpoint.name](asked))


def _pattern(path: str) -> str:
    """The path as Starlette has it: what comes last may hold anything."""
    return _LAST.sub(r"{\1:rest}", path)


def _target(scope: Scope) -> str:
    """The path and query, as they came."""
    path = scope["raw_path"].decode("ascii", "replace")
    query = scope["query_string"].decode("ascii")
    return f"{path}?{query}" if query else path


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    return problem(error.status_code, error.detail)


async def _not_understood(_request: Request, error: Exception) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, str(error))
