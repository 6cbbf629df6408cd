"""UDP on a wildcard address: answers have to leave from the address that was asked (RFC 2181 section 4)."""

from __future__ import annotations

import socket
from typing import Any

_IP_PKTINFO = 8  # Linux, ip(7); the module names it from Python 3.12 on
_CONTROL = 64  # octets of ancillary data, more than one in(6)_pktinfo takes


def is_wildcard(sock: socket.socket) -> bool:
    """Whether the socket is bound to every address of the machine."""
    return sock.getsockname()[0] in ("0.0.0.0", "::")  # noqa: S104 - a comparison


class AnyAddressSocket:
    """A UDP socket with the verbs of one that is bound to a single address.

    A sender is (host, its socket address, the control message that makes the answer leave as it has to).
    """

    carries_control = True
    """Who reads from its descriptor has to carry control messages over into the answers (see fastpath)."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)

    def fileno(self) -> int:
        """The descriptor."""
        return self._sock.fileno()

    def recvfrom(self, size: int) -> tuple[bytes, tuple[Any, ...]]:
        """As socket.recvfrom."""
        wire, control, _, address = self._sock.recvmsg(size, _CONTROL)
        return wire, (address[0], address, [_for_answer(message) for message in control[:1]])

    def sendto(self, wire: bytes, sender: tuple[Any, ...]) -> int:
        """As socket.sendto."""
        _, address, control = sender
        return self._sock.sendmsg([wire], control, 0, address)


def _for_answer(message: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """The pktinfo of a question turned into that of its answer: in_pktinfo says where it came to in its third field,
    and wants where to send from in its second; the interface is left to the routing table."""
    level, kind, data = message
    if level == socket.IPPROTO_IP:
        return level, kind, bytes(4) + data[8:12] + bytes(4)
    return level, kind, data
