"""When which address is probed and asked for a proof: in the background, each once in a while, never too many.

How it works. A name's addresses are one job: all of them are connected to, unless somebody did so in the last ten
minutes, and then the fastest shows its certificate for the name; if it has none, the next three, and so on until
one has, for one that is slower than that could not win. Most names cost one handshake an hour. At the end
the job calls back, and what was kept of the name is put in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from smartdoh.speed import probe as probing
from smartdoh.speed import proof
from smartdoh.speed.board import Board
from smartdoh.speed.dial import Dialer
from smartdoh.speed.probe import Failure, Probed
from smartdoh.speed.ranking import Verdict, contenders
from smartdoh.speed.targets import Policy, is_public, targets
from smartdoh.speed.way import Way
from smartdoh.tasks import Tasks

AT_ONCE = 64  # connections
MOST_JOBS = 256  # names whose addresses are being looked at
NAMES_A_SECOND = 25.0  # names looked at in the long run; a proof costs 1 ms of CPU
BURST = 250.0  # names that may be looked at after a quiet time
PROOFS_AT_ONCE = 3  # once the fastest address has failed to prove itself

_SIZES = (4, 16)

Probe = Callable[[bytes, Dialer | None], Awaitable[Probed | Failure]]
Prove = Callable[[str, bytes, Dialer], Awaitable[Verdict]]


class Prober:
    """Measures addresses and writes what it finds on the board."""

    def __init__(
        self,
        board: Board,
        tasks: Tasks,
        clock: Callable[[], float],
        *,
        policy: Policy = is_public,
        at_once: int = AT_ONCE,
        probe: Probe = probing.probe,
        prove: Prove = proof.prove,
    ) -> None:
        """`tasks` runs the jobs, and is closed before this is. `clock` is the board's.

        What connects is given too, so that tests can say what comes of it.
        """
        self.jobs = 0
        self.passed_over = 0  # names that were not looked at because there were too many
        self._board = board
        self._tasks = tasks
        self._clock = clock
        self._policy = policy
        self._probe = probe
        self._prove_to = prove
        self._room = asyncio.Semaphore(at_once)
        self._dialers: dict[Way, Dialer] = {}
        self._under_way: dict[tuple[object, ...], asyncio.Future[None]] = {}
        self._credit = BURST
        self._credited = clock()

    def schedule(self, way: Way, name: bytes, addresses: tuple[bytes, ...], done: Callable[[], None]) -> bool:
        """Look at the addresses of a name in the background, and call `done` when all is known; returns at once.

        False where there is nothing to find out, or no room to do it in. `name` is folded wire format.
        """
        wanted = targets(addresses, self._policy)
        if not wanted:
            return False
        self._board.note(way, name, wanted)
        if not self._is_worth_it(way, name, wanted):
            return False
        if not self._has_credit():
            self.passed_over += 1
            return False
        self.jobs += 1
        self._tasks.start(self._look(way, name, wanted, done), "addresses")
        return True

    async def aclose(self) -> None:
        """Close every connection. The tasks have ended."""
        for dialer in self._dialers.values():
            await dialer.aclose()
        self._dialers.clear()

    def _is_worth_it(self, way: Way, name: bytes, addresses: tuple[bytes, ...]) -> bool:
        if any((way.via, address) in self._under_way for address in addresses):
            return True
        if any(self._board.is_due(way, address) for address in addresses):
            return True
        return proof.host_of(name) is not None and any(self._contenders(way, name, addresses))

    def _contenders(self, way: Way, name: bytes, addresses: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return contenders(addresses, partial(self._board.state, way, name), self._clock())

    def _has_credit(self) -> bool:
        """A bucket of tokens: a flood of new names shall not become one of connections."""
        now = self._clock()
        self._credit = min(BURST, self._credit + (now - self._credited) * NAMES_A_SECOND)
        self._credited = now
        if self._credit < 1 or self.jobs >= MOST_JOBS:
            return False
        self._credit -= 1
        return True

    async def _look(
        self, way: Way, name: bytes, addresses: tuple[bytes, ...], done: Callable[[], None]
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for address in addresses:
                    key = (way.via, address)
                    group.create_task(self._once(key, partial(self._measure, way, address)))
            host = proof.host_of(name)
            if host is not None:
                for size in _SIZES:
                    family = tuple(address for address in addresses if len(address) == size)
                    await self._prove(way, name, host, family)
        finally:
            self.jobs -= 1
        done()

    async def _once(self, key: tuple[object, ...], work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`; if another job is doing the same just now, wait for that instead."""
        under_way = self._under_way.get(key)
        if under_way is not None:
            await asyncio.wait((under_way,))
            return
        ended = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            await work()
        finally:
            del self._under_way[key]
            ended.set_result(None)

    async def _measure(self, way: Way, address: bytes) -> None:
        """Probe one address, if it may be by now."""
        if not self._may_connect(way) or not self._board.begin(way, address):
            return
        async with self._room:
            outcome = await self._probe(address, self._dialer(way) if way.via else None)
        if isinstance(outcome, Probed):
            self._board.connected(way, address, outcome.seconds, outcome.port)
        elif outcome is not Failure.NO_PROXY:
            self._board.failed(way, address)

    async def _prove(self, way: Way, name: bytes, host: str, addresses: tuple[bytes, ...]) -> None:
        """Ask for certificates until one is good: of the fastest alone at first, then of three at a time."""
        at_once = 1
        asked: set[bytes] = set()
        while len(asked) < len(addresses) and self._may_connect(way):
            wave = [each for each in self._contenders(way, name, addresses) if each not in asked][:at_once]
            if not wave:
                return
            asked.update(wave)
            async with asyncio.TaskGroup() as group:
                for address in wave:
                    key = (way, name, address)
                    group.create_task(self._once(key, partial(self._prove_one, way, name, host, address)))
            at_once = PROOFS_AT_ONCE

    async def _prove_one(self, way: Way, name: bytes, host: str, address: bytes) -> None:
        async with self._room:
            verdict = await self._prove_to(host, address, self._dialer(way))
        self._board.proved(way, name, address, verdict)

    def _may_connect(self, way: Way) -> bool:
        """Whether the proxy, if it is given by name, is known: nobody but bootstrap looks names up."""
        return way.proxy is None or bool(way.proxy_addresses())

    def _dialer(self, way: Way) -> Dialer:
        dialer = self._dialers.get(way)
        if dialer is None:
            dialer = self._dialers[way] = Dialer(way)
        return dialer
