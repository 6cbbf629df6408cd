"""Stages for questions that are about DNS itself and not about a name: transfers, meta-types, ANY, the CHAOS class."""

from __future__ import annotations

from smartdoh import __version__
from smartdoh.model import Answer, Query, Route, Stage
from smartdoh.wire import compose
from smartdoh.wire.codes import ANY, AXFR, CH, EDE_NOT_SUPPORTED, FORMERR, HINFO, IXFR, OPT, REFUSED, TXT
from smartdoh.wire.compose import Rr
from smartdoh.wire.edns import extended_error
from smartdoh.wire.names import from_text

ANY_TTL = 3600  # seconds; RFC 8482 section 4.2 leaves it to us
_NO_TRANSFER = extended_error(EDE_NOT_SUPPORTED, "no zone transfers here")
_NO_DATA = extended_error(EDE_NOT_SUPPORTED, "no data has this type")
_META = frozenset((OPT, *range(128, 255))) - {IXFR, AXFR}  # RFC 6895 section 3.1
_VERSION_NAMES = frozenset(from_text(name) for name in ("version.bind", "version.server"))
_ID_NAMES = frozenset(from_text(name) for name in ("id.server", "hostname.bind"))


def refuse_transfer(query: Query, route: Route) -> Answer | None:
    """AXFR and IXFR get REFUSED: there is no zone here, and a DoH server could not send one."""
    if query.qtype in (AXFR, IXFR):
        return compose.answer(query, REFUSED, source="transfer", ede=_NO_TRANSFER)
    return None


def refuse_meta(query: Query, route: Route) -> Answer | None:
    """OPT, TSIG, TKEY, MAILA and other meta-types get FORMERR, as from unbound: they belong to messages, not to names.

    Servers may take such a question amiss, and end the connection on which others' questions wait.
    """
    if query.qtype in _META:
        return compose.answer(query, FORMERR, source="meta-type", ede=_NO_DATA)
    return None


def answer_any(query: Query, route: Route) -> Answer | None:
    """ANY gets one small HINFO record (RFC 8482 section 4.2), so that it is no lever for an attacker."""
    if query.qtype != ANY or query.qclass == CH:
        return None
    hinfo = Rr(query.name, HINFO, ANY_TTL, b"\x07RFC8482\0", query.qclass)
    return compose.answer(query, 0, [hinfo], source="any")


def chaos(*, hide_version: bool) -> Stage:
    """The stage for class CH: what we are (RFC 4892), unless that is hidden; everything else there is REFUSED."""

    def answer(query: Query, route: Route) -> Answer | None:
        if query.qclass != CH:
            return None
        said = ""
        if query.name in _VERSION_NAMES:
            said = f"smartdoh {__version__}"
        elif query.name in _ID_NAMES:
            said = "smartdoh"
        if hide_version or not said or query.qtype not in (TXT, ANY):
            return compose.answer(query, REFUSED, source="chaos")
        text = bytes([len(said)]) + said.encode()
        return compose.answer(query, 0, [Rr(query.name, TXT, 0, text, CH)], source="chaos")

    return answer
