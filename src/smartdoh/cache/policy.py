"""May an answer be kept, and how long: pure functions of the answer and the configured bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smartdoh.fastpath import Entry
from smartdoh.model import Answer, Query
from smartdoh.wire import edit
from smartdoh.wire.answer import ANSWER, records
from smartdoh.wire.codes import ANY, EDE_CACHED_ERROR, NOERROR, NXDOMAIN
from smartdoh.wire.edns import extended_error

FIRST_FAILURE = 1.0  # seconds a first failure is kept, RFC 9520 section 3.2 asks for at least that
PREFETCH_FROM = 0.9  # of its TTL: an answer asked for after that is refreshed before it ends
_EDE_CACHED_ERROR = extended_error(EDE_CACHED_ERROR)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long answers may live, in seconds, as configured."""

    min_ttl: int = 0
    max_ttl: int = 86_400
    negative_max: int = 10_800  # RFC 2308 section 5
    failure_max: float = 5.0  # RFC 9520 section 3.2 allows five minutes
    stale: float = 86_400.0  # RFC 8767 section 5 suggests one to three days
    prefetch: bool = True


def is_negative(query: Query, answer: Answer) -> bool:
    """Whether the answer says no: NXDOMAIN, or nothing of the type that was asked for (RFC 2308 section 2)."""
    scan = answer.scan
    if scan.rcode == NXDOMAIN or scan.answers == 0:
        return True
    if query.qtype in (scan.last_type, ANY):
        return False
    # Signatures of a chain may end it, and a server may name the chain's links in any order.
    found = records(answer.wire, scan.question_end)
    return not any(record.section == ANSWER and record.rtype == query.qtype for record in found)


def lifetime(answer: Answer, bounds: Bounds, *, negative: bool) -> int:
    """Seconds for which an answer that is no failure may be kept; 0 where it is for those who wait for it alone.

    A positive one lives as long as its shortest-lived record (RFC 1034 section 3.6), within the bounds. A negative
    one lives for min(SOA TTL, SOA MINIMUM) at most (RFC 2308 section 5), and without an SOA record not at all.
    TTLs that HTTP caches used up count as gone (RFC 8484 section 5.1).
    """
    scan = answer.scan
    if negative:
        if scan.negative_ttl is None:
            return 0
        ttl = min(scan.negative_ttl, scan.min_ttl) - answer.age
        return max(0, min(ttl, bounds.negative_max))
    ttl = scan.min_ttl - answer.age
    if ttl <= 0 and answer.age:
        return 0
    return min(max(ttl, bounds.min_ttl), bounds.max_ttl)


def entry_of(
    query: Query, answer: Answer, bounds: Bounds, now: float, origin: bytes = b""
) -> tuple[Entry, int]:
    """The entry of an answer that is no failure, and its lifetime in seconds: 0 means that it is not to be stored."""
    negative = is_negative(query, answer)
    ttl = lifetime(answer, bounds, negative=negative)
    high = ttl if negative else bounds.max_ttl
    wire = _with_sound_ttls(answer, min(bounds.min_ttl, ttl), high)
    if wire is not answer.wire:
        answer = answer._replace(wire=wire)
    if not ttl:
        return unkept(answer, now), 0
    refresh_at = now + ttl * PREFETCH_FROM if bounds.prefetch else now + ttl
    return Entry(answer, now, ttl, bounds.stale, refresh_at, origin), ttl


def unkept(answer: Answer, now: float) -> Entry:
    """An entry only for those who wait for it, its TTLs as they are."""
    return Entry(answer, now, 1.0, 0.0, math.inf)


def _with_sound_ttls(answer: Answer, low: int, high: int) -> bytes:
    """The message with HTTP's age taken off, each RRset's TTLs made equal, and all of them between the bounds."""
    wire, offsets, scan = answer.wire, answer.scan.ttl_offsets, answer.scan
    if len(offsets) == 1 and not answer.age and low <= scan.min_ttl <= high:
        return wire
    wire = edit.level_ttls(edit.age_ttls(wire, offsets, answer.age), scan.question_end)
    return edit.clamp_ttls(wire, offsets, low, high)


def failure_entry(answer: Answer, previous: Entry | None, bounds: Bounds, now: float) -> Entry:
    """The entry that holds further questions off after a failure: 1 s, doubling while failures follow each other.

    RFC 9520 section 3.2. It is never stale and never refreshed.
    """
    ttl = FIRST_FAILURE
    if previous is not None and is_failure(previous) and now - previous.expires < bounds.failure_max:
        ttl = (previous.expires - previous.stored) * 2
    ttl = min(ttl, bounds.failure_max)
    return Entry(answer._replace(ede=answer.ede + _EDE_CACHED_ERROR), now, ttl, 0.0, now + ttl)


def is_failure(entry: Entry) -> bool:
    """Whether an entry holds a failure and not data."""
    return entry.rcode not in (NOERROR, NXDOMAIN)
