"""Questions over UDP as an impatient stub resolver asks them: each is sent once, and silence is a result."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from dataclasses import dataclass
from typing import cast

import dns.edns
import dns.exception
import dns.message
import dns.rcode

LONGEST = 10.0  # seconds after which silence is taken for what it is


@dataclass(frozen=True, slots=True)
class Heard:
    """What one question brought; `rcode` is None and `seconds` infinite where that was nothing."""

    name: str
    rcode: dns.rcode.Rcode | None
    has_data: bool
    errors: frozenset[int]  # codes of the Extended DNS Errors
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether it was NOERROR with something in it."""
        return self.rcode == dns.rcode.NOERROR and self.has_data

    @property
    def is_honest(self) -> bool:
        """Whether it was good, or SERVFAIL that says why."""
        return self.is_good or (self.rcode == dns.rcode.SERVFAIL and bool(self.errors))

    def __str__(self) -> str:
        word = "silence" if self.rcode is None else dns.rcode.to_text(self.rcode)
        return f"{self.name}: {word}, errors {sorted(self.errors)}, {self.seconds:.3f} s"


class Asker(asyncio.DatagramProtocol):
    """One client with one socket; made in the network that it is to be in."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._waiting: dict[int, asyncio.Future[dns.message.Message]] = {}

    @classmethod
    async def to(cls, port: int, host: str = "127.0.0.1") -> Asker:
        """A client of the server on this port."""
        loop = asyncio.get_running_loop()
        _, asker = await loop.create_datagram_endpoint(cls, remote_addr=(host, port))
        return asker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            answer = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return  # who waits for it hears nothing, and that is told
        waiting = self._waiting.pop(answer.id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: silence, as a stub resolver takes it."""

    def close(self) -> None:
        """Close the socket; who still waits goes on waiting in vain."""
        self._transport.close()

    async def ask(self, name: str, seconds: float = LONGEST) -> Heard:
        """Ask for the address of `name`, with EDNS, and wait so long."""
        number = next(self._ids) & 0xFFFF
        query = dns.message.make_query(name, "A", use_edns=0, id=number)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        began = time.monotonic()
        self._transport.sendto(query.to_wire())
        try:
            answer = await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            self._waiting.pop(number, None)
            return Heard(name, None, False, frozenset(), math.inf)
        took = time.monotonic() - began
        errors = {int(option.code) for option in answer.options if isinstance(option, dns.edns.EDEOption)}
        return Heard(name, answer.rcode(), bool(answer.answer), frozenset(errors), took)
