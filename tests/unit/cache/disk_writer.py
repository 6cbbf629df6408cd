"""A process that writes answers to a disk as fast as it can, to be killed.

`python -m tests.unit.cache.disk_writer DIR ENTRIES`. For each line on its standard input it forks a child, which
prints its pid and then, whenever all that came before is committed, the number that comes next.
"""

import itertools
import os
import sys
from pathlib import Path

from smartdoh.app import clock
from smartdoh.cache.disk import Disk
from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.cache.second import SecondLevel
from smartdoh.fastpath import Entry
from smartdoh.model import Query
from smartdoh.wire.names import from_text
from tests.scenario.messages import answer_to, query

GROUP = "main"
FINGERPRINTS = {GROUP: b"12345678"}
NUMBERS = 4000
ENDED = -1
"""What is printed when a child has ended."""

AT_A_TIME = 200
FLUSHED = "flushed.example.com"


def asked(number: int) -> Query:
    return query(f"n{number}.example.com.")


def second_level(disk: Disk) -> SecondLevel:
    return SecondLevel(disk, FINGERPRINTS, Bounds(), clock.now)


def address_of(number: int) -> str:
    """What is written for a number, so that anything else is wrong."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def entry_for(number: int) -> Entry:
    question = asked(number)
    answer = answer_to(question, f"n{number}.example.com. 300 A {address_of(number)}")
    return entry_of(question, answer, Bounds(), clock.now())[0]


def write(directory: Path, entries: int, all_: list[tuple[Query, Entry]]) -> None:
    """Never ends. Numbers come again, and deletions and flushes come between."""
    flushed = query(f"{FLUSHED}.")
    disk = Disk(directory, entries, boot=clock.now)
    second = second_level(disk)
    for start in itertools.cycle(range(0, NUMBERS, AT_A_TIME)):
        for question, entry in all_[start : start + AT_A_TIME]:
            second.keep(question, GROUP, entry)
        second.keep(flushed, GROUP, all_[0][1])
        disk.flush(from_text(FLUSHED))
        second.forget(all_[start][0], GROUP)
        disk.settle(60)
        print(start + AT_A_TIME, flush=True)


def main() -> None:
    directory, entries = Path(sys.argv[1]), int(sys.argv[2])
    all_ = [(asked(number), entry_for(number)) for number in range(NUMBERS)]
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            print(os.getpid(), flush=True)
            write(directory, entries, all_)
        os.waitpid(child, 0)
        print(f"\n{ENDED}", flush=True)  # a line may have been cut off


if __name__ == "__main__":
    main()
