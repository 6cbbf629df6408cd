"""From what upstreams said to what clients get: all shapers in their order, on an answer that may have been kept.

What is kept on disk, and what outlives a change of policy, is the whole answer. It is shaped each time that it goes
into the table, so a hit decides nothing, and no policy but the present one ever decided what is in the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from smartdoh.fastpath import Entry
from smartdoh.model import Answer, Query, Route, Shaper
from smartdoh.wire import compose
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import AD, IN, NOERROR, NXDOMAIN
from smartdoh.wire.edns import extended_error

_NO_ANSWERS = b"\0\0"


def shaped(
    shapers: Sequence[Shaper], query: Query, route: Route, whole: Entry, answer: Answer | None = None
) -> Entry:
    """`whole`, or the entry of what the shapers make of it; it lives no longer, and has no origin.

    `answer` is what `whole` was made of just now, if it was: its scan spares another one. A no is given as it is.
    """
    if whole.rcode or query.qclass != IN or whole.wire[6:8] == _NO_ANSWERS:
        return whole
    if answer is not None and _shape(shapers, query, route, answer) is answer:
        return whole
    given = answer_of(query, whole)
    made = _shape(shapers, query, route, given)
    if made is given:
        return whole
    life = whole.expires - whole.stored
    ttl = min(life, made.scan.min_ttl or life)
    stale = whole.stale if made.scan.rcode in (NOERROR, NXDOMAIN) else 0.0  # a refusal is no data
    return Entry(made, whole.stored, ttl, stale, min(whole.refresh_at, whole.stored + ttl))


def _shape(shapers: Sequence[Shaper], query: Query, route: Route, answer: Answer) -> Answer:
    for shape in shapers:
        answer = shape(query, route, answer)
    return answer


def instead(query: Query, answer: Answer, code: int, why: str, *, exists: bool) -> Answer:
    """What a shaper gives for an answer that it takes away: no such name, or no data, with the reason and its code."""
    source, ede = f"{answer.source}, {why}", extended_error(code, why)
    return compose.negative(query, query.name, answer.scan.min_ttl, exists=exists, source=source, ede=ede)


def with_less(query: Query, answer: Answer, wire: bytes) -> Answer:
    """The answer with `wire` for its message, of which only parts were left out."""
    old = answer.scan
    scan = scan_answer(wire, query)._replace(flags=old.flags, min_ttl=old.min_ttl)
    return answer._replace(wire=wire, scan=scan)


def answer_of(query: Query, entry: Entry) -> Answer:
    """The answer that an entry was made of, with the TTLs that it got there; their lowest is the entry's life."""
    scan = scan_answer(entry.wire, query)
    life = max(0, int(entry.expires - entry.stored))
    scan = scan._replace(flags=scan.flags & ~AD | entry.ad, min_ttl=life)
    return Answer(entry.wire, scan, entry.source, 0, entry.ede, entry.outcome)
