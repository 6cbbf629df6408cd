"""DNS over HTTPS by libcurl: one multiplexed connection an origin, easy handles used again (RFC 8484).

How it works. A `DohTransport` has a `_Line`: a libcurl multi handle, which keeps one HTTP/2 connection and puts
every request on it. When the line has been idle for long, or silent for long while requests wait, it is retired: new
requests get a new line with a new connection, the old one ends with its last request. Where the new line answers
and the old one is silent still, what waits there moves over.
Requests are plain callbacks and not coroutines, because a race between upstreams that costs a task for each of
them would cost more than libcurl does.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pycurl

from smartdoh import libcurl
from smartdoh.errors import BadCertificate, BadReply, Limited, NetworkDown, Timeout, UpstreamError
from smartdoh.upstream.trust import TrustStore
from smartdoh.wire.codes import MAX_MESSAGE

MEDIA_TYPE = "application/dns-message"  # RFC 8484 section 6
CONNECT_TIMEOUT = 2.0  # seconds for TCP and TLS together
UNACKNOWLEDGED = 2.0  # seconds after which the kernel gives up a connection whose other end takes no data
SILENT = 1.5  # seconds without an answer, while requests wait, after which another connection is tried
LOOK = 0.25  # seconds between two looks for that
HTTP1_CONNECTIONS = 16  # at most, where the server cannot multiplex
MAX_STREAMS = 1000  # requests on one HTTP/2 connection; the server's own limit is lower
SPARE_HANDLES = 256  # easy handles kept for later; one takes some 10 KiB
MAX_RETRY_AFTER = 60.0  # seconds of a Retry-After that we obey

LONGEST_NUMBER = 9  # digits of a number of seconds

OK, TOO_MANY_REQUESTS, UNAVAILABLE = 200, 429, 503

_CERTIFICATE_ERRORS = frozenset((51, 60, 77, 83, 90, 91))
_DIED = frozenset((16, 18, 52, 55, 56, 92))  # the connection or the stream broke under the request
_NOT_HTTP = frozenset((1, 8, 61, 63))

Done = Callable[["Reply | UpstreamError"], None]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transport asks, and how it gets there."""

    url: str
    host: str  # name or address, without brackets
    port: int
    via: str = ""  # URL of an HTTP or SOCKS5 proxy
    idle: float = 120.0  # seconds after which an unused connection is closed
    timeout: float = 5.0  # seconds for one request

    @property
    def name(self) -> str:
        """How logs and errors call it."""
        return self.host if self.port == 443 else f"{self.host}:{self.port}"  # noqa: PLR2004 - https


class Reply:
    """What an HTTP exchange that went well brought: the message and the seconds it had been in caches."""

    __slots__ = ("age", "wire")

    def __init__(self, wire: bytes, age: int) -> None:
        self.wire = wire
        self.age = age


class _Line:
    """One libcurl multi handle, with what is known of the connection in it."""

    __slots__ = ("heard_at", "in_flight", "is_known", "multi", "resolved", "retired")

    def __init__(self) -> None:
        self.multi = pycurl.AsyncCurlMulti()
        self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
        self.multi.setopt(pycurl.M_MAX_CONCURRENT_STREAMS, MAX_STREAMS)
        self.in_flight = 0
        self.heard_at = 0.0  # when it last answered, or last had nothing to answer
        self.is_known = False
        self.resolved: tuple[str, ...] = ()  # the addresses that the multi handle's DNS cache holds
        self.retired = False

    def learn(self, http_version: int) -> None:
        """The first answer came, up to which one connection was enough; one that cannot multiplex needs several."""
        self.is_known = True
        if http_version < pycurl.CURL_HTTP_VERSION_2_0:
            self.multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, HTTP1_CONNECTIONS)


class _Handle:
    """An easy handle with the buffers that libcurl fills."""

    __slots__ = ("chunks", "curl", "headers")

    def __init__(self, origin: Origin, trust: TrustStore, connecting: Callable[[int, int], int]) -> None:
        self.chunks: list[bytes] = []
        self.headers: list[bytes] = []
        self.curl = curl = pycurl.Curl()
        libcurl.prepare(curl, via=origin.via, ca_file=trust.path)
        curl.setopt(pycurl.URL, origin.url)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.HTTPHEADER, [f"Content-Type: {MEDIA_TYPE}", f"Accept: {MEDIA_TYPE}", "Expect:"])
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.PIPEWAIT, 1)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.TCP_NODELAY, 1)
        curl.setopt(pycurl.MAXFILESIZE, MAX_MESSAGE)
        curl.setopt(pycurl.MAXAGE_CONN, max(1, int(origin.idle)))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_TIMEOUT * 1000))
        curl.setopt(pycurl.TIMEOUT_MS, int(origin.timeout * 1000))
        curl.setopt(pycurl.SOCKOPTFUNCTION, connecting)
        curl.setopt(pycurl.WRITEFUNCTION, self.chunks.append)
        curl.setopt(pycurl.HEADERFUNCTION, self.headers.append)

    def clear(self) -> None:
        """Forget what was received."""
        self.chunks.clear()
        self.headers.clear()


class DohTransport:
    """One DoH server. `addresses` are those to connect to where `origin.host` is a name that no proxy resolves."""

    def __init__(self, origin: Origin, trust: TrustStore, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.addresses: tuple[str, ...] = ()
        self.resolve_as = (origin.host, origin.port)  # whose the addresses are: the server's or its proxy's
        self.requests = 0
        self.connections = 0
        self.is_closed = False
        self._trust = trust
        self._loop = loop
        self._line: _Line | None = None
        self._spare: list[_Handle] = []
        self._running: set[_Exchange] = set()
        self._last_used = 0.0
        self._idle_check: asyncio.TimerHandle | None = None
        self._liveness: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def ask(self, wire: bytes, done: Done) -> None:
        """Send `wire` (id 0) and call `done` once, later, with what came of it. Never raises."""
        handle = self._spare.pop() if self._spare else _Handle(self.origin, self._trust, self._connecting)
        exchange = _Exchange(self, handle, done)
        self._running.add(exchange)
        handle.curl.setopt(pycurl.POSTFIELDS, wire)
        exchange.send()

    async def aclose(self) -> None:
        """End every request without an answer, close every connection. The transport may not be used again."""
        self.is_closed = True
        for timer in (self._idle_check, self._liveness):
            if timer is not None:
                timer.cancel()
        self.drop_connection()
        running = [exchange.cancel() for exchange in self._running]
        await asyncio.gather(*running, return_exceptions=True)  # their handles come back meanwhile
        await asyncio.gather(*self._closing)
        for handle in self._spare:
            handle.curl.close()
        self._spare.clear()

    def drop_connection(self) -> None:
        """Put new requests on a new connection; those under way may still end on the old one."""
        line, self._line = self._line, None
        if line is not None:
            line.retired = True
            self._close_if_done(line)

    # What exchanges call

    def take_line(self, curl: pycurl.Curl) -> _Line:
        """The line on which `curl` is sent, a new one if there is none; it is told where to connect to."""
        self._last_used = now = self._loop.time()
        self.requests += 1
        line = self._line
        if line is None:
            line = self._line = _Line()
            if self._idle_check is None:
                self._idle_check = self._loop.call_later(self.origin.idle, self._check_idle)
        if line.in_flight == 0:
            line.heard_at = now
        if self._liveness is None:
            self._liveness = self._loop.call_later(LOOK, self._check_liveness)
        line.in_flight += 1
        if line.resolved != self.addresses:
            line.resolved = self.addresses
            curl.setopt(pycurl.RESOLVE, libcurl.resolve_entries(*self.resolve_as, self.addresses))
        return line

    def give_back(self, line: _Line) -> None:
        """A request on `line` has ended."""
        line.in_flight -= 1
        if line.retired:
            self._close_if_done(line)

    def finished(self, exchange: _Exchange) -> None:
        """An exchange is over, its handle is free for another."""
        self._running.discard(exchange)
        handle = exchange.handle
        handle.clear()
        if len(self._spare) < SPARE_HANDLES:
            self._spare.append(handle)
        else:
            handle.curl.close()

    def doubt(self, line: _Line, since: float) -> None:
        """A request sent at `since` had no answer in time: if nothing else had either, the connection is dead."""
        if line is self._line and line.heard_at <= since:
            self.drop_connection()

    def rescue(self) -> None:
        """What waits on an old line that is silent is asked again on the present one."""
        now = self._loop.time()
        for exchange in list(self._running):
            exchange.move(now)

    def _connecting(self, descriptor: int, _purpose: int) -> int:
        """A connection is about to be made: have the kernel notice soon when the way to the other end is gone."""
        self.connections += 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            with socket.socket(fileno=os.dup(descriptor)) as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNACKNOWLEDGED * 1000))
        return int(pycurl.SOCKOPT_OK)

    def _close_if_done(self, line: _Line) -> None:
        if line.in_flight == 0:
            task = self._loop.create_task(line.multi.aclose(), name=f"close {self.origin.name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _check_liveness(self) -> None:
        """Look for a line on which questions wait and nothing comes: they are asked again on a new one."""
        self._liveness = None
        if not self._running:
            return
        self._liveness = self._loop.call_later(LOOK, self._check_liveness)
        line = self._line
        if line is not None and line.in_flight and self._loop.time() - line.heard_at > SILENT:
            self.drop_connection()
            self.rescue()

    def _check_idle(self) -> None:
        self._idle_check = None
        left = self._last_used + self.origin.idle - self._loop.time()
        if self._line is not None and self._line.in_flight == 0 and left <= 0:
            self.drop_connection()
        elif self._line is not None:
            self._idle_check = self._loop.call_later(left if left > 0 else 1.0, self._check_idle)


class _Exchange:
    """One request: sent, sent once more if its connection died under it, and answered."""

    __slots__ = ("_cancelled", "_done", "_future", "_line", "_retried", "_started", "_transport", "handle")

    def __init__(self, transport: DohTransport, handle: _Handle, done: Done) -> None:
        self._transport = transport
        self.handle = handle
        self._done = done
        self._retried = False
        self._cancelled = False

    def send(self) -> None:
        """Put the request on the line that is used now."""
        self._line = line = self._transport.take_line(self.handle.curl)
        self._started = self._transport._loop.time()
        self._future: asyncio.Future[pycurl.Curl] = line.multi.add_handle(self.handle.curl)
        self._future.add_done_callback(self._ended)

    def cancel(self) -> asyncio.Future[pycurl.Curl]:
        """Nobody waits any more; what is given ends when the request has."""
        self._cancelled = True
        self._future.cancel()
        return self._future

    def move(self, now: float) -> None:
        """Go to the line that is used now, if the own one is retired and silent; as a retry, so only once."""
        line = self._line
        if line.retired and not self._retried and now - max(line.heard_at, self._started) > SILENT:
            line.multi.remove_handle(self.handle.curl)
            self._send_again()

    def _send_again(self) -> None:
        """The one retry; it has the time that is left, not its own."""
        self._retried = True
        self.handle.clear()
        left = self._started + self._transport.origin.timeout - self._transport._loop.time()
        self.handle.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(left * 1000)))
        self._transport.give_back(self._line)
        self.send()

    def _ended(self, future: asyncio.Future[pycurl.Curl]) -> None:
        if future is not self._future:  # moved
            return
        line, transport = self._line, self._transport
        error = None if future.cancelled() else future.exception()
        if error is not None and not self._retried and error.args[0] in _DIED and not transport.is_closed:
            self._send_again()
            return
        if future.cancelled():
            outcome: Reply | UpstreamError = Timeout("given up", transport.origin.name)
        elif error is not None:
            outcome = self._explain(error)
        else:
            line.heard_at = transport._loop.time()
            outcome = self._read(line)
        if self._retried:
            self.handle.curl.setopt(pycurl.TIMEOUT_MS, int(transport.origin.timeout * 1000))
        transport.give_back(line)
        transport.finished(self)
        if not self._cancelled:
            self._done(outcome)

    def _explain(self, error: BaseException) -> UpstreamError:
        """A libcurl error as whose fault it was."""
        code, name = error.args[0], self._transport.origin.name
        said = self.handle.curl.errstr() or str(error.args[-1])
        if code == pycurl.E_OPERATION_TIMEDOUT:
            self._transport.doubt(self._line, self._started)
            return Timeout(said, name)
        if code in _CERTIFICATE_ERRORS:
            return BadCertificate(said, name)
        if code in _NOT_HTTP:
            return BadReply(said, name)
        return NetworkDown(said, name)

    def _read(self, line: _Line) -> Reply | UpstreamError:
        """Judge the HTTP answer: only 200 with the right media type holds a message (RFC 8484 section 4.2.1)."""
        curl, name = self.handle.curl, self._transport.origin.name
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        if not line.is_known:
            line.learn(curl.getinfo(pycurl.INFO_HTTP_VERSION))
            self._transport.rescue()
        if status in (TOO_MANY_REQUESTS, UNAVAILABLE):
            return Limited(f"HTTP {status}", name, min(_retry_after(self.handle.headers), MAX_RETRY_AFTER))
        if status != OK:
            return BadReply(f"HTTP {status}", name)
        media_type = curl.getinfo(pycurl.CONTENT_TYPE)
        if media_type != MEDIA_TYPE and (media_type or "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            return BadReply(f"the media type is {media_type!r}", name)
        headers, chunks = self.handle.headers, self.handle.chunks
        age = int(_seconds(libcurl.header(headers, b"age:"))) if b"\nage:" in b"".join(headers).lower() else 0
        return Reply(chunks[0] if len(chunks) == 1 else b"".join(chunks), age)


def _seconds(value: str) -> float:
    """A number of seconds as HTTP writes it; 0.0 where it is none."""
    return float(value) if value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER else 0.0


def _retry_after(headers: list[bytes]) -> float:
    """Seconds until the time that Retry-After names, as a number or as a date (RFC 9110 section 10.2.3)."""
    value = libcurl.header(headers, b"retry-after:")
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at - datetime.now(tz=UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return _seconds(value)
