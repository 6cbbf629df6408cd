"""The small process that keeps workers running: starts them, passes signals on, and speaks to the service manager.

It answers no question and holds no part of the config, so that little can go wrong in it: one thread that waits for
signals, for words of its workers and for the time to start one again. Should it end all the same, each worker sees
its lifeline close and ends too.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from smartdoh.app.notify import Notifier
from smartdoh.app.workers.child import Child, reason
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.app.workers.seat import Plan, Seat, taken
from smartdoh.app.workers.words import COOKIE_KEY, READY, RELOADING
from smartdoh.listener.sockets import Sockets

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
PATIENCE = 8.0  # seconds that workers get to end by themselves; the service's TimeoutStopSec is 10
LEAVE_SHARE = 2.0  # seconds of pause, from which on others get the clients of a worker that rests
CANNOT_START = 1


class Supervisor:
    """All workers of one proxy."""

    def __init__(
        self, plan: Plan, log: PlainLog, notifier: Notifier, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan = plan
        self._log = log
        self._notifier = notifier
        self._clock = clock
        self._children = [
            Child(number, sockets, may_let_go=not plan.is_shared)
            for number, sockets in enumerate(_sockets(plan))
        ]
        self._first = self._children[0]
        self._cookie_key = os.urandom(COOKIE_KEY)
        self._selector = selectors.DefaultSelector()
        self._is_open = False  # the first worker got as far as answering
        self._was_ready = False  # all of them did
        self._wants_reload = False
        self._status: int | None = None  # to end with, once the end has begun
        self._kill_at = 0.0
        self._feed_at = 0.0

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit status."""
        wake, signals = socket.socketpair()
        with wake, signals, self._selector:
            wake.setblocking(False)
            signals.setblocking(False)
            signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
            for number in HANDLED:
                signal.signal(number, lambda *_: None)  # the octet that it writes to `signals` is what counts
            self._selector.register(wake, selectors.EVENT_READ)
            while not self._has_ended():
                self._turn(wake)
            signal.set_wakeup_fd(-1)
            self._clean_up()
        return self._status or 0

    def _turn(self, wake: socket.socket) -> None:
        """Do what is due, then wait for what comes."""
        self._start_due()
        self._pass_reload_on()
        self._feed_watchdog()
        for key, _ in self._selector.select(self._left()):
            if key.fileobj is wake:
                self._take_signals(wake.recv(4096))
            else:
                self._listen(key.data)
        self._reap()

    # Signals

    def _take_signals(self, numbers: bytes) -> None:
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._end(0)
        self._wants_reload = self._wants_reload or signal.SIGHUP in numbers

    def _pass_reload_on(self) -> None:
        """The first worker reloads; where it took the new config, it has the others do the same."""
        if self._wants_reload and self._first.is_ready and self._status is None:
            self._wants_reload = False
            self._first.send(signal.SIGHUP)

    def _end(self, status: int) -> None:
        if self._status is not None:
            return
        self._status = status
        self._kill_at = self._clock() + PATIENCE
        if self._was_ready:
            self._log.info("stopping")
        self._notifier.stopping()
        for child in self._children:
            child.send(signal.SIGTERM)

    def _has_ended(self) -> bool:
        if self._status is None:
            return False
        if self._clock() >= self._kill_at:
            for child in self._children:
                child.send(signal.SIGKILL)
        return not any(child.is_running for child in self._children)

    # Workers

    def _listen(self, child: Child) -> None:
        words = child.hear(self._clock())
        if not words:
            self._hang_up(child)
        if child is self._first and self._was_ready and RELOADING in words:
            self._notifier.reloading()
        if child is self._first and self._was_ready and READY in words:
            self._notifier.ready()
        self._is_open = self._is_open or self._first.is_ready
        if not self._was_ready and all(each.is_ready for each in self._children):
            self._was_ready = True
            plan = self._plan
            count = len(self._children)
            self._log.info("ready", version=plan.version, listening=plan.listening, workers=count)
            self._notifier.ready()

    def _hang_up(self, child: Child) -> None:
        if child.line is not None:
            self._selector.unregister(child.line)
            child.line.close()
            child.line = None

    def _reap(self) -> None:
        for child in self._children:
            status = child.ended()
            if status is not None:
                self._bury(child, status)

    def _bury(self, child: Child, status: int) -> None:
        self._hang_up(child)
        pause = child.rest(self._clock())
        if self._status is not None:
            return
        if not self._is_open:  # it has said why
            self._end(status if status > 0 else CANNOT_START)
            return
        self._log.warning(
            "a worker ended and is started again",
            worker=child.number,
            pid=child.pid,
            reason=reason(status),
            pause_s=pause,
        )
        self._let_go(child, pause)

    def _let_go(self, child: Child, pause: float) -> None:
        if pause >= LEAVE_SHARE and any(each.is_ready for each in self._children):
            child.let_go()

    def _start_due(self) -> None:
        """Start who is due; the others once the first is ready, which has checked and compiled all they need."""
        now = self._clock()
        for child in self._children:
            may_start = self._status is None and (child is self._first or self._is_open)
            if may_start and child.due is not None and child.due <= now:
                self._start(child, now)

    def _start(self, child: Child, now: float) -> None:
        try:
            line = child.start(self._plan.command, self._seat, now, self._cookie_key)
        except OSError as error:
            pause = child.rest(now)
            self._log.error(
                "a worker cannot be started", worker=child.number, reason=str(error), pause_s=pause
            )
        else:
            self._selector.register(line, selectors.EVENT_READ, child)

    def _seat(self, child: Child, lifeline: int, sockets: Sockets) -> Seat:
        return Seat(
            number=child.number,
            of=len(self._children),
            restarts=child.restarts,
            supervisor=os.getpid(),
            lifeline=lifeline,
            udp=tuple(sock.fileno() for sock in sockets.udp),
            tcp=tuple(sock.fileno() for sock in sockets.tcp),
            control=self._plan.control if child is self._first else None,
            metrics=self._plan.metrics if child is self._first else None,
            beat=self._notifier.watchdog / 2,
        )

    # Time

    def _left(self) -> float | None:
        """Seconds until something is to be done without being called."""
        now = self._clock()
        if self._status is not None:
            return max(0.05, self._kill_at - now)
        times = [child.due for child in self._children if child.due is not None and child.due > now]
        if self._notifier.watchdog:
            times.append(self._feed_at)
        return max(0.0, min(times) - now) if times else None

    def _feed_watchdog(self) -> None:
        """While every worker's loop turns; one that is being started again is looked after already."""
        now, period = self._clock(), self._notifier.watchdog
        if not period or now < self._feed_at:
            return
        self._feed_at = now + period
        if not self._was_ready:  # nobody counts yet, and what is not read yet leaves no room for READY
            return
        if all(now - child.heard <= period for child in self._children if child.is_ready):
            self._notifier.alive()

    def _clean_up(self) -> None:
        for child in self._children:
            self._hang_up(child)
            child.close()
        if self._plan.control is not None:
            Path(self._plan.control_path).unlink(missing_ok=True)


def _sockets(plan: Plan) -> list[Sockets]:
    """Those of each worker; the manager's are the same ones for all."""
    if plan.is_shared:
        udp, tcp = plan.shares[0]
        return [Sockets(taken(udp), taken(tcp))] * len(plan.shares)
    return [Sockets(taken(udp), taken(tcp)) for udp, tcp in plan.shares]
