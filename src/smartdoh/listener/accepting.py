"""Taking TCP connections from a listening socket: a few a turn, and with a rest where descriptors have run out."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from smartdoh.tasks import Report, Tasks

A_TURN = 16  # connections a turn of the loop, so that a storm of them is seen before all descriptors are gone
REST = 0.1  # seconds
_NONE_LEFT = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Accepting:
    """One listening socket; what waits there meanwhile waits in the kernel."""

    def __init__(
        self,
        sock: socket.socket,
        connect: Callable[[], asyncio.Protocol],
        none_left: Callable[[], None],
        report: Report,
    ) -> None:
        """`connect` makes the protocol of a new connection; `none_left` may free a descriptor where none is left."""
        self._sock = sock
        self._connect = connect
        self._none_left = none_left
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks(report)
        self._rest: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept from now on."""
        self._rest = None
        self._loop.add_reader(self._sock.fileno(), self._accept)

    def stop(self) -> None:
        """Accept no more."""
        if self._rest is not None:
            self._rest.cancel()
        self._loop.remove_reader(self._sock.fileno())

    def _accept(self) -> None:
        for _ in range(A_TURN):
            try:
                sock, _ = self._sock.accept()
            except OSError as error:  # nobody waits any more, or who waited has left
                if error.errno in _NONE_LEFT:
                    self._pause()
                return
            sock.setblocking(False)
            self._tasks.start(self._take(sock), "TCP connection")

    async def _take(self, sock: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._connect, sock)
        except OSError:  # it has ended already
            sock.close()

    def _pause(self) -> None:
        """The socket stays readable: without a rest the loop would turn for nothing."""
        self._loop.remove_reader(self._sock.fileno())
        self._rest = self._loop.call_later(REST, self.start)
        self._none_left()
