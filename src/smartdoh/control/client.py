"""Asking the proxy that runs: HTTP over its control socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from smartdoh import unixsocket
from smartdoh.control.failures import NotOursError, NotRunningError, RefusedError
from smartdoh.control.places import candidates

PATIENCE = 30.0  # seconds; a reload may read long lists


class Proxy:
    """A running proxy, as the command line sees it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, target: str) -> Any:
        """The JSON at `target`. Raises RefusedError or NotRunningError, as all of these do."""
        return self.request("GET", target)

    def post(self, target: str) -> Any:
        """Does what `target` stands for."""
        return self.request("POST", target)

    def put(self, target: str, value: object) -> Any:
        """Puts a value, as JSON, in the place of `target`."""
        return self.request("PUT", target, json.dumps(value).encode())

    def delete(self, target: str) -> Any:
        """Removes what `target` stands for."""
        return self.request("DELETE", target)

    def lines(self, target: str, method: str = "GET") -> Iterator[bytes]:
        """The lines that `target` answers with, as they come."""
        with closing(_Connection(self._path)) as connection:
            try:
                response = _ask(connection, method, target)
                yield from response
            except (OSError, HTTPException) as error:
                raise NotRunningError(f"the proxy went away: {error}") from error

    def request(self, method: str, target: str, body: bytes = b"") -> Any:
        """The JSON that comes back."""
        with closing(_Connection(self._path)) as connection:
            try:
                return json.loads(_ask(connection, method, target, body).read())
            except (OSError, HTTPException) as error:
                raise NotRunningError(f"the proxy does not answer at {self._path}: {error}") from error


class _Connection(HTTPConnection):
    """The standard library's HTTP, on a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock: socket.socket = unixsocket.connect(self._path, PATIENCE)


def _ask(connection: _Connection, method: str, target: str, body: bytes = b"") -> HTTPResponse:
    connection.request(method, target, body or None, {"Content-Type": "application/json"} if body else {})
    response = connection.getresponse()
    if response.status >= 400:  # noqa: PLR2004 - RFC 9110 section 15.5
        raise RefusedError(_reason(response))
    return response


def _reason(response: HTTPResponse) -> str:
    text = response.read().decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text or response.reason


def find(config: Path, environ: Mapping[str, str]) -> Proxy:
    """The proxy that runs with this config. Raises NotRunningError."""
    paths = candidates(config, environ)
    for path in paths:
        try:
            unixsocket.connect(path, PATIENCE).close()
        except PermissionError:
            raise NotOursError(f"{path} belongs to another user") from None
        except OSError:
            continue
        return Proxy(path)
    looked = ", ".join(map(str, paths))
    raise NotRunningError(f"no proxy runs with the config {config}; looked for {looked}")
