"""A plain DNS server over UDP and TCP: behind dnsdist and knot-resolver, and for bootstrap."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, cast

import dns.exception
import dns.message
import dns.name
import dns.rdatatype

from tests.servers.loop_thread import LoopThread
from tests.servers.ports import free_port
from tests.servers.zone import Answers

Transport = Literal["udp", "tcp"]
Reply = Callable[[dns.message.Message, dns.message.Message, Transport], list[bytes]]
"""From a query and its right answer to what is sent back; an empty list is silence."""

START_TRIES = 5
BURST_BYTES = (
    1 << 20
)  # of the kernel's, so that hundreds of questions at once are not lost while nothing reads them


@dataclass(frozen=True, slots=True)
class PlainQuestion:
    """One question as it was received; the name in small letters, however it was spelled."""

    name: str
    rdtype: str
    transport: Transport
    id: int
    source_port: int


def right_answer(
    query: dns.message.Message, answer: dns.message.Message, transport: Transport
) -> list[bytes]:
    """The answer itself, truncated over UDP to what the query announced."""
    if transport == "tcp":
        return [answer.to_wire(max_size=65_535)]
    size = max(512, query.payload)
    try:
        return [answer.to_wire(max_size=size)]
    except dns.exception.TooBig:
        answer.answer, answer.authority, answer.additional = [], [], []
        answer.flags |= dns.flags.TC
        return [answer.to_wire()]


class PlainServer:
    """Answers on one port of one address; `reply` may be changed at any time."""

    def __init__(self, answers: Answers, host: str = "127.0.0.1") -> None:
        self.reply: Reply = right_answer
        self._host = host
        self._answers = answers
        self._lock = threading.Lock()
        self._questions: list[PlainQuestion] = []
        self._tcp: set[asyncio.BaseTransport] = set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"{self._host}:{self.port}"

    @property
    def questions(self) -> list[PlainQuestion]:
        """Everything asked so far, oldest first."""
        with self._lock:
            return list(self._questions)

    def respond(self, wire: bytes, transport: Transport, source_port: int) -> list[bytes]:
        """What to send back for one received message."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return []
        question = query.question[0]
        with self._lock:
            self._questions.append(
                PlainQuestion(
                    question.name.to_text().lower(),
                    dns.rdatatype.to_text(question.rdtype),
                    transport,
                    query.id,
                    source_port,
                )
            )
        return self.reply(query, self._answers.answer(query), transport)

    async def listen(self) -> None:
        """Binds both transports to one port, another one where the first choice is taken."""
        loop = asyncio.get_running_loop()
        for _ in range(START_TRIES):
            self.port = free_port()
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Udp(self), local_addr=(self._host, self.port)
                )
            except OSError:
                continue
            self._udp.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BURST_BYTES)
            try:
                self._server = await loop.create_server(lambda: _Tcp(self), self._host, self.port)
            except OSError:
                self._udp.close()
                continue
            return
        raise OSError("no port for a plain DNS server")

    async def shut(self) -> None:
        """Closes all sockets."""
        self._udp.close()
        self._server.close()
        for transport in list(self._tcp):
            cast("asyncio.Transport", transport).abort()

    def track(self, transport: asyncio.BaseTransport, is_open: bool) -> None:
        """Remembers an open TCP connection, to be closed with the server."""
        (self._tcp.add if is_open else self._tcp.discard)(transport)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: PlainServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for wire in self._server.respond(data, "udp", addr[1]):
            self._transport.sendto(wire, addr)


class _Tcp(asyncio.Protocol):
    def __init__(self, server: PlainServer) -> None:
        self._server = server
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.track(transport, True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.track(self._transport, False)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 2:
            end = 2 + int.from_bytes(self._buffer[:2])
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[2:end])
            del self._buffer[:end]
            port = self._transport.get_extra_info("peername")[1]
            for wire in self._server.respond(message, "tcp", port):
                self._transport.write(len(wire).to_bytes(2) + wire)


@contextmanager
def plain_server(answers: Answers | None = None, host: str = "127.0.0.1") -> Iterator[PlainServer]:
    """A plain DNS server for the block, with the tests' zone unless told otherwise."""
    thread = LoopThread("plain dns")
    server = PlainServer(answers or Answers(), host)
    try:
        thread.run(server.listen())
        try:
            yield server
        finally:
            thread.run(server.shut())
    finally:
        thread.close()
