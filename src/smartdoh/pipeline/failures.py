"""Failures as answers: the one place where an error becomes SERVFAIL with an Extended DNS Error."""

from __future__ import annotations

from smartdoh.errors import BadReply, Limited, Timeout, UpstreamError
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

TOO_BUSY = extended_error(EDE_OTHER, "too many questions are waiting")
TOO_LATE = extended_error(EDE_NO_REACHABLE_AUTHORITY, "no answer in time")
FLOODED_ZONE = extended_error(EDE_OTHER, "too many names of this zone do not exist")
_WORDS = {FORMERR: "FORMERR", SERVFAIL: "SERVFAIL", NOTIMP: "NOTIMP", REFUSED: "REFUSED"}
INTERNAL = extended_error(EDE_OTHER, "an error inside smartdoh; its log has it")


def of_error(query: Query, error: UpstreamError) -> Answer:
    """SERVFAIL for `query`, with what went wrong: no answer (22) or no way to the upstream (23), RFC 8914 section 4.

    The text is short, the kind and whom it was about; the log has the rest.
    """
    is_silence = isinstance(error, Timeout | Limited | BadReply)
    code = EDE_NO_REACHABLE_AUTHORITY if is_silence else EDE_NETWORK_ERROR
    ede = extended_error(code, f"{error.kind}: {error.upstream or error.why}")
    return compose.answer(query, SERVFAIL, source=error.upstream, ede=ede)


def of_answer(query: Query, answer: Answer) -> Answer:
    """An upstream's failure as our client gets it: REFUSED stays, what is about our own wording is SERVFAIL."""
    rcode = answer.scan.rcode
    word = _WORDS.get(rcode, f"rcode {rcode}")
    ede = answer.ede or extended_error(EDE_OTHER, f"{answer.source} said {word}")
    told = SERVFAIL if rcode in (FORMERR, NOTIMP) or rcode > RCODE else rcode
    return compose.answer(query, told, source=answer.source, ede=ede)
