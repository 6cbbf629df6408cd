"""A small Internet in a network namespace: public addresses, each with a delay, a certificate and manners of its own.

How it works. Packets to the public addresses leave by a TUN device, where a thread reads them, swaps source and
destination and puts them back after a while. So a connection to 45.10.0.5 comes in again as one from 45.10.0.5, and
the one server that listens here knows by its peer which address it is to be. Checksums stay right, for they do not
depend on the order of the two addresses.
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import os
import socket
import ssl
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import pytest

from tests.servers.certificates import Certificate
from tests.servers.loop_thread import LoopThread
from tests.servers.namespaces import ip, leave
from tests.servers.required import find_program

T = TypeVar("T")

PUBLIC4, PUBLIC6 = "45.10.0.0/24", "2a00:77::/64"
_HERE4, _HERE6 = "10.77.0.1", "fd77::1"
_SET_INTERFACE = 0x400454CA  # TUNSETIFF
_TUN_WITHOUT_HEADER = 0x1001  # IFF_TUN | IFF_NO_PI
_TUN = Path("/dev/net/tun")
_DEVICE = "public"
_LONGEST_PACKET = 2048
_WITHIN = {4: (12, 4), 6: (8, 16)}  # version: where the source address is, and its length


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """How one address behaves."""

    delay: float = 0.0  # seconds, there and back again
    certificate: Certificate | None = None  # without one it takes connections and closes them
    is_gone: bool = False  # packets to it vanish


class Internet:
    """The namespace. What is started by `run` is inside it, with all that it starts."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        self.connections: list[str] = []  # the address of each connection that was taken
        self.names: list[tuple[str, str | None]] = []  # (address, SNI) of each handshake
        self._seen: set[frozenset[bytes]] = set()  # the two ports of each flow
        self._forgotten: frozenset[frozenset[bytes]] = frozenset()

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, done inside; a process that it starts is inside too."""
        return self._inside.submit(work).result()

    def refuse(self, address: str) -> None:
        """Make a public address one that takes no connection and says so."""
        self.run(lambda: ip("address", "add", address, "dev", "lo"))

    def forget_connections(self) -> None:
        """Do as a NAT that was restarted: packets of all that is open now vanish, new connections work."""
        self._forgotten = frozenset(self._seen)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._inside = stack.enter_context(ThreadPoolExecutor(1, initializer=leave))
            self._tun, *servers = self.run(_network)
            stack.callback(os.close, self._tun)
            for server in servers:
                stack.enter_context(server)
            self._thread = LoopThread("internet")
            stack.callback(self._thread.close)
            self._thread.call(lambda: self._thread.loop.add_reader(self._tun, self._reflect))
            stack.callback(self._thread.call, lambda: self._thread.loop.remove_reader(self._tun))
            for server in servers:
                accepting = asyncio.run_coroutine_threadsafe(self._accept(server), self._thread.loop)
                stack.callback(accepting.cancel)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _reflect(self) -> None:
        try:
            packet = bytearray(os.read(self._tun, _LONGEST_PACKET))
        except OSError:  # the link is down
            return
        at, size = _WITHIN[packet[0] >> 4]
        source, target = packet[at : at + size], packet[at + size : at + 2 * size]
        site = self.sites.get(str(ipaddress.ip_address(bytes(target))), Site(is_gone=True))
        inner = at + 2 * size  # where TCP and UDP have the ports
        ports = frozenset((bytes(packet[inner : inner + 2]), bytes(packet[inner + 2 : inner + 4])))
        self._seen.add(ports)
        if not site.is_gone and ports not in self._forgotten:
            packet[at : at + 2 * size] = target + source
            self._thread.loop.call_later(site.delay / 2, self._put_back, bytes(packet))

    def _put_back(self, packet: bytes) -> None:
        with suppress(OSError):  # the link is down, and the packet lost
            os.write(self._tun, packet)

    async def _accept(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            taken, peer = await loop.sock_accept(server)
            address = str(ipaddress.ip_address(peer[0]))
            self.connections.append(address)
            certificate = self.sites[address].certificate
            if certificate is None:
                taken.close()
                continue
            context = certificate.server_context(("h2", "http/1.1"))
            context.sni_callback = lambda _tls, name, _context, at=address: self.names.append((at, name))
            loop.create_task(_serve(taken, context))  # noqa: RUF006 - the loop's thread ends it


async def _serve(taken: socket.socket, context: ssl.SSLContext) -> None:
    """Shake hands, and stay until the client is gone."""
    gone = asyncio.Event()

    class Quiet(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            gone.set()

    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_accepted_socket(Quiet, taken, ssl=context)
    except (OSError, ssl.SSLError):
        taken.close()
        return
    try:
        await gone.wait()
    finally:
        transport.close()


def _network() -> tuple[int, socket.socket, socket.socket]:
    """The TUN device with the public addresses behind it, and the servers of all of them."""
    tun = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _SET_INTERFACE, struct.pack("16sH22x", _DEVICE.encode(), _TUN_WITHOUT_HEADER))
    ip("link", "set", "lo", "up")
    for address, public in ((f"{_HERE4}/32", PUBLIC4), (f"{_HERE6}/128", PUBLIC6)):
        nodad = ("nodad",) if ":" in address else ()
        ip("address", "add", address, "dev", _DEVICE, *nodad)
        ip("link", "set", _DEVICE, "up")
        ip("route", "add", public, "dev", _DEVICE, "src", address.partition("/")[0])
    return tun, _server(_HERE4, socket.AF_INET), _server(_HERE6, socket.AF_INET6)


def _server(address: str, family: socket.AddressFamily) -> socket.socket:
    server = socket.create_server((address, 443), family=family, backlog=256)
    server.setblocking(False)
    return server


def require_internet() -> None:
    """Skip the test, or fail it in CI, where no network namespace can be made."""
    reason = ""
    if os.geteuid() != 0:
        reason = "a network namespace takes root"
    elif not _TUN.exists():
        reason = f"there is no {_TUN}"
    elif find_program("ip") is None:
        reason = "ip (iproute2) is not installed"
    if reason:
        pytest.skip(reason)
