"""What a message is, for both builds: a sound question, or what its sender gets instead of an answer."""

from __future__ import annotations

from smartdoh.errors import WireError
from smartdoh.model import Query
from smartdoh.wire import compose
from smartdoh.wire.codes import BADVERS, EDE_PROHIBITED, NOERROR, NOTIMP, OPCODE, REFUSED, TC
from smartdoh.wire.edns import extended_error
from smartdoh.wire.question import parse_query

OPCODE_BITS = OPCODE >> 8  # in the third octet of a message
_PROHIBITED = extended_error(EDE_PROHIBITED, "this client may not ask here")


def judge(wire: bytes, view: int, host: str) -> Query | bytes:
    """The question in a message of at least 12 octets without QR, or the error that it gets."""
    try:
        query = parse_query(wire, view, host)
    except WireError as error:
        return compose.error(wire, NOTIMP if wire[2] & OPCODE_BITS else error.rcode)
    edns = query.edns
    if wire[2] & OPCODE_BITS or (edns is not None and edns.version):
        return compose.error(wire, NOTIMP if wire[2] & OPCODE_BITS else BADVERS, query)
    return query


def refusal(wire: bytes) -> bytes:
    """What a client gets that may not ask: REFUSED, and why."""
    try:
        query = parse_query(wire)
    except WireError:
        return compose.error(wire, REFUSED)
    return compose.error(wire, REFUSED, query, _PROHIBITED)


def truncated(wire: bytes, view: int, host: str) -> bytes | None:
    """The question back with TC, so that its client asks again over TCP; None where it is no sound one."""
    query = judge(wire, view, host)
    if isinstance(query, bytes):
        return None
    answer = bytearray(compose.error(wire, NOERROR, query))
    answer[2] |= TC >> 8
    return bytes(answer)
