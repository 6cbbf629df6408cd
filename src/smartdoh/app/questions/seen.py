"""One answered question, as everything that shows what is asked has it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from smartdoh.fastpath.packed import OUTCOMES, TRANSPORTS, WAY, Packed, client_text
from smartdoh.pipeline.told import Told

BY_LIST = re.compile(r"(?:^|: )([\w-]+) line (\d+)(?:, by alias .*)?$")
"""How a rule's name ends where a list decided, see `rules.router`."""

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


def of_hit(record: Packed, ahead: float, weight: float = 1.0) -> Seen:
    """What the table answered; `ahead` is how far the time of day is ahead of the records' clock."""
    transport, outcome, qtype, qclass, rcode = WAY.unpack(record.way)
    who = by_rule(record.text.decode("utf-8", "replace")) if record.text else UNKNOWN
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
        None,
        weight,
    )
