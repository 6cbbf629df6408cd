"""Where log lines go and how they look: key=value for people, JSON for journals. No client's question at level info."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog

Format = Literal["auto", "text", "json"]
Log = Any  # structlog's bound loggers are typed by what they are configured with


def configure(level: str, form: Format) -> None:
    """Set up logging for the whole process, to stderr. `auto` is text on a terminal and JSON elsewhere."""
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not is_text),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # a reload may change it
    )


def get() -> Log:
    """The logger."""
    return structlog.get_logger()
