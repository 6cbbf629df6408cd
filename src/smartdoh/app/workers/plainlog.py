"""Log lines as `smartdoh.app.logs` writes them, without its library: the supervisor would be twice as large with it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from smartdoh.app.journal import marked

LEVELS = ("debug", "info", "warning", "error")


class PlainLog:
    """Writes to stderr."""

    def __init__(self, level: str, *, as_text: bool, to_journal: bool = False) -> None:
        """`level` is the least important that is written; lines to the journal have their priority before them."""
        self._least = LEVELS.index(level)
        self._as_text = as_text
        self._to_journal = to_journal

    def info(self, event: str, **about: object) -> None:
        """What is as it should be."""
        self._write("info", event, about)

    def warning(self, event: str, **about: object) -> None:
        """What somebody should look at."""
        self._write("warning", event, about)

    def error(self, event: str, **about: object) -> None:
        """What went wrong."""
        self._write("error", event, about)

    def _write(self, level: str, event: str, about: dict[str, object]) -> None:
        if LEVELS.index(level) >= self._least:
            line = _text(level, event, about) if self._as_text else _json(level, event, about)
            print(marked(line, level) if self._to_journal else line, file=sys.stderr, flush=True)


def _json(level: str, event: str, about: dict[str, object]) -> str:
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return json.dumps({**about, "event": event, "level": level, "timestamp": now})


def _text(level: str, event: str, about: dict[str, object]) -> str:
    now = datetime.now().isoformat(timespec="microseconds")
    words = " ".join(f"{key}={_shown(value)}" for key, value in about.items())
    return f"{now} [{level:<9}] {event:<30} {words}".rstrip()


def _shown(value: object) -> str:
    text = str(value)
    return repr(text) if " " in text else text
