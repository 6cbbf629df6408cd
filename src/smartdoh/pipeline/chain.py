"""The shaper for aliases: a name that leads to a blocked one is blocked too, whatever it is called itself."""

from __future__ import annotations

from collections.abc import Iterator

from smartdoh.config.settings import BlockSettings
from smartdoh.model import Answer, Query, Route, Shaper
from smartdoh.pipeline.block import blocks
from smartdoh.rules.decide import Decisions
from smartdoh.wire.answer import records
from smartdoh.wire.codes import AAAA, CNAME, IN, A
from smartdoh.wire.names import Expanded, expand, to_text

MOST_ALIASES = 64  # in one answer; resolvers follow 16 or so, and each costs a look at the rules
_ADDRESSES = frozenset((A, AAAA))
_TOO_MANY = Route("", True, False, "more aliases than any name has")


def blocks_aliases(decisions: Decisions, block: BlockSettings) -> Shaper:
    """The shaper. Each target is decided as if the client had asked for it, and what blocks it answers the question.

    The user's own word on the name that was asked for is the last one, and so is an exception for it on the list that
    blocks the target.
    """

    def shape(query: Query, route: Route, answer: Answer) -> Answer:
        scan = answer.scan
        if len(scan.addresses) == scan.answers or (scan.answers == 1 and scan.last_type != CNAME):
            return answer
        if route.rewrite is not None or not decisions.may_block:  # an alias that a list wants is no detour
            return answer
        why = _why_blocked(decisions, query, answer)
        if why is None:
            return answer
        ttl = min(int(block.ttl), scan.min_ttl)
        return blocks(block.answer, ttl)(query, why) or answer

    return shape


def _why_blocked(decisions: Decisions, query: Query, answer: Answer) -> Route | None:
    """The decision on the first target that is blocked, as one on the question."""
    for number, target in enumerate(_targets(answer)):
        if number == MOST_ALIASES:
            return _TOO_MANY
        route = decisions.route(query._replace(name=target))
        if route.is_blocked and not decisions.is_spared(query, route):
            rewrite = route.rewrite if route.rewrite is not None and route.rewrite.target is None else None
            alias = to_text(target)
            return route._replace(why=f"{route.why}, by alias {alias}", rewrite=rewrite, alias=alias)
    return None


def _targets(answer: Answer) -> Iterator[bytes]:
    """What the aliases in an answer lead to, in its order, folded."""
    known: Expanded = {}
    wire, left = answer.wire, answer.scan.answers - len(answer.scan.addresses)
    for record in records(wire, answer.scan.question_end):
        if record.rtype == CNAME and record.rclass == IN:
            yield expand(wire, record.rdata, known).lower()
        left -= record.rtype not in _ADDRESSES
        if not left:
            return
