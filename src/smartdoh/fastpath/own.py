"""The EDNS options that concern a client and us alone: what it sent, whatever answers it has its part of them.

They come from nobody else and go to nobody else: hop by hop (RFC 7873, RFC 7828).
"""

from __future__ import annotations

from smartdoh.fastpath.cookies import Cookies
from smartdoh.fastpath.surface import NO_TIMEOUT
from smartdoh.model import Query
from smartdoh.wire import compose, edns
from smartdoh.wire.codes import BADCOOKIE, BADVERS, HEADER, NOERROR, OPTION_COOKIE, OPTION_KEEPALIVE
from smartdoh.wire.question import opt_of

_OPT_ALONE = b"\0\0\0\0\0\0\0\1"  # the counts of a message that has no question


def with_own(query: Query, cookies: Cookies | None, timeout: int) -> Query:
    """`query` with the options that its answers have; `timeout` as in `FastPath.ask`."""
    if query.edns is None or not query.edns.options:
        return query
    own, proven = b"", False
    sent = edns.option(query.edns.options, OPTION_COOKIE)
    if sent is not None and cookies is not None:
        said, proven = cookies.answer(sent, query.host)
        own = edns.cookie(said)
    if timeout != NO_TIMEOUT and edns.option(query.edns.options, OPTION_KEEPALIVE) is not None:
        own += edns.keepalive(timeout)
    return query._replace(own=own, proven=proven) if own else query


def cookie_alone(wire: bytes, host: str, cookies: Cookies | None) -> bytes | None:
    """The answer to a message that asks for nothing but a cookie (RFC 7873 section 5.4); None where it is no such one.

    That is a QUERY without a question, with an OPT record and a sound cookie in that.
    """
    if cookies is None or wire[4:HEADER] != _OPT_ALONE:
        return None
    opt = opt_of(wire)
    if opt is None or len(wire) != HEADER + edns.FIXED + len(opt.options):
        return None
    sent = edns.option(opt.options, OPTION_COOKIE)
    if sent is None or len(sent) not in edns.COOKIE_SIZES:
        return None
    said, is_ours = cookies.answer(sent, host)
    rcode = NOERROR if is_ours or len(sent) == edns.CLIENT_COOKIE else BADCOOKIE
    return compose.error(wire, BADVERS if opt.version else rcode, None, edns.cookie(said))
