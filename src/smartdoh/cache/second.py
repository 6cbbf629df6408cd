"""The second level as the pipeline sees it: questions and entries to keys and records, and back."""

from __future__ import annotations

from collections.abc import Mapping

from smartdoh.cache import records
from smartdoh.cache.disk import Disk
from smartdoh.cache.policy import PREFETCH_FROM, Bounds
from smartdoh.cache.records import Record
from smartdoh.cache.steady import Clock
from smartdoh.errors import WireError
from smartdoh.fastpath import Entry
from smartdoh.model import Answer, Query
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import AD


class SecondLevel:
    """Answers of upstreams that the table in memory does not have, or not any more; nothing that is answered here."""

    def __init__(self, disk: Disk, fingerprints: Mapping[str, bytes], bounds: Bounds, clock: Clock) -> None:
        """`fingerprints` of all groups by name; `clock` is that of the table in memory."""
        self._disk = disk
        self._fingerprints = dict(fingerprints)
        self._bounds = bounds
        self._clock = clock
        disk.name_groups({octets: name for name, octets in self._fingerprints.items()})

    def recall(self, query: Query, group: str, *, is_asked: bool = True) -> Entry | None:
        """The answer that `group` gave to `query`, fresh or stale, as it would be had it stayed in memory.

        It has passed the checks that an upstream's answer passes. `is_asked` is whether a client asked for it.
        """
        key = self._key(query, group)
        octets = self._disk.get(key)
        if octets is None:
            return None
        record = records.decode(key, octets)
        if record is None:
            self._disk.delete(key, is_damaged=True)
            return None
        age = max(0.0, self._disk.now() - record.stored)
        if age >= record.lifetime + self._bounds.stale:
            return None
        try:
            scan = scan_answer(record.wire, query)
        except WireError:
            self._disk.delete(key, is_damaged=True)
            return None
        if is_asked and not record.asked and self._disk.is_crowded:
            self._disk.put(key, records.encode(key, record._replace(asked=True)))
        flags = scan.flags | AD if record.ad else scan.flags & ~AD
        answer = Answer(record.wire, scan._replace(flags=flags), record.source, 0, record.ede)
        stored = self._clock() - age
        share = PREFETCH_FROM if self._bounds.prefetch else 1.0
        refresh_at = stored + record.lifetime * share
        origin = self._fingerprints[group]
        return Entry(answer, stored, record.lifetime, self._bounds.stale, refresh_at, origin)

    def keep(self, query: Query, group: str, entry: Entry, *, asked: bool = False) -> None:
        """Write `entry` in a moment; `asked` is whether somebody asked for it before."""
        key = self._key(query, group)
        age = self._clock() - entry.stored
        record = Record(
            int(self._disk.now() - age),
            int(entry.expires - entry.stored),
            bool(entry.ad),
            asked,
            entry.source,
            entry.ede,
            entry.wire,
        )
        self._disk.put(key, records.encode(key, record))

    def forget(self, query: Query, group: str) -> None:
        """Keep nothing of what `group` said to `query`."""
        self._disk.delete(self._key(query, group))

    def _key(self, query: Query, group: str) -> bytes:
        return records.key_of(query.name, query.key, self._fingerprints[group])
