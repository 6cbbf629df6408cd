"""Forgetting the answers of some names without stopping the loop, however many are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from smartdoh.fastpath import FastPath
from smartdoh.wire.names import parents

AT_A_TIME = 1000  # keys looked at before the loop has its turn
FEW = 64  # names up to which one comparison of endings settles most keys
ROOT = b"\0"  # every name is below it
POLICY = 7  # octets of type, class and policy behind the name in a key


async def forget(
    fast: FastPath, names: Collection[bytes], zones: Collection[bytes], qtype: int | None = None
) -> int:
    """Remove every answer for one of `names`, or at or below one of `zones` (folded wire format); how many went.

    With `qtype` those to questions for that type alone.
    """
    wanted = None if qtype is None else qtype.to_bytes(2)
    exact, below = frozenset(names), frozenset(zones)
    endings = tuple(exact | below) if len(exact) + len(below) <= FEW else None
    gone, end = 0, fast.places
    while end > 0:
        start = max(0, end - AT_A_TIME)
        for key in fast.keys_at(start, end):
            name = key[:-POLICY]
            if endings is not None and not name.endswith(endings):
                continue
            if wanted is not None and key[-POLICY : 2 - POLICY] != wanted:
                continue
            if name in exact or not below.isdisjoint(parents(name)):
                gone += fast.remove(key)
        await asyncio.sleep(0)
        end = min(start, fast.places)
    return gone
