"""Any bytes over TCP, in any segments: the same answers as in one piece, and nothing is left behind.

The first octet says how many of the next ones are lengths of segments, which repeat; the rest is the stream.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from smartdoh.listener.connections import Connections
from smartdoh.listener.tcp import TcpConnection, TcpListener
from smartdoh.model import Answer, Query, Route
from smartdoh.wire import compose
from tests.fuzz.harnesses import run_file
from tests.scenario.world import World, settle

MOST_SEGMENTS = 8
KNOWN = b"\1k"  # names that begin so have an answer in the table after the first question


class Stream(asyncio.Transport):
    """A TCP connection in memory: what was written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5353) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        assert not self.is_closed, "written after the end"
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        """Nothing comes here by itself."""

    resume_reading = pause_reading

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits here."""


def check(data: bytes) -> None:
    """What holds for any stream and any segments."""
    count = min(data[0] if data else 0, MOST_SEGMENTS)
    sizes, stream = data[1 : 1 + count], data[1 + count :]
    _LOOP.run_until_complete(_check(bytes(size for size in sizes if size), stream))


async def _check(sizes: bytes, stream: bytes) -> None:
    whole = await _answers([stream])
    assert len(whole) <= len(_frames(stream))
    assert await _answers(_segments(stream, sizes)) == whole


def _report(_name: str, error: BaseException) -> None:
    _WORLD.bugs.append(error)


async def _answers(segments: list[bytes]) -> list[bytes]:
    """What a client gets for these segments and the end of its side, in no order."""
    _WORLD.fast.flush()
    connections = Connections()
    listener = TcpListener(cast("Any", None), _WORLD.fast, _WORLD.resolver, connections, _report)
    connection, stream = TcpConnection(listener), Stream()
    connection.connection_made(stream)
    for segment in segments:
        connection.data_received(segment)
    await settle()
    assert not stream.is_closed, "ended by what was sent"
    connection.eof_received()
    await settle()
    assert stream.is_closed, "open without anybody"
    connection.connection_lost(None)
    assert len(connections) == 0
    assert not _WORLD.bugs
    return sorted(_frames(bytes(stream.written), all_of_it=True))


def _segments(stream: bytes, sizes: bytes) -> list[bytes]:
    found, at, turn = [], 0, 0
    while sizes and at < len(stream):
        size = sizes[turn % len(sizes)]
        found.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    return found or [stream]


def _frames(stream: bytes, *, all_of_it: bool = False) -> list[bytes]:
    """The whole messages of a stream, by the book (RFC 1035 section 4.2.2)."""
    found = []
    while len(stream) >= 2 and len(stream) >= 2 + int.from_bytes(stream[:2]):
        end = 2 + int.from_bytes(stream[:2])
        found.append(stream[2:end])
        stream = stream[end:]
    assert not (all_of_it and stream), "half a message"
    return found


def _answer_all(query: Query, route: Route) -> Answer:
    ttl = 60 if query.name.startswith(KNOWN) else 0
    return compose.negative(query, b"\0", ttl, exists=False, source="fuzz")


async def _world() -> World:
    return World(extra_stages=(_answer_all,))


_LOOP = asyncio.new_event_loop()
_WORLD = _LOOP.run_until_complete(_world())

if __name__ == "__main__":
    run_file(__file__)
