"""Answers kept on disk, as the API shows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

import lmdb

from smartdoh.app.runtime import Runtime
from smartdoh.cache import records
from smartdoh.cache.fingerprint import fingerprint
from smartdoh.control.api.kept import POLICY, SHOWN_AT_A_TIME, Times, present
from smartdoh.control.api.shapes import KeptAnswer
from smartdoh.model import Query

BITS = range(4)  # DO and CD


class File(NamedTuple):
    """What the records of a file are shown with."""

    now: float  # by the file's clock
    stale: float  # seconds that an answer may be given past its end
    groups: Mapping[bytes, str]  # the names of those that the fingerprints stand for


def of_question(runtime: Runtime, query: Query, group: str) -> list[KeptAnswer]:
    """What a group's answers on disk are for a question, with and without DO and CD."""
    if runtime.disk is None:
        return []
    settings = runtime.settings
    decided_by = fingerprint(settings.groups[group], settings.cache)
    keys = [
        records.key_of(query.name, query.key[:-POLICY] + bits.to_bytes(POLICY), decided_by) for bits in BITS
    ]
    found = [(key, runtime.disk.get(key)) for key in keys]
    file = File(runtime.disk.now(), settings.cache.stale, {decided_by: group})
    rows = [show(file, key, octets) for key, octets in found if octets is not None]
    return [row for row in rows if row is not None]


async def everything(runtime: Runtime) -> AsyncIterator[KeptAnswer]:
    """Every answer on disk, also those of groups that the config had before."""
    if runtime.disk is None:
        return
    settings = runtime.settings
    groups = {fingerprint(group, settings.cache): name for name, group in settings.groups.items()}
    try:
        for number, (key, octets) in enumerate(runtime.disk.items()):
            row = show(File(runtime.disk.now(), settings.cache.stale, groups), key, octets)
            if row is not None:
                yield row
            if number % SHOWN_AT_A_TIME == 0:
                await asyncio.sleep(0)
    except lmdb.Error:  # it was closed meanwhile: a reload, or the end
        return


def show(file: File, key: bytes, octets: bytes) -> KeptAnswer | None:
    """One record; None where it is damaged."""
    record, place = records.decode(key, octets), records.place_of(key)
    if record is None or place is None:
        return None
    age = max(0.0, file.now - record.stored)
    return present(
        "disk",
        place.name,
        (place.qtype, place.qclass, int(place.do) << 1 | int(place.cd)),
        Times(age, record.lifetime - age, record.lifetime + file.stale - age),
        record.wire,
        record.source,
        file.groups.get(place.fingerprint, ""),
    )
