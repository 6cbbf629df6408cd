"""Priorities before log lines, where it is systemd's journal that reads them (sd-daemon(3), systemd.exec(5))."""

from __future__ import annotations

import os
from collections.abc import Mapping

STDERR = 2
PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}  # syslog(3)


def is_read_by_journal(environ: Mapping[str, str], descriptor: int = STDERR) -> bool:
    """Whether the descriptor is the very stream that $JOURNAL_STREAM names: it may have been led elsewhere since."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def marked(text: str, level: str) -> str:
    """`text` with the priority of `level` before each of its lines: each is an entry of its own there."""
    mark = f"<{PRIORITIES.get(level, PRIORITIES['info'])}>"
    return mark + text.replace("\n", f"\n{mark}")
