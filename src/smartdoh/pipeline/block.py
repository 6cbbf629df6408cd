"""The stage for names that a rule blocks.

The Extended DNS Error is Blocked (15), the policy of who runs the server; Censored (16) is for what others impose and
Filtered (17) for what the client asked to be kept from (RFC 8914 section 4).
"""

from __future__ import annotations

from typing import Literal

from smartdoh.model import Answer, Query, Rewrite, Route, Stage
from smartdoh.outcome import BLOCKED
from smartdoh.wire import compose
from smartdoh.wire.codes import AAAA, EDE_BLOCKED, EDE_OTHER, IN, NOERROR, REFUSED, A
from smartdoh.wire.compose import Rr
from smartdoh.wire.edns import extended_error

_NULL = {A: bytes(4), AAAA: bytes(16)}


def blocks(answer_with: Literal["null", "nxdomain", "refused"], ttl: int) -> Stage:
    """The stage. `null` means 0.0.0.0 and ::, and no data for every other type; the answer is kept `ttl` seconds.

    A list may say itself what is answered for a name. One that fails closed and is missing refuses the question.
    """

    def answer(query: Query, route: Route) -> Answer | None:
        if route.is_refused:
            return compose.answer(query, REFUSED, source=route.why, ede=extended_error(EDE_OTHER, route.why))
        if not route.is_blocked or query.qclass != IN:
            return None
        blocked = blocked_answer(query, route)
        return None if blocked is None else blocked._replace(outcome=BLOCKED)

    def blocked_answer(query: Query, route: Route) -> Answer | None:
        if route.rewrite is not None:
            return _rewritten(query, route, route.rewrite, ttl)
        ede = extended_error(EDE_BLOCKED, words(route))
        if answer_with == "refused":
            return compose.answer(query, REFUSED, source=route.why, ede=ede)
        if answer_with == "null" and query.qtype in _NULL:
            null = Rr(query.name, query.qtype, ttl, _NULL[query.qtype])
            return compose.answer(query, 0, [null], source=route.why, ede=ede)
        exists = answer_with == "null"
        return compose.negative(query, query.name, ttl, exists=exists, source=route.why, ede=ede)

    return answer


def words(route: Route) -> str:
    """What blocks, for a person who looks at the answer alone: a list and its line, else the rule or the override."""
    if not (route.list_name and route.line):
        return f"blocked by {route.why}"
    rule = route.why.partition(":")[0]
    alias = f", by alias {route.alias}" if route.alias else ""
    return f"blocked by list {route.list_name} line {route.line} ({rule}){alias}"


def _rewritten(query: Query, route: Route, rewrite: Rewrite, ttl: int) -> Answer | None:
    """What the list wants answered; None for an alias, whose target has to be fetched."""
    if rewrite.target is not None:
        return None
    ede = extended_error(EDE_BLOCKED, words(route))
    if rewrite.rcode == REFUSED:
        return compose.answer(query, REFUSED, source=route.why, ede=ede)
    found = [Rr(query.name, rtype, ttl, rdata) for rtype, rdata in rewrite.records if rtype == query.qtype]
    if found and rewrite.rcode == NOERROR:
        return compose.answer(query, NOERROR, found, source=route.why, ede=ede)
    exists = rewrite.rcode == NOERROR
    return compose.negative(query, query.name, ttl, exists=exists, source=route.why, ede=ede)
