"""DNS over HTTPS by libcurl: as few multiplexed connections to an origin as will do, handles used again (RFC 8484).

How it works. A `DohTransport` has a `Line` for each connection. Requests go to the oldest line that has a stream
free, so that one connection is enough for as long as the server's limit lets it be (RFC 9113 section 9.1) and those
that a burst made fall idle after it. A further one is made when all streams are used up; until the server's limit is
known the first has to do. What finds no stream waits here and not in libcurl, which would go through all that waits
whenever something ends.
When a line has been idle for long, or silent for long while requests wait, it is retired: new requests go to
others, the old connection ends with its last request. What waits on one that is silent is asked again on another,
and the first of the two answers counts: the connection may be dead, or the server only slow.
Requests are plain callbacks and not coroutines, because a race between upstreams that costs a task for each of
them would cost more than libcurl does.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import pycurl

from smartdoh import libcurl, memory
from smartdoh.errors import Timeout, UpstreamError
from smartdoh.upstream import reply
from smartdoh.upstream.line import Handle, Line, Origin
from smartdoh.upstream.lines import Lines
from smartdoh.upstream.reply import Reply
from smartdoh.upstream.transfers import nothing_between
from smartdoh.upstream.trust import TrustStore

UNACKNOWLEDGED = 2.0  # seconds after which the kernel gives up a connection whose other end takes no data
SILENT = 1.5  # seconds without an answer, while requests wait, after which another connection is tried
LOOK = 0.25  # seconds between two looks for that
SLOWER = 3.0  # times what is usual, where that is longer: a slow server is not a dead connection
SMOOTHING = 1 / 8  # of a new sample, as in TCP's round-trip estimate (RFC 6298 section 2)
CALM_HANDLES = 64  # of those that are kept once a connection has fallen idle
SPARE_HANDLES = 1024  # easy handles kept for later, as many as are in flight at most; one takes some 10 KiB
HARDLY_ANY = 0.001  # seconds of a request's time that are not worth a new time limit

_DIED = frozenset((16, 18, 52, 55, 56, 92))  # the connection or the stream broke under the request

Done = Callable[["Reply | UpstreamError"], None]


class DohTransport:
    """One DoH server. `addresses` are those to connect to where `origin.host` is a name that no proxy resolves."""

    def __init__(
        self,
        origin: Origin,
        trust: TrustStore,
        loop: asyncio.AbstractEventLoop,
        between: Callable[[], None] = nothing_between,
    ) -> None:
        """`between` is called between requests that end together, so that what cannot wait need not."""
        self.origin = origin
        self.addresses: tuple[str, ...] = ()
        self.resolve_as = (origin.host, origin.port)  # whose the addresses are: the server's or its proxy's
        self.requests = 0
        self.connections = 0
        self.is_closed = False
        self._trust = trust
        self._loop = loop
        self._lines = Lines(between)
        self._spare: list[Handle] = []
        self._running: set[_Exchange] = set()
        self._waiting: deque[_Exchange] = deque()  # those of them that have no line yet
        self._idle_check: asyncio.TimerHandle | None = None
        self._liveness: asyncio.TimerHandle | None = None
        self._usual = 0.0  # seconds in which answers come, smoothed

    @property
    def has_room(self) -> bool:
        """Whether one more request would soon be on its way, and not wait here for others to end."""
        return len(self._running) < self._lines.capacity

    def ask(self, wire: bytes, done: Done) -> None:
        """Send `wire` (id 0) and call `done` once, later, with what came of it. Never raises."""
        now = self._loop.time()
        if self._liveness is None:
            self._liveness = self._loop.call_later(LOOK, self._check_liveness)
        self.place(self.begin(wire, done, now), now)

    async def aclose(self) -> None:
        """End every request without an answer, close every connection. The transport may not be used again."""
        self.is_closed = True
        for timer in (self._idle_check, self._liveness):
            if timer is not None:
                timer.cancel()
        self._waiting.clear()
        self.drop_connection()
        for exchange in list(self._running):
            exchange.cancel(self._loop.time())
        self._close_spare()
        await asyncio.sleep(0)  # the lines close in the loop's next turn

    def drop_connection(self) -> None:
        """Put new requests on new connections; those under way may still end on the old ones."""
        for line in list(self._lines):
            self._retire(line)

    def start_over(self) -> None:
        """The way to the server is another: use new connections, and ask on them again what is under way."""
        self.drop_connection()
        now = self._loop.time()
        for exchange in list(self._running):
            exchange.ask_again(now)

    # What exchanges call

    def begin(self, wire: bytes, done: Done, started: float) -> _Exchange:
        """An exchange that has still to be placed."""
        handle = self._spare.pop() if self._spare else Handle(self.origin, self._trust, self._connecting)
        exchange = _Exchange(self, handle, wire, done, started)
        self._running.add(exchange)
        handle.curl.setopt(pycurl.POSTFIELDS, wire)
        return exchange

    def place(self, exchange: _Exchange, now: float) -> None:
        """Send the request of `exchange`, or keep it until there is a stream for it; one after the other."""
        line = None if self._waiting else self._lines.free(now)
        if line is None:
            self._waiting.append(exchange)
            self._go_on(now)
        else:
            self._send(exchange, line, now)

    def give_back(self, line: Line, now: float) -> None:
        """A request on `line` has ended."""
        line.in_flight -= 1
        if line.retired:
            self._close_if_done(line)
        if self._waiting:
            self._go_on(now)

    def found_no_stream(self, line: Line, now: float) -> None:
        """As give_back, for a request that was not sent."""
        line.refused -= 1
        if not line.retired and not line.refused and not self._lines.refused(line):
            line.in_flight -= 1
            self._close_if_done(line)
            return
        self.give_back(line, now)

    def withdraw(self, exchange: _Exchange) -> None:
        """It waits for a stream no longer."""
        with suppress(ValueError):  # it does not wait
            self._waiting.remove(exchange)

    def finished(self, exchange: _Exchange) -> None:
        """An exchange is over, its handle is free for another."""
        self._running.discard(exchange)
        handle = exchange.handle
        handle.clear()
        if len(self._spare) < SPARE_HANDLES:
            self._spare.append(handle)
        else:
            handle.curl.close()

    @property
    def patience(self) -> float:
        """Seconds of silence, while requests wait, after which another connection is tried."""
        return max(SILENT, SLOWER * self._usual)

    def heard(self, line: Line, curl: pycurl.Curl, now: float, sent: float) -> None:
        """An answer came on `line`; the first one shows what it can do, and that others need not wait elsewhere."""
        line.heard_at = now
        self._usual += (now - sent - self._usual) * SMOOTHING
        if not line.is_known:
            self._lines.learn(line, curl.getinfo(pycurl.INFO_HTTP_VERSION))
            self._rescue(now)

    def doubt(self, line: Line, since: float) -> None:
        """A request sent at `since` had no answer in time: if nothing else had either, the connection is dead."""
        if not line.retired and line.heard_at <= since:
            self._retire(line)

    # What only happens here

    def _send(self, exchange: _Exchange, line: Line, now: float) -> None:
        self.requests += 1
        if self._idle_check is None:
            self._idle_check = self._loop.call_later(self.origin.idle, self._check_idle)
        if line.resolved != self.addresses:
            line.resolved = self.addresses
            entries = libcurl.resolve_entries(*self.resolve_as, self.addresses)
            exchange.handle.curl.setopt(pycurl.RESOLVE, entries)
        exchange.send(line, now)

    def _go_on(self, now: float) -> None:
        """What waits goes to the streams that are free."""
        while self._waiting:
            line = self._lines.free(now)
            if line is None:
                return
            self._send(self._waiting.popleft(), line, now)

    def _rescue(self, now: float) -> None:
        """What waits on an old line that is silent is also asked on another."""
        for exchange in list(self._running):
            exchange.repeat(now)

    def _connecting(self, handle: Handle, descriptor: int) -> bool:
        """A connection is about to be made: have the kernel notice soon when the way to the other end is gone.

        Not so beside one that multiplexes: that had no stream for the request, so the request goes elsewhere. libcurl
        may ask more than once about one request, for each address of the host.
        """
        line = handle.line
        if line is not None and line.multiplexes:
            if not handle.is_refused:
                handle.is_refused = True
                line.overflow()
            return False
        self.connections += 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=descriptor)  # of whatever family
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNACKNOWLEDGED * 1000))
            finally:
                sock.detach()
        return True

    def _retire(self, line: Line) -> None:
        self._lines.remove(line)
        self._close_if_done(line)

    def _close_if_done(self, line: Line) -> None:
        if line.in_flight == 0:
            self._loop.call_soon(line.transfers.close)  # not from within

    def _close_spare(self, but: int = 0) -> None:
        for handle in self._spare[but:]:
            handle.curl.close()
        del self._spare[but:]

    def _check_liveness(self) -> None:
        """Look for a line on which questions wait and nothing comes: they are also asked on another."""
        self._liveness = None
        if not self._running:
            return
        self._liveness = self._loop.call_later(LOOK, self._check_liveness)
        now = self._loop.time()
        while self._waiting and self._waiting[0].left(now) <= 0:
            self._waiting.popleft().give_up()
        silent = self._lines.silent(now, self.patience)
        for line in silent:
            self._retire(line)
        if silent:
            self._rescue(now)
        self._go_on(now)

    def _check_idle(self) -> None:
        self._idle_check = None
        idle, now = self.origin.idle, self._loop.time()
        over = self._lines.idle(now, idle)
        for line in over:
            self._retire(line)
        if over and len(self._spare) > CALM_HANDLES:  # a burst has ended
            self._close_spare(CALM_HANDLES)
            memory.give_back()
        if not self._lines:
            self._close_spare()
        else:
            ends = min(line.used_at for line in self._lines) + idle - now
            self._idle_check = self._loop.call_later(ends if ends > 0 else min(1.0, idle), self._check_idle)


class _Exchange:
    """One request: sent, sent once more if its connection died under it, and answered.

    Where its connection may only have died, a twin of it is sent on another, and the first answer ends both.
    """

    __slots__ = (
        "_done",
        "_is_hurried",
        "_line",
        "_retried",
        "_sent",
        "_started",
        "_transport",
        "_twin",
        "_wire",
        "handle",
    )

    def __init__(
        self, transport: DohTransport, handle: Handle, wire: bytes, done: Done, started: float
    ) -> None:
        self._transport = transport
        self.handle = handle
        self._wire = wire
        self._done = done
        self._retried = False
        self._is_hurried = False
        self._started = started
        self._twin: _Exchange | None = None
        self._line: Line | None = None  # that it is on; None while it waits for a stream

    def left(self, now: float) -> float:
        """Seconds of its time."""
        return self._started + self._transport.origin.timeout - now

    def send(self, line: Line, now: float) -> None:
        """Put the request on `line`; it has the time that is left, not its own."""
        if now - self._started > HARDLY_ANY:
            self._is_hurried = True
            self.handle.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(self.left(now) * 1000)))
        self._line = self.handle.line = line
        self._sent = now
        line.transfers.add(self.handle.curl, self._ended)

    def cancel(self, now: float) -> None:
        """Nobody waits any more."""
        line, self._line = self._line, None
        if line is None:
            self._transport.withdraw(self)
        else:
            line.transfers.remove(self.handle.curl)
            self._transport.give_back(line, now)
        self._transport.finished(self)

    def give_up(self) -> None:
        """Its time was over before there was a stream for it."""
        self._end(Timeout("no connection had room", self._transport.origin.name))

    def repeat(self, now: float) -> None:
        """Ask once more on another line, if the own one is retired and silent; as a retry, so only once."""
        line, transport = self._line, self._transport
        if line is None or self._retried or not line.retired:
            return
        if now - max(line.heard_at, self._sent) > transport.patience:
            twin = transport.begin(self._wire, self._done, self._started)
            self._twin, twin._twin = twin, self
            self._retried = twin._retried = True
            transport.place(twin, now)

    def ask_again(self, now: float) -> None:
        """Go to another line at once, while there is time: the own one leads nowhere any more."""
        line = self._line
        if line is not None and self.left(now) > 0:
            line.transfers.remove(self.handle.curl)
            self._leave(line, now)

    def _leave(self, line: Line, now: float) -> None:
        """From this line to another."""
        self._line = None
        self.handle.clear()
        self._transport.give_back(line, now)
        self._transport.place(self, now)

    def _ended(self, error: tuple[int, str] | None) -> None:
        line, transport = self._line, self._transport
        assert line is not None  # noqa: S101 - what is on no line does not end
        now = transport._loop.time()
        if error is None:
            transport.heard(line, self.handle.curl, now, self._sent)
            outcome: Reply | UpstreamError = reply.read(self.handle, transport.origin.name)
        elif self._goes_on(error[0], line, now):
            return
        else:
            outcome = reply.explain(self.handle, error, transport.origin.name)
            if isinstance(outcome, Timeout):
                transport.doubt(line, self._sent)
        transport.give_back(line, now)
        self._end(outcome)

    def _goes_on(self, code: int, line: Line, now: float) -> bool:
        """Whether the request is sent again: it was not sent yet, or what it was sent on broke for the first time."""
        if self.handle.is_refused:
            self.handle.is_refused = False
            self._line = None
            self._transport.found_no_stream(line, now)
            self._transport.place(self, now)
            return True
        if self._retried or code not in _DIED:
            return False
        self._retried = True
        self._leave(line, now)
        return True

    def _end(self, outcome: Reply | UpstreamError) -> None:
        if self._is_hurried:
            self.handle.curl.setopt(pycurl.TIMEOUT_MS, int(self._transport.origin.timeout * 1000))
        self._transport.finished(self)
        twin, self._twin = self._twin, None
        if twin is not None:
            twin._twin = None
            if isinstance(outcome, UpstreamError):
                return  # the other one may do better
            twin.cancel(self._transport._loop.time())
        self._done(outcome)
