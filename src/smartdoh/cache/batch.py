"""What waits to be written: the newest word about each key, and the flushes that came before."""

from __future__ import annotations

from smartdoh.cache.pause import pause

MOST_FLUSHES = 100
"""Of single names that wait; past that everything goes. Each look-up compares its key with all of them."""

A_FEW = 512
"""Answers that are freed together: some tens of microseconds."""

GONE = b""
"""What `Batch.look` says of a key that is to be deleted. No record is empty."""


class Batch:
    """Changes to the file, to be made in this order: flushes, deletes, puts."""

    __slots__ = ("deletes", "flushes", "octets", "puts")

    def __init__(self) -> None:
        self.flushes: list[bytes] = []  # starts of keys; the empty one starts all
        self.deletes: set[bytes] = set()
        self.puts: dict[bytes, bytes] = {}
        self.octets = 0  # of what is to be put

    def __len__(self) -> int:
        return len(self.puts) + len(self.deletes) + len(self.flushes)

    def put(self, key: bytes, octets: bytes) -> None:
        """Keep `octets` under `key`."""
        self.deletes.discard(key)
        self.octets += len(octets) - len(self.puts.get(key, b""))
        self.puts[key] = octets

    def delete(self, key: bytes) -> None:
        """Keep nothing under `key`."""
        self.octets -= len(self.puts.pop(key, b""))
        self.deletes.add(key)

    def flush(self, start: bytes) -> None:
        """Keep nothing under any key that begins with `start`."""
        if start not in self.flushes:
            self.flushes.append(start)
        if not start or len(self.flushes) > MOST_FLUSHES:
            start, self.flushes = b"", [b""]
        self.deletes = {key for key in self.deletes if not key.startswith(start)}
        self.puts = {key: octets for key, octets in self.puts.items() if not key.startswith(start)}
        self.octets = sum(map(len, self.puts.values()))

    def look(self, key: bytes) -> bytes | None:
        """The octets under `key`, GONE if they are to go, None if nothing is said about it."""
        octets = self.puts.get(key)
        if octets is not None:
            return octets
        if key in self.deletes or (self.flushes and key.startswith(tuple(self.flushes))):
            return GONE
        return None

    def let_go(self) -> None:
        """Forget all of it, a few answers at a time.

        To free fifty thousand in one go takes milliseconds, in which no other thread runs.
        """
        puts = self.puts
        while puts:
            for _ in range(min(A_FEW, len(puts))):
                puts.popitem()
            pause()

    def removals_before(self, later: Batch) -> None:
        """Leave to `later` what this batch was to remove, and what it was to replace: it could not be written."""
        for start in self.flushes:
            if start not in later.flushes:
                later.flushes.insert(0, start)
        later.deletes |= (self.deletes | self.puts.keys()) - later.puts.keys()
