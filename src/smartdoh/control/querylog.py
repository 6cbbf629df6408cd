"""What `smartdoh log` shows: lines of the query log, or questions as they come."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.text import Text

from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.questions.search import search
from smartdoh.config import Settings
from smartdoh.control import tables
from smartdoh.control.api.asking import question
from smartdoh.control.api.filters import FILTERS, MOST, OF_THE_LOG, wanted_of
from smartdoh.control.client import Proxy, find
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.errors import ConfigError

Load = Callable[[], Settings]
Row = Mapping[str, Any]

COLUMNS = ("time", "client", "name", "type", "rcode", "outcome", "ms", "by")
COLOURS = {"blocked": "red", "failed": "bold red", "refused": "red", "stale": "yellow", "miss": "cyan"}
OF_THE_LOG_ALONE = ("since", "until")
DATA, EVENT = b"data: ", b"event: "


def show(
    config: Path,
    load: Load,
    filters: Mapping[str, str],
    limit: int,
    *,
    is_followed: bool,
    as_json: bool,
) -> None:
    """Print what `filters` let through. Raises ConfigError, RefusedError or NotRunningError."""
    if is_followed:
        for key in OF_THE_LOG_ALONE:
            if key in filters:
                raise ConfigError(f"--{key}", "is not for --follow")
        _follow(find(config, os.environ), filters, as_json=as_json)
        return
    rows = _found(config, load, filters, limit)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    console = tables.console()
    if console.is_terminal:
        _draw(rows, console)
    else:
        for row in rows:
            print(_plain(row))


def _found(config: Path, load: Load, filters: Mapping[str, str], limit: int) -> list[Row]:
    """The newest that fit, the newest last."""
    try:
        proxy = find(config, os.environ)
    except NotRunningError:
        return _in_file(load(), filters, limit)
    rows: list[Row] = []
    before: int | None = None
    while len(rows) < limit:
        also = {"limit": str(min(MOST, limit - len(rows)))} | ({"before": str(before)} if before else {})
        page = proxy.get(f"/queries?{urlencode({**filters, **also})}")
        rows += page["questions"]
        before = page["before"]
        if before is None:
            break
    return rows[::-1]


def _in_file(settings: Settings, filters: Mapping[str, str], limit: int) -> list[Row]:
    """The same from the database of a proxy that does not run."""
    path = settings.query_log.dir / FILE
    if not path.exists():
        raise NotRunningError(f"no proxy runs with this config, and there is no query log at {path}")
    wanted = wanted_of(
        {**{param.name: param.default for param in (*FILTERS, *OF_THE_LOG)}, **filters, "limit": limit}
    )
    try:
        found = search(path, wanted, seconds=3600.0)
    except sqlite3.Error as error:
        raise RefusedError(f"{path} cannot be read: {error}") from None
    return [question(line.seen, line.id) for line in reversed(found.lines)]


def _follow(proxy: Proxy, filters: Mapping[str, str], *, as_json: bool) -> None:
    """Print what is asked until somebody ends it."""
    console = tables.console()
    try:
        for event, row in _events(proxy.lines(f"/queries/follow?{urlencode(filters)}")):
            if event == "lost":
                if row["count"]:
                    print(f"smartdoh: {row['count']} more are not shown: too many at once", file=sys.stderr)
            elif as_json:
                print(json.dumps(row, ensure_ascii=False), flush=True)
            elif console.is_terminal:
                console.print(_coloured(row))
            else:
                print(_plain(row), flush=True)
    except KeyboardInterrupt:
        pass


def _events(lines: Iterator[bytes]) -> Iterator[tuple[str, Row]]:
    """Server-sent events as they come: each name and its data."""
    event = ""
    for line in lines:
        if line.startswith(EVENT):
            event = line[len(EVENT) :].strip().decode()
        elif line.startswith(DATA):
            yield event, json.loads(line[len(DATA) :])


def _draw(rows: list[Row], console: Console) -> None:
    def cells(row: Row) -> tuple[Text, ...]:
        colour = COLOURS.get(row["outcome"], "")
        return tuple(Text(cell, colour) for cell in _cells(row))

    tables.show("Questions", COLUMNS, map(cells, rows), to=console)


def _coloured(row: Row) -> Text:
    return Text("  ".join(filter(None, _cells(row))), COLOURS.get(row["outcome"], ""))


def _cells(row: Row) -> tuple[str, ...]:
    """What stands in the columns, the time as the clock here has it."""
    at = datetime.fromisoformat(row["at"]).astimezone()
    took = "" if row["ms"] is None else f"{row['ms']:.1f}"
    shown = at.strftime("%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"
    return shown, row["client"], row["name"], row["type"], row["rcode"], row["outcome"], took, _by(row)


def _by(row: Row) -> str:
    """Who answered, or which rule decided."""
    if row["outcome"] in {"blocked", "local", "refused"}:
        return str(row["rule"])
    return "/".join(filter(None, (row["group"], row["upstream"])))


def _plain(row: Row) -> str:
    """A line for programs: fields in a fixed order, tabs between them, the time in UTC."""
    took = "" if row["ms"] is None else str(row["ms"])
    keys = ("at", "client", "transport", "name", "type", "class", "rcode", "outcome")
    return "\t".join([*(str(row[key]) for key in keys), took, row["group"], row["upstream"], row["rule"]])
