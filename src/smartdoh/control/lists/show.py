"""`smartdoh lists show`: the lists of the running proxy, else what their files say."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from smartdoh.config import Settings
from smartdoh.control import client, tables
from smartdoh.control.api.shapes import ListStatus
from smartdoh.control.failures import NotRunningError
from smartdoh.control.lists import rows

Load = Callable[[], Settings]
"""Reads the config. Raises ConfigError."""

COLUMNS = ("list", "lines used", "not used, and why", "changed", "asked", "next look", "without it")


def show(config: Path, load: Load, *, as_json: bool) -> None:
    """Print them. Raises ConfigError where no proxy runs and the config is no good."""
    try:
        found, running = client.find(config, os.environ).get("/lists"), True
    except NotRunningError as error:
        from smartdoh.control.lists.local import opened  # noqa: PLC0415 - only this way needs the whole program

        print(f"smartdoh: {error}; this is from the files alone", file=sys.stderr)
        found, running = opened(load()), False
    if as_json:
        print(json.dumps({"running": running, "lists": found}, ensure_ascii=False))
    else:
        _show(found)


def _show(found: list[ListStatus]) -> None:
    console = tables.console()
    if not found:
        console.print("the config has no lists")
        return
    tables.show("Lists", COLUMNS, map(_row, found), to=console)
    for one in found:
        if problem := rows.problem(one):
            console.print(f"{one['name']}: {problem}", style="yellow", markup=False)


def _row(found: ListStatus) -> tuple[str, ...]:
    now = "now" if found["fails_now"] else ""
    return (
        found["name"],
        "it is missing" if found["lines_used"] is None else str(found["lines_used"]),
        rows.skipped(found),
        rows.ago(found["changed"]),
        rows.ago(found["checked"]),
        rows.next_look(found),
        f"fails {found['on_missing']} {now}".strip(),
    )
