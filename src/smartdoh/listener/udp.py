"""Questions over UDP: the fast path drains the socket, what it leaves goes to the resolver."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from functools import partial
from typing import Any

from smartdoh.between import Between
from smartdoh.fastpath import FastPath
from smartdoh.listener.anyaddress import AnyAddressSocket, is_wildcard
from smartdoh.model import Query
from smartdoh.pipeline.resolve import Resolver


class UdpListener:
    """One bound UDP socket."""

    def __init__(
        self, sock: socket.socket, fast: FastPath, resolver: Resolver, between: Between | None = None
    ) -> None:
        """`between` gets to know this socket: it is looked at whenever that is called."""
        self.unsent = 0
        self._between = between or Between()
        self._missed: deque[tuple[Query, tuple[Any, ...]]] = (
            deque()
        )  # seen between, to be submitted in a turn
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
        self._missed.extend(self._fast.drain(self._datagrams))
        self._submit()

    def _look(self) -> None:
        """Answer what is kept, in the middle of other work; the rest waits for its turn."""
        missed = self._fast.drain(self._datagrams)
        if missed:
            if not self._missed:
                asyncio.get_running_loop().call_soon(self._submit)
            self._missed.extend(missed)

    def _submit(self) -> None:
        while self._missed:
            query, address = self._missed.popleft()
            self._resolver.submit(query, partial(self._send, address), udp=True)
            self._between()
        for query in self._fast.take_due():
            self._resolver.refresh(query)
            self._between()

    def _send(self, address: tuple[Any, ...], wire: bytes) -> None:
        try:
            self._datagrams.sendto(wire, address)
        except OSError:  # the socket's buffer is full, or the listener is closed; the client asks again
            self.unsent += 1
