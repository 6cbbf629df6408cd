"""What a message is, for both builds: a sound question, or what its sender gets instead of an answer."""

from __future__ import annotations

from smartdoh.errors import WireError
from smartdoh.fastpath.cookies import Cookies
from smartdoh.fastpath.own import cookie_alone, with_own
from smartdoh.fastpath.surface import NO_TIMEOUT
from smartdoh.model import Query
from smartdoh.wire import compose
from smartdoh.wire.codes import (
    BADCOOKIE,
    BADVERS,
    EDE_PROHIBITED,
    HEADER,
    NOERROR,
    NOTIMP,
    OPCODE,
    REFUSED,
    TC,
)
from smartdoh.wire.edns import extended_error
from smartdoh.wire.question import parse_query

OPCODE_BITS = OPCODE >> 8  # in the third octet of a message
_PROHIBITED = extended_error(EDE_PROHIBITED, "this client may not ask here")
_QUESTION_AND_OPT = b"\0\1\0\0\0\0\0\1"  # the counts of a question with EDNS and nothing else


def judge(
    wire: bytes, view: int, host: str, cookies: Cookies | None = None, timeout: int = NO_TIMEOUT
) -> Query | bytes:
    """The question in a message of at least 12 octets without QR, or what it gets instead.

    `timeout` as in `FastPath.ask`.
    """
    try:
        query = with_own(parse_query(wire, view, host), cookies, timeout)
    except WireError as error:
        if wire[2] & OPCODE_BITS:
            return compose.error(wire, NOTIMP)
        return cookie_alone(wire, host, cookies) or compose.error(wire, error.rcode)
    edns = query.edns
    if wire[2] & OPCODE_BITS or (edns is not None and edns.version):
        return compose.error(wire, NOTIMP if wire[2] & OPCODE_BITS else BADVERS, query)
    return query


def refusal(wire: bytes, host: str = "", cookies: Cookies | None = None, timeout: int = NO_TIMEOUT) -> bytes:
    """What a client gets that may not ask: REFUSED, and why."""
    try:
        query = with_own(parse_query(wire, 0, host), cookies, timeout)
    except WireError:
        return compose.error(wire, REFUSED)
    return compose.error(wire, REFUSED, query, _PROHIBITED)


def is_proven(wire: bytes, host: str, cookies: Cookies) -> bool:
    """Whether this is a plain question with a good cookie of ours: then nobody forged it, and no limit is due.

    Plain, that is with an OPT record and nothing else: others are not read before they are counted.
    """
    if wire[4:HEADER] != _QUESTION_AND_OPT:
        return False
    query = judge(wire, 0, host, cookies)
    return isinstance(query, Query) and query.proven


def over_limit(wire: bytes, view: int, host: str, cookies: Cookies | None = None) -> bytes | None:
    """The question back with TC, so that its client asks again over TCP; None where it is no sound one.

    A client that uses cookies need not do that: it asks again with the one that it gets (RFC 7873 section 5.2.3).
    """
    query = judge(wire, view, host, cookies)
    if isinstance(query, bytes):
        return None
    if query.own and not query.proven:
        return compose.error(wire, BADCOOKIE, query)
    answer = bytearray(compose.error(wire, NOERROR, query))
    answer[2] |= TC >> 8
    return bytes(answer)
