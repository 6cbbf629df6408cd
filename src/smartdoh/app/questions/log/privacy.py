"""What is kept of those who ask: the clients' addresses whole, short or not at all, and names that are left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from smartdoh.fastpath.packed import client_text
from smartdoh.wire.names import from_text, parents

Privacy = Literal["whole", "short", "none"]

IPV4_KEPT = 3  # octets: a /24, as RFC 7871 section 11.1 recommends to send on of an address
IPV6_KEPT = 7  # octets: a /56, what a household gets


def client_of(client: bytes, privacy: Privacy) -> str:
    """What is written of a client, given as `packed.read` gives it; nothing of one that is no address, unless whole."""
    if privacy == "whole":
        return client_text(client)
    return client_text(octets_of(client, privacy))


def octets_of(client: bytes, privacy: Privacy) -> bytes:
    """The same as octets of an address, 4 or 16; none where there is no address to be told."""
    if privacy == "none":
        return b""
    if len(client) == 4:  # noqa: PLR2004 - octets of IPv4
        return client if privacy == "whole" else client[:IPV4_KEPT] + bytes(1)
    if len(client) == 16:  # noqa: PLR2004 - octets of IPv6
        return client if privacy == "whole" else client[:IPV6_KEPT] + bytes(9)
    return b""


class Excluded:
    """Names of which nothing is kept, and nothing of those below them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._zones = frozenset(from_text(name) for name in names)

    def __contains__(self, name: object) -> bool:
        """Whether a folded wire name is left out."""
        if not self._zones or not isinstance(name, bytes):
            return False
        return not self._zones.isdisjoint(parents(name))
