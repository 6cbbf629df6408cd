"""`smartdoh cache`: the running proxy's kept answers counted, forgotten, written out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

from smartdoh.control import client, tables


def stats(config: Path, *, as_json: bool) -> None:
    """Print the counters. Raises NotRunningError, as all of these do."""
    found = client.find(config, os.environ).get("/cache")
    if as_json:
        print(json.dumps(found))
        return
    console, memory = tables.console(), found["memory"]
    asked = memory["hits"] + memory["stale"] + memory["misses"]
    share = f", {(memory['hits'] + memory['stale']) / asked:.1%} answered from it" if asked else ""
    for title, counts in ((f"In memory{share}", memory), ("On disk", found["disk"])):
        rows = [(name, f"{count:,}") for name, count in (counts or {}).items()]
        if rows:
            tables.show(title, ("what", "count"), rows, to=console)


def flush(config: Path, name: str, *, below: bool) -> None:
    """Forget everything, or one name, or all below it too; print how many answers went."""
    target = f"/cache/{quote(name, safe='')}{'?below=1' if below else ''}" if name else "/cache"
    done = client.find(config, os.environ).delete(target)
    removed, where = done["removed"], " in memory, and all there were on disk" if done["disk"] else ""
    print(f"{removed} answer{'' if removed == 1 else 's'} forgotten{where}")


def export(config: Path) -> None:
    """Print every kept answer as a line of JSON."""
    for line in client.find(config, os.environ).lines("/cache/export"):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
