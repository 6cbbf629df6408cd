"""One proof: a TLS handshake in which an address shows a certificate for a name, or does not."""

from __future__ import annotations

import re

import pycurl

from smartdoh.speed.dial import OK, Dialer
from smartdoh.speed.ranking import TLS_PORT, Verdict

_LABEL = re.compile(rb"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")


def host_of(name: bytes) -> str | None:
    """A folded wire name as SNI and certificates have it; None where it is no host's name."""
    labels, at = [], 0
    while size := name[at]:
        labels.append(name[at + 1 : at + 1 + size])
        at += 1 + size
    if not labels or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        return None
    return b".".join(labels).decode("ascii")


async def prove(host: str, address: bytes, dialer: Dialer) -> Verdict:
    """Ask `address` for its certificate for `host`, which has to be one that the dialer's way trusts."""
    dialed = await dialer.shake_hands(host, address, TLS_PORT)
    if dialed.code == OK:
        return Verdict.VERIFIED
    return Verdict.WRONG if dialed.code == pycurl.E_PEER_FAILED_VERIFICATION else Verdict.NONE
