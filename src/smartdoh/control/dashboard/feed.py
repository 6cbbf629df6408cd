"""What is the case now, read once a second for all open pages together: the live view, and how upstreams did lately."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from smartdoh.app import logs
from smartdoh.control.dashboard.client import Proxy
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.errors import SmartDohError

KEPT_SECONDS = 300  # of the live view
UPSTREAMS_EVERY = 5.0  # seconds
KEPT_UPSTREAMS = 720  # looks at them: an hour
LINGER = 30.0  # seconds that the live view is read on after the last page was closed
AGAIN = 1.0  # seconds until the proxy is asked again after it did not answer

Listener = Callable[[], None]


class Feed:
    """The newest of everything. Pages add themselves and are called after each change."""

    def __init__(self, proxy: Proxy, clock: Callable[[], float] = time.monotonic) -> None:
        self._proxy = proxy
        self._clock = clock
        self._listeners: dict[object, Listener] = {}
        self._wanted = asyncio.Event()
        self._left = 0.0  # when the last page went
        self.live: dict[str, Any] | None = None
        self.history: deque[dict[str, Any]] = deque(maxlen=KEPT_SECONDS)
        self.groups: list[dict[str, Any]] = []
        self.looks: deque[Look] = deque(maxlen=KEPT_UPSTREAMS)
        self.problem: SmartDohError | None = None  # why there is nothing new

    def add(self, key: object, listener: Listener) -> None:
        """Have `listener` called after each change, until `remove`."""
        self._listeners[key] = listener
        self._wanted.set()

    def remove(self, key: object) -> None:
        """The page is gone."""
        self._listeners.pop(key, None)
        if not self._listeners:
            self._left = self._clock()

    async def follow_live(self) -> None:
        """Until cancelled: the live view, while somebody looks."""
        while True:
            await self._wanted.wait()
            try:
                async with aclosing(self._proxy.events("/live/follow")) as events:
                    async for kind, snapshot in events:
                        if kind == "live":
                            self._take(snapshot)
                        if self._nobody_looks():
                            self._wanted.clear()
                            break
            except (NotRunningError, RefusedError) as error:
                self._fail(error)
            await asyncio.sleep(AGAIN)

    async def follow_upstreams(self) -> None:
        """Until cancelled: how each upstream does, also while nobody looks, so that there is something to see."""
        while True:
            try:
                self.groups = await self._proxy.get("/upstreams")
                self.looks.append(Look(time.time(), self.groups))
            except (NotRunningError, RefusedError) as error:
                self._fail(error)
            else:
                self._tell()
            await asyncio.sleep(UPSTREAMS_EVERY)

    def _take(self, snapshot: dict[str, Any]) -> None:
        before = snapshot.pop("history", None)
        if before:
            self.history.clear()
            self.history.extend(before)
        else:
            latency = snapshot.get("latency_ms")
            self.history.append({"at": snapshot["at"], "rate": snapshot["rate"], "latency_ms": latency})
        self.live, self.problem = snapshot, None
        self.groups = snapshot.get("groups") or self.groups
        self._tell()

    def _fail(self, error: SmartDohError) -> None:
        self.problem = error
        self._tell()

    def _nobody_looks(self) -> bool:
        return not self._listeners and self._clock() - self._left > LINGER

    def _tell(self) -> None:
        for listener in list(self._listeners.values()):
            try:
                listener()
            except Exception as error:
                logs.get().error("a page could not be updated", reason=repr(error))


class Look:
    """How each upstream did at one time."""

    __slots__ = ("at", "upstreams")

    def __init__(self, at: float, groups: list[dict[str, Any]]) -> None:
        """`at` is in seconds since the epoch."""
        self.at = at
        self.upstreams = {
            (group["name"], upstream["name"]): (
                upstream["latency_ms"],
                upstream["p95_ms"],
                upstream["requests"],
                errors_of(upstream),
            )
            for group in groups
            for upstream in group["upstreams"]
        }


def errors_of(upstream: dict[str, Any]) -> int:
    """How many requests to it came to nothing since the start."""
    errors = upstream.get("errors")
    return sum(errors.values()) if isinstance(errors, dict) else int(upstream.get("failures", 0))
