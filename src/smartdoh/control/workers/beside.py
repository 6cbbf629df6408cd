"""The control sockets of workers: the first one's speaks for all, the others' for themselves."""

from __future__ import annotations

import importlib
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from smartdoh.app.server import Server
from smartdoh.app.workers.seat import Seat, taken
from smartdoh.control.api.beside import nothing, open_socket, serve_when_asked
from smartdoh.control.metrics.beside import Gather, metrics
from smartdoh.control.workers.places import worker_socket
from smartdoh.control.workers.reloading import ReloadAll

if TYPE_CHECKING:  # loaded when somebody asks
    from starlette.types import ASGIApp


def first_control(server: Server, seat: Seat, main: Path, reloads: ReloadAll) -> Coroutine[Any, Any, None]:
    """Serve for all on the supervisor's socket, which outlives this worker."""
    if seat.control is None:
        return nothing()
    (sock,) = taken((seat.control,))
    return serve_when_asked(sock, partial(_of_all, server, seat, main, reloads))


def first_metrics(server: Server, seat: Seat, main: Path) -> Coroutine[Any, Any, None]:
    """Tell metrics for all on the supervisor's socket, if there is one."""
    if seat.metrics is None:
        return nothing()
    (sock,) = taken((seat.metrics,))

    def gathering() -> Gather:
        counts = importlib.import_module("smartdoh.control.workers.counts")
        return cast("Gather", counts.AllCounts(server, seat, main))

    return metrics(server, sock, gathering)


def own_control(server: Server, seat: Seat, main: Path) -> Coroutine[Any, Any, None]:
    """Open this worker's own socket, and serve on it."""
    path = worker_socket(main, seat.number)
    sock = open_socket(path)
    if sock is None:
        return nothing()
    return serve_when_asked(sock, partial(_of_one, server, seat), path)


def _of_all(server: Server, seat: Seat, main: Path, reloads: ReloadAll) -> ASGIApp:
    together = importlib.import_module("smartdoh.control.workers.together")
    return cast("ASGIApp", together.application(server, seat, main, reloads))


def _of_one(server: Server, seat: Seat) -> ASGIApp:
    single = importlib.import_module("smartdoh.control.workers.single")
    return cast("ASGIApp", single.application(server, seat))
