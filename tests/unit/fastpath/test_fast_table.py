"""The table: bounded in entries and octets, keeps what is asked often, and no step of it takes long."""

import random
from collections import OrderedDict

import pytest

from smartdoh.fastpath.entry import Entry, Rendered
from smartdoh.fastpath.table import OVERHEAD, SWEEP, Table
from smartdoh.model import Answer, Scan

SCAN = Scan(0x8180, 0, 12, (), 300, None, (), 0, 0, None, None)
PLENTY = 1 << 30


def entry(octets: int = 100) -> Entry:
    return Entry(Answer(bytes(octets), SCAN), 0.0, 300.0, 0.0, 300.0)


def key(number: int) -> bytes:
    return b"%06d" % number


def octets_of(table: Table) -> int:
    return sum(len(k) + len(kept.wire) + len(kept.ede) + OVERHEAD for k, kept in table.entries.items())


def test_entries_are_bounded() -> None:
    table = Table(10, PLENTY)
    for number in range(100):
        table.put(key(number), entry())
        assert len(table.entries) == min(number + 1, 10)
        assert key(number) in table.entries, "what is put is there"
        assert table.octets == octets_of(table)
    assert table.evictions == 90


def test_octets_are_bounded() -> None:
    table = Table(1000, 100_000)
    sizes = random.Random(1).choices((50, 500, 5000, 60_000), (100, 50, 10, 1), k=3000)
    for number, size in enumerate(sizes):
        table.put(key(number), entry(size))
        assert table.octets == octets_of(table)
        assert key(number) in table.entries
        assert table.octets <= 100_000


def test_an_entry_larger_than_the_table_is_kept_alone() -> None:
    table = Table(10, 1000)
    for number in range(5):
        table.put(key(number), entry(5000))
        assert list(table.entries) == [key(number)]


def test_a_large_entry_in_place_of_a_small_one_makes_room() -> None:
    table = Table(100, 100 * (OVERHEAD + 106))
    for number in range(100):
        table.put(key(number), entry())
    table.put(key(50), entry(20_000))
    assert key(50) in table.entries
    assert table.octets == octets_of(table) <= 100 * (OVERHEAD + 106)


def test_what_was_asked_is_spared_once() -> None:
    table = Table(3, PLENTY)
    for number in range(3):
        table.put(key(number), entry())
    table.entries[key(0)].asked = True
    table.put(key(3), entry())
    assert sorted(table.entries) == [key(0), key(2), key(3)]
    table.put(key(4), entry())
    table.put(key(5), entry())
    assert key(0) not in table.entries, "it was not asked again"


def test_putting_again_keeps_the_mark_and_the_place() -> None:
    table = Table(3, PLENTY)
    for number in range(3):
        table.put(key(number), entry())
    table.entries[key(0)].asked = True
    table.put(key(0), entry())
    assert table.entries[key(0)].asked
    assert table.evictions == 0
    table.put(key(3), entry())
    assert key(0) in table.entries


def test_places_that_became_free_are_used_again() -> None:
    table = Table(10, PLENTY)
    for number in range(10):
        table.put(key(number), entry())
    for number in range(0, 10, 2):
        assert table.remove(key(number))
        assert not table.remove(key(number))
    for number in range(100, 105):
        table.put(key(number), entry())
    assert table.evictions == 0
    assert len(table.entries) == 10
    assert sorted(kept.slot for kept in table.entries.values()) == list(range(10))


@pytest.mark.parametrize("how", ["put", "remove", "evict"])
def test_what_was_made_from_an_entry_ends_with_it(how: str) -> None:
    table = Table(1, PLENTY)
    old, rendered = entry(), Rendered(b"tail", 10.0, 0)
    old.rendered = [rendered]
    table.put(key(0), old)
    if how == "put":
        table.put(key(0), entry())
    elif how == "remove":
        table.remove(key(0))
    else:
        table.put(key(1), entry())
    assert rendered.until == 0.0
    assert old.rendered is None


class CountedRing(list[bytes]):
    """A ring that counts how often it is read."""

    reads = 0

    def __getitem__(self, at: object) -> bytes:  # type: ignore[override]
        self.reads += 1
        return super().__getitem__(at)  # type: ignore[no-any-return, call-overload]


def counted(table: Table) -> CountedRing:
    ring = CountedRing(table._ring)
    table._ring = ring
    return ring


def test_an_eviction_looks_at_a_bounded_number_of_entries() -> None:
    """Even where every entry was asked."""
    table = Table(10_000, PLENTY)
    for number in range(10_000):
        table.put(key(number), entry())
    for kept in table.entries.values():
        kept.asked = True
    ring = counted(table)
    for number in range(10_000, 10_100):
        before = ring.reads
        table.put(key(number), entry())
        assert ring.reads - before <= SWEEP


def test_large_answers_into_a_table_that_was_nearly_emptied_take_few_steps() -> None:
    """Places that became free are not walked over: 10,000 names are forgotten by name, then 60 kB answers come."""
    table = Table(10_000, 7_000_000)
    for number in range(10_000):
        table.put(key(number), entry(0))
    for kept in list(table.entries)[:-150]:
        table.remove(kept)
    ring = counted(table)
    for number in range(20_000, 20_200):
        before = ring.reads
        table.put(key(number), entry(60_000))
        assert ring.reads - before <= 60_000 // OVERHEAD + SWEEP
        assert table.octets == octets_of(table) <= 7_000_000


def zipf_trace(names: int, length: int, seed: int) -> list[int]:
    weights = [1 / rank for rank in range(1, names + 1)]
    return random.Random(seed).choices(range(names), weights, k=length)


def hit_ratio(trace: list[int], capacity: int) -> float:
    table, hits = Table(capacity, PLENTY), 0
    for number in trace:
        kept = table.entries.get(key(number))
        if kept is None:
            table.put(key(number), entry(0))
        else:
            kept.asked = True
            hits += 1
    return hits / len(trace)


def hit_ratio_of_queue(trace: list[int], capacity: int, *, recent: bool) -> float:
    """FIFO; with `recent` LRU."""
    queue: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for number in trace:
        if number in queue:
            hits += 1
            if recent:
                queue.move_to_end(number)
            continue
        if len(queue) == capacity:
            queue.popitem(last=False)
        queue[number] = None
    return hits / len(trace)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_beats_fifo_and_lru_on_a_zipf_trace(seed: int) -> None:
    """10,000 names asked as people ask, with room for one in twenty: as good as LRU without its cost."""
    trace = zipf_trace(10_000, 60_000, seed)
    ours = hit_ratio(trace, 500)
    fifo = hit_ratio_of_queue(trace, 500, recent=False)
    lru = hit_ratio_of_queue(trace, 500, recent=True)
    assert ours > fifo + 0.02
    assert ours > lru


def test_names_asked_once_do_not_push_out_those_asked_often() -> None:
    table = Table(200, PLENTY)
    often = 60
    for number in range(often):
        table.put(key(number), entry())
    for scan in range(1000, 6000):
        table.put(key(scan), entry())
        for number in range(scan % 10, often, 10):
            kept = table.entries.get(key(number))
            if kept is not None:
                kept.asked = True
    assert all(key(number) in table.entries for number in range(often))
