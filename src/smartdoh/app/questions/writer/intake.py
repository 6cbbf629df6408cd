"""What comes into the writer: frames from the proxy that started it, and from other workers that connect."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import time
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from smartdoh import unixsocket
from smartdoh.app.ledger import unpack
from smartdoh.app.questions.frames import FrameError, Frames
from smartdoh.app.questions.writer.outputs import Output, TakesLeaves
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import read

TICK = 0.25  # seconds between two ticks of the outputs, at most
AT_A_TIME = 1 << 20  # octets read from one connection before others have their turn
LAST_READS = 64  # of each connection when the proxy is gone
by_time = itemgetter(0)


class Intake:
    """Reads until the proxy is gone."""

    def __init__(self, proxy: socket.socket, path: str, outputs: Sequence[Output], log: PlainLog) -> None:
        """`path` is where other workers connect; empty where there are none."""
        self._proxy = proxy
        self._outputs = outputs
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._frames: dict[socket.socket, Frames] = {}
        self._listening: socket.socket | None = None
        self._path = Path(path)
        self._inode = 0
        if path:
            self._listen()
        self._add(proxy)

    def run(self) -> None:
        """Give all that comes to the outputs, and close them when there will be no more."""
        try:
            while self._proxy in self._frames:
                self._turn()
        finally:
            self._finish()

    def _turn(self) -> None:
        for key, _ in self._selector.select(TICK):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)  # noqa: S101 - there are no others
            if sock is self._listening:
                self._accept()
            else:
                self._read(sock)
        self._tick()

    def _tick(self) -> None:
        now, wall = time.monotonic(), time.time()
        for output in self._outputs:
            output.tick(now, wall)

    def _read(self, sock: socket.socket) -> bool:
        """Take what is there; whether there was anything."""
        try:
            octets = sock.recv(AT_A_TIME)
        except BlockingIOError:
            return False
        except OSError:
            octets = b""
        if not octets:
            self._remove(sock)
            return False
        try:
            for packed, lost, ahead in self._frames[sock].feed(octets):
                records = sorted(read(packed), key=by_time)
                for output in self._outputs:
                    output.take(records, ahead, lost)
        except (FrameError, ValueError, struct.error) as error:
            self._log.error("the writer of the query log was sent nonsense", reason=str(error))
            self._remove(sock)
            return False
        return True

    def _of_ledger(self, packed: bytes, lost: int) -> None:
        leaves = list(unpack(packed))
        for output in self._outputs:
            if isinstance(output, TakesLeaves):
                output.take_leaves(leaves, lost)

    def _listen(self) -> None:
        try:
            self._listening = unixsocket.listen_anew(self._path)
        except OSError as error:
            reason = error.strerror or str(error)
            self._log.error("other workers cannot reach the writer of the query log", reason=reason)
            return
        self._inode = self._path.stat().st_ino
        self._selector.register(self._listening, selectors.EVENT_READ)

    def _accept(self) -> None:
        assert self._listening is not None  # noqa: S101 - it is readable
        with contextlib.suppress(OSError):
            self._add(self._listening.accept()[0])

    def _add(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._frames[sock] = Frames(self._of_ledger)
        self._selector.register(sock, selectors.EVENT_READ)

    def _remove(self, sock: socket.socket) -> None:
        del self._frames[sock]
        self._selector.unregister(sock)
        sock.close()

    def _finish(self) -> None:
        """What others have sent is written too; what they go on to send is the next writer's."""
        self._stop_listening()
        for sock in list(self._frames):
            for _ in range(LAST_READS):
                if sock not in self._frames or not self._read(sock):
                    break
        for output in self._outputs:
            output.close(time.time())
        for sock in list(self._frames):
            self._remove(sock)

    def _stop_listening(self) -> None:
        if self._listening is None:
            return
        self._selector.unregister(self._listening)
        self._listening.close()
        unixsocket.remove(self._path, self._inode)  # unless the next writer listens there already
