"""Watches the way to those we ask, the clocks and the loop's own pace, and says when one of them jumps.

Where the kernel tells of changes (Linux) a look follows soon after it does; elsewhere there is one every few seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager

from smartdoh.app import logs
from smartdoh.app.network import netlink
from smartdoh.app.network.clocks import TICK, Clocks, happened, look
from smartdoh.app.network.ways import Ways, WayTo, best_way_to, have_changed, ways

QUIET = 0.2  # seconds without news before a look: what happens to a network comes in several messages
PATIENCE = 1.0  # seconds after which there is a look, quiet or not
SELDOM = 5  # ticks between two looks where nobody tells
SETTLE = 0.05  # seconds in which timers that fell due while nothing ran have their turn

Renew = Callable[[bool], None]
"""What was known is doubtful; the connections too, if the argument says so."""


class NetworkWatch:
    """Calls `renew` when the network is another."""

    def __init__(
        self,
        addresses: Callable[[], Set[str]],
        renew: Renew,
        *,
        way_to: WayTo | None = None,
        clocks: Callable[[], Clocks] = look,
    ) -> None:
        """`addresses` gives those that are asked at the time of the call."""
        self._addresses = addresses
        self._renew = renew
        self._way_to = way_to or best_way_to()
        self._clocks = clocks
        self._log = logs.get()
        self._ways: Ways = {}
        self._is_told = False
        self._pending: asyncio.TimerHandle | None = None
        self._look_by = 0.0

    async def follow(self) -> None:
        """Watch until cancelled."""
        self._ways = self._look()
        with self._news():
            before, ticks = self._clocks(), 0
            while True:
                await asyncio.sleep(TICK)
                before = self.tick(before)
                self._follow_addresses()
                ticks += 1
                if not self._is_told and ticks % SELDOM == 0:
                    self.look_again()

    def tick(self, before: Clocks) -> Clocks:
        """Compare the clocks with those of the last look; the new ones."""
        after = self._clocks()
        found = happened(before, after)
        if found is not None:
            self._log.warning(f"{found.what}, asking anew", seconds=round(found.seconds, 1))
            loop = asyncio.get_running_loop()
            loop.call_later(SETTLE, self._renew, found.breaks_connections)
        return after

    def news(self) -> None:
        """Something was said about the network: look when it is quiet, or has not been for long."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._pending is None:
            self._look_by = now + PATIENCE
        else:
            self._pending.cancel()
        self._pending = loop.call_at(min(now + QUIET, self._look_by), self.look_again)

    def look_again(self) -> None:
        """Whether the ways are still what they were; if not, all is asked anew."""
        self._pending = None
        before, self._ways = self._ways, self._look()
        if not have_changed(before, self._ways):
            return
        lost = sum(way is None for way in self._ways.values())
        self._log.info("the network is another, asking anew", addresses=len(self._ways), out_of_reach=lost)
        self._renew(True)

    def _look(self) -> Ways:
        return ways(self._addresses(), self._way_to)

    def _follow_addresses(self) -> None:
        """Bootstrap finds others, and a reload names others."""
        addresses, known = self._addresses(), self._ways
        if addresses != known.keys():
            newcomers = ways(addresses - known.keys(), self._way_to)
            self._ways = {address: known.get(address, newcomers.get(address)) for address in addresses}

    @contextmanager
    def _news(self) -> Iterator[None]:
        """Hear from the kernel, if it tells."""
        try:
            sock = netlink.subscribed()
        except (OSError, AttributeError):
            yield
            return
        loop = asyncio.get_running_loop()

        def read(sock: socket.socket = sock) -> None:
            netlink.empty(sock)
            self.news()

        with sock:
            loop.add_reader(sock, read)
            self._is_told = True
            try:
                yield
            finally:
                loop.remove_reader(sock)
                if self._pending is not None:
                    self._pending.cancel()
