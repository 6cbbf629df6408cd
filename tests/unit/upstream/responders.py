"""Scripted plain DNS servers on loopback, for what no real server does, and the messages that they send."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, NamedTuple

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from smartdoh.model import Query
from smartdoh.wire.codes import AAAA, IN, RD, A
from smartdoh.wire.names import from_text
from smartdoh.wire.question import parse_query

HOST = "doh.test"
LONG = 30.0  # seconds; a test that waits that long has failed
Transport = Literal["udp", "tcp"]
Script = Callable[[bytes, Transport], list[bytes]]
"""From a question as it came to the messages that are sent back."""


class Asked(NamedTuple):
    """One question as a server received it."""

    wire: bytes
    transport: Transport
    port: int  # it came from


def query(host: str = HOST, qtype: int = A, message_id: int = 0) -> Query:
    """A question as the code under test gets it."""
    head = message_id.to_bytes(2) + RD.to_bytes(2) + b"\0\1" + bytes(6)
    return parse_query(head + from_text(host) + qtype.to_bytes(2) + IN.to_bytes(2))


def answer(wire: bytes, *records: str, rcode: int = 0, flags: int = 0, host: str = "") -> bytes:
    """The answer to a question as it came, its spelling kept. `records` are "[OWNER] TYPE RDATA", TTL 300."""
    asked = dns.message.from_wire(wire)
    if host:
        asked.question[0].name = dns.name.from_text(host)
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.RA | flags
    reply.set_rcode(dns.rcode.Rcode(rcode))
    for record in records:
        parts = record.split()
        owner = parts.pop(0) if len(parts) == 3 else asked.question[0].name.to_text()
        reply.answer.append(dns.rrset.from_text(owner, 300, "IN", *parts))
    return reply.to_wire()


def qtype_of(wire: bytes) -> int:
    """What a question asks for."""
    return int(dns.message.from_wire(wire).question[0].rdtype)


def addresses(v4: str = "", v6: str = "", rcode: int = 0) -> Script:
    """A server that knows these addresses of every name."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        asked = qtype_of(wire)
        records = [f"A {v4}"] if asked == A and v4 else [f"AAAA {v6}"] if asked == AAAA and v6 else []
        return [answer(wire, *records, rcode=rcode)]

    return script


def silent(wire: bytes, transport: Transport) -> list[bytes]:
    """A server that says nothing."""
    return []


class Responder(asyncio.DatagramProtocol):
    """Answers on one port of loopback over UDP and TCP; `script` may be changed at any time."""

    def __init__(self, script: Script, udp: socket.socket) -> None:
        """`udp` is sent from directly: a transport would leave an empty datagram out."""
        self._udp = udp
        self.script = script
        self.asked: list[Asked] = []
        self.server: tuple[str, int] = udp.getsockname()[:2]

    def over(self, transport: Transport) -> list[Asked]:
        """What was asked over UDP or over TCP."""
        return [asked for asked in self.asked if asked.transport == transport]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(Asked(data, "udp", addr[1]))
        for reply in self.script(data, "udp"):
            self._udp.sendto(reply, addr)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one TCP connection, and close it if the script has nothing to say."""
        try:
            wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            self.asked.append(Asked(wire, "tcp", writer.get_extra_info("peername")[1]))
            for reply in self.script(wire, "tcp"):
                writer.write(len(reply).to_bytes(2) + reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def responder(
    script: Script, *, host: str = "127.0.0.1", port: int = 0, tcp: bool = True
) -> AsyncIterator[Responder]:
    """A responder for the block."""
    loop = asyncio.get_running_loop()
    with bound_pair(port, host) as (udp, stream):
        here = Responder(script, udp)
        transport, _ = await loop.create_datagram_endpoint(lambda: here, sock=udp.dup())
        listening = await asyncio.start_server(here.serve, sock=stream.dup()) if tcp else None
        try:
            yield here
        finally:
            transport.close()
            if listening is not None:
                listening.close()
                await listening.wait_closed()
            await asyncio.sleep(0)


@contextmanager
def bound_pair(port: int = 0, host: str = "127.0.0.1") -> Iterator[tuple[socket.socket, socket.socket]]:
    """A datagram and a stream socket on the same port. The stream one refuses until it listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(20):
        udp, stream = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family)
        with udp, stream:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind((host, port))
                stream.bind(udp.getsockname()[:2])
            except OSError:
                continue
            udp.setblocking(False)
            stream.setblocking(False)
            yield udp, stream
            return
    raise OSError("no port is free for both UDP and TCP")


def closed_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with bound_pair() as (udp, _):
        port: int = udp.getsockname()[1]
    return port


async def until(is_so: Callable[[], object]) -> None:
    """Let the loop run until something is so that has no event of its own. The test's time limit ends it."""
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
