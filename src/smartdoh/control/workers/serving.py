"""One worker: the server in the place that its supervisor gave it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smartdoh.app import logs, server
from smartdoh.app.place import Place
from smartdoh.app.server import Server
from smartdoh.app.workers.lifeline import Lifeline, cookie_key
from smartdoh.app.workers.seat import Seat, taken
from smartdoh.config import Settings
from smartdoh.control.dashboard.keeper import dashboard
from smartdoh.control.places import socket_path
from smartdoh.control.workers.beside import first_control, first_metrics, own_control
from smartdoh.control.workers.reloading import ReloadAll

Load = Callable[[], Settings]
"""Reads the config. Raises ConfigError."""


def serve(seat: Seat, load: Load) -> None:
    """Answer until the supervisor says otherwise, or is gone. Raises ConfigError."""

    def mine() -> Settings:
        settings = load()
        return settings if seat.is_first else _as_follower(settings, seat)

    settings = mine()
    logs.configure(settings.log.level, settings.log.format, seat.number)
    (line,) = taken((seat.lifeline,))
    key = cookie_key(line)
    lifeline = Lifeline(line, seat.beat)
    main = socket_path(settings.path or Path(), os.environ)

    def follow(_server: Server) -> Coroutine[Any, Any, None]:
        return lifeline.follow()

    def control(running: Server) -> Coroutine[Any, Any, None]:
        if not seat.is_first:
            return own_control(running, seat, main)
        reloads = ReloadAll(running, lifeline, seat, main)
        return _all(
            control=first_control(running, seat, main, reloads),
            reloads=_reload_on_signal(reloads),
            metrics=first_metrics(running, seat, main),
        )

    place = Place(lambda _settings: seat.sockets(), lifeline, seat.number, key)
    beside = [follow, control, *([dashboard] if seat.is_first else [])]
    with line:
        server.run(settings, mine, beside, place)


def _as_follower(settings: Settings, seat: Seat) -> Settings:
    """What all but the first make of a config: lists that it fetches are files to watch, and it has warned already."""
    lists = {name: dataclasses.replace(wanted, url=None) for name, wanted in settings.lists.items()}
    of_all = dataclasses.replace(settings.server, workers=seat.of)
    return dataclasses.replace(settings, lists=MappingProxyType(lists), server=of_all, warnings=())


def _reload_on_signal(reloads: ReloadAll) -> Coroutine[Any, Any, None]:
    """In place of the server's own handler, from now on: SIGHUP reloads all workers."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)

    async def follow() -> None:
        while True:
            await asked.wait()
            asked.clear()
            await reloads.quietly()

    return follow()


async def _all(**named: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        for name, each in named.items():
            group.create_task(each, name=name)
