"""Questions over TCP (RFC 7766): pipelined, answered out of order, bounded in every way."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from smartdoh.between import Between
from smartdoh.fastpath import FastPath
from smartdoh.fastpath.surface import MAX_QUERY
from smartdoh.listener.accepting import Accepting
from smartdoh.listener.connections import Connections
from smartdoh.pipeline.resolve import Resolver
from smartdoh.tasks import Report
from smartdoh.wire import compose
from smartdoh.wire.codes import EDE_OTHER, FORMERR, REFUSED
from smartdoh.wire.edns import LONGEST_TIMEOUT, extended_error

IN_FLIGHT = 64  # questions of one connection that wait for an answer
WRITE_BUFFER = 1 << 16  # octets of answers that a client has not read, after which it is not read from
PER_SECOND = 10  # units of edns-tcp-keepalive, RFC 7828 section 3.1
MESSAGE = 5.0  # seconds in which a message that was begun has to be whole
LIFE = 3600.0  # seconds after which a connection ends when it next has nothing to do: none stays for ever

_TOO_MANY = extended_error(EDE_OTHER, f"more than {IN_FLIGHT} questions wait on this connection")


class TcpListener:
    """One listening TCP socket."""

    def __init__(
        self,
        sock: socket.socket,
        fast: FastPath,
        resolver: Resolver,
        connections: Connections,
        report: Report,
        between: Between | None = None,
    ) -> None:
        """`connections` has all there are, those of other listeners too; `report` hears of bugs; `between` is called
        after each turn of a connection, many of which may come at once."""
        self.fast = fast
        self.resolver = resolver
        self.connections = connections
        self._sock = sock
        self.between = between or Between()
        self._report = report
        self._accepting: Accepting | None = None

    def serve(self, fast: FastPath, resolver: Resolver) -> None:
        """Answer from these from now on; what is under way ends where it began."""
        self.fast, self.resolver = fast, resolver

    @property
    def timeout(self) -> int:
        """How long a client may be idle, in units of 100 ms, as it is told: 0 where others need the room."""
        if self.connections.is_crowded:
            return 0
        return min(int(self.connections.idle * PER_SECOND), LONGEST_TIMEOUT)

    def start(self) -> None:
        """Accept from now on."""
        self._accepting = Accepting(
            self._sock, lambda: TcpConnection(self), self.connections.make_room, self._report
        )
        self._accepting.start()
        self.connections.start()

    def stop(self) -> None:
        """Accept no more."""
        if self._accepting is not None:
            self._accepting.stop()
            self._accepting = None
        self.connections.stop()
        self._sock.close()  # or the kernel would go on taking connections

    def close(self) -> None:
        """End every connection."""
        self.connections.close()


class TcpConnection(asyncio.Protocol):
    """One client. Its time runs from its last whole question (RFC 7766 section 6.2.3), so that dribbling is idling."""

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.host = ""
        self._buffer = bytearray()
        self._in_flight = 0
        self._made_at = self._asked_at = self._loop.time()
        self._begun_at = 0.0  # when the message came that is not whole yet; 0: there is none
        self._is_busy = False  # questions are left for another turn
        self._is_full = False  # the client does not read
        self._no_more = False  # the client has closed its side
        self._turn: asyncio.Handle | None = None  # the next turn, while it waits in the loop

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As in asyncio.Protocol."""
        stream = cast(
            "asyncio.Transport", transport
        )  # what create_server promises; uvloop's has a type of its own
        peer = stream.get_extra_info("peername")
        self.host = peer[0] if peer else ""
        if not peer or not self._listener.connections.admit(self, _descriptor(stream)):
            stream.abort()
            return
        self._transport = stream
        stream.set_write_buffer_limits(high=WRITE_BUFFER)

    def data_received(self, data: bytes) -> None:
        """As in asyncio.Protocol."""
        if self._transport is None:
            return
        self._buffer += data
        if not self._is_busy:
            self._take_turn()

    def eof_received(self) -> bool:
        """The client sends no more; what it asked is still answered (RFC 7766 section 6.2.4)."""
        self._no_more = True
        self._close_if_done()
        return self._transport is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """As in asyncio.Protocol."""
        self._transport = None
        self._buffer.clear()
        self._listener.connections.forget(self)

    def pause_writing(self) -> None:
        """As in asyncio.Protocol: a client that does not read is not read from."""
        self._is_full = True
        self._set_reading()
        self._listener.connections.is_unread(self, True)

    def resume_writing(self) -> None:
        """As in asyncio.Protocol."""
        self._is_full = False
        self._set_reading()
        self._listener.connections.is_unread(self, False)
        if self._is_busy:
            self._take_turn_soon()

    # What its listener's connections call

    @property
    def is_idle(self) -> bool:
        """As in Connection."""
        return self._in_flight == 0

    def abort(self) -> None:
        """End at once."""
        if self._transport is not None:
            self._transport.abort()

    def end_if_slow(self, now: float, idle: float) -> None:
        """As in Connection. Nobody is slow whom we do not read from, but who does not read is idle in the end."""
        is_dribbling = self._begun_at and now - self._begun_at > MESSAGE and not self._is_busy
        if is_dribbling or (self._in_flight == 0 and now - self._asked_at > idle):
            self.abort()
        elif (
            now - self._made_at > LIFE
            and self._in_flight == 0
            and not self._buffer
            and self._transport is not None
        ):
            self._transport.close()

    # Questions and answers

    def _take_turn(self) -> None:
        """Answer what is whole in the buffer: a turn's worth, and no more than a client that reads would take."""
        self._turn = None
        transport = self._transport
        if transport is None:
            return
        self._is_busy = True  # an answer that is ready at once must not close the connection under the others
        if self._is_full:
            return  # until `resume_writing`
        out = self._answers()
        if out:
            transport.write(out)
        for query in self._listener.fast.take_due():
            self._listener.resolver.refresh(query)
        self._is_busy = _has_whole(self._buffer)
        self._set_reading()
        if not self._is_busy:
            self._close_if_done()
        elif not self._is_full:
            self._take_turn_soon()
        self._listener.between()

    def _take_turn_soon(self) -> None:
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _answers(self) -> bytes:
        """Take questions from the buffer; what can be said to them at once, each with its length before it."""
        listener = self._listener
        out, misses, read = listener.fast.ask_stream(self._buffer, self.host, listener.timeout)
        if read:
            self._asked_at = self._loop.time()
            self._listener.connections.asked(self)
            del self._buffer[:read]
        if not self._buffer:
            self._begun_at = 0.0
        elif read or not self._begun_at:
            self._begun_at = self._loop.time()
        for query in misses:
            if len(query.wire) > MAX_QUERY:  # while it waits it would take that much memory
                refused = compose.error(query.wire, FORMERR, query)
                out += len(refused).to_bytes(2) + refused
            elif self._in_flight >= IN_FLIGHT:
                refused = compose.error(query.wire, REFUSED, query, _TOO_MANY)
                out += len(refused).to_bytes(2) + refused
            else:
                self._in_flight += 1
                listener.resolver.submit(query, self._reply, udp=False)
        return out

    def _reply(self, wire: bytes) -> None:
        self._in_flight -= 1
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(len(wire).to_bytes(2) + wire)
            self._close_if_done()

    def _close_if_done(self) -> None:
        if self._no_more and self._in_flight == 0 and not self._is_busy and self._transport is not None:
            self._transport.close()

    def _set_reading(self) -> None:
        if self._transport is None or self._transport.is_closing() or self._no_more:
            return
        if self._is_busy or self._is_full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _descriptor(stream: asyncio.Transport) -> int:
    sock = stream.get_extra_info("socket")
    return -1 if sock is None else int(sock.fileno())


def _has_whole(buffer: bytearray) -> bool:
    return len(buffer) >= 2 and len(buffer) >= 2 + (buffer[0] << 8 | buffer[1])  # noqa: PLR2004 - the length
