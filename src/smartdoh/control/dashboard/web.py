"""The application that browsers reach: the library's pages inside of ours, the guard around them."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from smartdoh.config.addresses import is_loopback
from smartdoh.control.dashboard.client import Proxy
from smartdoh.control.dashboard.desk import Desk
from smartdoh.control.dashboard.feed import Feed
from smartdoh.control.dashboard.guard import LOGIN, LOGOUT, Guard
from smartdoh.control.dashboard.language import language_of
from smartdoh.control.dashboard.limits import Tries
from smartdoh.control.dashboard.login import Login
from smartdoh.control.dashboard.orders import Orders
from smartdoh.control.dashboard.origins import Origins
from smartdoh.control.dashboard.password import Secret
from smartdoh.control.dashboard.sessions import Sessions

ASSETS = Path(__file__).parent / "static"
SWEEP = 15.0  # seconds; how long a page outlives its session at most
RECONNECT = 5.0  # seconds that a browser has to come back before its page is forgotten


def build(orders: Orders) -> Guard:
    """The whole application. Imports NiceGUI, and may do so once in a process."""
    os.environ["NICEGUI_STORAGE_PATH"] = str(
        Path(orders.state_dir) / "dashboard"
    )  # nothing is ever put there
    nicegui: Any = importlib.import_module("nicegui")
    secret = Secret(orders.password_hash, Path(orders.state_dir), is_needed=not is_loopback(orders.host))
    sessions, proxy = Sessions(time.monotonic), Proxy(orders.sockets)
    feed = Feed(proxy)
    _register(Desk(proxy=proxy, feed=feed, secret=secret))
    login = Login(secret, sessions, Tries(time.monotonic))
    clients = nicegui.Client.instances
    app = FastAPI(
        routes=[
            Route(LOGIN, login.page),
            Route(LOGIN, login.enter, methods=["POST"]),
            Route(LOGOUT, login.leave, methods=["POST"]),
            Mount("/static", StaticFiles(directory=ASSETS)),
        ],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    guard = Guard(app, Origins(orders.host, orders.hosts), secret, sessions, lambda: len(clients))
    app.router.lifespan_context = _background(feed, proxy, guard, clients)
    nicegui.app.config.quasar_config["brand"]["primary"] = "var(--accent)"
    nicegui.app.config.socket_io_js_transports = ["websocket"]
    nicegui.ui.run_with(
        app,
        title="smartdoh",
        favicon=None,
        dark=None,
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT,
        message_history_length=100,
        gzip_middleware_factory=None,  # the guard reads pages
        show_welcome_message=False,
    )
    return guard


def _register(desk: Desk) -> None:
    """Make the pages known to the library."""
    ui: Any = importlib.import_module("nicegui").ui
    pages = importlib.import_module("smartdoh.control.dashboard.pages").PAGES
    page_of = importlib.import_module("smartdoh.control.dashboard.frame").Page

    def register(path: str, name: str, build_page: Any) -> None:
        @ui.page(path, response_timeout=10)  # type: ignore[untyped-decorator]
        async def show(request: Request) -> None:
            language = language_of(request.headers, request.cookies)
            page = page_of(desk, ui.context.client, name, language)
            with page.shell():
                await build_page(page, dict(request.query_params))

    for path, (name, build_page) in pages.items():
        register(path, name, build_page)


def _background(feed: Feed, proxy: Proxy, guard: Guard, clients: dict[str, Any]) -> Any:
    """What runs beside the pages, from the start to the end."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        jobs = (feed.follow_live(), feed.follow_upstreams(), _sweep(guard, clients))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
        await proxy.aclose()

    return lifespan


async def _sweep(guard: Guard, clients: dict[str, Any]) -> None:
    """Close the pages of those who have logged out, whose session is over, or whose password is another's."""
    sio: Any = importlib.import_module("nicegui.core").sio
    while True:
        await asyncio.sleep(SWEEP)
        for client in list(clients.values()):
            if not guard.is_let_in(client.request.headers):
                for socket, _ in list(sio.manager.get_participants("/", client.id)):
                    await sio.disconnect(
                        socket
                    )  # the guard lets it in no more, and the library forgets the page
