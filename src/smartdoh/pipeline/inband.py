"""The stage for the zone `smartdoh.`, which is nobody's but ours: it says in band why names get their answers.

Who asks for the TXT record of `NAME.explain.smartdoh.` hears what becomes of NAME when the same client asks for it.
Only clients that may ask get as far as here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smartdoh.config.names import parse_qtype, qtype_number
from smartdoh.model import Answer, Query, Route, Stage
from smartdoh.pipeline.local import TTL
from smartdoh.wire import compose
from smartdoh.wire.codes import HEADER, IN, MAX_UDP, NS, REFUSED, SOA, TXT, A
from smartdoh.wire.compose import Rr
from smartdoh.wire.names import from_text, parents
from smartdoh.wire.question import parse_query
from smartdoh.wire.words import printable

ZONE = from_text("smartdoh")
EXPLAIN = from_text("explain.smartdoh")
USAGE = "ask for the TXT record of NAME.explain.smartdoh. or, for another type than A, of NAME._aaaa.explain.smartdoh."
LONGEST_STRING = 255  # octets, RFC 1035 section 3.3.14
OPTIONS_ROOM = 96  # octets for OPT with what a client's cookie and keepalive add
RECORD = 10  # octets of a record beside its owner and its rdata
SOURCE = "the zone smartdoh."
_HEAD_AND_TYPE = 4  # id and flags; type and class
_MORE = "..."

Look = Callable[[Query], Iterable[str]]
"""What becomes of a question, a line for each thing that matters, the most important first."""


def in_band(look: Look | None) -> Stage:
    """The stage; without `look` there is nothing below `smartdoh.`, and nothing is asked of it elsewhere."""

    def answer(query: Query, route: Route) -> Answer | None:
        if not query.name.endswith(ZONE):
            return None
        above = parents(query.name)
        if ZONE not in above:
            return None
        if query.qclass != IN:
            return compose.answer(query, REFUSED, source=SOURCE)
        if look is None or EXPLAIN not in above:
            return _of_zone(query)
        if query.qtype != TXT:
            return compose.negative(query, ZONE, TTL, exists=True, source=SOURCE)
        text = Rr(query.name, TXT, 0, _strings(_told(query, look), _room(query)))
        return compose.answer(query, 0, [text], source=SOURCE)

    return answer


def _of_zone(query: Query) -> Answer:
    if query.name == ZONE and query.qtype == SOA:
        return compose.answer(query, 0, [compose.soa(ZONE, TTL)], source=SOURCE)
    if query.name == ZONE and query.qtype == NS:
        return compose.answer(query, 0, [Rr(ZONE, NS, TTL, ZONE)], source=SOURCE)
    return compose.negative(query, ZONE, TTL, exists=query.name == ZONE, source=SOURCE)


def _told(query: Query, look: Look) -> Iterable[str]:
    if query.name == EXPLAIN:
        return (USAGE,)
    try:
        asked = question_in(query)
    except ValueError as error:
        return (str(error), USAGE)
    return look(asked)


def question_in(query: Query) -> Query:
    """The same client's question for the name before `explain.smartdoh.`, for A or the type in the label between them.

    That label begins with an underscore, as no top-level domain does: what stands before it is the whole name. Raises
    ValueError where it is no type.
    """
    labels = parents(query.name)[: -len(parents(EXPLAIN))]
    last = labels[-1][1 : 1 + labels[-1][0]]
    name, qtype = query.name[: -len(EXPLAIN)], A
    if last.startswith(b"_"):
        name = name[: -1 - len(last)]
        try:
            qtype = qtype_number(parse_qtype(last[1:].decode("latin-1")))
        except ValueError:
            raise ValueError(f"{last.decode('latin-1')} is no record type") from None
    head = query.wire[:_HEAD_AND_TYPE] + b"\0\1" + bytes(HEADER - _HEAD_AND_TYPE - 2)
    wire = head + name + b"\0" + qtype.to_bytes(2) + IN.to_bytes(2)
    return parse_query(wire, query.view, query.host)


def _room(query: Query) -> int:
    """Octets of rdata with which the whole answer fits into any datagram that is not cut on its way."""
    return MAX_UDP - query.end - len(query.name) - RECORD - OPTIONS_ROOM


def _strings(lines: Iterable[str], room: int) -> bytes:
    """The lines as the strings of a TXT record; where they do not all fit, the last one is three dots."""
    room -= 1 + len(_MORE)
    out = bytearray()
    for line in lines:
        said = printable(line, LONGEST_STRING).encode("ascii")
        if len(out) + 1 + len(said) > room:
            said = _MORE.encode("ascii")
            return bytes(out) + bytes((len(said),)) + said
        out += bytes((len(said),)) + said
    return bytes(out)
