"""The other workers, as the first one asks them: their control sockets, from threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from smartdoh.app.workers.seat import Seat
from smartdoh.control.client import Proxy
from smartdoh.control.failures import NotRunningError
from smartdoh.control.workers.places import worker_socket

AT_A_TIME = 200  # lines that are taken over from a thread


class Peer:
    """Another worker."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self._proxy = Proxy(path)

    async def ask(self, method: str, target: str, body: bytes = b"") -> Any:
        """The JSON that comes back. Raises RefusedError, or NotRunningError where it does not answer."""
        return await asyncio.to_thread(self._proxy.request, method, target, body)

    async def lines(self, target: str) -> AsyncIterator[bytes]:
        """The lines that come back; those of a worker that goes away end there."""
        lines = self._proxy.lines(target)
        with suppress(NotRunningError):
            while some := await asyncio.to_thread(_take, lines):
                for line in some:
                    yield line


def peers_of(seat: Seat, main: Path) -> tuple[Peer, ...]:
    """All workers but the first."""
    return tuple(Peer(number, worker_socket(main, number)) for number in range(1, seat.of))


def _take(lines: Iterator[bytes]) -> list[bytes]:
    return list(islice(lines, AT_A_TIME))
