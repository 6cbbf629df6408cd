"""Asking the proxy that the dashboard shows, over its control socket, without holding anything up."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.unixsocket import LONGEST_PATH

PATIENCE = 30.0  # seconds; a reload may read long lists
MOST_CONNECTIONS = 12  # of the 16 that the proxy serves: the command line needs some too
LINES = "application/jsonl"

Query = dict[str, str]


class Proxy:
    """The running proxy. All of these raise NotRunningError, or RefusedError with the proxy's words."""

    def __init__(self, sockets: Sequence[str]) -> None:
        """`sockets` are the places where its control socket may be."""
        self._sockets = sockets
        self._path = ""
        self._http: httpx.AsyncClient | None = None
        self._folder: int | None = None

    async def get(self, target: str, query: Query | None = None) -> Any:
        """The JSON at `target`."""
        return await self._ask("GET", target, query)

    async def post(self, target: str, query: Query | None = None) -> Any:
        """Does what `target` stands for."""
        return await self._ask("POST", target, query)

    async def delete(self, target: str, query: Query | None = None) -> Any:
        """Removes it."""
        return await self._ask("DELETE", target, query)

    async def put(self, target: str, value: object) -> Any:
        """Sets it to `value`."""
        return await self._ask("PUT", target, None, {"value": value})

    async def lines(self, method: str, target: str, query: Query | None = None) -> AsyncGenerator[Any, None]:
        """The lines of JSON that come, as they come."""
        async with self._streamed(method, target, query) as response:
            async for line in response.aiter_lines():
                if line:
                    yield json.loads(line)

    async def events(self, target: str, query: Query | None = None) -> AsyncGenerator[tuple[str, Any], None]:
        """The server-sent events that come: what kind, and their JSON."""
        kind = "message"
        async with self._streamed("GET", target, query) as response:
            async for line in response.aiter_lines():
                field, _, value = line.partition(":")
                if field == "event":
                    kind = value.strip()
                elif field == "data":
                    yield kind, json.loads(value)
                    kind = "message"

    async def aclose(self) -> None:
        """Hang up."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    async def _ask(self, method: str, target: str, query: Query | None, body: object = None) -> Any:
        try:
            response = await self._client().request(method, target, params=query, json=body)
        except httpx.HTTPError as error:
            raise self._gone(error) from error
        return _checked(response).json()

    @asynccontextmanager
    async def _streamed(self, method: str, target: str, query: Query | None) -> AsyncIterator[httpx.Response]:
        patience = httpx.Timeout(PATIENCE, read=None)
        try:
            async with self._client().stream(method, target, params=query, timeout=patience) as response:
                if response.is_error:
                    await response.aread()
                yield _checked(response)
        except httpx.HTTPError as error:
            raise self._gone(error) from error

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            transport = httpx.AsyncHTTPTransport(
                uds=self._reachable(), limits=httpx.Limits(max_connections=MOST_CONNECTIONS)
            )
            self._http = httpx.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=PATIENCE, trust_env=False
            )
        return self._http

    def _reachable(self) -> str:
        """The path of the socket that is there, in a form that fits into a socket's address."""
        found = next((path for path in self._sockets if Path(path).is_socket()), None)
        if found is None:
            raise NotRunningError("no control socket")
        if len(os.fsencode(found)) <= LONGEST_PATH:
            return found
        if self._folder is None:
            self._folder = os.open(Path(found).parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{Path(found).name}"

    def _gone(self, error: Exception) -> NotRunningError:
        return NotRunningError(str(error) or type(error).__name__)


def part(text: str) -> str:
    """A name as one part of a target."""
    return quote(text, safe="")


def _checked(response: httpx.Response) -> httpx.Response:
    if not response.is_error:
        return response
    try:
        words = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        words = response.text.strip() or response.reason_phrase
    raise RefusedError(words)
