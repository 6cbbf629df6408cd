"""The values of `$dnsrewrite`: short (an address, a name, an rcode) and full (RCODE;TYPE;VALUE)."""

from __future__ import annotations

import ipaddress

from smartdoh.model import Rewrite
from smartdoh.rules.lists.rdata import rdata_of
from smartdoh.wire.codes import AAAA, FORMERR, NOERROR, NOTIMP, NXDOMAIN, REFUSED, SERVFAIL, A
from smartdoh.wire.names import from_text

ANY_REWRITE = Rewrite(-1)  # in an exception: lifts every rewrite

_RCODES = {
    "NOERROR": NOERROR,
    "FORMERR": FORMERR,
    "SERVFAIL": SERVFAIL,
    "NXDOMAIN": NXDOMAIN,
    "NOTIMP": NOTIMP,
    "REFUSED": REFUSED,
}
_FIELDS = 3  # rcode, type, value


def parse_rewrite(value: str) -> Rewrite:
    """The rewrite that `value` asks for. Raises ValueError."""
    if value in _RCODES:
        return Rewrite(_RCODES[value])
    fields = value.split(";", _FIELDS - 1)
    if len(fields) == 1:
        return _short(value)
    if len(fields) != _FIELDS or fields[0] not in _RCODES:
        raise ValueError("not RCODE;TYPE;VALUE")
    rcode, rtype, data = _RCODES[fields[0]], fields[1].upper(), fields[2]
    if rcode != NOERROR or not (rtype or data):
        return Rewrite(rcode)
    if rtype == "CNAME":
        return Rewrite(NOERROR, target=from_text(data))
    return Rewrite(NOERROR, (rdata_of(rtype, data),))


def _short(value: str) -> Rewrite:
    if not value:
        raise ValueError("nothing to rewrite to")
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return Rewrite(NOERROR, target=from_text(value))
    return Rewrite(NOERROR, ((A if address.version == 4 else AAAA, address.packed),))  # noqa: PLR2004


def combined(rewrites: list[Rewrite]) -> Rewrite:
    """One answer of several rules for a name: an rcode before an alias, an alias before the sum of the records."""
    for rewrite in rewrites:
        if rewrite.rcode != NOERROR or (rewrite.target is None and not rewrite.records):
            return rewrite
    for rewrite in rewrites:
        if rewrite.target is not None:
            return rewrite
    records = dict.fromkeys(record for rewrite in rewrites for record in rewrite.records)
    return Rewrite(NOERROR, tuple(records))
