"""Sockets of several processes on one address (SO_REUSEPORT): the kernel gives each its share of the clients."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from smartdoh.listener.sockets import Sockets, bound, bound_to

if TYPE_CHECKING:
    from smartdoh.config import Endpoint


def open_shares(endpoints: Sequence[Endpoint], count: int) -> list[Sockets]:
    """`count` times a UDP and a TCP socket on each address. Raises ListenError, with nothing left open.

    Each address is first bound exclusively: SO_REUSEPORT alone would share it with another program of the same user.
    """
    with ExitStack() as stack:
        for endpoint in endpoints:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                bound(endpoint, kind).close()
        shares = []
        for _ in range(count):
            udp = [stack.enter_context(bound(each, socket.SOCK_DGRAM, shared=True)) for each in endpoints]
            tcp = [stack.enter_context(bound(each, socket.SOCK_STREAM, shared=True)) for each in endpoints]
            shares.append(Sockets(tuple(udp), tuple(tcp)))
        stack.pop_all()
    return shares


def bound_again(names: Sequence[tuple[int, int, tuple[str, int]]]) -> Sockets:
    """Shared sockets where closed ones were, by family, kind and address. Raises OSError."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(bound_to(family, kind, address, shared=True))
            for family, kind, address in names
        ]
        stack.pop_all()
    return Sockets(
        tuple(sock for sock in made if sock.type == socket.SOCK_DGRAM),
        tuple(sock for sock in made if sock.type == socket.SOCK_STREAM),
    )


def names_of(sockets: Sockets) -> list[tuple[int, int, tuple[str, int]]]:
    """What `bound_again` takes."""
    return [(sock.family, sock.type, sock.getsockname()) for sock in (*sockets.udp, *sockets.tcp)]
