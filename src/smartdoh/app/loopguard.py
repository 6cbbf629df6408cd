"""Never asking ourselves: servers that are our own address, or that ask us what they are asked.

A loop never answers, and what goes round in it comes in again while it is under way. So a server is probed when it has
left several questions without an answer and one that was under way was asked again meanwhile; and by default only one
that is near: a public server that asks us is a rarity, and what is sent there is none of its business.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from smartdoh.app import logs
from smartdoh.config import Endpoint, LoopGuarding
from smartdoh.config.addresses import is_own
from smartdoh.errors import UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.pipeline.selfprobe import SelfProbe
from smartdoh.tasks import Tasks

PAUSE = 60.0  # seconds between two probes of one server
DOUBTS = 3  # questions without an answer, within a pause, that make a server suspect
TIMEOUT = 3.0  # seconds for a probe; what takes longer has not returned


class Asked(Protocol):
    """A server that questions go to."""

    name: str
    bar: str
    """Why it is not asked; empty where it is."""
    suspect: Callable[[], None] | None
    """Called whenever it had no answer."""

    @property
    def endpoints(self) -> Sequence[tuple[str, int]]:
        """Where packets to it go, as far as that is known; empty where somebody else takes them there."""
        ...

    async def probe(self, query: Query, deadline: float) -> Answer:
        """Ask it, barred or not. Raises UpstreamError."""
        ...


class LoopGuard:
    """Bars servers that lead back to us, and lets them go when they no longer do."""

    def __init__(
        self,
        probe: SelfProbe,
        tasks: Tasks,
        listening: Iterable[tuple[str, int]],
        *,
        asked_again: Callable[[], float],
        is_local: Callable[[str], bool] | None = None,
    ) -> None:
        """`listening` are the addresses and ports that questions come in on.

        `asked_again` says when one that was under way last came in once more, by the loop's clock.
        """
        self._probe = probe
        self._tasks = tasks
        self._listening = tuple(Endpoint(*own) for own in listening)
        self._is_local = is_local or _is_local
        self._asked_again = asked_again
        self._servers: tuple[Asked, ...] = ()
        self._doubts: dict[int, deque[float]] = {}  # when servers last had no answer
        self._resting: dict[int, float] = {}  # servers that have been probed, until when they are not again
        self._mode: LoopGuarding = "off"
        self._log = logs.get()

    def watch(self, servers: Iterable[Asked], mode: LoopGuarding) -> None:
        """From now on look after these, and no others."""
        for server in self._servers:
            server.suspect = None  # nothing of ours shall keep those that a reload left behind
        self._servers, self._mode, self._resting, self._doubts = tuple(servers), mode, {}, {}
        for server in self._servers:
            server.suspect = partial(self.suspect, server) if mode != "off" else None
            if mode == "off":
                server.bar = ""
        self.look()

    def look(self) -> None:
        """The network may be another: what was barred gets another chance, and whose address is ours has none."""
        self._resting = {}
        for server in self._servers:
            if self._mode != "off" and self._is_ourselves(server):
                self._bar(server, "it is our own address")
            elif server.bar:
                self.suspect(server)

    def suspect(self, server: Asked) -> None:
        """It had no answer: find out whether that is because it asks us, if that may be."""
        now = asyncio.get_running_loop().time()
        if self._resting.get(id(server), now) > now or not (server.bar or self._is_suspect(server, now)):
            return
        self._resting[id(server)] = now + PAUSE
        self._tasks.start(self._follow(server), f"loop probe of {server.name}")

    def _is_suspect(self, server: Asked, now: float) -> bool:
        """Whether there is reason enough for a look at it. Its addresses may be known since its last answer alone."""
        doubts = self._doubts.setdefault(id(server), deque(maxlen=DOUBTS))
        is_first = not doubts or now - doubts[-1] > PAUSE
        doubts.append(now)
        if is_first and self._is_ourselves(server):
            return True
        is_ill = len(doubts) == DOUBTS and now - doubts[0] <= PAUSE
        return is_ill and now - self._asked_again() <= PAUSE and self._may_be_probed(server)

    async def _follow(self, server: Asked) -> None:
        """Probe until nothing returns any more."""
        while server in self._servers:
            if not await self._returns(server):
                self._let_go(server)
                return
            self._bar(server, "it asks us what it is asked")
            await asyncio.sleep(PAUSE)

    async def _returns(self, server: Asked) -> bool:
        if self._is_ourselves(server):
            return True
        query = self._probe.query()
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await server.probe(query, asyncio.get_running_loop().time() + TIMEOUT)
        except (UpstreamError, TimeoutError):
            return False
        return self._probe.has_returned(query, answer)

    def _may_be_probed(self, server: Asked) -> bool:
        hosts = [host for host, _ in server.endpoints]
        if self._mode == "local":
            return any(_is_near(host) or self._is_local(host) for host in hosts)
        return self._mode == "all"

    def _is_ourselves(self, server: Asked) -> bool:
        """Whether one of its addresses is one that we listen on, by a wildcard too."""
        wildcards = [own for own in self._listening if ipaddress.ip_address(own.host).is_unspecified]
        for host, port in server.endpoints:
            if is_own(host, port, self._listening):
                return True
            if any(port == own.port for own in wildcards) and self._is_local(host):
                return True
        return False

    def _bar(self, server: Asked, why: str) -> None:
        if not server.bar:
            self._log.error("a loop: this server is asked no more", server=server.name, reason=why)
        server.bar = why

    def _let_go(self, server: Asked) -> None:
        if server.bar:
            self._log.info("no loop any more: this server is asked again", server=server.name)
        server.bar = ""


def _is_near(host: str) -> bool:
    """Whether an address belongs to a network like ours and not to the Internet."""
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    """Whether an address is one of this machine's: only those can be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((host.partition("%")[0], 0))
    except OSError:
        return False
    return True
