"""The dashboard's process: everything put together, served until the proxy is gone or somebody stops it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator

import uvicorn

from smartdoh.app import logs
from smartdoh.control.dashboard.connections import Patient
from smartdoh.control.dashboard.guard import Guard
from smartdoh.control.dashboard.orders import Orders
from smartdoh.control.dashboard.web import build
from smartdoh.control.guest import PATIENCE, config_of

NICE = 5  # answers go before pages
MOST_CONNECTIONS = 256
IDLE = 30  # seconds a connection without a request stays open
LARGEST_MESSAGE = 131_072  # octets of one that a browser sends
GC_THRESHOLDS = (20_000, 50, 100)
CANNOT_LISTEN = 1


def run(orders: Orders, lifeline: socket.socket | None = None) -> int:
    """Serve in the foreground; the exit status. With a lifeline, until its other end is closed."""
    logs.configure(orders.log_level, orders.log_format)
    logging.disable(logging.WARNING)  # what libraries say that is no error is not for our log
    if lifeline is not None:
        with contextlib.suppress(OSError):  # the service's filter on system calls may not like it
            os.nice(NICE)
    log = logs.get()
    try:
        sock = _listening(orders)
    except OSError as error:
        reason = error.strerror or str(error)
        log.error("the dashboard cannot listen", address=_shown(orders), reason=reason)  # noqa: TRY400
        return CANNOT_LISTEN
    app = build(orders)
    gc.collect()
    gc.freeze()  # what is imported stays: the collector need not look at it again
    gc.set_threshold(*GC_THRESHOLDS)
    log.info("dashboard", address=f"http://{_shown(orders)}")
    with sock:
        asyncio.run(_serve(app, sock, lifeline))
    return 0


async def _serve(app: Guard, sock: socket.socket, lifeline: socket.socket | None) -> None:
    config = config_of(
        app,
        http=Patient,
        ws="wsproto",
        limit_concurrency=MOST_CONNECTIONS,
        ws_max_size=LARGEST_MESSAGE,
        timeout_keep_alive=IDLE,
    )
    server = uvicorn.Server(config)
    async with _ends_with(lifeline, server):
        await server.serve([sock])


@contextlib.asynccontextmanager
async def _ends_with(lifeline: socket.socket | None, server: uvicorn.Server) -> AsyncIterator[None]:
    """Ends the server in order when the other end of the lifeline is closed, however that came."""
    if lifeline is None:
        yield
        return
    lifeline.setblocking(False)
    loop = asyncio.get_running_loop()

    def closed() -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                if lifeline.recv(64):
                    return
            except ConnectionError:
                pass
            loop.remove_reader(lifeline)
            server.should_exit = True
            loop.call_later(2 * PATIENCE, os.kill, os.getpid(), signal.SIGKILL)

    loop.add_reader(lifeline, closed)
    try:
        yield
    finally:
        loop.remove_reader(lifeline)


def _listening(orders: Orders) -> socket.socket:
    """The socket that browsers connect to. Raises OSError."""
    family = socket.AF_INET6 if ":" in orders.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((orders.host, orders.port))
        sock.listen(128)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _shown(orders: Orders) -> str:
    return f"[{orders.host}]:{orders.port}" if ":" in orders.host else f"{orders.host}:{orders.port}"
