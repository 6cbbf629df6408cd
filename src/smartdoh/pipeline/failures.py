"""Failures as answers: the one place where an error becomes SERVFAIL with an Extended DNS Error."""

from __future__ import annotations

from smartdoh.errors import BadReply, Limited, Overloaded, Timeout, UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.wire import compose
from smartdoh.wire.codes import (
    EDE_NETWORK_ERROR,
    EDE_NO_REACHABLE_AUTHORITY,
    EDE_OTHER,
    FORMERR,
    NOTIMP,
    RCODE,
    REFUSED,
    SERVFAIL,
)
from smartdoh.wire.edns import extended_error
from smartdoh.wire.words import printable

LONGEST_REASON = 48  # characters of what one upstream's failure is put down to
TOO_BUSY = extended_error(EDE_OTHER, "too many questions are waiting")
TOO_LATE = extended_error(EDE_NO_REACHABLE_AUTHORITY, "no answer in time")
FLOODED_ZONE = extended_error(EDE_OTHER, "too many names of this zone do not exist")
_WORDS = {FORMERR: "FORMERR", SERVFAIL: "SERVFAIL", NOTIMP: "NOTIMP", REFUSED: "REFUSED"}
INTERNAL = extended_error(EDE_OTHER, "an error inside smartdoh; its log has it")


def of_error(query: Query, error: UpstreamError) -> Answer:
    """SERVFAIL for `query`, with what went wrong: no answer (22) or no way to the upstream (23), RFC 8914 section 4.

    The text is short: what kinds of failure, and whom each was about.
    """
    is_silence = isinstance(error, Timeout | Limited | BadReply)
    code = EDE_NO_REACHABLE_AUTHORITY if is_silence else EDE_NETWORK_ERROR
    return compose.answer(query, SERVFAIL, source=error.upstream, ede=extended_error(code, words(error)))


def words(error: UpstreamError) -> str:
    """How it failed, and with whom: `timeout: a, b; bad answer (HTTP 500): c`; the last of one tried again."""
    last = {one.upstream or one.why: one for one in error.each or (error,)}
    found: dict[str, list[str]] = {}
    for who, one in last.items():
        found.setdefault(_how(one), []).append(who)
    return "; ".join(f"{how}: {', '.join(who)}" for how, who in found.items())


def _how(error: UpstreamError) -> str:
    """The kind, and its reason where that is more than the kind: the end of a chain of words is what says most."""
    if isinstance(error, Timeout | Overloaded) or not error.upstream:
        return error.kind
    return f"{error.kind} ({printable(error.why.rpartition(': ')[2], LONGEST_REASON)})"


def of_answer(query: Query, answer: Answer) -> Answer:
    """An upstream's failure as our client gets it: REFUSED stays, what is about our own wording is SERVFAIL."""
    rcode = answer.scan.rcode
    word = _WORDS.get(rcode, f"rcode {rcode}")
    ede = answer.ede or extended_error(EDE_OTHER, f"{answer.source} said {word}")
    told = SERVFAIL if rcode in (FORMERR, NOTIMP) or rcode > RCODE else rcode
    return compose.answer(query, told, source=answer.source, ede=ede)
