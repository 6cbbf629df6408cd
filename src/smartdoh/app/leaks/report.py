"""What is told of one list: its names that were sent outside of its group, as JSON has it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smartdoh.app.leaks import table
from smartdoh.app.leaks.find import Leaks, Sent, find, groups_of
from smartdoh.app.questions.log.schema import FILE, open_to_read
from smartdoh.app.questions.writing import wants_ledger
from smartdoh.app.whatif.lists import compiled
from smartdoh.app.whatif.policy import decide_by
from smartdoh.config import Settings
from smartdoh.errors import ConfigError
from smartdoh.wire.names import to_text


def report(settings: Settings, name: str, limit: int) -> dict[str, Any]:
    """Of the list `name`, with at most so many lines of the ledger, those first that were sent last.

    Raises ConfigError where there is no ledger, or no rule uses the list.
    """
    groups = groups_of(settings, name)
    if groups is None:
        raise ConfigError(f"lists.{name}", "no rule uses this list, so nothing of it can be sent elsewhere")
    lists = compiled(settings)
    names = lists[name]
    changed = _changed(settings.lists[name].file)
    found = Leaks(0, 0, 0.0, [])
    path = settings.query_log.dir / FILE
    if names is not None and (path.exists() or not wants_ledger(settings)):  # else nothing was written yet
        try:
            with closing(open_to_read(path)) as database:
                found = find(_lines(database), names, groups, decide_by(settings, lists))
        except sqlite3.Error as error:
            raise ConfigError("query_log", f"there is no ledger at {path}: {error}") from error
    return {
        "list": name,
        "group": ", ".join(sorted(groups)),
        "changed": _moment(changed),
        "since": _moment(found.since),
        "names": found.names,
        "listed": found.listed,
        "leaked": [_leak(line, changed) for line in found.sent[:limit]],
        "left_off": max(0, len(found.sent) - limit),
    }


def _lines(database: sqlite3.Connection) -> Iterator[Sent]:
    """The ledger; nothing was sent yet where there is no table."""
    wanted = "SELECT count(*) FROM sqlite_master WHERE name = 'ledger'"
    return table.read(database) if database.execute(wanted).fetchone()[0] else iter(())


def _leak(line: Sent, changed: float) -> dict[str, Any]:
    return {
        "name": to_text(line.name),
        "group": line.group,
        "upstream": line.upstream,
        "count": line.times,
        "first": _moment(line.first),
        "last": _moment(line.last),
        "since_change": line.last > changed,
    }


def _changed(file: Path) -> float:
    """When the list became what it is; 0.0 where it is gone."""
    try:
        return os.stat(file).st_mtime
    except OSError:
        return 0.0


def _moment(seconds: float) -> str | None:
    """Seconds since 1970 as RFC 3339 has them; None for never."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z") if seconds else None
