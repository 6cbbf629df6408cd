"""The fingerprint of what decides an upstream's answer: while it is the same, what is kept of them stays good."""

from __future__ import annotations

from hashlib import blake2b

from smartdoh.cache.records import FINGERPRINT
from smartdoh.config import CacheSettings, GroupSettings


def fingerprint(group: GroupSettings, cache: CacheSettings) -> bytes:
    """Eight octets that change with the group's name, whom it asks and by which way, and what is done to answers.

    How long an answer may be given after its life is not in it: that is looked up anew each time.
    """
    decides = (
        group.name,
        tuple(url.url for url in group.upstreams),
        str(group.via),
        group.trust_ad,
        group.fastest_ip,
        cache.min_ttl,
        cache.max_ttl,
        cache.negative_max,
    )
    return blake2b(repr(decides).encode(), digest_size=FINGERPRINT).digest()
