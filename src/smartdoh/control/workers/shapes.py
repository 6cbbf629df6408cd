"""The shapes of what only several workers say."""

from __future__ import annotations

from typing import TypedDict


class WorkerStatus(TypedDict):
    """One worker; of one that does not run only its number is known."""

    number: int
    pid: int | None
    uptime_s: float | None
    restarts: int | None
