"""Names that are known not to exist: NXDOMAIN to a question of one type answers all others (RFC 2308 section 5)."""

from __future__ import annotations

from collections.abc import Callable

from smartdoh.fastpath import Entry
from smartdoh.model import Query
from smartdoh.wire.codes import AAAA, HTTPS, NXDOMAIN, A

_USUAL = tuple(rtype.to_bytes(2) for rtype in (A, AAAA, HTTPS))  # what most names are asked for first
_TYPE = slice(-7, -5)  # of a key
_BEHIND_TYPE = slice(-5, None)
_ANSWERS = slice(6, 8)  # the count in a message's header


def of_another_type(
    query: Query, origin: bytes, peek: Callable[[bytes], Entry | None], now: float
) -> Entry | None:
    """What is kept of the same name and says that there is none, if it is fresh and was said by the same group.

    `origin` is the group's fingerprint. Not taken: an answer that came at the end of an alias, for the alias itself
    exists; one with an Extended DNS Error, for that speaks of what was asked and may be of our own making.
    """
    if not origin:
        return None
    name, own, rest = query.key[: _TYPE.start], query.key[_TYPE], query.key[_BEHIND_TYPE]
    for rtype in _USUAL:
        entry = peek(name + rtype + rest) if rtype != own else None
        if entry is not None and _says_so(entry, origin) and now < entry.expires:
            return entry
    return None


def _says_so(entry: Entry, origin: bytes) -> bool:
    return (
        entry.rcode == NXDOMAIN
        and entry.origin == origin
        and not entry.ede
        and entry.wire[_ANSWERS] == b"\0\0"
    )
