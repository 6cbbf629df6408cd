"""Questions over UDP: the fast path drains the socket, what it leaves goes to the resolver."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from smartdoh.between import Between
from smartdoh.fair import FairQueue
from smartdoh.fastpath import FastPath
from smartdoh.fastpath.surface import TURN, Address
from smartdoh.listener.anyaddress import AnyAddressSocket, is_wildcard
from smartdoh.model import Query
from smartdoh.pipeline.resolve import Resolver

IN_LINE = 512  # questions that were read and wait for their turn: about 15 ms of work


class Missed:
    """One question that the table could not answer."""

    __slots__ = ("address", "query")

    def __init__(self, query: Query, address: Address) -> None:
        self.query = query
        self.address = address


class UdpListener:
    """One bound UDP socket."""

    def __init__(
        self, sock: socket.socket, fast: FastPath, resolver: Resolver, between: Between | None = None
    ) -> None:
        """`between` gets to know this socket: it is looked at whenever that is called."""
        self.unsent = 0
        self._between = between or Between()
        self._line: FairQueue[Missed] = FairQueue(IN_LINE)  # seen between, to be submitted in a turn
        self._turn: asyncio.Handle | None = None
        self._sock = sock
        self._datagrams = AnyAddressSocket(sock) if is_wildcard(sock) else sock
        self._fast = fast
        self._resolver = resolver

    def serve(self, fast: FastPath, resolver: Resolver) -> None:
        """Answer from these from now on; what is under way ends where it began."""
        self._fast, self._resolver = fast, resolver

    def start(self) -> None:
        """Answer from now on."""
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._drain)
        self._between.look(self._look)

    def stop(self) -> None:
        """Read no more; answers under way still leave until `close`."""
        asyncio.get_running_loop().remove_reader(self._sock.fileno())

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def _drain(self) -> None:
        missed = self._fast.drain(self._datagrams)
        if self._line:
            self._queue_up(missed)
            return
        for query, address in missed:
            self._submit(query, address)
        self._refresh_due()

    def _look(self) -> None:
        """Answer what is kept, in the middle of other work; the rest waits for its turn."""
        self._queue_up(self._fast.drain(self._datagrams))

    def _queue_up(self, missed: list[tuple[Query, Address]]) -> None:
        """Let questions wait for their turn. Where too many do, those of who has asked most hear so at once."""
        for query, address in missed:
            loser = self._line.add(query.host, Missed(query, address))
            if loser is not None:
                self._resolver.refuse(loser.query, partial(self._send, loser.address), udp=True)
        if self._line and self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        for _ in range(min(TURN, len(self._line))):
            missed = self._line.take()
            self._submit(missed.query, missed.address)
        self._refresh_due()
        self._queue_up([])

    def _submit(self, query: Query, address: Address) -> None:
        self._resolver.submit(query, partial(self._send, address), udp=True)
        self._between()

    def _refresh_due(self) -> None:
        for query in self._fast.take_due():
            self._resolver.refresh(query)
            self._between()

    def _send(self, address: Address, wire: bytes) -> None:
        try:
            self._datagrams.sendto(wire, address)
        except OSError:  # the socket's buffer is full, or the listener is closed; the client asks again
            self.unsent += 1
