"""`smartdoh status` and `smartdoh stats`: what the running proxy is, and what it has done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartdoh.control import cache, client, groups, tables
from smartdoh.control.api.shapes import Status, WorkerStatus


def status(config: Path, *, as_json: bool) -> None:
    """Print what runs. Raises NotRunningError, as stats does."""
    proxy = client.find(config, os.environ)
    found = proxy.get("/status")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    upstreams = [one for group in proxy.get("/upstreams") for one in group["upstreams"]]
    ill = [f"{one['name']} {groups.health(one)}" for one in upstreams if one["health"] != "well"]
    rows = [*_status(found), ("upstreams", f"{len(upstreams) - len(ill)} of {len(upstreams)} do well")]
    rows += [("", one) for one in ill]
    tables.show(f"smartdoh {found['version']}", ("what", "is"), rows, to=tables.console())


def _status(found: Status) -> Iterator[tuple[str, str]]:
    yield "process", f"{found['pid']}, for {tables.span(found['uptime_s'])}"
    yield "config", found["config"]
    yield "listening on", ", ".join(found["listening"])
    yield "fast path", found["fast_path"]
    yield "groups", ", ".join(found["groups"])
    yield "overrides", str(found["overrides"])
    for worker in found.get("workers", ()):
        yield f"worker {worker['number']}", _worker(worker)


def _worker(worker: WorkerStatus) -> str:
    if worker["pid"] is None or worker["uptime_s"] is None:
        return "does not run at the moment"
    again = f", started again {worker['restarts']} times" if worker["restarts"] else ""
    return f"{worker['pid']}, for {tables.span(worker['uptime_s'])}{again}"


def stats(config: Path, *, as_json: bool) -> None:
    """Print the counters."""
    found = client.find(config, os.environ).get("/statistics")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    cache.show({"memory": found["cache"], "disk": found["disk"]})
    console = tables.console()
    rows = [("under way", f"{found['under_way']:,}"), ("clients that wait", f"{found['waiting']:,}")]
    tables.show("Questions to upstreams", ("what", "count"), rows, to=console)
    tables.show("Groups", ("group", "questions", "hedges"), map(_group, found["groups"].items()), to=console)


def _group(group: tuple[str, Any]) -> tuple[str, ...]:
    name, counts = group
    return name, f"{counts['questions']:,}", f"{counts['hedges']:,}"
