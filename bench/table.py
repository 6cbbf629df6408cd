"""The table of kept answers by itself: memory for each, and the longest single step. `python -m bench.table [ENTRIES]`.

Two million answers of one address unless told otherwise, and a fifth more that have to take others' places. Steps are
timed by the thread's own CPU time, so that other work of the machine is not taken for a pause.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import thread_time

from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.fastpath import BUILD, FastPath
from smartdoh.model import Query
from smartdoh.wire import compose
from smartdoh.wire.compose import Rr
from smartdoh.wire.question import parse_query

ENTRIES = 2_000_000
WALK = 1000  # places at a time, as `cache.forget` goes
PAGE = 4096


def resident() -> int:
    """Octets of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def asked(number: int) -> Query:
    """A question for one of the names."""
    name = b"\x08n%07d\x07example\x03com\0" % number
    return parse_query(bytes((0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)) + name + b"\0\1\0\1")


class Longest:
    """The longest of the steps that it ran, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def run(self, step: Callable[[], object]) -> object:
        """Run one."""
        start = thread_time()
        found = step()
        self.seconds = max(self.seconds, thread_time() - start)
        return found


def _remove(fast: FastPath, start: int, end: int) -> None:
    for key in fast.keys_at(start, end):
        fast.remove(key)


def main() -> None:
    """Fill, overfill, flush and empty one table, and print what that took."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    fast = FastPath(entries=entries, view_of=lambda _: 0, clock=lambda: 0.0)
    gc.disable()  # the server's collector runs by the clock
    before = resident()
    fill, overfill = Longest(), Longest()
    for number in range(entries + entries // 5):
        query = asked(number)
        answer = compose.answer(query, 0, [Rr(query.name, 1, 300, b"\xc0\0\2\1")], source="bench")
        entry, _ = entry_of(query, answer, Bounds(), 0.0)
        (fill if number < entries else overfill).run(partial(fast.store, query.key, entry))
        if number == entries - 1:
            print(f"{BUILD}: {(resident() - before) / entries:.0f} octets for each of {entries:,} answers")
    flush, walk = Longest(), Longest()
    flush.run(fast.flush)
    end = fast.places
    while end > 0:
        start = max(0, end - WALK)
        walk.run(partial(_remove, fast, start, end))
        end = min(start, fast.places)
    for what, longest in (("fill", fill), ("evict", overfill), ("flush", flush), (f"remove {WALK}", walk)):
        print(f"longest {what}: {1e6 * longest.seconds:.0f} µs")


if __name__ == "__main__":
    main()
