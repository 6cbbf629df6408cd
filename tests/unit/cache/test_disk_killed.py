"""kill -9 at random moments while answers are written: the file opens each time, and nothing in it is wrong."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import lmdb.verify
import pytest

from smartdoh.app import clock
from smartdoh.cache import records
from smartdoh.cache.disk import FILE_NAME, Disk
from smartdoh.wire import names
from tests.unit.cache.disk_writer import AT_A_TIME, ENDED, GROUP, NUMBERS, address_of, asked, second_level

KILLS = 25  # in each of two tests
LONGEST_WAIT = 0.03  # seconds between two commits of the writer, and so the moments at which it is killed


class Writer:
    """A process whose children write until they are killed."""

    def __init__(self, directory: Path, entries: int) -> None:
        command = [sys.executable, "-m", "tests.unit.cache.disk_writer", str(directory), str(entries)]
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write_and_be_killed(self, lots: random.Random) -> int:
        """Let a child write for a while and kill it; the last number that it said was committed."""
        assert self._popen.stdin is not None
        self._popen.stdin.write("\n")
        self._popen.stdin.flush()
        child = self._number()
        said = 0
        for _ in range(lots.randrange(4)):
            said = self._number()
        time.sleep(lots.random() * LONGEST_WAIT)
        os.kill(child, signal.SIGKILL)
        while self._number() != ENDED:
            pass
        return said

    def _number(self) -> int:
        assert self._popen.stdout is not None
        return int(self._popen.stdout.readline().strip() or 0)

    def end(self) -> None:
        self._popen.communicate(timeout=60)


@pytest.mark.parametrize(("entries", "keeps_all"), [(100_000, True), (NUMBERS // 2, False)])
def test_killed_at_any_moment(tmp_path: Path, entries: int, keeps_all: bool) -> None:
    lots = random.Random(entries)
    directory = tmp_path / "cache"
    writer = Writer(directory, entries)
    for _ in range(KILLS):
        said = writer.write_and_be_killed(lots)
        path = directory / FILE_NAME
        if path.exists():  # else it was killed before there was one
            assert lmdb.verify.verify(str(path), subdir=False) == []  # type: ignore[no-untyped-call]
        disk = Disk(directory, entries, boot=clock.now)
        assert disk.statistics().is_open
        assert_nothing_is_wrong(disk)
        if keeps_all:
            assert_there(disk, range(max(0, said - AT_A_TIME) + 1, said))
        disk.close()
    writer.end()
    assert sorted(path.name for path in directory.iterdir()) == [
        FILE_NAME,
        f"{FILE_NAME}-lock",
        f"{FILE_NAME}.boot",
    ], "nothing was set aside"


def assert_nothing_is_wrong(disk: Disk) -> None:
    """Each record is whole, and is what was written for its name."""
    for key, octets in disk.items():
        record = records.decode(key, octets)
        place = records.place_of(key)
        assert record is not None
        assert place is not None
        label = names.to_text(place.name).partition(".")[0]
        if label != "flushed":
            expected = bytes(int(part) for part in address_of(int(label[1:])).split("."))
            assert record.wire.endswith(expected)


def assert_there(disk: Disk, numbers: range) -> None:
    """All that was said to be committed is found by those who ask."""
    second = second_level(disk)
    for number in numbers:
        entry = second.recall(asked(number), GROUP)
        assert entry is not None, f"n{number} is lost"
