"""The disk while it works and while it does not: queue, flushes, files set aside, retries, several processes."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest
from structlog.testing import capture_logs

from smartdoh.cache import disk as disk_module
from smartdoh.cache import records
from smartdoh.cache.disk import FILE_NAME, Disk
from smartdoh.cache.records import Record
from smartdoh.wire.names import from_text

BOOT_ID, OTHER_BOOT = "b" * 36, "c" * 36
SECONDS = 20.0  # in which whatever a test waits for must have happened
Start = Callable[..., Disk]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Opens disks in one directory; they are closed with the test."""
    started: list[Disk] = []

    def open_(entries: int = 100_000, **how: Any) -> Disk:
        how = dict[str, Any](stale=100.0, boot_id=BOOT_ID, directory=tmp_path / "cache") | how
        started.append(Disk(how.pop("directory"), entries, **how))
        return started[-1]

    yield open_
    for disk in started:
        disk.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / FILE_NAME


def key(name: str, qtype: int = 1) -> bytes:
    wire = from_text(name)
    return records.key_of(wire, wire + qtype.to_bytes(2) + b"\0\1\0\0\0", b"12345678")


def value(name: str, size: int = 60) -> bytes:
    return records.encode(key(name), Record(2**31, 300, False, False, "up", b"", name.encode().ljust(size)))


def fill(disk: Disk, numbers: range) -> None:
    for number in numbers:
        disk.put(key(f"n{number}.example"), value(f"n{number}.example"))
    assert disk.settle(SECONDS)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    waiting = threading.Event()
    for _ in range(int(SECONDS * 100)):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not happen")


def warnings_in(logs: list[Any]) -> list[str]:
    return [entry["event"] for entry in logs if entry["log_level"] in ("warning", "error")]


def test_what_is_put_is_there_at_once_and_after_a_restart(start: Start) -> None:
    first = start()
    first.put(key("a.example"), value("a.example"))
    assert first.get(key("a.example")) == value("a.example")
    assert first.settle(SECONDS)
    assert first.get(key("a.example")) == value("a.example")
    assert first.statistics().commits >= 1
    first.close()
    again = start()
    assert again.get(key("a.example")) == value("a.example")
    assert again.get(key("b.example")) is None


def test_closing_writes_what_waits(start: Start) -> None:
    first = start()
    first.put(key("a.example"), value("a.example"))
    first.close()
    assert start().get(key("a.example")) == value("a.example")


def test_the_directory_is_made_for_its_owner_alone(start: Start, file: Path) -> None:
    start()
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {0o600}


def test_a_directory_that_is_there_is_left_as_it_is(start: Start, file: Path) -> None:
    file.parent.mkdir(mode=0o755)
    start()
    assert file.parent.stat().st_mode & 0o777 == 0o755


def test_deleted_is_gone_at_once_and_for_good(start: Start) -> None:
    first = start()
    fill(first, range(3))
    first.delete(key("n1.example"))
    assert first.get(key("n1.example")) is None
    first.close()
    again = start()
    assert again.get(key("n1.example")) is None
    assert again.get(key("n2.example")) is not None


@pytest.mark.parametrize(
    ("name", "below", "gone"),
    [
        ("a.example", False, {"a.example"}),
        ("a.example", True, {"a.example", "x.a.example", "y.x.a.example"}),
        (None, False, {"a.example", "x.a.example", "y.x.a.example", "ba.example", "example"}),
    ],
)
@pytest.mark.parametrize("is_written", [True, False])
def test_a_flush_counts_at_once_and_for_good(
    start: Start, name: str | None, below: bool, gone: set[str], is_written: bool
) -> None:
    everything = {"a.example", "x.a.example", "y.x.a.example", "ba.example", "example"}
    first = start()
    for each in everything:
        first.put(key(each), value(each))
    if is_written:
        assert first.settle(SECONDS)
    first.flush(None if name is None else from_text(name), below=below)
    assert {each for each in everything if first.get(key(each)) is None} == gone
    first.put(key("x.a.example"), value("x.a.example"))
    assert first.get(key("x.a.example")) is not None, "what is put after a flush stays"
    first.close()
    again = start()
    assert {each for each in everything if again.get(key(each)) is None} == gone - {"x.a.example"}


def test_a_flush_of_one_type_leaves_the_others(start: Start) -> None:
    disk = start()
    lives, goes = key("a.example", 28), key("a.example", 1)
    record = Record(2**31, 300, False, False, "up", b"", b"a.example".ljust(60))
    for each in (lives, goes):
        disk.put(each, records.encode(each, record))
    disk.flush(from_text("a.example"), qtype=1)
    assert (disk.get(goes), disk.get(lives) is not None) == (None, True)


@pytest.mark.parametrize("bound", [("MOST_WAITING", 10), ("MOST_OCTETS", 10 * len(value("x")))])
def test_a_queue_that_is_full_takes_no_more(
    bound: tuple[str, int], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, *bound)
    monkeypatch.setattr(disk_module, "COMMIT_EVERY", 3600.0)
    disk = start()
    for number in range(25):
        disk.put(key(f"n{number}.example"), value("x"))
    counts = disk.statistics()
    assert counts.dropped >= 10
    assert counts.stored + counts.dropped == 25
    assert counts.waiting <= 20
    assert disk.get(key("n24.example")) is None


def test_a_file_that_is_no_database_is_set_aside_with_one_warning(start: Start, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"garbage" * 10_000)
    with capture_logs() as logs:
        disk = start()
        fill(disk, range(3))
    assert len(warnings_in(logs)) == 1
    assert file.with_name(FILE_NAME + ".broken").read_bytes() == b"garbage" * 10_000
    disk.close()
    assert start().get(key("n1.example")) is not None


def test_another_format_is_set_aside_with_one_warning(start: Start, file: Path) -> None:
    start().close()
    with lmdb.open(str(file), subdir=False, max_dbs=2) as env, env.begin(write=True) as txn:
        txn.put(b"format", b"smartdoh answers 99", db=env.open_db(b"about", txn=txn))
    with capture_logs() as logs:
        disk = start()
        fill(disk, range(3))
    assert len(warnings_in(logs)) == 1
    assert file.with_name(FILE_NAME + ".old-format").exists()
    assert disk.get(key("n1.example")) is not None


def test_a_place_that_is_no_directory_means_memory_only_until_it_is_mended(
    start: Start, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "FIRST_PAUSE", 0.01)
    file.parent.write_text("a file where the directory should be")
    with capture_logs() as logs:
        disk = start()
        until(lambda: disk.statistics().failures > 3)
        disk.put(key("a.example"), value("a.example"))
        assert disk.get(key("a.example")) is None
        disk.flush(from_text("b.example"))
        file.parent.unlink()
        until(lambda: disk.statistics().is_open)
    assert len(warnings_in(logs)) == 1
    assert logs[-1]["event"] == "the cache on disk is open"
    fill(disk, range(3))
    assert disk.get(key("n1.example")) is not None


def test_a_page_that_is_found_broken_ends_the_file_and_a_new_one_begins(
    start: Start, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_module, "FIRST_PAUSE", 0.01)
    first = start()
    fill(first, range(5000))
    first.close()
    content = bytearray(file.read_bytes())
    for at in range(4 * 4096, len(content), 4096):  # what kind of page it is, and where its parts lie
        content[at + 8 : at + 16] = b"\xff" * 8
    file.write_bytes(content)
    with capture_logs() as logs:
        disk = start()
        found = [disk.get(key(f"n{number}.example")) for number in range(5000)]
        until(lambda: disk.statistics().is_open)
        fill(disk, range(10))
    assert set(found) <= {None, *(value(f"n{number}.example") for number in range(5000))}
    assert len(warnings_in(logs)) == 1
    assert file.with_name(FILE_NAME + ".broken").exists()
    assert disk.get(key("n1.example")) is not None


SCRIBBLE = """
import random, sys
from pathlib import Path
from tests.unit.cache.test_disk import BOOT_ID, fill, key, value
from smartdoh.cache import records
from smartdoh.cache.disk import FILE_NAME, Disk

directory, seed = Path(sys.argv[1]), int(sys.argv[2])
rnd = random.Random(seed)
file = directory / FILE_NAME
disk = Disk(directory, 100_000, boot_id=BOOT_ID)
fill(disk, range(2000))
disk.close()
whole = file.read_bytes()
for round_ in range(25):
    content = bytearray(whole)
    for _ in range(rnd.choice((1, 10, 200))):
        at = rnd.randrange(len(content))
        content[at : at + 8] = rnd.randbytes(min(8, len(content) - at))
    if rnd.random() < 0.2:
        del content[rnd.randrange(len(content)) :]
    file.write_bytes(content)
    disk = Disk(directory, 100_000, boot_id=BOOT_ID)
    for number in range(0, 2000, 7):
        name = f"n{number}.example"
        octets = disk.get(key(name))
        if octets is not None and records.decode(key(name), octets) is not None:
            assert octets == value(name), "a record that passes for sound, and is not what was written"
    for number in range(2000, 2200):
        disk.put(key(f"n{number}.example"), value(f"n{number}.example"))
    disk.settle(5)
    disk.close()
print("survived")
"""


def test_scribbling_over_the_file_never_crashes_and_never_gives_wrong_answers(tmp_path: Path) -> None:
    for seed in range(2):
        command = [sys.executable, "-c", SCRIBBLE, str(tmp_path / str(seed)), str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        assert done.stdout.endswith("survived\n"), f"{done.returncode}: {done.stderr[-2000:]}"


def after_a_power_cut(start: Start) -> None:
    """A cache that was in use under another boot, and was never closed in order."""
    disk = start(boot_id=OTHER_BOOT)
    fill(disk, range(1000))
    disk.close()
    mark = disk.directory / (FILE_NAME + ".boot")
    assert mark.read_bytes() == b"", "closed in order"
    mark.write_text(OTHER_BOOT)


def test_after_a_power_cut_a_whole_file_is_used_once_it_was_looked_through(start: Start) -> None:
    after_a_power_cut(start)
    with capture_logs() as logs:
        disk = start()
        assert not disk.statistics().is_open, "it does not wait for that"
        assert disk.get(key("n1.example")) is None
        until(lambda: disk.statistics().is_open)
    assert not warnings_in(logs)
    assert disk.get(key("n1.example")) == value("n1.example")


def test_after_a_power_cut_a_mixture_is_set_aside(start: Start, file: Path) -> None:
    after_a_power_cut(start)
    content = bytearray(file.read_bytes())
    content[-4096:] = bytes(4096)
    file.write_bytes(content)
    with capture_logs() as logs:
        disk = start()
        until(lambda: disk.statistics().is_open)
    assert len(warnings_in(logs)) == 1
    assert file.with_name(FILE_NAME + ".broken").exists()
    fill(disk, range(3))
    assert disk.get(key("n1.example")) is not None


def test_being_killed_under_the_same_boot_is_no_power_cut(start: Start) -> None:
    disk = start()
    fill(disk, range(10))
    disk.close()
    (disk.directory / (FILE_NAME + ".boot")).write_text(BOOT_ID)
    again = start()
    assert again.get(key("n1.example")) is not None


def test_without_a_boot_id_each_commit_waits_for_the_disk(start: Start) -> None:
    disk = start(boot_id="")
    fill(disk, range(10))
    disk.close()
    assert start(boot_id="").get(key("n1.example")) is not None


SECOND_PROCESS = """
import sys
from pathlib import Path
from tests.unit.cache.test_disk import BOOT_ID, fill, key, value
from smartdoh.cache.disk import Disk

disk = Disk(Path(sys.argv[1]), 100_000, boot_id=BOOT_ID)
assert disk.get(key("n1.example")) == value("n1.example"), disk.statistics()
fill(disk, range(1000, 2000))
disk.close()
"""


def test_several_processes_share_it(start: Start) -> None:
    disk = start()
    fill(disk, range(10))
    command = [sys.executable, "-c", SECOND_PROCESS, str(disk.directory)]
    others = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    fill(disk, range(2000, 3000))
    for other in others:
        _, errors = other.communicate(timeout=60)
        assert other.returncode == 0, errors
    assert disk.get(key("n1500.example")) == value("n1500.example")
    assert disk.get(key("n2500.example")) == value("n2500.example")
    assert (disk.directory / (FILE_NAME + ".boot")).read_text() == BOOT_ID, "it is still in use"


def test_a_disk_that_takes_no_more_is_read_and_written_again_later(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for a full disk: every write past it fails."""
    script = """
import resource, sys
from pathlib import Path
from structlog.testing import capture_logs
from smartdoh.cache import disk as disk_module
from smartdoh.cache.disk import FILE_NAME, Disk
from tests.unit.cache.test_disk import BOOT_ID, fill, key, until, value, warnings_in

disk_module.FIRST_PAUSE = 0.01
directory = Path(sys.argv[1])
disk = Disk(directory, 1_000_000, boot_id=BOOT_ID)
fill(disk, range(1000))
size = (directory / FILE_NAME).stat().st_size
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
with capture_logs() as logs:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 65536, hard))
    numbers = iter(range(20_000, 10**9))

    def is_refused_often() -> bool:
        name = f"n{next(numbers)}.example"
        disk.put(key(name), value(name, 30_000))
        return disk.statistics().failures > 3

    until(is_refused_often)
    assert disk.get(key("n1.example")) == value("n1.example"), "what is there is still there"
    disk.flush(b"\\2n2\\7example\\0")
    assert disk.get(key("n2.example")) is None
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    until(lambda: fill(disk, range(10_000, 10_010)) or logs[-1]["event"] == "the cache on disk is written again")
    fill(disk, range(10_000, 11_000))
assert len(warnings_in(logs)) == 1, logs
disk.close()
disk = Disk(directory, 1_000_000, boot_id=BOOT_ID)
assert disk.get(key("n1.example")) == value("n1.example")
assert disk.get(key("n2.example")) is None
assert disk.get(key("n10500.example")) == value("n10500.example")
disk.close()
"""
    command = [sys.executable, "-c", script, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr


def test_new_limits_are_kept_to(start: Start) -> None:
    disk = start()
    fill(disk, range(5000))
    disk.limit(1000, 100.0)
    until(lambda: disk.statistics().entries <= 1000)
    assert disk.statistics().evicted >= 4000
    disk.limit(10_000, 100.0)
    fill(disk, range(5000, 9000))
    assert disk.statistics().entries > 4000


def test_a_slow_disk_has_a_rest(start: Start) -> None:
    """A look-up that took too long is the last one for a while: the loop must not wait for a dying disk."""
    ticks = iter(range(10**9))
    disk = start(boot=lambda: float(next(ticks)))
    fill(disk, range(3))
    with capture_logs() as logs:
        disk.get(key("n1.example"))
        assert disk.get(key("n1.example")) is None
    assert len(warnings_in(logs)) == 1
    until(lambda: disk.get(key("n1.example")) is not None)


def test_readers_and_the_writer_do_not_disturb_each_other(start: Start) -> None:
    disk = start(3000)
    lots = random.Random(1)
    for _ in range(20):
        for _ in range(500):
            name = f"n{lots.randrange(6000)}.example"
            disk.put(key(name), value(name))
            name = f"n{lots.randrange(6000)}.example"
            assert disk.get(key(name)) in (None, value(name))
        if lots.random() < 0.2:
            disk.flush(from_text(f"n{lots.randrange(6000)}.example"))
    assert disk.settle(SECONDS)
    assert disk.statistics().entries <= 3000
    assert all(records.decode(*item) is not None for item in disk.items())


def test_closing_twice_and_using_it_afterwards_is_harmless(start: Start) -> None:
    disk = start()
    disk.close()
    disk.close()
    disk.put(key("a.example"), value("a.example"))
    disk.delete(key("a.example"))
    disk.flush()
    assert disk.get(key("a.example")) is None
    assert list(disk.items()) == []
    assert not disk.statistics().is_open
    assert os.listdir(disk.directory)
