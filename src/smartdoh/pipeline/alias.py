"""Names that a list makes aliases of others: the alias and, where addresses are wanted, the target's."""

from __future__ import annotations

import ipaddress

from smartdoh.model import Answer, Query, Route
from smartdoh.upstream.addresses import addresses_in
from smartdoh.wire import compose
from smartdoh.wire.codes import AAAA, CNAME, NOERROR, A
from smartdoh.wire.compose import Rr
from smartdoh.wire.question import parse_query

TTL = 300  # seconds at most for which clients keep the alias; the list may change


def target_query(query: Query, target: bytes) -> Query:
    """The question for the target of an alias, in the form and for the client of `query`."""
    wire = query.wire[:12] + target + query.wire[query.end - 4 :]
    return parse_query(wire, query.view, query.host)


def aliased(query: Query, route: Route, target: Query, answer: Answer) -> Answer:
    """The answer to `query` from that of its target. Raises WireError where that holds no sound names."""
    alias = Rr(query.name, CNAME, TTL, target.name)
    if query.qtype not in (A, AAAA):
        return compose.answer(query, NOERROR, [alias], source=route.why)
    found = addresses_in(answer, target)
    ttl = min(TTL, found.ttl)
    addresses = [
        Rr(target.name, query.qtype, ttl, ipaddress.ip_address(text).packed) for text in found.addresses
    ]
    return compose.answer(query, NOERROR, [alias, *addresses], source=route.why)
