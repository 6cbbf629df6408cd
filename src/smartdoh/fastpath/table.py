"""The table of kept answers: bounded by entries and by octets, CLOCK eviction, nothing in it takes long."""

from __future__ import annotations

from smartdoh.fastpath.entry import Entry

SWEEP = 64  # entries looked at for one eviction, so that the longest pause is some microseconds
OVERHEAD = 330  # octets of memory an entry takes beside its message and its key, measured by bench memory
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

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep `entry` under `key`, in place of what was there."""
        old = self.entries.get(key)
        if old is not None:
            old.forget_rendered()
            entry.asked = old.asked
            self.octets -= _octets(key, old)
        elif len(self._ring) < self._capacity:
            self._ring.append(key)
        else:
            self._ring[self._free_slot()] = key
        self._share_offsets(entry)
        self.entries[key] = entry
        self.octets += _octets(key, entry)
        for _ in range(SWEEP):
            if self.octets <= self._max_octets or len(self.entries) == 1:
                break
            self._free_slot(spare=key)

    def remove(self, key: bytes) -> bool:
        """Forget `key`; whether it was there. Its slot becomes free when the hand comes by."""
        entry = self.entries.pop(key, None)
        if entry is None:
            return False
        entry.forget_rendered()
        self.octets -= _octets(key, entry)
        return True

    def _share_offsets(self, entry: Entry) -> None:
        """Most answers have the same offsets as many others, and a tuple takes 64 octets."""
        offsets = entry.ttl_offsets
        if len(self._offsets) < SHARED_OFFSETS:
            entry.ttl_offsets = self._offsets.setdefault(offsets, offsets)
        else:
            entry.ttl_offsets = self._offsets.get(offsets, offsets)

    def _free_slot(self, spare: bytes | None = None) -> int:
        """A slot whose key is not there any more, or has just been made to go."""
        ring, entries = self._ring, self.entries
        looked = 0
        while True:
            slot = self._hand
            self._hand = slot + 1 if slot + 1 < len(ring) else 0
            key = ring[slot]
            entry = entries.get(key)
            if entry is None:
                return slot
            looked += 1
            if key == spare or (entry.asked and looked < SWEEP):
                entry.asked = False
                continue
            self.remove(key)
            self.evictions += 1
            return slot


def _octets(key: bytes, entry: Entry) -> int:
    return len(key) + len(entry.wire) + len(entry.ede) + OVERHEAD
