"""Where in an answer a name may lie, so that nothing that is done to the answer makes another name of it.

TTLs age, addresses and hints change places, records are left out and move up: what a compression pointer leads to has
to stand, as a whole, where a name can stand and none of this reaches it. Servers point to nothing else; a message that
does is refused.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from smartdoh.errors import WireError
from smartdoh.wire.codes import AAAA, FORMERR, HEADER, HTTPS, POINTER, SVCB, A
from smartdoh.wire.names import Judge, end_of_name
from smartdoh.wire.rdata import LAYOUTS

_HEAD: Final = 4  # octets of type and class, before a TTL
_FIXED: Final = 6  # octets of a TTL and the length of rdata
_TARGET: Final = 2  # octets before the name in an SVCB record
_NO_PLACE: Final = frozenset((A, AAAA, *LAYOUTS))  # addresses move; where names are in the others is known


def judge_by(wire: bytes, ttls: Sequence[int]) -> Judge:
    """A judge of names in `wire`; `ttls` are the ascending offsets of the TTLs that were read so far."""

    def judge(starts: list[tuple[int, int]]) -> None:
        is_led_to, end, is_opaque = False, 0, False
        for start, _ in starts:
            octet = wire[start]
            if is_led_to:
                end, is_opaque = _place(wire, start, ttls)
            is_led_to = octet >= POINTER
            if end and (_needs(start, octet) > end or (is_led_to and is_opaque)):
                raise WireError(FORMERR, "a name that goes on where none can be")

    return judge


def _needs(start: int, octet: int) -> int:
    """How far a place has to reach for the pointer, the root or the label at `start`, and what follows a label."""
    if octet >= POINTER:
        return start + 2
    return start + 1 + octet + (octet > 0)


def _place(wire: bytes, at: int, ttls: Sequence[int]) -> tuple[int, bool]:
    """Where the place around `at` ends, and whether it is rdata in which a pointer is none."""
    number = bisect_right(ttls, at)
    begin, end, head = _rdata(wire, ttls[number - 1]) if number else _question(wire)
    if at >= head:  # the owner of the next record
        begin, end = head, ttls[number] - _HEAD if number < len(ttls) else len(wire)
    if not begin <= at < end:
        raise WireError(FORMERR, "a compression pointer to where no name can be")
    return end, number > 0 and at < head


def _question(wire: bytes) -> tuple[int, int, int]:
    """As `_rdata`, for the question's name and what follows the question."""
    end = end_of_name(wire, HEADER)
    return HEADER, end, end + _HEAD


def _rdata(wire: bytes, ttl_at: int) -> tuple[int, int, int]:
    """What may hold a name of the rdata behind this TTL (begin, end), and where the next record begins.

    That is nothing, or all of it, or the TargetName alone (RFC 9460 section 2.2).
    """
    rtype = int.from_bytes(wire[ttl_at - _HEAD : ttl_at - 2])
    begin = ttl_at + _FIXED
    end = begin + int.from_bytes(wire[begin - 2 : begin])
    if rtype in _NO_PLACE:
        return end, end, end
    if rtype in (SVCB, HTTPS):
        begin += _TARGET
        return begin, min(end, end_of_name(wire, begin)), end
    return begin, end, end
