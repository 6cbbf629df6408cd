"""One worker as the supervisor sees it: its process, its sockets, what it said last."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence

from smartdoh.app.workers.pauses import Pauses
from smartdoh.app.workers.seat import Seat
from smartdoh.app.workers.words import READY
from smartdoh.listener.shares import bound_again, names_of
from smartdoh.listener.sockets import Sockets

OF_THE_MANAGER = (
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
)
"""What the service manager says to the supervisor alone."""

MOST_WORDS = 4096  # octets read at a time


class Child:
    """A worker that is running, or about to be. Its sockets stay open here: what comes meanwhile waits in them."""

    def __init__(self, number: int, sockets: Sockets, *, may_let_go: bool) -> None:
        """`may_let_go`: the sockets are this worker's alone, and can be made again."""
        self.number = number
        self.is_ready = False
        self.restarts = -1
        self.started = 0.0
        self.heard = 0.0  # when it last said anything
        self.due: float | None = 0.0  # when it is to be started; None: it runs
        self.line: socket.socket | None = None
        self._sockets = sockets
        self._names = names_of(sockets)
        self._may_let_go = may_let_go
        self._has_sockets = True
        self._process: subprocess.Popen[bytes] | None = None
        self._pauses = Pauses()

    @property
    def pid(self) -> int:
        """Of the last process."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether there is a process that nobody has seen end."""
        return self.due is None

    def start(
        self,
        command: Sequence[str],
        seat: Callable[[Child, int, Sockets], Seat],
        now: float,
        cookie_key: bytes,
    ) -> socket.socket:
        """Start the process; what it says comes from the socket. Raises OSError.

        `cookie_key` waits in that socket for it: a command line can be read by anybody.
        """
        if not self._has_sockets:
            self._sockets, self._has_sockets = bound_again(self._names), True
        self.line, theirs = socket.socketpair()
        self.line.setblocking(False)
        self.line.send(cookie_key)
        self.restarts += 1
        self.started = self.heard = now
        with theirs:
            told = seat(self, theirs.fileno(), self._sockets)
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [*command, told.to_json()],
                env=_environment(os.environ),
                stdin=subprocess.DEVNULL,
                pass_fds=told.descriptors,
                process_group=0,  # Ctrl-C is for the supervisor, which passes it on
            )
        self.due = None
        return self.line

    def hear(self, now: float) -> bytes:
        """What it has said since."""
        try:
            words = self.line.recv(MOST_WORDS) if self.line is not None else b""
        except OSError:
            words = b""
        self.heard = now
        self.is_ready = self.is_ready or READY in words
        return words

    def ended(self) -> int | None:
        """How the process ended, as Popen says it; None while it runs."""
        return self._process.poll() if self._process is not None and self.is_running else None

    def rest(self, now: float) -> float:
        """Note that it ended; the pause until it is to be started again."""
        pause = self._pauses.next(now - self.started)
        self.due, self.is_ready = now + pause, False
        return pause

    def let_go(self) -> None:
        """Leave this worker's share of the clients to the others, until it is started again."""
        if self._may_let_go and self._has_sockets:
            self._sockets.close()
            self._has_sockets = False

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    def close(self) -> None:
        """Close the sockets."""
        if self._has_sockets:
            self._sockets.close()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in OF_THE_MANAGER}


def reason(status: int) -> str:
    """Why a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    return f"signal {-status} ({name})"
