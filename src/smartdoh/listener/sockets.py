"""Making the sockets to listen on, or taking those that systemd hands over."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smartdoh.errors import ListenError

if TYPE_CHECKING:  # the supervisor of several workers uses this module, and is small
    from smartdoh.config import Endpoint

BUFFER = 4 << 20  # octets: what comes while the loop is busy waits in the kernel
BACKLOG = 512
FIRST_HANDED_OVER = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33  # Linux; needs CAP_NET_ADMIN, goes beyond net.core.rmem_max
_IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT = 10, 5  # Linux; no forged ICMP makes us send fragments

_REASONS = {
    errno.EADDRINUSE: "another program listens there",
    errno.EACCES: "no permission; ports below 1024 need CAP_NET_BIND_SERVICE or root",
    errno.EPERM: "no permission; ports below 1024 need CAP_NET_BIND_SERVICE or root",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
    errno.EAFNOSUPPORT: "this machine has no IPv6",
}


class Sockets(NamedTuple):
    """Bound sockets, non-blocking: one of each kind for an address."""

    udp: tuple[socket.socket, ...]
    tcp: tuple[socket.socket, ...]

    def close(self) -> None:
        """Close them all."""
        for sock in (*self.udp, *self.tcp):
            sock.close()


def open_sockets(endpoints: Iterable[Endpoint]) -> Sockets:
    """Bind UDP and TCP on each address. Raises ListenError, with nothing left open."""
    made = Sockets((), ())
    try:
        for endpoint in endpoints:
            made = made._replace(udp=(*made.udp, bound(endpoint, socket.SOCK_DGRAM)))
            made = made._replace(tcp=(*made.tcp, bound(endpoint, socket.SOCK_STREAM)))
    except ListenError:
        made.close()
        raise
    return made


def listening(sockets: Sockets) -> list[str]:
    """The addresses that questions are taken on, in words."""
    names = [sock.getsockname() for sock in (*sockets.udp, *sockets.tcp)]
    return sorted({f"{name[0]} port {name[1]}" for name in names})


def endpoints(sockets: Sockets) -> list[tuple[str, int]]:
    """The addresses and ports that questions are taken on."""
    return sorted({sock.getsockname()[:2] for sock in (*sockets.udp, *sockets.tcp)})


def handed_over(environ: Mapping[str, str]) -> Sockets:
    """The sockets that systemd opened for this process (LISTEN_FDS, sd_listen_fds(3)); none where it did not.

    Raises ListenError where something else was handed over.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()) or not environ.get("LISTEN_FDS", "").isdigit():
        return Sockets((), ())
    count = int(environ["LISTEN_FDS"])
    sockets = [_given(FIRST_HANDED_OVER + number) for number in range(count)]
    for sock in sockets:
        sock.setblocking(False)
        os.set_inheritable(sock.fileno(), False)
        if sock.type == socket.SOCK_DGRAM:
            _prepare_udp(sock)
    return Sockets(
        tuple(sock for sock in sockets if sock.type == socket.SOCK_DGRAM),
        tuple(sock for sock in sockets if sock.type == socket.SOCK_STREAM),
    )


def _given(descriptor: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ListenError(
            f"descriptor {descriptor} was handed over, but is no socket: {error.strerror}"
        ) from error
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        sock.close()
        raise ListenError(f"descriptor {descriptor} was handed over, but is no socket of IPv4 or IPv6")
    return sock


def bound(endpoint: Endpoint, kind: socket.SocketKind, *, shared: bool = False) -> socket.socket:
    """One socket on an address; a `shared` one lets more of this user's bind there too. Raises ListenError."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    try:
        return bound_to(family, kind, (endpoint.host, endpoint.port), shared=shared)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror)
        transport = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise ListenError(f"cannot listen on {endpoint} ({transport}): {reason}") from error


def bound_to(family: int, kind: int, address: tuple[Any, ...], *, shared: bool) -> socket.socket:
    """The same for an address as the system writes it. Raises OSError."""
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _prepare_udp(sock)
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _prepare_udp(sock: socket.socket) -> None:
    for option, force in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        # Linux reports twice what was set, and setting again cuts a handed-over buffer down to net.core.rmem_max.
        if sock.getsockopt(socket.SOL_SOCKET, option) < BUFFER:
            for way in (option, force):
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, way, BUFFER)
    if sock.family == socket.AF_INET:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT)
