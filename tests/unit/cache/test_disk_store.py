"""The file itself: formats, bounds, eviction, export, and files that are no good."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from smartdoh.cache import batch as batches
from smartdoh.cache import records, store
from smartdoh.cache.batch import Batch
from smartdoh.cache.reader import OtherFormatError
from smartdoh.cache.records import Record
from smartdoh.cache.store import BROKEN, Store
from smartdoh.cache.sweep import SLICE

STALE = 100.0
NOW = 10_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.lmdb"


def opened(path: Path, entries: int = 1_000_000) -> Store:
    return Store(path, entries, STALE)


@pytest.fixture
def file(path: Path) -> Iterator[Store]:
    made = opened(path)
    yield made
    made.close()


def key(number: int) -> bytes:
    return b"\x08%08d\0" % number


def record(number: int, *, stored: int = NOW, lifetime: int = 300, asked: bool = False) -> bytes:
    return records.encode(key(number), Record(stored, lifetime, False, asked, "up", b"", b"w" * 60))


def put(file: Store, numbers: range, **how: int) -> int:
    batch = Batch()
    for number in numbers:
        batch.put(key(number), record(number, **how))  # type: ignore[arg-type]
    return file.write(batch, b"clock", NOW)


def test_what_was_written_is_there_after_closing(path: Path) -> None:
    first = opened(path)
    put(first, range(1000))
    first.close()
    again = opened(path)
    assert again.size()[0] == 1000
    assert again.get(key(7)) == record(7)
    assert again.get(key(1001)) is None
    assert again.saved_clock() == b"clock"
    again.close()


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 191, 192, 193, 384, 385])
def test_a_batch_is_written_whole_whatever_its_size(
    file: Store, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """A few records between two pauses, some handfuls in a transaction: none is left at the seams."""
    monkeypatch.setattr(store, "LARGEST_WRITE", 192)
    assert store.AT_A_TIME == 64, "or the numbers above are not at the seams"
    put(file, range(count))
    assert [name for name, _ in file.items()] == [key(number) for number in range(count)]


def test_what_was_written_is_let_go_of() -> None:
    batch = Batch()
    for number in range(2 * batches.A_FEW + 1):
        batch.put(key(number), record(number))
    batch.let_go()
    assert not batch


def test_only_its_owner_may_read_it(path: Path) -> None:
    opened(path).close()
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"cache.lmdb": 0o600, "cache.lmdb-lock": 0o600}


def test_another_format_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FORMAT", b"smartdoh answers 0")
    older = opened(path)
    put(older, range(3))
    older.close()
    monkeypatch.undo()
    with pytest.raises(OtherFormatError, match="smartdoh answers 0"):
        opened(path)


def test_somebody_elses_file_is_refused_and_left_as_it_is(path: Path) -> None:
    with lmdb.open(str(path), subdir=False) as env, env.begin(write=True) as txn:
        txn.put(b"theirs", b"data")
    before = path.read_bytes()
    with pytest.raises(OtherFormatError):
        opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"\0" * 20_000])
def test_a_file_of_something_else_is_broken(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(BROKEN):
        opened(path)


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.touch()
    file = opened(path)
    put(file, range(3))
    assert file.size()[0] == 3
    file.close()


def test_a_file_that_was_cut_off_is_an_error_and_no_crash(path: Path) -> None:
    """A page that lies behind the end of the file would be SIGBUS."""
    file = opened(path)
    put(file, range(20_000))
    file.close()
    os.truncate(path, path.stat().st_size // 3)
    errors = 0
    try:
        file = opened(path)
    except BROKEN:
        return
    for number in range(20_000):
        try:
            file.get(key(number))
        except BROKEN:
            errors += 1
    file.close()
    assert errors


def test_it_never_holds_more_than_it_may(path: Path) -> None:
    file = opened(path, 2000)
    for start in range(0, 6000, 500):
        put(file, range(start, start + 500), stored=NOW - 10_000 + start)
        assert file.size()[0] <= 2000
    assert file.size()[0] > 1500, "and not much less"
    file.close()


def test_what_takes_too_much_room_goes_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LEAST_OCTETS", 1 << 20)
    file = opened(path, 100)
    for start in range(0, 100, 10):
        batch = Batch()
        for number in range(start, start + 10):
            batch.put(
                key(number),
                records.encode(key(number), Record(NOW, 60, False, False, "", b"", bytes(60_000))),
            )
        file.write(batch, b"", NOW)
    entries, octets = file.size()
    assert octets < 1.3 * (1 << 20)
    assert entries < 25
    file.close()


def test_what_is_over_goes_first_then_what_was_not_asked_then_what_is_old(path: Path) -> None:
    file = opened(path, SLICE)
    numbers = list(range(SLICE))
    random.Random(1).shuffle(numbers)
    over, old, young, asked = (range(number, SLICE, 4) for number in range(4))
    batch = Batch()
    for place, number in enumerate(numbers):
        kind = place % 4
        stored = (NOW - 1000, NOW - 200, NOW, NOW - 300)[kind]
        batch.put(key(number), record(number, stored=stored, lifetime=300, asked=kind == 3))
    file.write(batch, b"", NOW - 950)  # nothing is over yet, nothing is too much

    def left() -> list[int]:
        kept = {key for key, _ in file.items()}
        return [sum(key(numbers[place]) in kept for place in kind) for kind in (over, old, young, asked)]

    assert left() == [64, 64, 64, 64]
    file.write(Batch(), b"", NOW)
    assert left() == [0, 64, 64, 64]
    file.limit(140, STALE)
    file.write(Batch(), b"", NOW)
    assert left() == [0, 12, 64, 64]
    file.limit(64, STALE)
    file.write(Batch(), b"", NOW)
    assert left() == [0, 0, 0, 64]
    file.close()


def test_a_smaller_limit_is_reached_in_bounded_steps(path: Path) -> None:
    file = opened(path)
    put(file, range(60_000))
    file.limit(100, STALE)
    rounds = 0
    while file.fullness() > 1:
        assert file.write(Batch(), b"", NOW) <= 128 * SLICE
        rounds += 1
    assert rounds > 1
    assert file.size()[0] <= 100
    file.close()


def test_a_larger_limit_makes_the_map_larger(path: Path) -> None:
    file = opened(path, 1)
    file.limit(1_000_000, STALE)
    put(file, range(10))
    assert file.get(key(3)) == record(3)
    file.close()


def test_a_flush_takes_what_begins_alike(file: Store) -> None:
    batch = Batch()
    for name in (b"\x01a\0", b"\x01a\x01b\0", b"\x01a\x01c\0", b"\x01b\0", b"\x02aa\0"):
        batch.put(name, b"value of sixteen octets")
    file.write(batch, b"", NOW - 1e9)
    batch = Batch()
    batch.flush(b"\x01a\x01")
    file.write(batch, b"", NOW - 1e9)
    assert [key for key, _ in file.items()] == [b"\x01a\0", b"\x01b\0", b"\x02aa\0"]
    batch.flush(b"\x02")
    file.write(batch, b"", NOW - 1e9)
    assert [key for key, _ in file.items()] == [b"\x01a\0", b"\x01b\0"]
    batch.flush(b"")
    file.write(batch, b"", NOW - 1e9)
    assert not list(file.items())


def test_an_export_sees_all_while_others_write(file: Store) -> None:
    put(file, range(5000))
    seen = []
    for name, octets in file.items():
        seen.append(name)
        assert octets == record(int(name[1:9]))
        if len(seen) == 2500:
            put(file, range(5000, 6000))
    assert seen[:5000] == [key(number) for number in range(5000)]
    assert seen == sorted(seen)


def test_groups_have_names(file: Store) -> None:
    assert file.groups() == {}
    file.name_groups({b"12345678": "direct", b"abcdefgh": "Köln"})
    file.name_groups({b"12345678": "direct"})
    assert file.groups() == {b"12345678": "direct", b"abcdefgh": "Köln"}


def resident(path: Path) -> int:
    """How many octets of a mapped file count as this process's memory."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0]:
            inside = words[-1] == str(path.resolve())
        elif inside and words[0] == "Rss:":
            found += int(words[1]) * 1024
    return found


def test_pages_that_were_looked_at_are_given_back(path: Path) -> None:
    file = opened(path)
    put(file, range(60_000))
    for number in range(0, 60_000, 10):
        file.get(key(number))
    assert resident(path) > 4_000_000
    file.give_back_pages()
    assert resident(path) < 500_000
    assert all(file.get(key(number)) == record(number) for number in range(0, 60_000, 100))
    file.limit(2_000_000, STALE)
    assert file.get(key(7)) == record(7)
    file.give_back_pages()
    assert resident(path) < 500_000, "also where the map has moved"
    file.close()
    file.give_back_pages()


def test_a_reader_that_was_killed_does_not_keep_pages(path: Path) -> None:
    """What a process had open when it was killed must not make the file grow for ever."""
    file = opened(path)
    put(file, range(1000))
    file.close()
    holds = "import os, sys, lmdb; lmdb.open(sys.argv[1], subdir=False, max_dbs=2).begin(); os._exit(0)"
    subprocess.run([sys.executable, "-c", holds, str(path)], check=True)
    file = opened(path)
    for _ in range(300):
        put(file, range(1000))
    size = path.stat().st_size
    file.close()
    assert size < 3_000_000
