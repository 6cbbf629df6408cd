"""Finding the addresses of upstreams' host names, and nothing else.

How it works. Every host has a `HostFinder`. A lookup asks all servers for A and for AAAA at once; for each of the
two the first answer with a usable address counts. What was found is kept until better is known: it is refreshed in
the background when it is asked for late in its TTL, and outlives it where bootstrap is down. The system's resolver
is never asked, because it may be ourselves. An address found is only good to connect to: the certificate still has
to be the host's.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, zip_longest
from typing import Any, Protocol

from smartdoh.errors import BadReply, NetworkDown, Timeout, UpstreamError, WireError
from smartdoh.model import Query, Upstream
from smartdoh.tasks import Tasks
from smartdoh.upstream.addresses import Found, addresses_in
from smartdoh.upstream.plain import PlainServer, Server
from smartdoh.wire.codes import AAAA, FORMERR, IN, NOTIMP, NXDOMAIN, RD, REFUSED, SERVFAIL, A
from smartdoh.wire.names import from_text
from smartdoh.wire.question import parse_query

TIMEOUT = 5.0  # seconds for one lookup
MIN_TTL = 30  # seconds
MAX_TTL = 86_400  # seconds, one day
REFRESH_AT = 0.9  # of the TTL
OTHER_FAMILY = 0.05  # seconds that the first family of addresses waits for the other: RFC 8305 section 3
LONGEST_PAUSE = 30.0  # seconds between lookups that fail; the first pause is one second
FAILURE_KEPT = 1.0  # seconds for which a failure is told again without asking: RFC 9520 section 3.2
DOUBT_EVERY = 2.0  # seconds between two lookups for the reason that what is known leads nowhere
SLACK = 0.1  # seconds beyond a deadline, so that who keeps it is heard with what went wrong

_RCODES = {
    FORMERR: "FORMERR",
    SERVFAIL: "SERVFAIL",
    NXDOMAIN: "NXDOMAIN",
    NOTIMP: "NOTIMP",
    REFUSED: "REFUSED",
}

Tell = Callable[[Mapping[str, tuple[str, ...]]], None]
"""Is given the addresses of a host that were found just now."""


class Finder(Protocol):
    """The addresses of one host name."""

    def known(self) -> tuple[str, ...]:
        """What is known now, the last good addresses included; may start a refresh. Empty before the first answer."""
        ...

    async def find(self) -> tuple[str, ...]:
        """The addresses, asked for if none are known. Raises UpstreamError."""
        ...

    def doubt(self) -> None:
        """What is known did not lead to the host; may start a lookup."""
        ...


class Source(Upstream, Protocol):
    """An upstream that needs no bootstrap itself: a plain server, or a group of DoH servers by address."""

    @property
    def name(self) -> str:
        """How errors call it."""
        ...


class Bootstrap:
    """The servers that resolve host names of upstreams, and what they said."""

    def __init__(
        self,
        servers: Iterable[Server | Source],
        tasks: Tasks,
        clock: Callable[[], float],
        *,
        timeout: float = TIMEOUT,
        remembered: Mapping[str, tuple[str, ...]] | None = None,
        tell: Tell | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` is monotonic, in seconds. `remembered` are the addresses of an earlier run, good until asked anew.

        `tell` hears of every host that was found, to be remembered.
        Raises ValueError where a plain server is given by name.
        """
        self._sources = [PlainServer(server) if isinstance(server, tuple) else server for server in servers]
        self._tasks = tasks
        self._clock = clock
        self._timeout = timeout
        self._remembered = remembered or {}
        self._tell = tell
        self._sleep = sleep
        self._finders: dict[str, HostFinder] = {}

    def finder(self, host: str) -> HostFinder:
        """The one finder of this host name. Raises ValueError where it is no name."""
        if host not in self._finders:
            self._finders[host] = HostFinder(
                host,
                self._sources,
                self._tasks,
                self._clock,
                timeout=self._timeout,
                remembered=self._remembered.get(host, ()),
                tell=self._tell,
                sleep=self._sleep,
            )
        return self._finders[host]

    @property
    def plain(self) -> list[PlainServer]:
        """Those of its servers that speak plain DNS."""
        return [source for source in self._sources if isinstance(source, PlainServer)]

    def forget_all_but(self, hosts: Collection[str]) -> None:
        """Nobody needs the other hosts any more."""
        for host in self._finders.keys() - set(hosts):
            self._finders.pop(host).is_wanted = False

    def renew(self) -> None:
        """The network is another: look every host up again now; what is known is used meanwhile."""
        for finder in self._finders.values():
            finder.renew()

    def learned(self) -> dict[str, tuple[str, ...]]:
        """The last good addresses of every host."""
        return {host: finder.addresses for host, finder in self._finders.items() if finder.addresses}


class HostFinder:
    """The addresses of one host, IPv4 and IPv6 in turn. libcurl tries both families at once (RFC 8305)."""

    def __init__(
        self,
        host: str,
        sources: list[Source],
        tasks: Tasks,
        clock: Callable[[], float],
        *,
        timeout: float,
        remembered: tuple[str, ...],
        tell: Tell | None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._host = host
        self._sources = sources
        self._tasks = tasks
        self._clock = clock
        self._timeout = timeout
        self._tell = tell
        self._sleep = sleep
        self._queries = [_query(host, A), _query(host, AAAA)]
        self._families = {
            A: tuple(address for address in remembered if ":" not in address),
            AAAA: tuple(address for address in remembered if ":" in address),
        }
        self.addresses = remembered
        self.is_wanted = True
        self._refresh_at = -math.inf
        self._doubted_at = -math.inf
        self._lookup: asyncio.Future[UpstreamError | None] | None = None
        self._failure: UpstreamError | None = None
        self._failed_at = 0.0
        self._is_retrying = False
        self._scope: asyncio.Timeout | None = None  # of the questions under way
        self._pauses = _pauses()
        self._hurry = asyncio.Event()

    def __repr__(self) -> str:
        return f"<HostFinder {self._host} {', '.join(self.addresses) or 'nothing known'}>"

    def known(self) -> tuple[str, ...]:
        """As in Finder."""
        if self.addresses and self._clock() >= self._refresh_at and not self._is_retrying:
            self._look_up()
        return self.addresses

    async def find(self) -> tuple[str, ...]:
        """As in Finder. All who wait share one lookup, and it goes on when they leave.

        Takes at most the timeout. Raises Timeout where every server was silent, else NetworkDown, with what each
        server said.
        """
        if known := self.known():
            return known
        if self._failure is not None and self._clock() < self._failed_at + FAILURE_KEPT:
            raise type(self._failure)(self._failure.why, self._host)
        lookup = self._look_up()
        await asyncio.wait((lookup,), timeout=self._timeout + 2 * SLACK)
        failure = lookup.result() if lookup.done() else Timeout(f"bootstrap: no answer about {self._host}")
        if failure is not None:
            raise type(failure)(failure.why, self._host)
        return self.addresses

    def renew(self) -> None:
        """Look up again now. Questions under way are given up: they went out another way."""
        self._failed_at = -math.inf
        self._pauses = _pauses()
        self._hurry.set()
        if self._scope is not None:
            if not self._scope.expired():
                self._scope.reschedule(asyncio.get_running_loop().time())
        elif self.is_wanted:
            self._look_up()

    def doubt(self) -> None:
        """As in Finder: an address may be a lie of the network that was there before, and good for a day by its TTL."""
        now = self._clock()
        if self.addresses and now >= self._doubted_at + DOUBT_EVERY:
            self._doubted_at = now
            self._look_up()

    def _look_up(self) -> asyncio.Future[UpstreamError | None]:
        """The lookup under way, or a new one. It ends with why it failed, or None."""
        if self._lookup is None or self._lookup.done():
            self._lookup = asyncio.get_running_loop().create_future()
            self._tasks.start(self._run(self._lookup), f"bootstrap of {self._host}")
        return self._lookup

    async def _run(self, lookup: asyncio.Future[UpstreamError | None]) -> None:
        try:
            while await self._is_cut_short(lookup):
                pass
        finally:
            if not lookup.done():
                lookup.set_result(NetworkDown("bootstrap: stopped"))

    async def _is_cut_short(self, lookup: asyncio.Future[UpstreamError | None]) -> bool:
        """Ask every server; whether `renew` ended that, so that it has to be done once more."""
        try:
            async with asyncio.timeout(None) as self._scope:
                await self._ask_all(lookup)
        except TimeoutError:
            return True
        finally:
            self._scope = None
        return False

    async def _ask_all(self, lookup: asyncio.Future[UpstreamError | None]) -> None:
        """Ask every server; end `lookup` as soon as there is something to connect to, and take in what comes later."""
        heard = _Heard()
        deadline = asyncio.get_running_loop().time() + self._timeout
        async with asyncio.TaskGroup() as group:
            asks = {
                group.create_task(_ask(source, query, deadline)): query.qtype
                for source in self._sources
                for query in self._queries
            }
            while asks:
                patience = OTHER_FAMILY if heard.found and not lookup.done() else None
                finished, _ = await asyncio.wait(asks, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for ask in finished:
                    heard.note(asks.pop(ask), ask.result())
                for ask in [ask for ask, qtype in asks.items() if qtype in heard.found]:
                    ask.cancel()
                    del asks[ask]
                if heard.found and (lookup.done() or not finished or not asks):
                    self._keep(heard, lookup)
        if not heard.found:
            self._fail(heard, lookup)

    def _keep(self, heard: _Heard, lookup: asyncio.Future[UpstreamError | None]) -> None:
        """Take what was found. A family that nobody answered for stays as it was."""
        for qtype in heard.empty:
            self._families[qtype] = ()
        for qtype, found in heard.found.items():
            self._families[qtype] = found.addresses
        pairs = zip_longest(self._families[A], self._families[AAAA])
        self.addresses = tuple(address for address in chain.from_iterable(pairs) if address)
        ttl = min(found.ttl for found in heard.found.values())
        self._refresh_at = self._clock() + REFRESH_AT * min(max(ttl, MIN_TTL), MAX_TTL)
        self._failure = None
        if not lookup.done():
            lookup.set_result(None)
        if self._tell is not None:
            self._tell({self._host: self.addresses})

    def _fail(self, heard: _Heard, lookup: asyncio.Future[UpstreamError | None]) -> None:
        """Remember why, and see to it that trying goes on."""
        self._failure = heard.failure(self._host)
        self._failed_at = self._clock()
        if not self._is_retrying:
            self._is_retrying = True
            self._tasks.start(self._retry(), f"bootstrap of {self._host}, again")
        if not lookup.done():
            lookup.set_result(self._failure)

    async def _retry(self) -> None:
        """Look up again with growing pauses, until a lookup goes well, this one's or another's, or nobody wants it."""
        try:
            while True:
                await self._rest(next(self._pauses))
                if self._failure is not None and self.is_wanted:
                    await asyncio.wait((self._look_up(),))
                if self._failure is None or not self.is_wanted:
                    return
        finally:
            self._is_retrying = False
            self._pauses = _pauses()

    async def _rest(self, pause: float) -> None:
        """Sleep, but not on when the network is another."""
        self._hurry.clear()
        async with asyncio.TaskGroup() as group:
            ends: list[asyncio.Task[Any]] = [
                group.create_task(_sleep_on(self._sleep, pause)),
                group.create_task(self._hurry.wait()),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()


async def _sleep_on(sleep: Callable[[float], Awaitable[None]], pause: float) -> None:
    await sleep(pause)


class _Heard:
    """What the servers said in one lookup."""

    def __init__(self) -> None:
        self.found: dict[int, Found] = {}
        self.empty: set[int] = (
            set()
        )  # types that a server says the host has no address of; others may know better
        self._failures: list[UpstreamError] = []

    def note(self, qtype: int, outcome: Found | UpstreamError) -> None:
        """Take in what one server said about one type. The first address that can be used counts."""
        if isinstance(outcome, UpstreamError):
            self._failures.append(outcome)
        elif outcome.addresses:
            self.found.setdefault(qtype, outcome)
        else:
            self.empty.add(qtype)

    def failure(self, host: str) -> UpstreamError:
        """Why nothing was found."""
        said = dict.fromkeys(f"{error.upstream}: {error.why}" for error in self._failures)
        if self.empty:
            said["it has no usable address"] = None
        kinds = {type(error) for error in self._failures}
        kind = Timeout if kinds == {Timeout} and not self.empty else NetworkDown
        return kind(f"bootstrap: no address of {host}: {'; '.join(said) or 'there is no server to ask'}")


async def _ask(source: Source, query: Query, deadline: float) -> Found | UpstreamError:
    """What one server says: addresses, none, or why it does not say."""
    try:
        async with asyncio.timeout_at(deadline + SLACK):
            answer = await source.exchange(query, deadline)
        rcode = answer.scan.rcode
        return (
            BadReply(_RCODES.get(rcode, f"rcode {rcode}"), source.name)
            if rcode
            else addresses_in(answer, query)
        )
    except TimeoutError:
        return Timeout("no answer in time", source.name)
    except WireError as error:
        return BadReply(str(error), source.name)
    except UpstreamError as error:
        return error


def _query(host: str, qtype: int) -> Query:
    head = bytes(2) + RD.to_bytes(2) + b"\0\1" + bytes(6)
    return parse_query(head + from_text(host) + qtype.to_bytes(2) + IN.to_bytes(2))


def _pauses() -> Iterator[float]:
    """1, 2, 4 ... seconds, then LONGEST_PAUSE for ever."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
