"""Names in rdata: the types in which they may be compressed, where they lie in them, and whether they are sound."""

from __future__ import annotations

from typing import Final, NamedTuple

from smartdoh.errors import WireError
from smartdoh.wire.codes import CNAME, DNAME, FORMERR, MX, NAPTR, NS, PTR, SOA, SRV
from smartdoh.wire.names import Judge, Known, skip_name

ANYTHING: Final = -1  # octets: as many as there are


class Layout(NamedTuple):
    """What stands in rdata: octets, character strings, names, octets."""

    before: int = 0
    strings: int = 0
    names: int = 1
    after: int = 0


LAYOUTS: Final = {
    NS: Layout(),
    3: Layout(),  # MD
    4: Layout(),  # MF
    CNAME: Layout(),
    SOA: Layout(names=2, after=20),
    7: Layout(),  # MB
    8: Layout(),  # MG
    9: Layout(),  # MR
    PTR: Layout(),
    14: Layout(names=2),  # MINFO
    MX: Layout(before=2),
    17: Layout(names=2),  # RP
    18: Layout(before=2),  # AFSDB
    21: Layout(before=2),  # RT
    24: Layout(before=18, after=ANYTHING),  # SIG
    26: Layout(before=2, names=2),  # PX
    30: Layout(after=ANYTHING),  # NXT
    SRV: Layout(before=6),
    NAPTR: Layout(before=4, strings=3),
    36: Layout(before=2),  # KX
    DNAME: Layout(),
}
"""The types of RFC 1035, and those whose names readers decompress (RFC 3597 section 4). All others are opaque."""


def check_names(wire: bytes, rtype: int, at: int, end: int, known: Known, judge: Judge) -> None:
    """Check rdata that `LAYOUTS` knows, at wire[at:end]: its names like any others, and that they fill it.

    A client follows these pointers too, and must not be led to what changes from one answer to the next: the header
    and the TTLs. Raises WireError or IndexError.
    """
    layout = LAYOUTS[rtype]
    at += layout.before
    for _ in range(layout.strings):
        at += 1 + wire[at]
    for _ in range(layout.names):
        at = skip_name(wire, at, known, judge)
    if at > end or layout.after not in (end - at, ANYTHING):
        raise WireError(FORMERR, "rdata that its names do not fill")
