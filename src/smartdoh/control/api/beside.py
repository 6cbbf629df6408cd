"""The control socket beside the running server: open from `ready` on, its HTTP loaded when somebody first connects.

That keeps the libraries out of the start, and out of the memory of those who never ask.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
from collections.abc import Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

from smartdoh.app import logs
from smartdoh.app.server import Server
from smartdoh.control import unixsocket
from smartdoh.control.places import socket_path


def control_socket(server: Server) -> Coroutine[Any, Any, None]:
    """Open the socket, and return what serves on it until cancelled."""
    config = server.runtime.settings.path or Path()
    path = socket_path(config, os.environ)
    try:
        sock = unixsocket.listen(path)
    except OSError as error:
        reason = error.strerror or str(error)
        logs.get().warning(
            "no control socket: explain, cache and reload cannot reach this proxy",
            path=str(path),
            reason=reason,
        )
        return _nothing()
    return _serve(server, sock, path, path.stat().st_ino)


async def _serve(server: Server, sock: socket.socket, path: Path, inode: int) -> None:
    try:
        await _readable(sock)
        serving = await asyncio.to_thread(_load)
        await serving.serve(server, sock)
    finally:
        sock.close()
        unixsocket.remove(path, inode)


def _load() -> ModuleType:
    """In a thread: importing takes 100 ms, and questions shall not wait for it."""
    return importlib.import_module("smartdoh.control.api.serving")


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    somebody = asyncio.Event()
    loop.add_reader(sock, somebody.set)
    try:
        await somebody.wait()
    finally:
        loop.remove_reader(sock)


async def _nothing() -> None:
    """There is no socket to serve on."""
