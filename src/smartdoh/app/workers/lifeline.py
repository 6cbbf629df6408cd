"""A worker's side of the socket between it and its supervisor: it says how it is, and ends when the other is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket

from smartdoh.app.workers.words import ALIVE, COOKIE_KEY, READY, RELOADING, STOPPING


def cookie_key(sock: socket.socket) -> bytes:
    """What the supervisor put into the socket before it started this worker."""
    return sock.recv(COOKIE_KEY)


class Lifeline:
    """Stands for `Notifier` in a worker: the supervisor hears it, and tells the service manager for all."""

    def __init__(self, sock: socket.socket, beat: float) -> None:
        """`beat` is in seconds between two signs of life, 0.0 where nobody waits for any."""
        self.watchdog = beat
        self._sock = sock
        self._sock.setblocking(False)
        self._reloads = 0

    def ready(self) -> None:
        """Questions are answered; of reloads within reloads the last one says so."""
        self._reloads = max(0, self._reloads - 1)
        if not self._reloads:
            self._say(READY)

    def reloading(self) -> None:
        """The config is read again; `ready` follows."""
        self._reloads += 1
        if self._reloads == 1:
            self._say(RELOADING)

    def stopping(self) -> None:
        """The end has begun."""
        self._say(STOPPING)

    def alive(self) -> None:
        """The loop turns."""
        self._say(ALIVE)

    async def follow(self) -> None:
        """End this process in order when the supervisor is gone, however that went."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while await loop.sock_recv(self._sock, 64):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # it is gone, or does not listen: `follow` finds out
            self._sock.send(word)
