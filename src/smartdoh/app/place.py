"""What a process that answers is among its kind: alone, or one of several workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from smartdoh.app.notify import Notifier
from smartdoh.config import Settings
from smartdoh.fastpath.cookies import KEY
from smartdoh.listener.sockets import Sockets, handed_over, open_sockets


class Hears(Protocol):
    """Whoever is told how we are."""

    watchdog: float
    """Seconds between two signs of life; 0.0 where nobody waits for any."""

    def ready(self) -> None:
        """Questions are answered."""

    def reloading(self) -> None:
        """The config is read again; `ready` follows."""

    def stopping(self) -> None:
        """The end has begun."""

    def alive(self) -> None:
        """The loop turns."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sockets come from, who hears how we are, and how log lines tell us from the others."""

    sockets: Callable[[Settings], Sockets]
    """Raises ListenError."""
    hears: Hears
    worker: int | None = None
    cookie_key: bytes = field(default_factory=lambda: os.urandom(KEY), repr=False)
    """What cookies and probes for loops are made from: all who answer on the same address have the same."""

    @property
    def begun(self) -> str:
        """What is logged when questions are answered: of several, only all together are ready."""
        return "ready" if self.worker is None else "worker started"


def alone() -> Place:
    """The only process: its sockets are its own or the service manager's, which hears from it."""
    return Place(_own_sockets, Notifier(os.environ))


def _own_sockets(settings: Settings) -> Sockets:
    given = handed_over(os.environ)
    return given if given.udp or given.tcp else open_sockets(settings.listen.dns)
