"""Kept answers, as the API shows them. A walk of the table gives way to questions, however much is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import dns.exception
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from smartdoh.app import clock
from smartdoh.control.api.shapes import Freshness, KeptAnswer, Level
from smartdoh.fastpath import Entry, FastPath
from smartdoh.model import Query
from smartdoh.wire import names
from smartdoh.wire.codes import RCODE

POLICY = 3  # octets at a key's end: the view, then DO and CD in the last two bits
TYPE_AND_CLASS = 4  # octets before them
KEYS_AT_A_TIME = 1000  # compared before the loop has its turn
SHOWN_AT_A_TIME = 20  # shown before the loop has its turn: 3 ms


def of_question(fast: FastPath, query: Query) -> list[KeptAnswer]:
    """What is kept for a question of a client's view, with and without DO and CD."""
    without_policy = query.key[:-POLICY]
    keys = [without_policy + (query.view << 2 | bits).to_bytes(POLICY) for bits in range(4)]
    found = [(key, fast.peek(key)) for key in keys]
    return [show(key, entry) for key, entry in found if entry is not None]


async def of_name(fast: FastPath, name: bytes, *, below: bool = False) -> AsyncIterator[KeptAnswer]:
    """Every answer that is kept for a folded wire name, or also for all names below it."""
    async for keys in _walk(fast, KEYS_AT_A_TIME):
        for key in keys:
            owner = key[: -POLICY - TYPE_AND_CLASS]
            if owner != name and not (below and name in names.parents(owner)):
                continue
            entry = fast.peek(key)
            if entry is not None:
                yield show(key, entry)


async def everything(fast: FastPath) -> AsyncIterator[KeptAnswer]:
    """Every answer that is kept."""
    async for keys in _walk(fast, SHOWN_AT_A_TIME):
        for key in keys:
            entry = fast.peek(key)
            if entry is not None:
                yield show(key, entry)


async def _walk(fast: FastPath, step: int) -> AsyncIterator[list[bytes]]:
    """All keys, so many at a time, with the loop's turn after each lot. Entries come and go meanwhile."""
    end = fast.places
    while end > 0:
        start = max(0, end - step)
        yield fast.keys_at(start, end)
        await asyncio.sleep(0)
        end = min(start, fast.places)


class Times(NamedTuple):
    """How old an answer is, and how long until it expires and may not be given any more, in seconds."""

    age: float
    left: float
    stale_left: float


def show(key: bytes, entry: Entry) -> KeptAnswer:
    """One answer kept in memory."""
    now = clock.now()
    rest, policy = key[:-POLICY], int.from_bytes(key[-POLICY:])
    question = int.from_bytes(rest[-4:-2]), int.from_bytes(rest[-2:]), policy
    times = Times(now - entry.stored, entry.expires - now, entry.stale_until - now)
    return present("memory", rest[:-TYPE_AND_CLASS], question, times, entry.wire, entry.source)


def present(
    level: Level,
    name: bytes,
    question: tuple[int, int, int],
    times: Times,
    wire: bytes,
    source: str,
    group: str = "",
) -> KeptAnswer:
    """An answer, its records with the TTLs that are left. `question` is type, class, and view with DO and CD."""
    qtype, qclass, policy = question
    return KeptAnswer(
        level=level,
        name=names.to_text(name),
        type=dns.rdatatype.to_text(dns.rdatatype.RdataType.make(qtype)),
        klass=dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(qclass)),
        view=policy >> 2,
        dnssec_ok=bool(policy & 2),
        checking_disabled=bool(policy & 1),
        group=group,
        state=_freshness(times),
        age_s=round(times.age, 1),
        left_s=round(times.left, 1),
        stale_left_s=round(max(0.0, times.stale_left), 1),
        rcode=dns.rcode.to_text(dns.rcode.Rcode.make(wire[3] & RCODE)),
        source=source,
        records=_records(wire, int(times.age)),
    )


def _freshness(times: Times) -> Freshness:
    if times.left > 0:
        return "fresh"
    return "stale" if times.stale_left > 0 else "expired"


def _records(wire: bytes, age: int) -> list[str]:
    """The answer section, and of a negative answer the authority section, a line for each record."""
    try:
        message = dns.message.from_wire(wire)
    except (
        dns.exception.DNSException,
        ValueError,
    ) as error:  # what passed through whole need not be what dnspython reads
        return [f"; {error}"]
    rrsets = message.answer or message.authority
    for rrset in rrsets:
        rrset.ttl = max(0, rrset.ttl - age)
    return [line for rrset in rrsets for line in rrset.to_text().splitlines()]
