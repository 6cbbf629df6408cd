"""Those who look at a running smartdoh while it is measured: a Prometheus, and a person with the live view."""

import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from bench.errors import BenchError
from smartdoh.control import client
from smartdoh.control.failures import NotRunningError

EVERY = 1.0  # seconds between two scrapes
PATIENCE = 15.0  # seconds until something has to be seen


class Onlooker:
    """Looks in a thread of its own until it is told to stop; how often it saw something."""

    def __init__(self, look: Callable[[], Iterator[object]]) -> None:
        """`look` yields each time that it has seen something."""
        self.seen = 0
        self._look = look
        self._saw, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        for _ in self._look():
            self.seen += 1
            self._saw.set()
            if self._stopped.is_set():
                return

    @contextmanager
    def looking(self) -> Iterator[None]:
        """From when it has seen something: what takes long the first time is over then. Raises BenchError where it sees
        nothing, or no more."""
        self._thread.start()
        if not self._saw.wait(PATIENCE):
            raise BenchError("nobody could look on")
        first = self.seen
        try:
            yield
        finally:
            self._stopped.set()
            self._thread.join(2 * EVERY)
        if self.seen == first:
            raise BenchError("who looked on saw nothing more")


def scraper(port: int) -> Onlooker:
    """Reads the metrics each second."""

    def look() -> Iterator[object]:
        begun = time.monotonic()
        for number in count(1):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
                yield response.read()
            time.sleep(max(0.0, begun + number * EVERY - time.monotonic()))

    return Onlooker(look)


def viewer(config: Path, environ: dict[str, str]) -> Onlooker:
    """Follows the live view of the proxy that runs with this config."""

    def look() -> Iterator[object]:
        try:
            yield from client.find(config, environ).lines("/live/follow")
        except NotRunningError:  # it has ended meanwhile
            return

    return Onlooker(look)
