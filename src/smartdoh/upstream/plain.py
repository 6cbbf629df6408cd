"""Plain DNS to one server, made hard to forge: bootstrap's transport, which has nothing better to start from.

How it works. Each question has a datagram socket of its own, connected, so that the kernel picks a random port and
drops what other addresses send; a random id; and a name of random case (0x20), all of which the answer must repeat
(RFC 5452). What does not fit is counted and listening goes on: neither a wrong packet nor an ICMP error ends the
wait, for both are what somebody off the path can send. Either of them, a cut answer or long silence starts TCP to
the same server beside it, and once a wrong packet came, TCP is believed first. Queries carry no EDNS, so answers
stay below 512 octets and are never fragments, which could be replaced one by one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable
from typing import cast

from smartdoh.errors import BadReply, Looping, NetworkDown, Timeout, UpstreamError, WireError
from smartdoh.model import Answer, Query
from smartdoh.wire import edit
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import CD, HEADER, OPCODE, QR, RD, SERVFAIL, TC
from smartdoh.wire.names import skip_name

DNS_PORT = 53
RESEND_AFTER = (
    0.5,
    1.0,
)  # seconds of silence before the question goes again over UDP; after the last, TCP too
TCP_FIRST = 1.0  # seconds that a right datagram waits for TCP, where a wrong one had come
MOST_WRONG = 100  # wrong datagrams, of the 65,536 that guessing an id takes, after which UDP is not believed

_ONE_QUESTION = b"\0\1"
_FOLD = 0x20  # the bit that makes an ASCII letter upper or lower case

Server = tuple[str, int]
"""The address, as a literal and never a name, and the port of a DNS server."""


class Question:
    """A message with one question, as it is sent: with an id and a spelling that nobody can know beforehand."""

    __slots__ = ("_end", "_original", "sent")

    def __init__(self, wire: bytes) -> None:
        """`wire` is a sound query. Its own id and case come back with the answer."""
        self._original = wire
        self._end = skip_name(wire, HEADER, {}) + 4
        name, rest = wire[HEADER : self._end - 4], wire[self._end - 4 :]
        self.sent = secrets.token_bytes(2) + wire[2:HEADER] + _spell(name) + rest

    def is_answered_by(self, wire: bytes, *, in_any_case: bool = False) -> bool:
        """Whether id, QR, opcode and question of a received message are right (RFC 5452 section 9.1).

        `in_any_case` is for TCP, where nobody off the path gets a word in, and servers that fold names are heard.
        """
        ours, theirs = self.sent[HEADER : self._end], wire[HEADER : self._end]
        if in_any_case:
            ours, theirs = ours.lower(), theirs.lower()
        return (
            len(wire) >= self._end
            and wire[:2] == self.sent[:2]
            and (wire[2] ^ self.sent[2]) & (QR | OPCODE) >> 8 == QR >> 8
            and wire[4:6] == _ONE_QUESTION
            and ours == theirs
        )

    def restore(self, wire: bytes) -> bytes:
        """A right answer with the id and the question that were asked in the first place."""
        original = self._original
        return original[:2] + wire[2:HEADER] + original[HEADER : self._end] + wire[self._end :]


def _spell(name: bytes) -> bytes:
    """The wire name with each letter in random case (0x20). Length octets are below 64 and so no letters."""
    dice = secrets.randbits(len(name))
    return bytes(
        octet ^ _FOLD if chr(octet).isalpha() and octet < 0x80 and dice >> place & 1 else octet  # noqa: PLR2004
        for place, octet in enumerate(name)
    )


async def ask(server: Server, wire: bytes, deadline: float) -> bytes:
    """Ask `server` until `deadline` (the loop's clock); the answer has the id and the question of `wire`.

    Id, QR, opcode and question of the answer are checked, its records are not. Raises BadReply where only wrong
    packets came, NetworkDown where the network refused, Timeout where nothing came at all.
    """
    talk = _Talk(server, Question(wire))
    try:
        async with asyncio.timeout_at(deadline):
            return await talk.run()
    except TimeoutError:
        raise talk.failure() from None


class _Talk(asyncio.DatagramProtocol):
    """One question to one server: a socket that listens to the end, and TCP where UDP is in doubt."""

    def __init__(self, server: Server, question: Question) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._question = question
        self._right: asyncio.Future[bytes | UpstreamError] = self._loop.create_future()
        self._in_doubt = asyncio.Event()
        self._sock: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._wrong = 0
        self._held = b""
        self._has_tcp_failed = False
        self._trouble: list[str] = []

    async def run(self) -> bytes:
        """Ask and wait without an end."""
        try:
            await self._open()
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(self._insist()), group.create_task(self._turn_to_tcp())]
                outcome = await self._right
                for other in others:
                    other.cancel()
        finally:
            if self._transport is not None:
                self._transport.abort()
        if isinstance(outcome, UpstreamError):
            raise outcome
        return self._question.restore(outcome)

    def failure(self) -> UpstreamError:
        """Why there is no answer."""
        name, trouble = name_of(self._server), list(dict.fromkeys(self._trouble))
        if self._wrong:
            count = "a wrong packet" if self._wrong == 1 else f"{self._wrong} wrong packets"
            return BadReply("; ".join([count, *trouble]), name)
        if trouble:
            return NetworkDown("; ".join(trouble), name)
        return Timeout("no answer in time", name)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport from here, for uvloop gives it to nobody else when its maker is cancelled."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take the right answer, and go on listening after any other."""
        if not self._question.is_answered_by(data):
            self._wrong += 1
            self._in_doubt.set()
        elif data[2] & TC >> 8:
            self._in_doubt.set()
        elif self._wrong == 0 or (self._has_tcp_failed and self._wrong <= MOST_WRONG):
            self._end(data)
        elif self._wrong <= MOST_WRONG:
            self._held = data
            self._loop.call_later(TCP_FIRST, self._end, data)

    def error_received(self, exc: Exception) -> None:
        """ICMP said something. Anybody can make it say that, so it only makes TCP worth trying."""
        self._note("UDP", exc)

    async def _open(self) -> None:
        """Send the question from a new socket, without ever asking the system to resolve anything."""
        sock = None
        try:
            sock = socket.socket(_family(self._server), socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.connect(self._server)
            sock.send(self._question.sent)
            await self._loop.create_datagram_endpoint(lambda: self, sock=sock)
        except OSError as error:
            if sock is not None:
                sock.close()
            self._note("UDP", error)
        else:
            self._sock = sock

    async def _insist(self) -> None:
        """Send again while nothing comes: the same packet, so that guessing gets no easier."""
        for pause in RESEND_AFTER:
            await asyncio.sleep(pause)
            self._send_again()
        self._in_doubt.set()

    async def _turn_to_tcp(self) -> None:
        await self._in_doubt.wait()
        try:
            self._end(await _ask_tcp(self._server, self._question))
        except OSError as error:
            self._tcp_failed(error)
        except BadReply as error:
            self._wrong += 1
            self._tcp_failed(error)

    def _send_again(self) -> None:
        if self._sock is not None:
            try:
                self._sock.send(self._question.sent)
            except OSError as error:
                self._note("UDP", error)

    def _tcp_failed(self, error: Exception) -> None:
        self._note("TCP", error)
        self._has_tcp_failed = True
        if self._held:
            self._end(self._held)
        elif self._sock is None:
            self._end(self.failure())

    def _note(self, where: str, error: Exception) -> None:
        number = error.errno if isinstance(error, OSError) else None
        self._trouble.append(f"{where}: {os.strerror(number) if number else error}")
        self._in_doubt.set()

    def _end(self, outcome: bytes | UpstreamError) -> None:
        if not self._right.done():
            self._right.set_result(outcome)


async def _ask_tcp(server: Server, question: Question) -> bytes:
    """The answer over a TCP connection of its own (RFC 7766). Raises OSError or BadReply."""
    loop = asyncio.get_running_loop()
    with socket.socket(_family(server), socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, server)
        await loop.sock_sendall(sock, len(question.sent).to_bytes(2) + question.sent)
        size = int.from_bytes(await _read(sock, 2))
        wire = await _read(sock, size)
    if not question.is_answered_by(wire, in_any_case=True):
        raise BadReply("an answer to another question", name_of(server))
    return wire


async def _read(sock: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < size:
        more = await loop.sock_recv(sock, size - len(data))
        if not more:
            raise ConnectionResetError("closed before the answer was whole")
        data += more
    return data


def _family(server: Server) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in server[0] else socket.AF_INET


def name_of(server: Server) -> str:
    """How errors and logs call a server."""
    host, port = server
    if port == DNS_PORT:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class PlainServer:
    """A plain DNS server as an upstream."""

    __slots__ = ("bar", "name", "server", "suspect")

    def __init__(self, server: Server) -> None:
        """Raises ValueError where the host is no address: resolving names is what this is for."""
        ipaddress.ip_address(server[0])
        self.server = server
        self.name = name_of(server)
        self.bar = ""  # why it is not asked; empty where it is
        self.suspect: Callable[[], None] | None = None  # called when it had no answer, or SERVFAIL

    def __repr__(self) -> str:
        return f"<PlainServer {self.name}>"

    @property
    def endpoints(self) -> tuple[Server, ...]:
        """Its address and port."""
        return (self.server,)

    async def exchange(self, query: Query, deadline: float) -> Answer:
        """As in Upstream; Looping is raised where it is barred."""
        if self.bar:
            raise Looping(self.bar, self.name)
        try:
            answer = await self.probe(query, deadline)
        except UpstreamError:
            if self.suspect is not None:
                self.suspect()
            raise
        if answer.scan.rcode == SERVFAIL and self.suspect is not None:
            self.suspect()
        return answer

    async def probe(self, query: Query, deadline: float) -> Answer:
        """As exchange, barred or not. Nothing of the client's query goes along but the question, RD and CD."""
        head = (query.flags & CD | RD).to_bytes(2) + _ONE_QUESTION + bytes(6)
        wire = await ask(self.server, bytes(2) + head + query.wire[HEADER : query.end], deadline)
        try:
            scan = scan_answer(wire, query)
            if scan.opt is not None:  # not asked for, and no answer is passed on with one
                wire = edit.remove_opt(wire, scan)
                scan = scan_answer(wire, query)._replace(rcode=scan.rcode)
        except WireError as error:
            raise BadReply(str(error), self.name) from error
        return Answer(wire, scan, self.name)
