"""One file, several processes that write: they see each other's answers, keep the bounds, and survive its damage."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb.verify
import pytest

from smartdoh.cache import disk as disk_module
from smartdoh.cache.disk import FILE_NAME, Disk
from tests.unit.cache.disk_peer import SECONDS, fill, key

BOOT_ID = "b" * 36
SMALL = 2000  # entries
LARGE = 200_000  # takes a larger map


class Other:
    """Another process with the same disk."""

    def __init__(self, directory: Path, entries: int) -> None:
        command = [sys.executable, "-m", "tests.unit.cache.disk_peer", str(directory), str(entries), BOOT_ID]
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *order: Any) -> Any:
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        print(json.dumps(order), file=self._popen.stdin, flush=True)
        return json.loads(self._popen.stdout.readline())

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()

    def close(self) -> None:
        self._popen.communicate()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def mine(directory: Path) -> Iterator[Disk]:
    disk = Disk(directory, SMALL, stale=100.0, boot_id=BOOT_ID)
    yield disk
    disk.close()


@pytest.fixture
def other(directory: Path, mine: Disk) -> Iterator[Other]:
    peer = Other(directory, SMALL)
    yield peer
    peer.close()


def soon(condition: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(int(SECONDS * 100)):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not happen")


def has(disk: Disk, number: int) -> bool:
    return disk.get(key(f"n{number}.example")) is not None


def test_each_sees_what_the_others_wrote(mine: Disk, other: Other) -> None:
    assert fill(mine, 0, 10)
    assert other("fill", 10, 20)
    assert all(has(mine, number) for number in range(20))
    assert other("has", *range(20)) == [True] * 20
    assert mine.statistics().entries == other("counts")["entries"] == 20


def test_both_keep_the_bound(mine: Disk, other: Other, directory: Path) -> None:
    """Each evicts by what is in the file, and not by what it has put there itself."""
    for start in range(0, 6 * SMALL, SMALL // 2):
        assert fill(mine, start, start + SMALL // 4)
        assert other("fill", start + SMALL // 4, start + SMALL // 2)
    soon(lambda: mine.statistics().entries <= SMALL)
    assert mine.statistics().entries > SMALL // 2
    mine.close()
    other.close()
    assert not lmdb.verify.verify(str(directory / FILE_NAME), subdir=False)  # type: ignore[no-untyped-call]


def test_one_that_is_killed_while_it_writes_holds_nobody_up(mine: Disk, other: Other) -> None:
    for start in range(0, 500, 100):
        assert other("fill", start, start + 100)
    other.kill()
    assert fill(mine, 500, 600)
    assert has(mine, 499)
    assert mine.statistics().failures == 0


def test_a_larger_map_is_followed(mine: Disk, other: Other) -> None:
    """A reload makes it, in one process before the others."""
    other("limit", LARGE)
    assert other("fill", 0, 100)
    assert fill(mine, 100, 200)
    assert other("fill", 200, 300)
    soon(lambda: has(mine, 250))
    assert fill(mine, 300, 400)
    soon(lambda: has(mine, 350))
    assert other("has", 250) == [True]


@pytest.mark.parametrize("who_finds_out", ["both", "one"])
def test_a_damaged_file_is_set_aside_once(
    mine: Disk, other: Other, directory: Path, monkeypatch: pytest.MonkeyPatch, who_finds_out: str
) -> None:
    """Who has it open goes over to the new file, and does not set that one aside as well."""
    monkeypatch.setattr(disk_module, "FIRST_PAUSE", 0.01)
    file = directory / FILE_NAME
    assert fill(mine, 0, 10)
    assert other("fill", 10, 20)
    before = file.stat().st_ino
    mine._damage = lmdb.CorruptedError("as a look-up found")
    soon(lambda: (fill(mine, 20, 21), file.exists() and file.stat().st_ino != before)[1])
    soon(lambda: mine.statistics().is_open)
    assert fill(mine, 30, 40)
    new = file.stat().st_ino
    if who_finds_out == "both":
        broken = file.with_name(FILE_NAME + ".broken")
        content = bytearray(broken.read_bytes())
        for at in range(2 * 4096, len(content), 4096):
            content[at + 8 : at + 16] = b"\xff" * 8
        with broken.open("r+b") as damaged:
            damaged.write(content)
    soon(lambda: (other("fill", 21, 22), other("has", 35) == [True])[1])
    assert other("fill", 40, 50)
    soon(lambda: has(mine, 45))
    assert file.stat().st_ino == new
