"""`smartdoh lists update`: by the running proxy, else here; bars meanwhile, a table at the end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from smartdoh.config import Settings
from smartdoh.control import client, tables
from smartdoh.control.api.shapes import ListOutcome, ListProgress
from smartdoh.control.failures import NotOursError, NotRunningError
from smartdoh.control.lists import rows
from smartdoh.control.lists.bars import Bars

Load = Callable[[], Settings]
"""Reads the config. Raises ConfigError."""

GOOD = ("updated", "unchanged")
COLUMNS = ("list", "outcome", "lines used", "not used, and why")


class Watch:
    """Takes what is told of the lists: shows how far they are, keeps what came of them."""

    def __init__(self, bars: Bars) -> None:
        self._outcomes: list[ListOutcome] = []
        self._bars = bars

    @property
    def outcomes(self) -> list[ListOutcome]:
        """What came of those that are done with, by name."""
        return sorted(self._outcomes, key=lambda outcome: outcome["list"])

    def take(self, event: ListProgress | ListOutcome) -> None:
        """One event."""
        if "outcome" in event:
            self._outcomes.append(event)
            self._bars.finish(event["list"], event["outcome"])
        else:
            self._bars.show(event["list"], event["phase"], event["done"], event["total"])


def update(config: Path, load: Load, name: str, *, as_json: bool) -> bool:
    """Update one list, or all where no name is given; whether all of them are now what their servers have.

    Raises ConfigError for a name that there is not, NotRunningError where the proxy goes away meanwhile.
    """
    try:
        proxy = client.find(config, os.environ)
    except NotOursError:
        raise  # two that write the same files would be one too many
    except NotRunningError as error:
        print(f"smartdoh: {error}; the files are updated for the next start", file=sys.stderr)
        proxy = None
    with Bars() as bars:
        watch = Watch(bars)
        if proxy is not None:
            _ask(proxy, name, watch)
        else:
            from smartdoh.control.lists import local  # noqa: PLC0415 - only this way needs the whole program

            local.update(load(), name, watch.take)
    if as_json:
        print(json.dumps({"running": proxy is not None, "lists": watch.outcomes}, ensure_ascii=False))
    else:
        _show(watch.outcomes)
    return all(outcome["outcome"] in GOOD for outcome in watch.outcomes)


def _ask(proxy: client.Proxy, name: str, watch: Watch) -> None:
    target = f"/lists/{quote(name, safe='')}" if name else "/lists"
    for line in proxy.lines(target, "POST"):
        watch.take(json.loads(line))


def _show(outcomes: list[ListOutcome]) -> None:
    console = tables.console()
    if not outcomes:
        console.print("the config has no lists")
        return
    tables.show("Lists", COLUMNS, map(_row, outcomes), to=console)
    for outcome in outcomes:
        if outcome["why"]:
            console.print(f"{outcome['list']}: {outcome['why']}", style="yellow", markup=False)


def _row(outcome: ListOutcome) -> tuple[str, ...]:
    found = outcome["status"]
    lines = "" if found["lines_used"] is None else str(found["lines_used"])
    return outcome["list"], outcome["outcome"], lines, rows.skipped(found)
