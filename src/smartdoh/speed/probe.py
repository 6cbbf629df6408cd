"""One probe: how long a connection to an address takes, to port 443 or, where nobody listens there, to 80."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from enum import Enum
from typing import NamedTuple

import pycurl

from smartdoh.speed.dial import LONGEST, OK, Dialed, Dialer
from smartdoh.speed.ranking import TLS_PORT

PORTS = (TLS_PORT, 80)


class Failure(Enum):
    """Why there was no connection."""

    REFUSED = "refused"  # or no way there: another port may do better
    TIMEOUT = "timeout"
    NO_PROXY = "no proxy"  # it was never tried: this says nothing of the address


class Probed(NamedTuple):
    """A connection that was taken."""

    seconds: float
    port: int


_LOGIN_WANTED = 407
_PROXY_IS_DOWN = frozenset((pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_COULDNT_CONNECT))


async def probe(address: bytes, dialer: Dialer | None) -> Probed | Failure:
    """Connect to `address` and close again: through `dialer`, whose way has a proxy, or straight if it is None."""
    outcome: Probed | Failure = Failure.REFUSED
    for port in PORTS:
        if dialer is None:
            outcome = await _straight(address, port)
        else:
            outcome = await _by_proxy(address, port, dialer)
        if outcome is not Failure.REFUSED:
            break
    return outcome


async def _straight(address: bytes, port: int) -> Probed | Failure:
    ip = ipaddress.ip_address(address)
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the version of IP
    loop = asyncio.get_running_loop()
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            started = time.perf_counter()
            async with asyncio.timeout(LONGEST):
                await loop.sock_connect(sock, (str(ip), port))
            return Probed(time.perf_counter() - started, port)
    except TimeoutError:
        return Failure.TIMEOUT
    except OSError:
        return Failure.REFUSED


async def _by_proxy(address: bytes, port: int, dialer: Dialer) -> Probed | Failure:
    """The time until the address says something, for what a proxy says of the connection may be a promise only."""
    dialed = await dialer.greet(address, port, tls=port == TLS_PORT)
    if dialed.code == OK or _has_answered(dialed):
        return Probed(dialed.seconds, port)
    if dialed.connect_status == _LOGIN_WANTED or (
        dialed.code in _PROXY_IS_DOWN and not dialed.connect_status
    ):
        return Failure.NO_PROXY
    return Failure.TIMEOUT if dialed.code == pycurl.E_OPERATION_TIMEDOUT else Failure.REFUSED


def _has_answered(dialed: Dialed) -> bool:
    """Whether a handshake failed by what the address sent: an alert, since we name no host, or no TLS at all.

    A proxy that could not keep its promise ends the connection without a word.
    """
    if dialed.code != pycurl.E_SSL_CONNECT_ERROR:
        return False
    return "SSL routines" in dialed.said and "unexpected eof" not in dialed.said
