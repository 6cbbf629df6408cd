"""`smartdoh top --once`: one look, as plain tables or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import cast

from rich.console import Console
from rich.text import Text

from smartdoh.control import tables
from smartdoh.control.api.shapes import Status
from smartdoh.control.api.shapes_live import Live
from smartdoh.control.client import Proxy
from smartdoh.control.top import summary, words
from smartdoh.control.top.feed import follow
from smartdoh.control.top.rows import VIEWS

ROWS = 10  # of each table


def snapshot(proxy: Proxy, seconds: float, *, as_json: bool) -> None:
    """Print what was asked in the last minutes, at least in so many seconds. Raises NotRunningError."""
    look = watched(proxy, seconds)
    if as_json:
        print(json.dumps(look, ensure_ascii=False))
        return
    status = cast("Status", proxy.get("/status"))
    show(status, look, tables.console())


def watched(proxy: Proxy, seconds: float) -> Live:
    """A look at what somebody has watched for so long; it begins with this one where nobody has."""
    look = cast("Live", proxy.get("/live"))
    if look["seconds"] < seconds:
        for each in follow(proxy):
            if each["seconds"] >= seconds:
                break
        look = cast("Live", proxy.get("/live"))
    return look


def show(status: Status, look: Live, console: Console) -> None:
    """Print it."""
    _line(console, summary.head(status, look, status["uptime_s"]))
    for label, text in summary.figures(look):
        _line(console, f"{label}: {text}")
    rates = [
        (outcome, words.rate(rate), words.count(look["counts"][outcome]))
        for outcome, rate in look["rate"].items()
    ]
    _table("What became of them", ("outcome", "now", "in all"), rates, console)
    for view in VIEWS:
        rows = [row.cells for row in view.rows(look)[:ROWS]]
        if rows:
            _table(view.heading, tuple(column.label for column in view.columns), rows, console)


def _line(console: Console, text: str) -> None:
    console.print(Text(text))


def _table(title: str, columns: tuple[str, ...], rows: Iterable[Sequence[str]], console: Console) -> None:
    console.print()
    tables.show(title, columns, [[Text(cell) for cell in row] for row in rows], to=console)
