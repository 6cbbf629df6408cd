"""The ways to those we ask, as the system would take them now: nothing is sent to find out."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable, Collection, Mapping

from smartdoh.app.network import netlink
from smartdoh.app.network.netlink import Way

Ways = Mapping[str, Way | None]
WayTo = Callable[[str], Way | None]

_ANY_PORT = 9  # discard; a UDP socket that is only connected sends nothing


def ways(addresses: Collection[str], way_to: WayTo) -> Ways:
    """The way to each of these addresses, None where there is none now."""
    return {address: _try(way_to, address) for address in sorted(addresses)}


def have_changed(before: Ways, after: Ways) -> bool:
    """Whether one of the addresses that are in both is reached otherwise, or no longer, or again."""
    return any(after[address] != way for address, way in before.items() if address in after)


def best_way_to() -> WayTo:
    """What tells most here: the kernel's routes, or where they cannot be asked our address alone."""
    if sys.platform != "linux":
        return by_source
    try:
        netlink.way_to("127.0.0.1")
    except (OSError, AttributeError):
        return by_source
    return netlink.way_to


def by_source(address: str) -> Way | None:
    """The way as far as any system tells: which of our addresses would be used."""
    host = address.partition("%")[0]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((host, _ANY_PORT))
        except OSError:
            return None
        return Way(ipaddress.ip_address(sock.getsockname()[0].partition("%")[0]).packed)


def _try(way_to: WayTo, address: str) -> Way | None:
    try:
        return way_to(address)
    except (OSError, ValueError):
        return None
