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
    counts: dict[str, int] = client.find(config, os.environ).get("/cache")
    if as_json:
        print(json.dumps(counts))
        return
    console = tables.console()
    asked = counts["hits"] + counts["stale"] + counts["misses"]
    share = f", {(counts['hits'] + counts['stale']) / asked:.1%} from the cache" if asked else ""
    rows = [(name, f"{count:,}") for name, count in counts.items()]
    tables.show(f"Cache{share}", ("what", "count"), rows, to=console)


def flush(config: Path, name: str, *, below: bool) -> None:
    """Forget everything, or one name, or all below it too; print how many answers went."""
    target = f"/cache/{quote(name, safe='')}{'?below=1' if below else ''}" if name else "/cache"
    removed = client.find(config, os.environ).delete(target)["removed"]
    print(f"{removed} answer{'' if removed == 1 else 's'} forgotten")


def export(config: Path) -> None:
    """Print every kept answer as a line of JSON."""
    for line in client.find(config, os.environ).lines("/cache/export"):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
