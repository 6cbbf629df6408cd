"""`smartdoh upstreams`: the running proxy's upstreams shown, sent to rest and woken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from smartdoh.control import client, groups, tables
from smartdoh.control.api.shapes import GroupStatus
from smartdoh.control.client import Proxy
from smartdoh.control.failures import RefusedError
from smartdoh.control.slowest import slowest


def show(config: Path, *, as_json: bool) -> None:
    """Print every group. Raises NotRunningError, as all of these do."""
    found = client.find(config, os.environ).get("/upstreams")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    console = tables.console()
    for group in found:
        groups.show(group, console, counts=True)
    console.print(slowest_of(found), markup=False, end="")


def slowest_of(found: list[GroupStatus]) -> str:
    """A line that names the slowest of all; empty where there is nothing to compare."""
    one = slowest(found)
    return "" if one is None else f"slowest: {one.name} of group {one.group}, {one.latency_ms} ms\n"


def rest(config: Path, upstream: str, group: str, seconds: float, *, as_json: bool) -> None:
    """Send one to rest. Raises RefusedError where there is none of that name."""
    _tell(config, "rest", upstream, group, {"seconds": f"{seconds:g}"}, as_json=as_json)


def wake(config: Path, upstream: str, group: str, *, as_json: bool) -> None:
    """End its rest. Raises RefusedError likewise."""
    _tell(config, "wake", upstream, group, {}, as_json=as_json)


def _tell(config: Path, what: str, upstream: str, group: str, more: dict[str, str], *, as_json: bool) -> None:
    proxy = client.find(config, os.environ)
    wanted = urlencode({"upstream": upstream, **more})
    found = [
        proxy.post(f"/groups/{quote(name, safe='')}/{what}?{wanted}")
        for name in ([group] if group else _groups_with(proxy, upstream))
    ]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for told in found:
        [state, *_] = [groups.health(one) for one in told["upstreams"] if one["name"] == upstream]
        print(f"{upstream} of group {told['name']}: {state}")


def _groups_with(proxy: Proxy, upstream: str) -> list[str]:
    found: list[Any] = proxy.get("/upstreams")
    names = {group["name"]: [one["name"] for one in group["upstreams"]] for group in found}
    having = [group for group, its in names.items() if upstream in its]
    if not having:
        there_are = ", ".join(dict.fromkeys(name for its in names.values() for name in its))
        raise RefusedError(f"{upstream!r} is no upstream; there are: {there_are}")
    return having
