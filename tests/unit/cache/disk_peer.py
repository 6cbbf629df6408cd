"""A process that shares a disk and does as it is told: a line of JSON in, one out.

`python -m tests.unit.cache.disk_peer DIR ENTRIES BOOT_ID`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from smartdoh.app import logs
from smartdoh.cache import records
from smartdoh.cache.disk import Disk
from smartdoh.cache.records import Record
from smartdoh.wire.names import from_text

SECONDS = 20.0


def key(name: str) -> bytes:
    wire = from_text(name)
    return records.key_of(wire, wire + b"\0\1\0\1\0\0\0", b"12345678")


def value(name: str) -> bytes:
    return records.encode(key(name), Record(2**31, 300, False, False, "up", b"", name.encode().ljust(60)))


def fill(disk: Disk, start: int, end: int) -> bool:
    for number in range(start, end):
        disk.put(key(f"n{number}.example"), value(f"n{number}.example"))
    return disk.settle(SECONDS)


def obey(disk: Disk, order: str, *words: Any) -> Any:
    match order:
        case "fill":
            return fill(disk, *words)
        case "has":
            return [disk.get(key(f"n{number}.example")) is not None for number in words]
        case "limit":
            return disk.limit(words[0], 100.0)
        case "counts":
            found = disk.statistics()
            return {"entries": found.entries, "failures": found.failures, "is_open": found.is_open}
    raise ValueError(order)


def main() -> None:
    logs.configure("warning", "json")
    disk = Disk(Path(sys.argv[1]), int(sys.argv[2]), stale=100.0, boot_id=sys.argv[3])
    for line in sys.stdin:
        print(json.dumps(obey(disk, *json.loads(line))), flush=True)
    disk.close()


if __name__ == "__main__":
    main()
