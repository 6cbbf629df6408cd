"""Hosts files: an address and the names that have it, each for itself alone (hosts(5))."""

from __future__ import annotations

import ipaddress
import re

from smartdoh.model import Rewrite
from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.keys import NAME, parse_name
from smartdoh.rules.lists.rule import Parsed, Reach, Reason, Rule
from smartdoh.wire.codes import AAAA, NOERROR, A

LOCAL_NAMES = frozenset(  # what systems put into their own hosts files, and lists copy along
    parse_name(name)
    for name in (
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "local",
        "broadcasthost",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-mcastprefix",
        "ip6-allnodes",
        "ip6-allrouters",
        "ip6-allhosts",
    )
)

_LOCAL = "|".join(["local", "localhost[A-Za-z0-9.-]*", "broadcasthost", "ip6-[a-z]+"])
_PLAIN = re.compile(
    rf"(?:0\.0\.0\.0|127\.0\.0\.1)[ \t]+(?!(?:{_LOCAL})(?:[ \t\r]|$))({NAME})[ \t\r]*(?:#.*)?".encode(),
    re.IGNORECASE,
)


def parse(line: str) -> Parsed:
    """A line of the file."""
    text = line.partition("#")[0].strip()
    if not text:
        return None
    address, *names = text.split()
    try:
        rewrite = rewrite_to(address.partition("%")[0])
    except ValueError:
        return Reason.SYNTAX
    found = [_of_name(name, rewrite) for name in names]
    rules = [rule for rule in found if isinstance(rule, Rule)]
    return rules or next((rule for rule in found if isinstance(rule, Reason)), Reason.SYNTAX)


def rewrite_to(address: str) -> Rewrite | None:
    """What answers with `address`; None for an address that stands for none. Raises ValueError."""
    parsed = ipaddress.ip_address(address)
    if parsed.is_unspecified or parsed.is_loopback:
        return None
    return Rewrite(NOERROR, ((A if parsed.version == 4 else AAAA, parsed.packed),))  # noqa: PLR2004


def _of_name(name: str, rewrite: Rewrite | None) -> Rule | Reason:
    key = parse_name(name)
    if isinstance(key, Reason):
        return key
    return (
        Reason.LOCAL
        if key in LOCAL_NAMES
        else Rule(key, Reach.EXACT, rewrite=rewrite, is_mild=rewrite is not None)
    )


DIALECT = Dialect(parse, _PLAIN, Reach.EXACT)
