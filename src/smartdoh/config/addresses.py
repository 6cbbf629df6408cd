"""Addresses with ports, and networks, as the config writes them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DNS_PORT = 53  # RFC 1035 section 4.2
LAST_PORT = 65535

_ENDPOINT = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address (IPv6 without brackets, perhaps with a zone) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str, default_port: int = DNS_PORT) -> Endpoint:
    """`1.1.1.1`, `1.1.1.1:53`, `[2620:fe::fe]:53`; without a port, the default. Raises ValueError."""
    match = _ENDPOINT.fullmatch(text)
    if match is None:
        raise ValueError("is an IPv6 address without brackets" if is_address(text) else "is not an address")
    six, four, port = match.groups()
    try:
        host = str(ipaddress.IPv4Address(four) if six is None else ipaddress.IPv6Address(six))
    except ValueError:
        raise ValueError("is not an address") from None
    return Endpoint(host, parse_port(port, default_port))


def parse_port(digits: str | None, default: int) -> int:
    """The port in `digits`, or `default` where there are none. Raises ValueError outside 1 to 65535."""
    if not digits:
        return default
    if len(digits) > len(str(LAST_PORT)) or not 1 <= int(digits) <= LAST_PORT:
        raise ValueError(f"has a port outside 1 to {LAST_PORT}")
    return int(digits)


def parse_network(text: str) -> Network:
    """`10.0.0.0/8`, `fd00::/8` or one address; bits below the prefix are dropped. Raises ValueError."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not a network") from None


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 address, or an IPv6 address without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach the address."""
    address = _plain(host)
    return address is not None and address.is_loopback


def is_own(host: str, port: int, listening: Iterable[Endpoint]) -> bool:
    """Whether a connection to `host` and `port` would reach one of the addresses we listen on.

    A wildcard listener is reached by every address of the machine; of these only the loopback ones
    can be known without asking the system.
    """
    return any(port == own.port and _reaches(host, own.host) for own in listening)


def _reaches(host: str, own: str) -> bool:
    target = _plain("127.0.0.1" if host == "localhost" else host)
    mine = _plain(own)
    if target is None or mine is None:
        return False
    if target == mine:
        return True
    local = target.is_loopback or target.is_unspecified
    return local and (mine.is_unspecified or (target.is_unspecified and mine.is_loopback))


def _plain(text: str) -> Address | None:
    """The address itself; an IPv4 address in IPv6 clothes (RFC 4291 section 2.5.5.2) is the IPv4 one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
