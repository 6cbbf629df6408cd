"""Reading the addresses of a host out of an answer: those that its chain of aliases leads to and that can be used."""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from smartdoh.errors import WireError
from smartdoh.model import Answer, Query
from smartdoh.wire.answer import ANSWER, Record, records
from smartdoh.wire.codes import CNAME, FORMERR, IN
from smartdoh.wire.names import Expanded, expand, skip_name

MOST_ADDRESSES = 8  # of one family; more only make a list of attempts longer than anybody waits
MOST_RECORDS = 100  # in the answer section; walking names costs time, and no host has that many
MOST_ALIASES = 16  # CNAME records followed; real chains have up to five
MAX_TTL = 0x7FFF_FFFF  # seconds; a larger one counts as 0 (RFC 2181 section 8)

_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


class Found(NamedTuple):
    """The addresses of one family, in the answer's order, and the seconds for which they are good."""

    addresses: tuple[str, ...]
    ttl: int


def addresses_in(answer: Answer, query: Query) -> Found:
    """The usable addresses that `answer` gives for the name and the type of `query`; none is an answer too.

    CNAME records are followed inside the answer in whatever order they stand; the shortest TTL on the way counts
    (RFC 1034 section 3.6.2). Raises WireError where an alias is not a sound name, or where records
    are so many that somebody wants to keep us busy.
    """
    if answer.scan.answers > MOST_RECORDS:
        raise WireError(FORMERR, "more records than any host has")
    try:
        aliases, owners = _sort(answer, query.qtype)
    except (IndexError, struct.error) as error:
        raise WireError(FORMERR, "cut short") from error
    name, ttl = query.name, MAX_TTL
    for _ in range(MOST_ALIASES):
        if name in owners or name not in aliases:
            break
        name, alias_ttl = aliases[name]
        ttl = min(ttl, alias_ttl)
    rrset = owners.get(name, [])
    ttl = min([ttl, *(_ttl(record) for record in rrset)])
    shown = (_usable(answer.wire[record.rdata : record.end]) for record in rrset)
    usable = tuple(dict.fromkeys(address for address in shown if address))
    return Found(usable[:MOST_ADDRESSES], max(0, ttl - answer.age))


def _sort(answer: Answer, qtype: int) -> tuple[dict[bytes, tuple[bytes, int]], dict[bytes, list[Record]]]:
    """The answer section as (owner -> (alias, TTL), owner -> records of `qtype`)."""
    wire = answer.wire
    aliases: dict[bytes, tuple[bytes, int]] = {}
    owners: dict[bytes, list[Record]] = {}
    known: Expanded = {}
    for record in records(wire, answer.scan.question_end):
        if record.section != ANSWER or record.rclass != IN:
            continue
        if record.rtype == CNAME:
            if skip_name(wire, record.rdata, {}) != record.end:
                raise WireError(FORMERR, "a CNAME record of the wrong length")
            aliases[expand(wire, record.start, known).lower()] = (
                expand(wire, record.rdata, known).lower(),
                _ttl(record),
            )
        elif record.rtype == qtype:
            owners.setdefault(expand(wire, record.start, known).lower(), []).append(record)
    return aliases, owners


def _ttl(record: Record) -> int:
    return record.ttl if record.ttl <= MAX_TTL else 0


def _usable(rdata: bytes) -> str:
    """An address as text, or nothing for one that no connection can go to: filters like to answer with 0.0.0.0."""
    address = ipaddress.ip_address(rdata)
    inner = getattr(address, "ipv4_mapped", None) or address
    if inner.is_unspecified or inner.is_multicast or inner == _BROADCAST:
        return ""
    return str(address)
