"""Which questions somebody wants to see: the parameters that a search and following have in common."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from typing import Any

import dns.exception
import dns.rcode

from smartdoh.app.questions.search import Wanted
from smartdoh.control.api.endpoint import Asked, Param
from smartdoh.control.moments import moment
from smartdoh.control.questions import folded, parse_type
from smartdoh.errors import ConfigError
from smartdoh.fastpath.packed import OUTCOMES

MOST = 1000  # lines of one search
LATEST_ID = 2**63 - 1

FILTERS = (
    Param("name", "A domain name.", default=None),
    Param("below", "All names below it too.", bool, default=False),
    Param("client", "Who asked, an address.", default=None),
    Param("outcome", "What became of it.", default=None, among=OUTCOMES),
    Param("group", "The group that was asked.", default=None),
    Param("type", "The type asked for, as AAAA or TYPE65.", default=None),
    Param("rcode", "The code of the answer, as NXDOMAIN.", default=None),
    Param("list", "The list that decided.", default=None),
)

OF_THE_LOG = (
    Param("since", "From then on: a time ago, as 2h, or RFC 3339.", default=None),
    Param("until", "Until then, likewise.", default=None),
    Param("before", "Lines with smaller ids alone.", int, default=None, least=0, most=LATEST_ID),
    Param("limit", "At most so many.", int, default=100, least=1, most=MOST),
)


def wanted(asked: Asked) -> Wanted:
    """What the parameters say. Raises ConfigError."""
    return wanted_of(asked.values)


def wanted_of(said: Mapping[str, Any]) -> Wanted:
    """The same by the parameters' names. Raises ConfigError."""
    now, since, until = time.time(), said.get("since"), said.get("until")
    return Wanted(
        name=folded(said["name"]) if said["name"] else None,
        below=bool(said["below"]),
        client=_client(said["client"] or ""),
        outcome=_outcome(said["outcome"] or ""),
        group=said["group"] or "",
        list=said["list"] or "",
        qtype=parse_type(said["type"]) if said["type"] else None,
        rcode=_rcode(said["rcode"]) if said["rcode"] else None,
        since=moment("since", since, now) if since else None,
        until=moment("until", until, now) if until else None,
        before=said.get("before"),
        limit=said.get("limit", 1),
    )


def _outcome(text: str) -> str:
    if text and text not in OUTCOMES:
        raise ConfigError("outcome", f"{text!r} is not one of: {', '.join(OUTCOMES)}")
    return text


def _client(text: str) -> str:
    if not text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ConfigError("client", f"{text!r} is no IP address") from None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _rcode(text: str) -> int:
    try:
        return dns.rcode.from_text(text)
    except dns.exception.DNSException:
        raise ConfigError("rcode", f"{text!r} is no code of an answer") from None
