"""A reload of all workers: the first one tries it, and only what it took goes to the others."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from smartdoh.app.server import Server
from smartdoh.app.workers.lifeline import Lifeline
from smartdoh.app.workers.seat import Seat
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.control.workers.peers import Peer, peers_of
from smartdoh.errors import ConfigError

LOOKS = 50  # for a worker that is being started, and may have read the config before it was changed
LOOK_EVERY = 0.1  # seconds


class ReloadAll:
    """Reloads every worker."""

    def __init__(self, server: Server, lifeline: Lifeline, seat: Seat, main: Path) -> None:
        """`server` is the first worker's."""
        self._server = server
        self._lifeline = lifeline
        self._peers = peers_of(seat, main)
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> None:
        """Reload all. Raises ConfigError where the config is refused: by the first one, and nothing has changed."""
        async with self._one_at_a_time:
            self._lifeline.reloading()
            try:
                await self._server.reload()
                problems = await asyncio.gather(*map(_reload, self._peers))
            finally:
                self._lifeline.ready()
        for problem in filter(None, problems):
            raise problem

    async def quietly(self) -> None:
        """The same for a signal: what is refused is in the log."""
        with contextlib.suppress(ConfigError):
            await self()


async def _reload(peer: Peer) -> ConfigError | None:
    """The problem, if there is one. A worker that does not run reads the new config when it is started."""
    for _ in range(LOOKS):
        try:
            await peer.ask("POST", "/reload")
        except RefusedError as error:
            return ConfigError(f"worker {peer.number}", str(error))
        except NotRunningError:
            await asyncio.sleep(LOOK_EVERY)
        else:
            return None
    return None
