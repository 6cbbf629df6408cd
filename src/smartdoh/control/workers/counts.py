"""What all workers have counted, as the first one gathers it; what one had counted before it ended is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from smartdoh.app.server import Server
from smartdoh.app.workers.seat import Seat
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.control.metrics.shares import Counts, Share, share_of
from smartdoh.control.workers.adding import add_up
from smartdoh.control.workers.peers import Peer, peers_of


class AllCounts:
    """Asks every worker, and remembers what the others said last: a sum that falls looks like a start."""

    def __init__(self, server: Server, seat: Seat, main: Path) -> None:
        self._server = server
        self._seat = seat
        self._peers = peers_of(seat, main)
        self._last: dict[int, Share] = {}
        self._ended: Counts | None = None  # of those that ran before

    async def __call__(self) -> Sequence[Share]:
        """The shares of all, the first worker's own first; of one that is being started again what it said last."""
        said = await asyncio.gather(*map(_share, self._peers))
        for share in said:
            if share is not None:
                self.note(share)
        own = await share_of(self._server, self._seat.number, self._seat.restarts)
        if self._ended is not None:
            own["counts"] = cast("Counts", add_up([own["counts"], self._ended]))
        return [own, *self._last.values()]

    def note(self, share: Share) -> None:
        """A worker has said this."""
        last = self._last.get(share["worker"])
        if last is not None and last["pid"] != share["pid"]:
            self._ended = cast("Counts", add_up([self._ended, _lasting(last["counts"])]))
        self._last[share["worker"]] = share


def _lasting(counts: Counts) -> Counts:
    """What is still true of a worker that has ended: what it counted, not how it was."""
    groups = {
        name: {
            **group,
            "upstreams": {
                host: {**one, "in_flight": 0, "failing": 0} for host, one in group["upstreams"].items()
            },
        }
        for name, group in counts["groups"].items()
    }
    lasting = {
        **counts,
        "memory": {**counts["memory"], "entries": 0, "octets": 0},
        "disk": counts["disk"] and {**counts["disk"], "entries": 0, "octets": 0, "waiting": 0},
        "under_way": 0,
        "waiting": 0,
        "tcp": {**counts["tcp"], "open": 0},
        "groups": groups,
    }
    return cast("Counts", lasting)


async def _share(peer: Peer) -> Share | None:
    try:
        found: Share = await peer.ask("GET", "/worker/counts")
    except (NotRunningError, RefusedError):
        return None
    return found
