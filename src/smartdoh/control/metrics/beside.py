"""The metrics' address beside the running server: open from the start, its HTTP loaded when somebody first connects."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from smartdoh.app import logs
from smartdoh.app.server import Server
from smartdoh.config import Settings
from smartdoh.control.api.beside import nothing, serve_when_asked
from smartdoh.listener.sockets import bound

if TYPE_CHECKING:  # loaded when somebody asks
    from smartdoh.control.metrics.shares import Share

Gather = Callable[[], Coroutine[Any, Any, Sequence["Share"]]]
"""What every process has counted, the one that tells it first."""


def open_metrics(settings: Settings) -> socket.socket | None:
    """The listening socket of `metrics.listen`; None where that is off. Raises ListenError."""
    listen = settings.metrics.listen
    return None if listen is None else bound(listen, socket.SOCK_STREAM)


def metrics(
    server: Server, sock: socket.socket | None, gathering: Callable[[], Gather] | None = None
) -> Coroutine[Any, Any, None]:
    """What tells them on `sock` until cancelled; what `gathering` gives asks all workers, without it there is this one.

    It is called when somebody connects.
    """
    if sock is None:
        return nothing()
    host, port = sock.getsockname()[:2]
    logs.get().info("metrics", address=f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics")

    def page() -> Any:
        found = importlib.import_module("smartdoh.control.metrics.page")
        return found.Page(server, found.alone(server) if gathering is None else gathering())

    return serve_when_asked(sock, page, serving="smartdoh.control.metrics.serving")
