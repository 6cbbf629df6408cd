"""The running server: sockets, signals, one runtime at a time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from itertools import chain
from typing import Any

from smartdoh import __version__
from smartdoh.app import descriptors, logs, loop, querylog
from smartdoh.app.addressbook import AddressBook
from smartdoh.app.build import OpenDisk, build
from smartdoh.app.crash import CrashReports, hear_of_all, in_loop
from smartdoh.app.disk import open_disk
from smartdoh.app.ledger import Ledger
from smartdoh.app.loopguard import LoopGuard
from smartdoh.app.network.watch import NetworkWatch
from smartdoh.app.outlet import Outlet
from smartdoh.app.place import Place, alone
from smartdoh.app.querylog import QueryLog
from smartdoh.app.questions.hub import Hub
from smartdoh.app.questions.seconds import totals
from smartdoh.app.questions.watching import Watching
from smartdoh.app.questions.writing import Writing, wants_ledger
from smartdoh.app.reloads import Reloads
from smartdoh.app.runtime import Runtime
from smartdoh.between import Between
from smartdoh.cache.disk import Disk
from smartdoh.cache.forget import ROOT, forget
from smartdoh.config import Settings
from smartdoh.errors import ConfigError
from smartdoh.fastpath import BUILD
from smartdoh.fastpath.cookies import Cookies, Secrets
from smartdoh.listener.connections import RESERVE, Connections
from smartdoh.listener.sockets import endpoints, listening
from smartdoh.listener.tcp import TcpListener
from smartdoh.listener.udp import UdpListener
from smartdoh.pipeline.resolve import LONGEST
from smartdoh.pipeline.selfprobe import SelfProbe
from smartdoh.tasks import Tasks

GC_THRESHOLDS = (20_000, 20, 1_000_000)
"""A full collection walks every kept answer and stops the loop meanwhile, so it comes by the clock instead."""

STDERR = 2  # where logs go, see logs
FULL_COLLECTION = 3600.0  # seconds

Load = Callable[[], Settings]
"""Reads the config again. Raises ConfigError."""

Beside = Callable[["Server"], Coroutine[Any, Any, None]]
"""Something that runs beside the answers until it is cancelled. It is called, not awaited, before `ready`: what the
call opens is open then."""


class Server:
    """Listeners that outlive every reload, and the runtime that answers."""

    def __init__(
        self,
        settings: Settings,
        load: Load,
        beside: Sequence[Beside] = (),
        place: Place | None = None,
        crashes: CrashReports | None = None,
    ) -> None:
        """Listen, but answer nobody yet; without a place, alone. Raises ListenError or ConfigError."""
        self.started = time.monotonic()
        self._load = load
        self._beside = beside
        self.reloads = Reloads()
        self._reloading = asyncio.Lock()
        self._retiring = asyncio.Lock()
        self._log = logs.get()
        self._place = place or alone()
        self._crashes = crashes or CrashReports(settings.state_dir, self._place.worker)
        self._notifier = self._place.hears
        self._stop = asyncio.Event()
        self._tasks = self._new_tasks()
        self.hub = Hub(report=self._crashes.report)
        """Shows what is asked to whoever wants to see it."""
        self.live = Watching(self.hub, self._answered, self._tasks)
        """What was asked in the last minutes, while somebody watches."""
        self._queries = QueryLog(Outlet(STDERR))
        self._ledger = Ledger()
        self.writing = Writing(self.hub, self._place.worker, self._ledger)
        """Has it written by another process."""
        self._between = Between()
        self._cookies = Cookies(Secrets(self._place.cookie_key), time.time)
        self._book = AddressBook(settings.state_dir, self._tasks)
        self._probe = SelfProbe(self._place.cookie_key)
        self._wanted = _needs_restart(settings)
        self._sockets = self._place.sockets(settings)
        self._guard = LoopGuard(
            self._probe,
            self._tasks,
            endpoints(self._sockets),
            asked_again=lambda: self._runtime.resolver.flights.joined_at,
        )
        try:
            self._runtime = self._built(settings, open_disk)
        except ConfigError:
            self._sockets.close()
            raise
        self._udp = [
            UdpListener(sock, self._runtime.fast, self._runtime.resolver, self._between)
            for sock in self._sockets.udp
        ]
        listen = settings.listen
        descriptors.allow(listen.tcp_connections + RESERVE)
        self._connections = Connections(
            most=listen.tcp_connections, each=listen.tcp_per_client, idle=listen.tcp_idle
        )
        self._tcp = [self._tcp_listener(sock) for sock in self._sockets.tcp]
        self._listeners: list[UdpListener | TcpListener] = [*self._udp, *self._tcp]

    @property
    def runtime(self) -> Runtime:
        """What answers now; another one after each reload."""
        return self._runtime

    @property
    def connections(self) -> Connections:
        """Clients' TCP connections."""
        return self._connections

    @property
    def listening(self) -> list[str]:
        """The addresses that questions are taken on."""
        return listening(self._sockets)

    def _answered(self) -> dict[str, float]:
        """How many questions were answered, by outcome: from the table, and by the spine."""
        runtime = self._runtime
        return totals(chain(runtime.fast.statistics().answered, runtime.resolver.asked.answered()))

    async def run(self) -> None:
        """Answer until SIGTERM or SIGINT."""
        running = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._stop.set)
        running.add_signal_handler(signal.SIGHUP, self._reload_on_signal)
        await self._runtime.prepare()
        self._runtime.start()
        self._use_cookies(self._runtime)
        self._log_queries(self._runtime)
        self._tasks.start(self.hub.follow(), "hub")
        self._tasks.start(self.writing.follow(), "writing")
        for udp in self._udp:
            udp.start()
        for tcp in self._tcp:
            tcp.start()
        if self._notifier.watchdog:
            self._tasks.start(self._feed_watchdog(), "watchdog")
        self._tasks.start(_collect_garbage(), "garbage")
        self._guard.watch(self._runtime.upstreams.asked, self._runtime.settings.server.loop_guard)
        watch = NetworkWatch(lambda: self._runtime.upstreams.addresses, self._renew)
        self._tasks.start(watch.follow(), "network")
        settings = self._runtime.settings
        for warning in settings.warnings:
            self._log.warning(warning)
        for beside in self._beside:
            self._tasks.start(beside(self), "beside")
        if not self._udp or not self._tcp:
            self._log.warning("only one of UDP and TCP was handed over; DNS needs both")
        self._log.info(self._place.begun, version=__version__, listening=", ".join(self.listening))
        self._notifier.ready()
        await self._stop.wait()
        await self._end()

    async def reload(self) -> None:
        """Put a new runtime in place of the old one, which ends when its questions are answered.

        What is kept, connections, and what was learned of upstreams go on where the new config leads there too. Raises
        ConfigError where the config is refused, and changes nothing then. Reloads wait for each other.
        """
        async with self._reloading:
            self._notifier.reloading()
            try:
                self._replace(await self._next_runtime())
                self.reloads.note(is_good=True)
            except ConfigError as error:
                self.reloads.note(is_good=False)
                self._log.error("reload refused, the old config stays", problem=str(error))
                raise
            finally:
                self._notifier.ready()

    def _built(self, settings: Settings, open_disk: OpenDisk, present: Runtime | None = None) -> Runtime:
        return build(settings, self._new_tasks(), open_disk, present, self._between, self._book, self._probe)

    async def _next_runtime(self) -> Runtime:
        """The runtime of the config as it is now, ready to answer. Raises ConfigError."""
        present = self._runtime
        settings = await asyncio.to_thread(self._load)
        runtime = self._built(settings, partial(open_disk, present=present.disk), present)
        try:
            await runtime.prepare()
        except BaseException:  # the end came first
            await runtime.aclose(present)
            await _close(runtime.disk, present.disk)
            raise
        return runtime

    def _renew(self, new_connections: bool) -> None:
        """The network, the date or the machine is not what it was."""
        self._runtime.renew(new_connections)
        self._guard.look()

    def _replace(self, runtime: Runtime) -> None:
        old, self._runtime = self._runtime, runtime
        old.in_force.is_so = False
        runtime.start()
        self._use_cookies(runtime)
        for listener in self._listeners:
            listener.serve(runtime.fast, runtime.resolver)
        settings, listen = runtime.settings, runtime.settings.listen
        self._guard.watch(runtime.upstreams.asked, settings.server.loop_guard)
        self._connections.limit(most=listen.tcp_connections, each=listen.tcp_per_client, idle=listen.tcp_idle)
        logs.configure(settings.log.level, settings.log.format, self._place.worker)
        self._log_queries(runtime)
        for key, wanted in _needs_restart(settings).items():
            if wanted != self._wanted[key]:
                self._log.warning(f"{key} is another than at the start; that takes a restart")
        for warning in settings.warnings:
            self._log.warning(warning)
        self._log.info("reloaded")
        self._tasks.start(self._retire(old, runtime), "retirement")

    def _use_cookies(self, runtime: Runtime) -> None:
        """Those that were given before a reload are good after it."""
        runtime.fast.use_cookies(self._cookies if runtime.settings.listen.cookies else None)

    def _log_queries(self, runtime: Runtime) -> None:
        """Have the questions of `runtime` logged, if its settings want that."""
        wanted = runtime.settings.log
        self.hub.serve(runtime.fast, runtime.resolver)
        self.writing.serve(runtime.settings)
        self.live.keep(runtime.settings.dashboard.listen is not None)
        self._ledger.watch(runtime.groups.values(), is_wanted=wants_ledger(runtime.settings))
        self._queries.serve(logs.renderer(wanted.format, self._place.worker) if wanted.queries else None)
        if not wanted.queries:
            self.hub.remove(self._queries)
            return
        self.hub.add(self._queries, querylog.ROOM)
        if not self._queries.is_followed:
            self._tasks.start(self._queries.follow(), "query log")

    def _reload_on_signal(self) -> None:
        async def reload() -> None:
            with contextlib.suppress(ConfigError):  # it is in the log
                await self.reload()

        self._tasks.start(reload(), "reload")

    async def _end(self) -> None:
        self._log.info("stopping")
        self._notifier.stopping()
        for listener in self._listeners:
            listener.stop()
        await self._tasks.aclose()
        await self._runtime.aclose()
        await self.writing.end()
        await self._queries.end()
        if self._runtime.disk is not None:
            await asyncio.to_thread(self._runtime.disk.close)
        for listener in self._listeners:
            listener.close()
        await asyncio.sleep(0)  # connections that were just aborted end in the loop's next turn

    async def _retire(self, old: Runtime, successor: Runtime) -> None:
        """Let what is under way in `old` land, then end it, but for what its successor took over.

        One after the other, in the order of the reloads: what the third did not take over from the second may be in
        use by the first.
        """
        try:
            await old.stop()
            async with self._retiring:
                await old.resolver.flights.finish(LONGEST)
            if old.fast is not self._runtime.fast:
                await forget(old.fast, (), (ROOT,))  # by and by: at once it would take the loop's time
            if old.measures.ways != successor.measures.ways:
                await old.measures.board.keep_only(self._runtime.measures.ways)
        finally:
            await old.aclose(successor)
            await _close(old.disk, successor.disk)

    async def _feed_watchdog(self) -> None:
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._notifier.watchdog)

    def _new_tasks(self) -> Tasks:
        return Tasks(self._crashes.report)

    def _tcp_listener(self, sock: socket.socket) -> TcpListener:
        runtime = self._runtime
        connections, report = self._connections, self._tasks.report
        return TcpListener(sock, runtime.fast, runtime.resolver, connections, report, self._between)


def _needs_restart(settings: Settings) -> dict[str, object]:
    """What no reload can change."""
    return {
        "listen.dns": settings.listen.dns,
        "server.workers": settings.server.workers,
        "metrics.listen": settings.metrics.listen,
    }


async def _close(disk: Disk | None, in_use: Disk | None) -> None:
    if disk is not None and disk is not in_use:
        await asyncio.to_thread(disk.close)


async def _collect_garbage() -> None:
    while True:
        await asyncio.sleep(FULL_COLLECTION)
        gc.collect()


def run(settings: Settings, load: Load, beside: Sequence[Beside] = (), place: Place | None = None) -> None:
    """Serve in the foreground. Raises ListenError or ConfigError before the first question."""

    worker = place.worker if place is not None else None
    tell = logs.get().info if worker is None else logs.get().debug
    tell("starting", version=__version__, fast_path=BUILD, pid=os.getpid(), config=str(settings.path or ""))
    crashes = CrashReports(settings.state_dir, worker)
    hear_of_all(crashes)

    async def serve() -> None:
        asyncio.get_running_loop().set_exception_handler(in_loop(crashes))
        await Server(settings, load, beside, place, crashes).run()

    gc.collect()
    gc.freeze()  # what is imported stays: the collector need not look at it again
    gc.set_threshold(*GC_THRESHOLDS)
    loop.run(serve())
