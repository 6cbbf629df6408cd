"""What holds for any answer that the shapers have seen: sound, and without what they take out."""

from __future__ import annotations

from datetime import UTC, datetime

from smartdoh import config
from smartdoh.errors import WireError
from smartdoh.fastpath.entry import Entry
from smartdoh.model import Answer, Query, Route, Scan
from smartdoh.pipeline.chain import blocks_aliases
from smartdoh.pipeline.ipv6 import drops_ipv6
from smartdoh.pipeline.rebinding import refuses_rebinding
from smartdoh.pipeline.shaping import shaped
from smartdoh.rules.decide import Decisions
from smartdoh.rules.domains import Domains
from smartdoh.rules.router import Router
from smartdoh.wire import svcb
from smartdoh.wire.answer import ANSWER, records, scan_answer
from smartdoh.wire.codes import AAAA, CNAME, HTTPS, IN, RRSIG, SVCB, A
from smartdoh.wire.names import expand, from_text
from smartdoh.wire.private import is_private

TRACKER = from_text("other.example.net")
TTL = 300.0
_SETTINGS = config.parse(
    '[groups.main]\nupstreams = ["https://192.0.2.1"]\n'
    '[routing]\nrules = [{ domains = ["other.example.net"], action = "block" }]\n[block]\nanswer = "nxdomain"\n'
)
_DECISIONS = Decisions(Router(_SETTINGS.routing.rules, "main"), lambda: datetime.now(UTC))
_ROUTE = Route("main", False, False, "")
_REBINDING = refuses_rebinding(frozenset(), Domains([]))
_ALIASES = blocks_aliases(_DECISIONS, _SETTINGS.block)
_IPV6 = drops_ipv6({"main": "drop"}, lambda key: None)


def check_filtered(query: Query, wire: bytes, scan: Scan) -> None:
    """Each shaper by itself, and all of them as the pipeline has them."""
    answer = Answer(wire, scan)
    is_data = query.qclass == IN
    for shape, judge in ((_REBINDING, _no_private), (_ALIASES, _no_tracker), (_IPV6, _no_ipv6)):
        made = shape(query, _ROUTE, answer)
        _check_sound(query, made)
        if is_data:
            judge(query, made)
    entry = shaped((_ALIASES, _REBINDING, _IPV6), query, _ROUTE, Entry(answer, 0.0, TTL, 60.0, TTL), answer)
    again = scan_answer(entry.wire, query)
    if is_data and not scan.rcode:
        for judge in (_no_private, _no_tracker, _no_ipv6):
            judge(query, Answer(entry.wire, again))
    assert entry.expires <= TTL


def _check_sound(query: Query, made: Answer) -> None:
    again = scan_answer(made.wire, query)
    assert again.ttl_offsets == made.scan.ttl_offsets
    assert again.question_end == query.end


def _no_private(query: Query, made: Answer) -> None:
    wire = made.wire
    for record in records(wire, query.end):
        rdata = wire[record.rdata : record.end]
        if record.rclass == IN and record.section == ANSWER:
            if (record.rtype, len(rdata)) in ((A, 4), (AAAA, 16)):
                assert not is_private(rdata)
            if record.rtype in (SVCB, HTTPS) and query.qtype in (SVCB, HTTPS):
                assert not any(map(is_private, _hints(wire, record.rdata, record.end)))


def _no_tracker(query: Query, made: Answer) -> None:
    for record in records(made.wire, query.end):
        if record.section == ANSWER and record.rtype == CNAME and record.rclass == IN:
            assert expand(made.wire, record.rdata, {}).lower() != TRACKER


def _no_ipv6(query: Query, made: Answer) -> None:
    found = list(records(made.wire, query.end))
    if query.qtype == AAAA:
        assert not any(
            record.rtype == AAAA and record.section == ANSWER and record.rclass == IN for record in found
        )
    if query.qtype not in (SVCB, HTTPS) or any(record.rtype == RRSIG for record in found):
        return
    for record in found:
        if record.section == ANSWER and record.rclass == IN and record.rtype in (SVCB, HTTPS):
            assert not any(
                len(address) == 16 for address in _hints(made.wire, record.rdata, record.end, strict=True)
            )


def _hints(wire: bytes, start: int, end: int, *, strict: bool = False) -> list[bytes]:
    """The hints of a record, strictly read; none of a malformed one, or where they are mandatory."""
    try:
        read = svcb.parse_svcb(wire, start, end)
    except WireError:
        return []
    mandatory = read.param(svcb.MANDATORY)
    if strict and mandatory is not None and svcb.IPV6HINT in svcb.mandatory_keys(wire, mandatory):
        return []
    return [address for key in svcb.HINT_SIZES for address in svcb.hints(wire, read, key)]
