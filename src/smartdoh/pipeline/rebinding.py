"""The shaper against DNS rebinding: a public name that leads to a private address leads nowhere.

A page may talk to the host that it came from. If that name's next address is one of the reader's own network, the page
talks to what is there: so no public name has one, unless the user says so.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator

from smartdoh.model import Answer, Query, Route, Shaper
from smartdoh.pipeline.shaping import instead, with_less
from smartdoh.rules.domains import Domains
from smartdoh.wire import cut, svcb
from smartdoh.wire.answer import ADDITIONAL, records
from smartdoh.wire.codes import AAAA, EDE_BLOCKED, HTTPS, IN, SVCB, A
from smartdoh.wire.private import GLOBAL_MASK, GLOBAL_UNICAST, SUSPECT_4, is_private

_SIZES = {A: 4, AAAA: 16}
_FOUR = _SIZES[A]
_SERVICES = frozenset((SVCB, HTTPS))
_NO_ADDITIONAL = b"\0\0"


def refuses_rebinding(private: Collection[str], allowed: Domains) -> Shaper:
    """The shaper. `private` are the groups whose answers may hold any address, `allowed` the names that may have one.

    An address makes the name one that does not exist (NXDOMAIN), a hint the record (no data, so that clients ask for
    addresses). `allowed` is about the name that was asked for, whatever it is an alias of: what a page came from.
    """

    def shape(query: Query, route: Route, answer: Answer) -> Answer:
        wire = answer.wire
        for at, size in answer.scan.addresses:
            first = wire[at]
            is_public = first not in SUSPECT_4 if size == _FOUR else first & GLOBAL_MASK == GLOBAL_UNICAST
            if not is_public and is_private(wire[at : at + size]):
                break
        else:
            if query.qtype not in _SERVICES and wire[10:12] == _NO_ADDITIONAL:
                return answer
        if route.group in private:
            return answer
        made = _without_private(query, answer)
        return answer if made is not answer and query.name in allowed else made

    return shape


def _without_private(query: Query, answer: Answer) -> Answer:
    for at, size in answer.scan.addresses:
        if is_private(answer.wire[at : at + size]):
            return _refused(query, answer, answer.wire[at : at + size], exists=False)
    for address in _hints(answer):
        if is_private(address):
            return _refused(query, answer, address, exists=True)
    return _without_additional(query, answer)


def _refused(query: Query, answer: Answer, address: bytes, *, exists: bool) -> Answer:
    why = f"rebinding: {ipaddress.ip_address(address)}"
    return instead(query, answer, EDE_BLOCKED, why, exists=exists)


def _hints(answer: Answer) -> Iterator[bytes]:
    """The addresses in the HTTPS and SVCB records of an answer, malformed ones too: some client may believe them."""
    wire, left = answer.wire, answer.scan.answers
    for record in records(wire, answer.scan.question_end):
        if not left:
            return
        if record.rtype in _SERVICES and record.rclass == IN:
            yield from svcb.hints_at(wire, record.rdata, record.end)
        left -= 1


def _without_additional(query: Query, answer: Answer) -> Answer:
    """The answer without private addresses among what it has beside, which may be left out (RFC 2181 section 9).

    All that is there goes where one of them alone cannot.
    """
    wire, end = answer.wire, answer.scan.question_end
    beside = [record for record in records(wire, end) if record.section == ADDITIONAL]
    starts = {
        record.start
        for record in beside
        if record.end - record.rdata == _SIZES.get(record.rtype)
        and is_private(wire[record.rdata : record.end])
    }
    if not starts:
        return answer
    shorter = cut.without(wire, end, starts)
    if shorter is None:
        shorter = wire[:10] + _NO_ADDITIONAL + wire[12 : beside[0].start]
    return with_less(query, answer, shorter)
