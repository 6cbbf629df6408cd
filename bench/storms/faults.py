"""Faults at random beside the storms: upstreams that stand still for seconds, and reloads."""

import signal
import threading
from random import Random
from types import TracebackType

from bench.storms.server import Server

PAUSE = 5.0, 20.0  # seconds between two faults
LASTS = 0.5, 4.0  # seconds


class Faults:
    """One fault after another, while it is entered."""

    def __init__(self, server: Server, lots: Random) -> None:
        self.count = 0
        self._server = server
        self._lots = lots
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Faults":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._lots.uniform(*PAUSE)):
            self.count += 1
            if self._lots.random() < 0.5:
                self._stand_still(self._lots.uniform(*LASTS))
            else:
                self._server.process.process.send_signal(signal.SIGHUP)

    def _stand_still(self, seconds: float) -> None:
        self._server.upstreams.send_signal(signal.SIGSTOP)
        self._stop.wait(seconds)
        self._server.upstreams.send_signal(signal.SIGCONT)
