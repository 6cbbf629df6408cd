"""Where log lines go and how they look: key=value for people, JSON for journals. No client's question at level info."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal

import structlog

Format = Literal["auto", "text", "json"]
Log = Any  # structlog's bound loggers are typed by what they are configured with


def configure(level: str, form: Format, worker: int | None = None) -> None:
    """Set up logging for the whole process, to stderr. `auto` is text on a terminal and JSON elsewhere.

    Each line of a `worker` carries its number.
    """
    is_text = is_for_people(form)
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            *([_from_worker(worker)] if worker is not None else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not is_text),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # a reload may change it
    )


def is_for_people(form: Format) -> bool:
    """Whether lines are text and not JSON."""
    return form == "text" or (form == "auto" and sys.stderr.isatty())


def _from_worker(number: int) -> Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]:
    def add(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line.setdefault("worker", number)
        return line

    return add


def get() -> Log:
    """The logger."""
    return structlog.get_logger()
