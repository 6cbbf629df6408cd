"""Hosts on loopback that take connections at once, late or never, with and without TLS."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

from tests.servers.certificates import Certificate
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer

READ = 4096  # octets at a time
FILLERS = 4  # connections that fill a queue for one


class Host:
    """An address with a socket that listens; the kernel takes connections for it, nobody reads them."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setblocking(False)

    async def accepted(self) -> None:
        """Wait for a connection."""
        taken, _ = await asyncio.get_running_loop().sock_accept(self.sock)
        taken.close()

    def connections(self) -> int:
        """How many connections were made since this was asked last."""
        count = 0
        while True:
            try:
                self.sock.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


def packed(address: str) -> bytes:
    """As answers hold it."""
    return ipaddress.ip_address(address).packed


@contextmanager
def listening(address: str, port: int = 443) -> Iterator[Host]:
    """Takes connections at once."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as sock:
        yield Host(sock)


@contextmanager
def black_hole(address: str, port: int = 443) -> Iterator[Host]:
    """Takes no connection: its queue is full, and the kernel drops what else comes."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(0)
        for _ in range(FILLERS):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield Host(sock)


@asynccontextmanager
async def late(address: str, port: int = 443) -> AsyncIterator[None]:
    """Takes a connection at the second try, which the kernel makes after a second."""
    with black_hole(address, port) as host:
        loop = asyncio.get_running_loop()
        opening = loop.call_later(0.3, loop.add_reader, host.sock, host.connections)
        yield
        opening.cancel()
        loop.remove_reader(host.sock)


@contextmanager
def tls(address: str, certificate: Certificate, port: int = 443) -> Iterator[list[str | None]]:
    """Shakes hands with this certificate; gives the names that it was asked for, by SNI."""
    asked: list[str | None] = []
    with ScriptedServer(certificate, host=address, port=port) as server:
        server._context.sni_callback = lambda _socket, name, _context: asked.append(name)
        yield asked


@asynccontextmanager
async def saying(address: str, port: int, words: bytes) -> AsyncIterator[None]:
    """Says the same to everybody who said something, and hangs up."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(READ):
            writer.write(words)
            await writer.drain()

    async with _serving(speak, address, port):
        yield


@asynccontextmanager
async def hasty_proxy() -> AsyncIterator[str]:
    """An HTTP proxy that says it is connected before it tries; gives its URL."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets := await reader.read(READ):
            writer.write(octets)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host, port = head.split()[1].decode().rsplit(":", 1)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there_reader, there = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.wait(
                [asyncio.create_task(pipe(reader, there)), asyncio.create_task(pipe(there_reader, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            there.close()

    port = free_port()
    async with _serving(serve, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _serving(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], address: str, port: int
) -> AsyncIterator[None]:
    """Runs `talk` with each connection; all have ended and are closed afterwards."""
    ended: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.get_running_loop().create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, address, port)
    try:
        yield
    finally:
        server.close()
        await asyncio.gather(*ended)
        await server.wait_closed()
