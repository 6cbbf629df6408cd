"""`smartdoh status` and `smartdoh stats`: what the running proxy is, and what it has done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from smartdoh.control import client, groups, tables
from smartdoh.control.api.shapes import Statistics, Status, WorkerStatus
from smartdoh.control.sums import at_most, plain, sums_of


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
    console = tables.console()
    for title, columns, rows in _stats(found):
        if rows:
            tables.show(title, columns, rows, to=console)


Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def _stats(found: Statistics) -> Iterator[Table]:
    for key in ("outcome", "type", "rcode"):
        yield f"Questions by {key}", (key, "count", "share"), _shares(found, key)
    yield "What was not in memory took", ("outcome", "count", "mean", "95%"), _latency(found)
    now = [
        ("asked of upstreams now", f"{found['under_way']:,}"),
        ("clients that wait", f"{found['waiting']:,}"),
    ]
    yield "Under way", ("what", "count"), now
    groups_ = [
        (name, f"{counts['questions']:,}", f"{counts['hedges']:,}")
        for name, counts in found["groups"].items()
    ]
    yield "Groups", ("group", "questions", "hedges"), groups_
    yield "In memory", ("what", "count"), _plain(found["cache"])
    yield "On disk", ("what", "count"), _plain(found["disk"] or {})


def _shares(found: Statistics, key: Literal["outcome", "type", "rcode"]) -> list[tuple[str, ...]]:
    """How many questions there were of each kind, the most first."""
    sums = sums_of((one[key], one["count"]) for one in found["questions"])
    whole = sum(count for _, count in sums)
    return [(name, f"{count:,}", f"{count / whole:.1%}") for name, count in sums if count]


def _latency(found: Statistics) -> list[tuple[str, ...]]:
    return [
        (
            outcome,
            f"{seen['count']:,}",
            f"{seen['seconds'] / seen['count'] * 1e3:,.1f} ms",
            at_most(seen, 0.95),
        )
        for outcome, seen in found["latency"].items()
        if seen["count"]
    ]


def _plain(counts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [(name, f"{count:,}") for name, count in plain(counts)]
