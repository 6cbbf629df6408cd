"""The live view as it comes: followed in a thread, found again when the proxy was away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from smartdoh.control.api.shapes import Status
from smartdoh.control.api.shapes_live import Live
from smartdoh.control.client import Proxy
from smartdoh.control.failures import NotOursError, NotRunningError, RefusedError

AGAIN = 1.0  # seconds between two tries to reach a proxy
DATA = b"data: "
NOT_RUNNING = "not running"


class Came(NamedTuple):
    """The proxy runs, and what is asked."""

    status: Status
    look: Live
    since: float  # when the status was read, on the monotonic clock


class Gone(NamedTuple):
    """The proxy cannot be reached, or does not want to be followed."""

    why: str = NOT_RUNNING


Tell = Callable[[Came | Gone], None]


def follow(proxy: Proxy) -> Iterator[Live]:
    """A look each second. Raises NotRunningError or RefusedError."""
    for line in proxy.lines("/live/follow"):
        if line.startswith(DATA):
            yield cast("Live", json.loads(line.removeprefix(DATA)))


class Feed:
    """Tells what comes, until it is stopped."""

    def __init__(self, find: Callable[[], Proxy], interval: float, tell: Tell) -> None:
        """`find` raises NotRunningError where there is none; `tell` is called in the feed's thread."""
        self._find, self._every, self._tell = find, max(1, round(interval)), tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live view", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Tell nothing more; the thread ends within a second, and nobody need wait for it."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow(self._find())
            except (NotOursError, RefusedError) as error:
                self._say(Gone(str(error)))
            except NotRunningError:
                self._say(Gone())
            else:
                self._say(Gone())
            self._stopped.wait(AGAIN)

    def _follow(self, proxy: Proxy) -> None:
        status = cast("Status", proxy.get("/status"))
        since = time.monotonic()
        for number, look in enumerate(follow(proxy)):
            if self._stopped.is_set():
                return
            if number % self._every == 0:
                self._say(Came(status, look, since))

    def _say(self, what: Came | Gone) -> None:
        if not self._stopped.is_set():
            self._tell(what)
