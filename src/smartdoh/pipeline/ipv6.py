"""The shaper for networks without IPv6: AAAA questions have no data, and no hint leads there.

A signature that covers hints would be broken without them, so signed HTTPS and SVCB records stay whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smartdoh.config.settings import Ipv6
from smartdoh.errors import WireError
from smartdoh.fastpath import Entry
from smartdoh.model import Answer, Query, Route, Shaper
from smartdoh.pipeline.shaping import instead, with_less
from smartdoh.wire import cut, svcb
from smartdoh.wire.answer import ANSWER, Record, records
from smartdoh.wire.codes import AAAA, EDE_FILTERED, HTTPS, IN, RRSIG, SVCB, A
from smartdoh.wire.question import parse_query

Peek = Callable[[bytes], Entry | None]
"""What the table has under a key."""

_SERVICES = frozenset((SVCB, HTTPS))
_IPV6 = 16  # octets of an address
_HEAD = 4  # octets before the value of a parameter


def drops_ipv6(modes: Mapping[str, Ipv6], peek: Peek) -> Shaper:
    """The shaper; `modes` by the names of groups.

    With `drop_if_ipv4` the name's A records have to be in the table: see `ipv4_question`.
    """

    def shape(query: Query, route: Route, answer: Answer) -> Answer:
        mode = modes.get(route.group, "keep")
        if mode == "keep":
            return answer
        only_if = mode == "drop_if_ipv4"
        if query.qtype in _SERVICES:
            return _without_hints(query, answer, only_if=only_if)
        if query.qtype != AAAA or not any(size == _IPV6 for _, size in answer.scan.addresses):
            return answer
        if only_if and not _has_ipv4(query, peek(ipv4_question(query).key)):
            return answer
        return instead(query, answer, EDE_FILTERED, f"ipv6 = {mode}", exists=True)

    return shape


def ipv4_question(query: Query) -> Query:
    """The same client's question for the IPv4 addresses of the same name."""
    wire = query.wire[: query.end - 4] + A.to_bytes(2) + query.wire[query.end - 2 :]
    return parse_query(wire, query.view, query.host)


def _has_ipv4(query: Query, entry: Entry | None) -> bool:
    if entry is None or entry.rcode:
        return False
    return any(record.section == ANSWER and record.rtype == A for record in records(entry.wire, query.end))


def _without_hints(query: Query, answer: Answer, *, only_if: bool) -> Answer:
    """The answer without ipv6hint; with `only_if` in records that have an ipv4hint."""
    found = list(records(answer.wire, answer.scan.question_end))
    if any(record.rtype == RRSIG for record in found):
        return answer
    spans = [
        (record, span)
        for record in found
        if record.section == ANSWER and record.rtype in _SERVICES and record.rclass == IN
        for span in _spans(answer.wire, record, only_if=only_if)
    ]
    if not spans:
        return answer
    wire = cut.shorten(answer.wire, answer.scan.question_end, spans)
    return answer if wire is None else with_less(query, answer, wire)


def _spans(wire: bytes, record: Record, *, only_if: bool) -> list[tuple[int, int]]:
    """Where the ipv6hint of a record lies, if it has one that may go (RFC 9460 section 8)."""
    try:
        read = svcb.parse_svcb(wire, record.rdata, record.end)
    except WireError:
        return []
    hint, mandatory = read.param(svcb.IPV6HINT), read.param(svcb.MANDATORY)
    if hint is None or (only_if and read.param(svcb.IPV4HINT) is None):
        return []
    if mandatory is not None and svcb.IPV6HINT in svcb.mandatory_keys(wire, mandatory):
        return []  # whoever wrote this means those alone that have IPv6
    return [(hint.start - _HEAD, hint.end)]
