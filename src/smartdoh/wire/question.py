"""Reading a client's question: one look decides whether it is sound, and under which key its answer lies."""

from __future__ import annotations

import struct

from smartdoh.errors import WireError
from smartdoh.model import Edns, Query
from smartdoh.wire import edns as edns_
from smartdoh.wire.codes import CD, FORMERR, HEADER, MAX_LABEL, MAX_NAME, OPT
from smartdoh.wire.names import Known, skip_name

_COUNTS = struct.Struct("!HHHHHH")
_TYPE_CLASS = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_PLAIN = (1, 0, 0, 0)
_WITH_OPT = (1, 0, 0, 1)


def parse_query(wire: bytes, view: int = 0, host: str = "") -> Query:
    """Read a message of at least 12 octets without QR.

    Raises WireError(FORMERR) for anything but exactly one plain question, sound records behind it, at most one OPT
    (owned by the root, in the additional section, with options in bounds and a sound cookie if any) and nothing after
    the last record: RFC 1035 section 4.1, RFC 6891 section 6.1, RFC 7873 section 5.2.2, RFC 9619 section 4. The opcode
    and the EDNS version are not judged here.
    """
    _, flags, *counts = _COUNTS.unpack_from(wire)
    if counts[0] != 1:
        raise WireError(FORMERR, "not exactly one question")
    try:
        after_name = _skip_question_name(wire)
        name = wire[HEADER:after_name].lower()  # length octets are below 64, so only letters fold
        qtype, qclass = _TYPE_CLASS.unpack_from(wire, after_name)
        end = after_name + 4
        edns = _read_rest(wire, end, tuple(counts))
    except (IndexError, struct.error) as error:
        raise WireError(FORMERR, "cut short") from error
    if edns is not None and edns.options:
        edns_.check_query_options(edns.options)
    policy = view << 2 | (edns is not None and edns.do) << 1 | (flags & CD != 0)
    key = name + wire[after_name:end] + policy.to_bytes(3)
    return Query(wire, flags, name, qtype, qclass, end, edns, view, host, key)


def _skip_question_name(wire: bytes) -> int:
    at = HEADER
    while size := wire[at]:
        if size > MAX_LABEL:  # a pointer could only go into the header
            raise WireError(FORMERR, "the question's name is compressed or has a label of an unknown kind")
        at += size + 1
    if at - HEADER >= MAX_NAME:
        raise WireError(FORMERR, "the question's name is longer than 255 octets")
    return at + 1


def _read_rest(wire: bytes, at: int, counts: tuple[int, ...]) -> Edns | None:
    """What follows the question: nothing, or an OPT alone, in nearly every query there is."""
    if counts == _PLAIN:
        found = None
    elif counts == _WITH_OPT and wire[at] == 0 and wire[at + 1 : at + 3] == b"\0\x29":
        opt_end = at + edns_.FIXED + (wire[at + 9] << 8 | wire[at + 10])
        if opt_end > len(wire):
            raise WireError(FORMERR, "a record runs over the end")
        found, at = edns_.parse(wire, at, opt_end)[0], opt_end
    else:
        found, at = _read_records(wire, at, counts)
    if at != len(wire):
        raise WireError(FORMERR, "junk after the last record")
    return found


def _read_records(wire: bytes, at: int, counts: tuple[int, ...]) -> tuple[Edns | None, int]:
    found = None
    before_additional = counts[1] + counts[2]
    known: Known = {}
    for number in range(before_additional + counts[3]):
        start = at
        at = skip_name(wire, at, known)
        rtype, _, _, length = _RECORD.unpack_from(wire, at)
        at += _RECORD.size + length
        if at > len(wire):
            raise WireError(FORMERR, "a record runs over the end")
        if rtype == OPT:
            if found or number < before_additional or wire[start]:
                raise WireError(FORMERR, "a second OPT record, or one in the wrong place")
            found = edns_.parse(wire, start, at)[0]
    return found, at


def opt_of(wire: bytes) -> Edns | None:
    """The OPT record of a message that `parse_query` refused, if it is sound: then the refusal has one too.

    RFC 6891 section 6.1.1; without it the refusal looks like one of a server from before EDNS (section 7).
    """
    questions, *counts = _COUNTS.unpack_from(wire)[2:]
    known: Known = {}
    at = HEADER
    try:
        for _ in range(questions):
            at = skip_name(wire, at, known) + _TYPE_CLASS.size
        return _read_records(wire, at, (questions, *counts))[0]
    except (WireError, IndexError, struct.error):
        return None
