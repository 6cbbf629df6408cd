"""The table of kept answers: bounded by entries and by octets, CLOCK eviction, nothing in it takes long."""

from __future__ import annotations

from smartdoh.fastpath.entry import Entry

SWEEP = 64  # entries looked at for one eviction, so that the longest pause is some microseconds
OVERHEAD = 360  # octets of memory an entry takes beside its message and its key, measured by bench memory
SHARED_OFFSETS = 4096  # different tuples of TTL offsets that are kept once for all entries that have them


class Table:
    """Keys to entries.

    When it is full, a hand goes round the slots: an entry that was asked since it last came by is spared once
    more, the first other one goes. What is asked often stays, and each eviction costs a bounded number of steps.
    """

    __slots__ = ("_capacity", "_hand", "_max_octets", "_offsets", "_ring", "entries", "evictions", "octets")

    def __init__(self, capacity: int, max_octets: int) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.octets = 0
        self.evictions = 0
        self._capacity = capacity
        self._max_octets = max_octets
        self._ring: list[bytes] = []
        self._offsets: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._hand = 0

    @property
    def places(self) -> int:
        """How many places are taken; they have no holes."""
        return len(self._ring)

    def keys_at(self, start: int, end: int) -> list[bytes]:
        """The keys in these places."""
        return self._ring[start:end]

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep `entry` under `key`, in place of what was there."""
        old = self.entries.get(key)
        if old is not None:
            old.forget_rendered()
            entry.slot = old.slot
            entry.asked = old.asked
            self.octets -= _octets(key, old)
        else:
            entry.slot = self._free_slot()
            self._ring[entry.slot] = key
        self._share_offsets(entry)
        self.entries[key] = entry
        self.octets += _octets(key, entry)
        while self.octets > self._max_octets and len(self.entries) > 1:  # 64 KiB / OVERHEAD times at most
            self._close(self._evict(spare=entry))

    def remove(self, key: bytes) -> bool:
        """Forget `key`; whether it was there."""
        entry = self.entries.pop(key, None)
        if entry is None:
            return False
        entry.forget_rendered()
        self.octets -= _octets(key, entry)
        self._close(entry.slot)
        return True

    def _share_offsets(self, entry: Entry) -> None:
        """Most answers have the same offsets as many others, and a tuple takes 64 octets."""
        offsets = entry.ttl_offsets
        if len(self._offsets) < SHARED_OFFSETS:
            entry.ttl_offsets = self._offsets.setdefault(offsets, offsets)
        else:
            entry.ttl_offsets = self._offsets.get(offsets, offsets)

    def _free_slot(self) -> int:
        if len(self._ring) < self._capacity:
            self._ring.append(b"")
            return len(self._ring) - 1
        return self._evict()

    def _close(self, slot: int) -> None:
        """Fill an empty slot with the last one, so that the hand never walks over holes."""
        last = self._ring.pop()
        if slot < len(self._ring):
            self._ring[slot] = last
            self.entries[last].slot = slot

    def _evict(self, spare: Entry | None = None) -> int:
        """Make one slot free and return it."""
        ring, entries = self._ring, self.entries
        looked = 0
        while True:
            slot = self._hand if self._hand < len(ring) else 0
            self._hand = slot + 1
            key = ring[slot]
            entry = entries[key]
            if entry is spare:
                continue
            looked += 1
            if entry.asked and looked < SWEEP:
                entry.asked = False
                continue
            entry.forget_rendered()
            del entries[key]
            self.octets -= _octets(key, entry)
            self.evictions += 1
            return slot


def _octets(key: bytes, entry: Entry) -> int:
    return len(key) + len(entry.wire) + len(entry.ede) + OVERHEAD
