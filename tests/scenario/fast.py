"""The fast path on a real UDP socket of loopback, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dns.message

from smartdoh.cache.forget import forget
from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.fastpath import Entry, FastPath
from smartdoh.fastpath.surface import Address
from smartdoh.model import Query
from smartdoh.wire.question import parse_query
from tests.scenario.messages import CLIENT, answer_to
from tests.scenario.world import Clock

LARGEST = 65_535


def forget_name(fast: FastPath, name: bytes, *, below: bool = False) -> int:
    """Forget one name's answers, or also those below it; how many went."""
    return asyncio.run(forget(fast, () if below else (name,), (name,) if below else ()))


class Rig:
    """One fast path, one socket that it drains, one client."""

    def __init__(self, server: socket.socket, client: socket.socket, **how: Any) -> None:
        self.clock = Clock()
        self.server = server
        self.client = client
        self.fast = FastPath(**{"entries": 100, "view_of": lambda host: 0, "clock": self.clock, **how})

    def store(
        self, wire: bytes, *records: str, bounds: Bounds | None = None, view: int = 0, **how: Any
    ) -> Entry:
        """Keep an answer to the question `wire`."""
        asked = parse_query(wire, view, CLIENT)
        entry, ttl = entry_of(asked, answer_to(asked, *records, **how), bounds or Bounds(), self.clock())
        assert ttl, "this answer cannot be kept"
        self.fast.store(asked.key, entry)
        return entry

    def drain(self, *wires: bytes, client: socket.socket | None = None) -> list[tuple[Query, Address]]:
        """Send these datagrams, then let the fast path read."""
        for wire in wires:
            (client or self.client).sendto(wire, self.server.getsockname())
        return self.fast.drain(self.server)

    def ask(self, wire: bytes) -> dns.message.Message:
        """The answer to a question that is a hit, checked to be the only datagram that came."""
        assert self.drain(wire) == []
        (answer,) = self.answers()
        return dns.message.from_wire(answer)

    def misses(self, wire: bytes) -> bool:
        """Whether the fast path leaves a question to others, without an answer."""
        found = self.drain(wire)
        answers = self.answers()
        assert len(found) + len(answers) == 1
        return not answers

    def answers(self) -> list[bytes]:
        """All that has come to the client; loopback delivers a datagram before `send` returns."""
        found = []
        while True:
            try:
                found.append(self.client.recv(LARGEST))
            except BlockingIOError:
                return found


@contextmanager
def rig(**how: Any) -> Iterator[Rig]:
    """A rig whose sockets are closed in the end; the arguments are FastPath's."""
    with udp_socket() as server, udp_socket() as client:
        yield Rig(server, client, **how)


def udp_socket(host: str = CLIENT) -> socket.socket:
    """A bound socket that never waits."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    sock.setblocking(False)
    return sock
