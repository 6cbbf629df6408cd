"""Where log lines go and how they look: key=value for people, JSON for journals. No client's question at level info."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any, Literal

import structlog

from smartdoh.app.journal import is_read_by_journal, marked

Format = Literal["auto", "text", "json"]
Renderer = Callable[[dict[str, Any]], str]
"""Makes a line of what it says; `at`, an aware time, becomes its timestamp."""

Log = Any  # structlog's bound loggers are typed by what they are configured with


def configure(level: str, form: Format, worker: int | None = None) -> None:
    """Set up logging for the whole process, to stderr. `auto` is text on a terminal and JSON elsewhere.

    Each line of a `worker` carries its number, and each that the journal reads its priority.
    """
    is_text = is_for_people(form)
    structlog.configure(
        processors=[
            *([_from_worker(worker)] if worker is not None else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not is_text),
            structlog.processors.format_exc_info,
            _renderer(is_text=is_text),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # a reload may change it
    )


def renderer(form: Format, worker: int | None = None) -> Renderer:
    """What makes lines of the same look out of what they say, for whoever writes them aside."""
    is_text = is_for_people(form)
    make = _renderer(is_text=is_text)

    def render(line: dict[str, Any]) -> str:
        at: datetime = line.pop("at")
        shown = at.astimezone().replace(tzinfo=None) if is_text else at
        line["timestamp"] = shown.isoformat().replace("+00:00", "Z")
        if worker is not None:
            line["worker"] = worker
        return str(make(None, "", line))

    return render


def is_for_people(form: Format) -> bool:
    """Whether lines are text and not JSON."""
    return form == "text" or (form == "auto" and sys.stderr.isatty())


def _renderer(*, is_text: bool) -> Any:
    make: Any = structlog.processors.JSONRenderer()
    if is_text:
        make = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if not is_read_by_journal(os.environ):
        return make

    def for_journal(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
        level = str(line.get("level", "info"))
        return marked(str(make(logger, method, line)), level)

    return for_journal


def _from_worker(number: int) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    def add(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line.setdefault("worker", number)
        return line

    return add


def get() -> Log:
    """The logger."""
    return structlog.get_logger()
