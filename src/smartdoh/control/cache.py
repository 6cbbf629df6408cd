"""`smartdoh cache`: the running proxy's kept answers counted, forgotten, written out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smartdoh.app import clock
from smartdoh.config import Settings
from smartdoh.control import client, sums, tables
from smartdoh.control.failures import NotRunningError

Load = Callable[[], Settings]
"""Reads the config. Raises ConfigError."""


def stats(config: Path, *, as_json: bool) -> None:
    """Print the counters. Raises NotRunningError, as all of these do."""
    found = client.find(config, os.environ).get("/cache")
    if as_json:
        print(json.dumps(found))
    else:
        show(found)


def show(found: Mapping[str, Any]) -> None:
    """Print the counters of memory and disk as tables."""
    console, memory = tables.console(), found["memory"]
    asked = memory["hits"] + memory["stale"] + memory["misses"]
    share = f", {(memory['hits'] + memory['stale']) / asked:.1%} answered from it" if asked else ""
    answered = [one for one in memory["answered"] if one["outcome"] != "refused"]
    for title, counts in (
        (f"In memory{share}", sums.plain(memory)),
        ("Answers from it by type", sums.by_type(answered)),
        ("Answers from it by rcode", sums.by_rcode(answered)),
        ("On disk", sums.plain(found["disk"] or {})),
    ):
        rows = [(name, f"{count:,}") for name, count in counts]
        if rows:
            tables.show(title, ("what", "count"), rows, to=console)


def flush(config: Path, name: str, *, below: bool, qtype: str = "", as_json: bool = False) -> None:
    """Forget everything, or one name, or all below it too, or of one name one type; print how many answers went."""
    which = "?below=1" if below else f"?type={quote(qtype, safe='')}" if qtype else ""
    whole = name if name.endswith(".") else f"{name}."  # so that no name is taken for /cache/export
    target = f"/cache/{quote(whole, safe='')}{which}" if name else "/cache"
    done = client.find(config, os.environ).delete(target)
    if as_json:
        print(json.dumps(done))
        return
    removed, where = done["removed"], " in memory, and those on disk" if done["disk"] else ""
    print(f"{removed} answer{'' if removed == 1 else 's'} forgotten{where}")


def export(config: Path, load: Load) -> None:
    """Print every kept answer as a line of JSON; without a proxy those on disk. Raises ConfigError, too."""
    for line in _lines(config, load):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _lines(config: Path, load: Load) -> Iterator[bytes]:
    try:
        proxy = client.find(config, os.environ)
    except NotRunningError as error:
        from smartdoh.control import export as on_disk  # noqa: PLC0415 - only where no proxy runs

        cache = load().cache
        if cache.dir is None or not on_disk.path_in(cache.dir).exists():
            raise NotRunningError(f"{error}; and nothing is kept on disk") from None
        print(f"smartdoh: {error}; these are the answers on disk", file=sys.stderr)
        for row in on_disk.export(cache.dir, cache.stale, clock.now, time.time):
            yield f"{json.dumps(row, ensure_ascii=False)}\n".encode()
    else:
        yield from proxy.lines("/cache/export")
