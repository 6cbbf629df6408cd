"""The proxy's side of the dashboard: starts its process, starts it again when it ends, and ends it.

The process holds one end of a socket pair whose other end is here, so that it sees the end of the proxy however that
came. Nothing that the dashboard is made of is imported here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any

from smartdoh.app import logs
from smartdoh.app.server import Server
from smartdoh.app.workers.child import OF_THE_MANAGER, reason
from smartdoh.app.workers.pauses import Pauses
from smartdoh.config import Settings
from smartdoh.control.dashboard.orders import Orders, orders_of

PATIENCE = 3.0  # seconds that the process gets to end by itself
LOOK_EVERY = 1.0  # seconds; a reload may have changed what is wanted
LIBRARIES = ("nicegui", "argon2")
COMMAND = ("-m", "smartdoh", "dashboard", "run", "--lifeline")
MISSING = "no dashboard: it is not installed; pip install 'smartdoh[dashboard]' mends it"


def dashboard(server: Server) -> Coroutine[Any, Any, None]:
    """What keeps the dashboard running, or not, as the settings in force want it, until it is cancelled."""
    return Keeper(lambda: server.runtime.settings).follow()


class Keeper:
    """One dashboard at most."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        """`settings` gives those that are in force."""
        self._settings = settings
        self._log = logs.get()
        self._read: Settings | None = None
        self._orders: Orders | None = None
        self._child: Child | None = None
        self._pauses = Pauses()
        self._due = 0.0

    async def follow(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_EVERY)
        finally:
            if self._child is not None:
                await self._child.end()

    async def _look(self) -> None:
        settings = self._settings()
        if settings is not self._read:
            self._read = settings
            await self._obey(orders_of(settings, os.environ))
        if self._child is not None and (status := self._child.ended()) is not None:
            self._bury(self._child, status)
        if self._orders is not None and self._child is None and time.monotonic() >= self._due:
            self._start(self._orders)

    async def _obey(self, orders: Orders | None) -> None:
        if orders == self._orders:
            return
        if self._child is not None:
            await self._child.end()
            self._child = None
        if orders is not None and any(find_spec(name) is None for name in LIBRARIES):
            self._log.warning(MISSING)
            orders = None
        self._orders, self._due, self._pauses = orders, 0.0, Pauses()

    def _start(self, orders: Orders) -> None:
        try:
            self._child = Child(orders)
        except OSError as error:
            self._due = time.monotonic() + self._pauses.next(0.0)
            self._log.error("the dashboard cannot be started", reason=str(error))

    def _bury(self, child: Child, status: int) -> None:
        pause = self._pauses.next(time.monotonic() - child.started)
        self._due, self._child = time.monotonic() + pause, None
        self._log.warning(
            "the dashboard ended and is started again", reason=reason(status), pid=child.pid, pause_s=pause
        )


class Child:
    """The running process."""

    def __init__(self, orders: Orders) -> None:
        """Start it. Raises OSError."""
        self.started = time.monotonic()
        self._lifeline, theirs = socket.socketpair()
        with theirs:
            self._lifeline.send(orders.to_bytes())
            number = theirs.fileno()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - ourselves
                    [sys.executable, *COMMAND, str(number)],
                    env={name: value for name, value in os.environ.items() if name not in OF_THE_MANAGER},
                    stdin=subprocess.DEVNULL,
                    pass_fds=(number,),
                    process_group=0,  # Ctrl-C is for the proxy, which ends this one
                )
            except OSError:
                self._lifeline.close()
                raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ended(self) -> int | None:
        """How it ended, as Popen says it; None while it runs."""
        status = self._process.poll()
        if status is not None:
            self._lifeline.close()
        return status

    async def end(self) -> None:
        """End it: it sees its lifeline close, and has some seconds."""
        self._lifeline.close()
        until = time.monotonic() + PATIENCE
        try:
            while self._process.poll() is None and time.monotonic() < until:  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.05)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
