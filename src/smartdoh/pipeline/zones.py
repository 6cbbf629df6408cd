"""Which zones are asked for names that do not exist, more than anybody needs: random-subdomain floods.

Each question that is about to be fetched is charged to its zone, and given back when there is an answer with data or
none at all was asked for. So what stays is what ended in NXDOMAIN or a failure, and what has not ended yet: a flood
whose victim is silent shows at once. A zone is kept as the time at which its charges are paid off (as in
fastpath.limits), so they decay by themselves. No zone is looked at while all together are asked for less than one of
them may be.
"""

from __future__ import annotations

from collections.abc import Mapping

ZONES = 2048  # that are remembered; those of the time before are, too
BURST = 20.0  # seconds' worth of its budget that a zone may use at once, and may have under way
V4_LABELS, V6_LABELS = 4, 10  # of a reverse name that are its zone: an IPv4 /16 and an IPv6 /32
_ARPA, _IN_ADDR = b"\x04arpa\0", b"\x07in-addr\x04arpa\0"
_WORDS = (
    b"ac co com ed edu gen go gob gouv gov govt gv id ind info ltd me mil muni ne net nhs nic nom or org plc police "
    b"pref sch school web"
)
_REGISTRIES = frozenset(bytes([len(word)]) + word for word in _WORDS.split())
"""Labels that are no registrant's where they stand under the two letters of a country."""

COUNTRY = 2  # letters of a country's own domain


class Zones:
    """Zones and their charges, in bounded memory."""

    def __init__(self, failures: int = 0) -> None:
        """`failures` names that do not exist are resolved for each zone a second; 0: as many as are asked."""
        self.throttled = 0
        self._young: dict[bytes, float] = {}
        self._old: Mapping[bytes, float] = {}
        self._all = 0.0
        self.limit(failures)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def limit(self, failures: int) -> None:
        """Hold to this budget from now on."""
        self._step = 1.0 / failures if failures else 0.0
        self._room = BURST - self._step / 2  # half a charge for what rounding may add up to

    def charge(self, name: bytes, now: float) -> bytes | None:
        """The zone that the question for a folded wire name was charged to; None where it has used up its budget.

        Empty, and to be given back like any other, where there is no limit.
        """
        if not self._step:
            return b""
        if self._all - now <= self._room:
            self._all = (self._all if self._all > now else now) + self._step
            return b""
        self._all = now + BURST
        zone = zone_of(name)
        until = self._young.get(zone)
        if until is None:
            until = self._old.get(zone, now)
            if len(self._young) >= ZONES:
                self._old, self._young = self._young, {}
        is_over = until - now > self._room
        self._young[zone] = until if is_over else (until if until > now else now) + self._step
        if is_over:
            self.throttled += 1
            return None
        return zone

    def give_back(self, zone: bytes) -> None:
        """The question turned out to be a good one."""
        until = self._young.get(zone)
        if until is not None:
            self._young[zone] = until - self._step


def zone_of(name: bytes) -> bytes:
    """The part of a folded wire name that somebody registered, nearly: the last two labels, three under co.uk."""
    at = last = second = third = 0
    while size := name[at]:
        third, second, last = second, last, at
        at += size + 1
    if name[last] == COUNTRY and name[second:last] in _REGISTRIES:
        return name[third:]
    if name[last:] == _ARPA:
        return _reverse_zone(name)
    return name[second:]


def _reverse_zone(name: bytes) -> bytes:
    starts, at = [], 0
    while size := name[at]:
        starts.append(at)
        at += size + 1
    keep = V4_LABELS if name.endswith(_IN_ADDR) else V6_LABELS
    return name[starts[-keep] :] if len(starts) > keep else name
