"""One answered question, as everything that shows what is asked has it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from smartdoh.fastpath.packed import OUTCOMES, TRANSPORTS, WAY, Packed, client_text, pack
from smartdoh.pipeline.told import Told

BY_LIST = re.compile(r"(?:^|: )([\w-]+) line (\d+)(?:, by alias .*)?$")
"""How a rule's name ends where a list decided, see `rules.router`."""

PLACES = {outcome: place for place, outcome in enumerate(OUTCOMES)}
FROM_UPSTREAM = frozenset(("hit", "stale", "miss", "failed"))


class Seen(NamedTuple):
    """What was asked, by whom, and what became of it."""

    at: float  # seconds since the epoch
    transport: str  # udp, tcp
    client: str
    name: bytes  # in wire form, folded
    qtype: int
    qclass: int
    rcode: int
    outcome: str  # hit, stale, miss, blocked, local, refused, failed
    group: str = ""
    upstream: str = ""
    rule: str = ""
    list: str = ""
    line: int = 0  # of that list, from 1
    seconds: float | None = None  # that it took; None: it was answered at once
    weight: float = 1.0  # how many questions it stands for, where there were too many to show each


class Decided(NamedTuple):
    """Who decided a question, and who answered it. What is not known is empty."""

    group: str = ""
    upstream: str = ""
    rule: str = ""
    list: str = ""
    line: int = 0


UNKNOWN = Decided()


def decided(told: Told) -> Decided:
    """What is known of a question that the table could not answer."""
    route = told.route
    if route is None:
        return UNKNOWN
    if told.outcome == "blocked":
        return by_rule(told.source or route.why)
    group = upstream = ""
    if told.outcome in FROM_UPSTREAM:
        group, upstream = route.group, told.source.partition(", ")[0]
    return Decided(group, upstream, route.why, route.list_name, route.line)


@lru_cache(1024)
def by_rule(rule: str) -> Decided:
    """What the name of a rule says."""
    found = BY_LIST.search(rule)
    return Decided("", "", rule, found[1], int(found[2])) if found else Decided(rule=rule)


def to_text(who: Decided) -> bytes:
    """As the text of a packed record."""
    return "\0".join((who.group, who.upstream, who.rule, who.list, str(who.line))).encode("utf-8", "replace")


def from_text(text: bytes) -> Decided:
    """What the text of a packed record says: what `to_text` wrote, or a rule alone."""
    match text.decode("utf-8", "replace").split("\0"):
        case [""]:
            return UNKNOWN
        case [rule]:
            return by_rule(rule)
        case [group, upstream, rule, list_name, line] if line.isdecimal():
            return Decided(group, upstream, rule, list_name, int(line))
    return UNKNOWN


def packed(told: Told, at: float) -> bytes:
    """What the resolver tells as a record; `at` is when, by the records' clock."""
    query, transport = told.query, int(not told.udp)
    way = WAY.pack(transport, PLACES[told.outcome], query.qtype, query.qclass, told.rcode)
    return pack(at, query.host, query.name, way, told.seconds, to_text(decided(told)))


def of_told(told: Told, at: float, weight: float = 1.0) -> Seen:
    """What the resolver tells; `at` is when, in seconds since the epoch."""
    query, transport = told.query, "udp" if told.udp else "tcp"
    return Seen(
        at,
        transport,
        query.host,
        query.name,
        query.qtype,
        query.qclass,
        told.rcode,
        told.outcome,
        *decided(told),
        told.seconds,
        weight,
    )


def of_packed(record: Packed, ahead: float, weight: float = 1.0) -> Seen:
    """What a record says; `ahead` is how far the time of day is ahead of the records' clock."""
    transport, outcome, qtype, qclass, rcode = WAY.unpack(record.way)
    who = from_text(record.text) if record.text else UNKNOWN
    return Seen(
        record.at + ahead,
        TRANSPORTS[transport],
        client_text(record.client),
        record.name,
        qtype,
        qclass,
        rcode,
        OUTCOMES[outcome],
        *who,
        record.seconds if record.seconds >= 0 else None,
        weight,
    )
