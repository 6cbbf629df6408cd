"""Passing what was asked on to the writer: never waiting for it, and counting what finds no room.

While there is no writer, what is asked is held for the next one: its start takes longer than the first questions.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from typing import NamedTuple

from smartdoh.app.ledger import Ledger, pack
from smartdoh.app.questions.frames import frame, ledger_frame
from smartdoh.app.questions.hub import Gathered
from smartdoh.app.questions.seen import packed

MOST_WAITING = 16 << 20  # octets that no writer has taken yet: some seconds of 50,000 lines each


class Waiting(NamedTuple):
    """A frame that is not sent yet."""

    octets: bytes
    records: int


class Sending:
    """An output of the hub: frames to whatever socket there is at the moment, or to the next one."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        """What `ledger` counts goes the same way."""
        self._ledger = ledger
        self.lost = 0
        """Records, since the start, that never went to the writer."""
        self.gone = asyncio.Event()
        """Set while there is nobody to send to."""
        self.gone.set()
        self._sock: socket.socket | None = None
        self._is_ending = False
        self._waiting: deque[Waiting] = deque()  # for this socket
        self._held: deque[Waiting] = deque()  # for the next one
        self._sent = 0  # octets of the first that waits
        self._octets = 0  # that wait and are held
        self._untold = 0  # of those lost, how many the writer has not heard of

    @property
    def holds(self) -> bool:
        """Whether there is something for the next socket."""
        return bool(self._held)

    def use(self, sock: socket.socket) -> None:
        """Send to `sock` from now on, what is held first; it is closed when nobody reads it any more."""
        self.stop()
        sock.setblocking(False)
        self._sock, self._is_ending = sock, False
        self._waiting, self._held = self._held, deque()
        self.gone.clear()
        asyncio.get_running_loop().add_reader(sock, self._hear)
        if self._waiting:
            self._send()

    def end(self) -> None:
        """Send what waits, and then no more; what comes from now on is for the next socket."""
        self._is_ending = True
        if not self._waiting:
            self.stop()

    def stop(self) -> None:
        """Send nothing any more. What waits is held: of a frame that was not sent whole, the reader has nothing."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_writer(sock)
        loop.remove_reader(sock)
        sock.close()
        self._held.extendleft(reversed(self._waiting))
        self._waiting.clear()
        self._sent = 0
        self.gone.set()

    def drop(self) -> None:
        """Nobody will want what is held: it is lost."""
        for octets, records in self._held:
            self._octets -= len(octets)
            self.lost += records
        self._held.clear()

    def _hear(self) -> None:
        """The writer never says anything: it is gone."""
        try:
            is_there = self._sock is not None and bool(self._sock.recv(1))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            is_there = False
        if not is_there:
            self.stop()

    def take(self, found: Gathered) -> None:
        """Send all of it, hold it, or count it."""
        if self._ledger is not None and self._sock is not None and not self._is_ending:
            self._send_ledger(self._ledger)
        hits, others = found.hits, found.others
        lost = hits.lost + found.lost
        self.lost += lost
        self._untold += lost
        count = hits.kept + len(others)
        if not (count or self._untold):
            return
        if self._octets > MOST_WAITING:
            self.lost += count
            self._untold += count
            return
        if not count and self._sock is None:  # it is told with the next that is asked
            return
        records = hits.packed + b"".join([packed(told, at) for at, told in others])
        self._put(Waiting(frame(records, self._untold, found.ahead), count))
        self._untold = 0

    def _send_ledger(self, ledger: Ledger) -> None:
        """Send what was counted since the last time; while nothing can be sent, it counts on as far as it has room."""
        if self._octets <= MOST_WAITING:
            leaves, lost = ledger.take()
            if leaves or lost:
                self._put(Waiting(ledger_frame(pack(leaves), lost), 0))

    def _put(self, what: Waiting) -> None:
        self._octets += len(what.octets)
        if self._sock is None or self._is_ending:
            self._held.append(what)
            return
        self._waiting.append(what)
        if len(self._waiting) == 1:
            self._send()

    def _send(self) -> None:
        """Send what the socket takes, and the rest when it takes more."""
        sock, waiting = self._sock, self._waiting
        if sock is None:
            return
        loop = asyncio.get_running_loop()
        try:
            while waiting:
                octets = waiting[0].octets
                self._sent += sock.send(memoryview(octets)[self._sent :])
                if self._sent == len(octets):
                    waiting.popleft()
                    self._octets -= len(octets)
                    self._sent = 0
        except (BlockingIOError, InterruptedError):
            loop.add_writer(sock, self._send)
        except OSError:  # the writer is gone: whoever watches it brings another
            self.stop()
        else:
            loop.remove_writer(sock)
            if self._is_ending:
                self.stop()

    async def finish(self, seconds: float) -> None:
        """Send what waits, but for no longer than this, and no more."""
        self.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()
        self.stop()
        self.drop()
