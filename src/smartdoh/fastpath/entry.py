"""One kept answer, and how it is patched for the client that asks."""

from __future__ import annotations

from smartdoh.model import Answer, Query
from smartdoh.outcome import FAILED, HIT
from smartdoh.wire import edit, edns
from smartdoh.wire.codes import (
    AD,
    CD,
    EDE_STALE,
    EDE_STALE_NXDOMAIN,
    HEADER,
    MAX_MESSAGE,
    MAX_UDP,
    MIN_UDP,
    NOERROR,
    NXDOMAIN,
    QR,
    RA,
    RCODE,
    RD,
    TC,
)

STALE_ANSWER_TTL = 30  # seconds, RFC 8767 section 5
_DATA = (NOERROR, NXDOMAIN)
_EDE_STALE = edns.extended_error(EDE_STALE)
_EDE_STALE_NXDOMAIN = edns.extended_error(EDE_STALE_NXDOMAIN)


class Rendered:
    """An answer made for one spelling of a question, from the flags on; good until `until` (the cache's clock)."""

    __slots__ = ("kind", "tail", "until")

    def __init__(self, tail: bytes, until: float, kind: int) -> None:
        """`kind` is what it counts as, see `counts`."""
        self.tail = tail
        self.until = until
        self.kind = kind


class Entry:
    """An answer with its times, in seconds of the cache's clock.

    Fresh before `expires`, stale before `stale_until`. From `refresh_at` on a client that asks starts a refresh.
    `origin` is the fingerprint of the group that said it, shared by all of its answers; empty where the answer came
    about otherwise, or holds under the present policy alone. `outcome` is what its giving counts as; HIT is STALE from
    `expires` on. Nothing here changes but `refresh_at`, the mark `asked` and the place in the table.
    """

    __slots__ = (
        "ad",
        "asked",
        "ede",
        "expires",
        "generation",
        "origin",
        "outcome",
        "rcode",
        "refresh_at",
        "rendered",
        "slot",
        "source",
        "stale",
        "stored",
        "ttl_offsets",
        "wire",
    )

    def __init__(
        self,
        answer: Answer,
        stored: float,
        ttl: float,
        stale: float,
        refresh_at: float,
        origin: bytes = b"",
    ) -> None:
        self.wire = answer.wire
        self.ttl_offsets = answer.scan.ttl_offsets
        self.rcode = answer.scan.rcode & RCODE
        self.outcome = answer.outcome or (HIT if self.rcode in _DATA else FAILED)
        self.ad = answer.scan.flags & AD
        self.ede = answer.ede
        self.source = answer.source
        self.origin = origin
        self.stored = stored
        self.expires = stored + ttl
        self.stale = stale
        self.refresh_at = refresh_at
        self.generation = 0
        self.slot = -1
        self.asked = False
        self.rendered: list[Rendered] | None = None

    @property
    def stale_until(self) -> float:
        """When it may no longer be given at all."""
        return self.expires + self.stale

    def again(self, stale: float) -> Entry:
        """The same answer to be stored once more, with its times; it may be given for `stale` seconds past its life."""
        other = Entry.__new__(Entry)
        for name in _CARRIED:
            setattr(other, name, getattr(self, name))
        other.stale = stale
        other.generation, other.slot, other.asked, other.rendered = 0, -1, self.asked, None
        return other

    def forget_rendered(self) -> None:
        """End what was made from this entry at once: another answer takes its place."""
        for rendered in self.rendered or ():
            rendered.until = 0.0
        self.rendered = None


_CARRIED = frozenset(Entry.__slots__) - {"asked", "generation", "rendered", "slot", "stale"}


def render(query: Query, entry: Entry, now: float, *, udp: bool) -> bytes:
    """The answer to `query` as its client shall see it, without the id.

    Its own spelling of the question (RFC 5452 section 9.1), RD and CD as it sent them, AD if it set AD or DO
    (RFC 6840 section 5.8), TTLs aged, or 30 s and an Extended DNS Error if stale (RFC 8767 section 4), OPT if it
    sent one, with the options of its own, cut to what it takes over UDP.
    """
    edns_ = query.edns
    do = edns_ is not None and edns_.do
    flags = QR | RA | entry.rcode | query.flags & (RD | CD)
    if entry.ad and (do or query.flags & AD):
        flags |= AD
    wire, ede = entry.wire, entry.ede
    if now >= entry.expires:
        wire = edit.set_ttls(wire, entry.ttl_offsets, STALE_ANSWER_TTL)
        ede += _EDE_STALE_NXDOMAIN if entry.rcode == NXDOMAIN else _EDE_STALE
    elif now - entry.stored >= 1:
        wire = edit.age_ttls(wire, entry.ttl_offsets, int(now - entry.stored))
    opt = b"" if edns_ is None else edns.render(do=do, options=query.own + ede)
    limit = _limit(query, udp=udp)
    if len(wire) + len(opt) > limit:
        return _render_cut(query, wire, flags, limit)
    additional = int.from_bytes(wire[10:12]) + (1 if opt else 0)
    return b"".join(
        (
            flags.to_bytes(2),
            wire[4:10],
            additional.to_bytes(2),
            query.wire[HEADER : query.end],
            wire[query.end :],
            opt,
        )
    )


def _limit(query: Query, *, udp: bool) -> int:
    if not udp:
        return MAX_MESSAGE
    return MIN_UDP if query.edns is None else min(query.edns.payload, MAX_UDP)


def _render_cut(query: Query, wire: bytes, flags: int, limit: int) -> bytes:
    """As `render`, for an answer that is too long: Extended DNS Errors go first (RFC 8914 section 3)."""
    opt = b"" if query.edns is None else edns.render(do=query.edns.do, options=query.own)
    wire, again = edit.truncate(wire, query.end, limit - len(opt))
    if again:
        flags |= TC
    counts = wire[4:10] + (int.from_bytes(wire[10:12]) + (1 if opt else 0)).to_bytes(2)
    return flags.to_bytes(2) + counts + query.wire[HEADER : query.end] + wire[query.end :] + opt
