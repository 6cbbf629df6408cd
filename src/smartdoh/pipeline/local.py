"""The stage for names that mean this host or this network, and so are never asked of a server elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from smartdoh.model import Answer, Query, Route, Stage
from smartdoh.wire import compose
from smartdoh.wire.codes import AAAA, DS, IN, NS, PTR, SOA, A
from smartdoh.wire.compose import Rr
from smartdoh.wire.names import from_text, parents

TTL = 3600  # seconds for which clients may keep what is said here
ROOT = b"\0"
LOCALHOST = from_text("localhost")
_LOOPBACK = {A: bytes((127, 0, 0, 1)), AAAA: bytes(15) + b"\x01"}
_LOOPBACK_REVERSE = frozenset((from_text("1.0.0.127.in-addr.arpa"), from_text("1." + "0." * 31 + "ip6.arpa")))
_RESOLVER_ARPA = from_text("resolver.arpa")
_OF_TOP_LEVEL_DOMAINS = frozenset(
    (NS, SOA, DS, 48)
)  # what validators and zone walkers ask of a TLD itself, 48: DNSKEY

SPECIAL_NAMES = (
    "localhost",
    "invalid",
    "test",
    "local",
    "onion",
)  # RFC 6761 section 6, 6762 section 22.1, 7686
EMPTY_ZONES = (
    "home.arpa",  # RFC 8375 section 4
    "resolver.arpa",  # RFC 9462 section 6.4
    "10.in-addr.arpa",  # from here on RFC 6303 section 4
    *(f"{net}.172.in-addr.arpa" for net in range(16, 32)),
    "168.192.in-addr.arpa",
    "0.in-addr.arpa",
    "127.in-addr.arpa",
    "254.169.in-addr.arpa",
    "2.0.192.in-addr.arpa",
    "100.51.198.in-addr.arpa",
    "113.0.203.in-addr.arpa",
    "255.255.255.255.in-addr.arpa",
    "0." * 32 + "ip6.arpa",
    "1." + "0." * 31 + "ip6.arpa",
    "d.f.ip6.arpa",
    *(f"{digit}.e.f.ip6.arpa" for digit in "89ab"),
    "8.b.d.0.1.0.0.2.ip6.arpa",
    *(f"{net}.100.in-addr.arpa" for net in range(64, 128)),  # RFC 7793
)

_EMPTY = frozenset(from_text(zone) for zone in EMPTY_ZONES)


def local_names(off: Iterable[str] = ()) -> Stage:
    """The stage; zones in `off` are left to the upstreams, and so is whatever a rule names explicitly."""
    unwanted = {from_text(zone) for zone in off}
    zones = frozenset(from_text(zone) for zone in (*SPECIAL_NAMES, *EMPTY_ZONES)) - unwanted
    endings = tuple({_last_label(zone) for zone in zones})

    def answer(query: Query, route: Route) -> Answer | None:
        name = query.name
        if query.qclass != IN or route.is_explicit:
            return None
        if name.endswith(endings):
            zone = next((parent for parent in parents(name) if parent in zones), None)
            if zone is not None:
                return None if _is_of_parent(query, zone) else _of_zone(query, zone)
        if name != ROOT and name[0] + 2 == len(name) and query.qtype not in _OF_TOP_LEVEL_DOMAINS:
            return compose.negative(query, ROOT, TTL, exists=False, source="a name without a dot")
        return None

    return answer


def _is_of_parent(query: Query, zone: bytes) -> bool:
    """DS belongs to the zone above: it proves to a validator that this one is unsigned (RFC 8375 section 4)."""
    return query.qtype == DS and query.name == zone and zone in _EMPTY


def _last_label(zone: bytes) -> bytes:
    return parents(zone)[-2]


def _of_zone(query: Query, zone: bytes) -> Answer:
    """The answer from a zone that is empty but for what RFC 6761 and RFC 6303 put into it."""
    source = "a zone answered here"
    name, qtype = query.name, query.qtype
    if zone == LOCALHOST:
        if qtype in _LOOPBACK:
            return compose.answer(query, 0, [Rr(name, qtype, TTL, _LOOPBACK[qtype])], source=source)
        return compose.negative(query, zone, TTL, exists=True, source=source)
    if name in _LOOPBACK_REVERSE and qtype == PTR:
        return compose.answer(query, 0, [Rr(name, PTR, TTL, LOCALHOST)], source=source)
    if name == zone and qtype == SOA:
        return compose.answer(query, 0, [compose.soa(zone, TTL)], source=source)
    if name == zone and qtype == NS:
        return compose.answer(query, 0, [Rr(zone, NS, TTL, zone)], source=source)
    leads_to_loopback = any(loopback.endswith(name) for loopback in _LOOPBACK_REVERSE)
    exists = name == zone or leads_to_loopback or name.endswith(_RESOLVER_ARPA)
    return compose.negative(query, zone, TTL, exists=exists, source=source)
