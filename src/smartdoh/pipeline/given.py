"""The stage for names to which the user gave addresses."""

from __future__ import annotations

from smartdoh.model import Answer, Query, Route
from smartdoh.wire import compose
from smartdoh.wire.codes import AAAA, IN, PTR, A
from smartdoh.wire.compose import Rr

TTL = 60  # seconds that clients may keep what the user may change at any time
_SIZES = {A: 4, AAAA: 16}


def given_addresses(query: Query, route: Route) -> Answer | None:
    """A, AAAA and the way back by PTR; every other type of such a name has no data."""
    if query.qclass != IN:
        return None
    if route.pointer:
        pointers = [Rr(query.name, PTR, TTL, route.pointer)] if query.qtype == PTR else []
        return _answer(query, pointers, route)
    if not route.addresses:
        return None
    size = _SIZES.get(query.qtype)
    found = [Rr(query.name, query.qtype, TTL, data) for data in route.addresses if len(data) == size]
    return _answer(query, found, route)


def _answer(query: Query, rrs: list[Rr], route: Route) -> Answer:
    if rrs:
        return compose.answer(query, 0, rrs, source=route.why)
    return compose.negative(query, query.name, TTL, exists=True, source=route.why)
