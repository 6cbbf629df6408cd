"""The running server: sockets, signals, one runtime at a time."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable
from functools import partial

from smartdoh import __version__
from smartdoh.app import logs, loop
from smartdoh.app.build import build
from smartdoh.app.disk import open_disk
from smartdoh.app.notify import Notifier
from smartdoh.app.unused import unused
from smartdoh.config import Settings
from smartdoh.errors import ConfigError
from smartdoh.listener.sockets import Sockets, handed_over, open_sockets
from smartdoh.listener.tcp import TcpListener
from smartdoh.listener.udp import UdpListener
from smartdoh.pipeline.resolve import LONGEST
from smartdoh.tasks import Tasks

GC_THRESHOLDS = (20_000, 20, 1_000_000)
"""A full collection walks every kept answer and stops the loop meanwhile, so it comes by the clock instead."""

FULL_COLLECTION = 3600.0  # seconds

Load = Callable[[], Settings]
"""Reads the config again. Raises ConfigError."""


class Server:
    """Listeners that outlive every reload, and the runtime that answers."""

    def __init__(self, settings: Settings, load: Load) -> None:
        self._load = load
        self._log = logs.get()
        self._notifier = Notifier(os.environ)
        self._stop = asyncio.Event()
        self._tasks = self._new_tasks()
        self._sockets = _sockets(settings)
        try:
            self._runtime = build(settings, self._new_tasks(), open_disk)
        except ConfigError:
            self._sockets.close()
            raise
        self._udp = [
            UdpListener(sock, self._runtime.fast, self._runtime.resolver) for sock in self._sockets.udp
        ]
        self._tcp = [self._tcp_listener(sock) for sock in self._sockets.tcp]
        self._listeners: list[UdpListener | TcpListener] = [*self._udp, *self._tcp]

    async def run(self) -> None:
        """Answer until SIGTERM or SIGINT."""
        running = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._stop.set)
        running.add_signal_handler(signal.SIGHUP, lambda: self._tasks.start(self._reload(), "reload"))
        await self._runtime.prepare()
        self._runtime.start()
        for udp in self._udp:
            udp.start()
        for tcp in self._tcp:
            await tcp.start()
        if self._notifier.watchdog:
            self._tasks.start(self._feed_watchdog(), "watchdog")
        self._tasks.start(_collect_garbage(), "garbage")
        settings = self._runtime.settings
        for warning in (*settings.warnings, *unused(settings)):
            self._log.warning(warning)
        addresses = sorted({f"{s.getsockname()[0]} port {s.getsockname()[1]}" for s in self._sockets.udp})
        self._log.info("ready", version=__version__, listening=", ".join(addresses))
        self._notifier.ready()
        await self._stop.wait()
        await self._end()

    async def _reload(self) -> None:
        """Put a new runtime in place of the old one; a config that is refused changes nothing.

        Its cache in memory is empty; what is on disk and was not decided otherwise goes on.
        """
        self._notifier.reloading()
        try:
            settings = self._load()
            runtime = build(settings, self._new_tasks(), partial(open_disk, present=self._runtime.disk))
        except ConfigError as error:
            self._log.error("reload refused, the old config stays", problem=str(error))
            self._notifier.ready()
            return
        await runtime.prepare()
        old, self._runtime = self._runtime, runtime
        runtime.start()
        for listener in self._listeners:
            listener.serve(runtime.fast, runtime.resolver)
        if settings.listen.dns != old.settings.listen.dns:
            self._log.warning("listen.dns has changed; that takes a restart")
        for warning in (*settings.warnings, *unused(settings)):
            self._log.warning(warning)
        self._log.info("reloaded")
        self._notifier.ready()
        await old.resolver.flights.finish(LONGEST)
        await old.aclose()
        if old.disk is not None and old.disk is not self._runtime.disk:
            await asyncio.to_thread(old.disk.close)

    async def _end(self) -> None:
        self._log.info("stopping")
        self._notifier.stopping()
        for listener in self._listeners:
            listener.stop()
        await self._tasks.aclose()
        await self._runtime.aclose()
        if self._runtime.disk is not None:
            await asyncio.to_thread(self._runtime.disk.close)
        for listener in self._listeners:
            listener.close()
        await asyncio.sleep(0)  # connections that were just aborted end in the loop's next turn

    async def _feed_watchdog(self) -> None:
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._notifier.watchdog)

    def _new_tasks(self) -> Tasks:
        def report(name: str, error: BaseException) -> None:
            self._log.error("an error inside smartdoh", task=name, exc_info=error)

        return Tasks(report)

    def _tcp_listener(self, sock: socket.socket) -> TcpListener:
        listen = self._runtime.settings.listen
        return TcpListener(
            sock,
            self._runtime.fast,
            self._runtime.resolver,
            most=listen.tcp_connections,
            idle=listen.tcp_idle,
        )


def _sockets(settings: Settings) -> Sockets:
    """Those that systemd handed over, where there are any, else our own. Raises ListenError."""
    given = handed_over(os.environ)
    return given if given.udp or given.tcp else open_sockets(settings.listen.dns)


async def _collect_garbage() -> None:
    while True:
        await asyncio.sleep(FULL_COLLECTION)
        gc.collect()


def run(settings: Settings, load: Load) -> None:
    """Serve in the foreground. Raises ListenError or ConfigError before the first question."""

    async def serve() -> None:
        await Server(settings, load).run()

    gc.collect()
    gc.freeze()  # what is imported stays: the collector need not look at it again
    gc.set_threshold(*GC_THRESHOLDS)
    loop.run(serve())
