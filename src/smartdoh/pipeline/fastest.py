"""The shaper that puts the addresses of an answer in the order of their ranking, or keeps the fastest alone.

It is a pure function of the answer and of what is known now. Nothing but addresses moves: chains of aliases, other
records and other sections stay as they are, and so does every signature, for an RRset has no order
(RFC 4034 section 6.3). A record is left out only where no signature can be broken by it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from smartdoh.errors import WireError
from smartdoh.model import Answer, Query
from smartdoh.wire import cut, svcb
from smartdoh.wire.answer import ANSWER, Record, records, scan_answer
from smartdoh.wire.codes import AAAA, HTTPS, IN, RRSIG, A
from smartdoh.wire.names import Expanded, expand

MOST_RECORDS = 100  # in the answer section; longer ones are no host's and are left alone
HTTPS_PORT = 443

_SIZES = {A: 4, AAAA: 16}
TIMED_TYPES = frozenset((*_SIZES, HTTPS))
_UNDERSCORE = b"_"  # _8443._https.example.com: the records of another port, RFC 9460 section 9.1
_TTL = struct.Struct("!I")

Rank = Callable[[bytes, Sequence[bytes]], tuple[tuple[bytes, ...], bool]]
"""The addresses of one family of a name (folded wire format), best first, and whether the first may stand alone."""


class _Slot(NamedTuple):
    """Where one address lies in a message."""

    at: int
    address: bytes


def addresses_of(query: Query, answer: Answer) -> tuple[bytes, ...]:
    """The addresses in an answer that an order could be made of: none where every family has but one."""
    if query.qclass != IN or answer.scan.answers > MOST_RECORDS:
        return ()
    if query.qtype in _SIZES:
        size = _SIZES[query.qtype]
        found = [answer.wire[at : at + length] for at, length in answer.scan.addresses if length == size]
        return tuple(dict.fromkeys(found)) if len(found) > 1 else ()
    if query.qtype == HTTPS and answer.scan.answers and query.name[1:2] != _UNDERSCORE:
        lists = _hint_lists(answer)
        if any(len(slots) > 1 for slots in lists):
            return tuple(dict.fromkeys(slot.address for slots in lists for slot in slots))
    return ()


def shape(query: Query, answer: Answer, rank: Rank, *, only: bool) -> Answer:
    """The answer to `query` by what `rank` says; with `only`, each set cut to its fastest address.

    Nothing is cut where the client wants signatures (DO), or where there is one: a signature covers the whole set
    (RFC 4035 section 5.3.1). Hints in HTTPS records are ordered and never cut.
    """
    if not addresses_of(query, answer):
        return answer
    if query.qtype == HTTPS:
        lists = _hint_lists(answer)
        return answer._replace(wire=_reorder(answer.wire, query, lists, rank))
    found = [record for record in _answers(answer) if record.rtype in (query.qtype, RRSIG)]
    is_signed = (query.edns is not None and query.edns.do) or any(each.rtype == RRSIG for each in found)
    sets = _by_owner(answer.wire, (record for record in found if record.rtype == query.qtype))
    wire, starts = answer.wire, set[int]()
    for rrset in sets:
        slots = [_Slot(record.rdata, answer.wire[record.rdata : record.end]) for record in rrset]
        order, may_stand_alone = rank(query.name, [slot.address for slot in slots])
        wire = _put(wire, slots, order)
        if only and may_stand_alone and not is_signed and len(rrset) > 1:
            wire = _with_ttl(wire, rrset[0], min(record.ttl for record in rrset))
            starts.update(record.start for record in rrset[1:])
    if wire == answer.wire and not starts:
        return answer
    shorter = cut.without(wire, answer.scan.question_end, starts)
    if shorter is None or not starts:
        return answer._replace(wire=wire)
    scan = answer.scan
    again = scan_answer(shorter, query)._replace(flags=scan.flags, rcode=scan.rcode, edns=scan.edns)
    return answer._replace(wire=shorter, scan=again)


def _answers(answer: Answer) -> Iterable[Record]:
    """The records of class IN in the answer section."""
    for record in records(answer.wire, answer.scan.question_end):
        if record.section != ANSWER:
            return
        if record.rclass == IN:
            yield record


def _by_owner(wire: bytes, found: Iterable[Record]) -> list[list[Record]]:
    """Records of one type as the sets that they are, whichever way their owners are compressed."""
    sets: dict[bytes, list[Record]] = {}
    known: Expanded = {}
    for record in found:
        sets.setdefault(expand(wire, record.start, known).lower(), []).append(record)
    return list(sets.values())


def _hint_lists(answer: Answer) -> list[list[_Slot]]:
    """The hints of each HTTPS record, a list for each family; none where one record is malformed (RFC 9460 section 2.2)
    or stands for another port, of whose addresses a probe of port 443 says nothing."""
    wire = answer.wire
    lists: list[list[_Slot]] = []
    for record in _answers(answer):
        if record.rtype != HTTPS:
            continue
        try:
            read = svcb.parse_svcb(wire, record.rdata, record.end)
        except WireError:
            return []
        if not read.priority or svcb.port(wire, read) not in (None, HTTPS_PORT):
            continue
        for key, size in svcb.HINT_SIZES.items():
            param = read.param(key)
            if param is not None:
                places = range(param.start, param.end, size)
                lists.append([_Slot(at, wire[at : at + size]) for at in places])
    return lists


def _reorder(wire: bytes, query: Query, lists: list[list[_Slot]], rank: Rank) -> bytes:
    for slots in lists:
        order, _ = rank(query.name, [slot.address for slot in slots])
        wire = _put(wire, slots, order)
    return wire


def _put(wire: bytes, slots: list[_Slot], order: Sequence[bytes]) -> bytes:
    """The message with these addresses in these places, which are of one size and hold the same ones in some order."""
    if all(slot.address == address for slot, address in zip(slots, order, strict=True)):
        return wire
    out = bytearray(wire)
    for slot, address in zip(slots, order, strict=True):
        out[slot.at : slot.at + len(address)] = address
    return bytes(out)


def _with_ttl(wire: bytes, record: Record, ttl: int) -> bytes:
    """A set's TTL is its lowest one (RFC 2181 section 5.2), also when the record that had it goes."""
    out = bytearray(wire)
    _TTL.pack_into(out, record.ttl_at, ttl)
    return bytes(out)
