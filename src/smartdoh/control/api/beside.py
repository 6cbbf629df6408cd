"""The control socket beside the running server: open from `ready` on, its HTTP loaded when somebody first connects.

That keeps the libraries out of the start, and out of the memory of those who never ask.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from smartdoh import unixsocket
from smartdoh.app import logs
from smartdoh.app.server import Server
from smartdoh.control.places import socket_path

if TYPE_CHECKING:  # loaded when somebody asks
    from starlette.types import ASGIApp

NO_SOCKET = "no control socket: explain, cache and reload cannot reach this proxy"


def control_socket(server: Server) -> Coroutine[Any, Any, None]:
    """Open the socket, and return what serves on it until cancelled."""
    path = socket_path(server.runtime.settings.path or Path(), os.environ)
    sock = open_socket(path)
    return nothing() if sock is None else serve_when_asked(sock, partial(_application, server), path)


def open_socket(path: Path) -> socket.socket | None:
    """A listening socket at `path`; None where that cannot be, which is logged."""
    try:
        return unixsocket.listen(path)
    except OSError as error:
        logs.get().warning(NO_SOCKET, path=str(path), reason=error.strerror or str(error))
        return None


def serve_when_asked(
    sock: socket.socket,
    application: Callable[[], ASGIApp],
    path: Path | None = None,
    serving: str = "smartdoh.control.api.serving",
) -> Coroutine[Any, Any, None]:
    """What serves on `sock` until cancelled; `application` is called when somebody connects, in a thread.

    With a `path`, the socket's file is removed at the end. `serving` is the module that knows how to serve.
    """
    return _serve(sock, partial(_load, serving, application), path, path.stat().st_ino if path else 0)


async def nothing() -> None:
    """There is no socket to serve on."""


async def _serve(
    sock: socket.socket, load: Callable[[], tuple[ModuleType, ASGIApp]], path: Path | None, inode: int
) -> None:
    try:
        await _readable(sock)
        serving, app = await asyncio.to_thread(load)
        await serving.serve(app, sock)
    finally:
        sock.close()
        if path is not None:
            unixsocket.remove(path, inode)


def _load(serving: str, application: Callable[[], ASGIApp]) -> tuple[ModuleType, ASGIApp]:
    """In a thread: importing takes 100 ms, and questions shall not wait for it."""
    return importlib.import_module(serving), application()


def _application(server: Server) -> ASGIApp:
    loaded = importlib.import_module("smartdoh.control.api.application")
    return cast("ASGIApp", loaded.application(server))


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    somebody = asyncio.Event()
    loop.add_reader(sock, somebody.set)
    try:
        await somebody.wait()
    finally:
        loop.remove_reader(sock)
