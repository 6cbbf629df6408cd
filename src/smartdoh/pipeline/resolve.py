"""The spine: from a miss to the answer that its clients get and the table keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from smartdoh.cache import policy
from smartdoh.cache.policy import Bounds
from smartdoh.errors import UpstreamError
from smartdoh.fastpath import RECHECK, Entry, FastPath
from smartdoh.model import Answer, Query, Reply, Route, Shaper, Stage, Upstream
from smartdoh.pipeline import failures
from smartdoh.pipeline.flights import Flights, Waiter
from smartdoh.rules.decide import Decisions
from smartdoh.rules.overrides import Overrides
from smartdoh.tasks import Report
from smartdoh.wire import compose
from smartdoh.wire.codes import NOERROR, NXDOMAIN, RD, SERVFAIL

LONGEST = 10.0  # seconds that any question may take, RFC 8767 section 5 "query resolution timer"


class Resolver:
    """Resolves what the fast path could not answer. Everything but the fetch itself is synchronous."""

    def __init__(
        self,
        fast: FastPath,
        decisions: Decisions,
        groups: Mapping[str, Upstream],
        stages: Sequence[Stage],
        shapers: Sequence[Shaper],
        bounds: Bounds,
        report: Report,
        clock: Callable[[], float],
        stale_after: float = 0.0,
    ) -> None:
        """`report` hears of bugs; `clock` is the cache's.

        `stale_after` is how long a client waits before it gets a stale answer (seconds).
        """
        self._fast = fast
        self._decisions = decisions
        self._groups = groups
        self._stages = tuple(stages)
        self._shapers = tuple(shapers)
        self._bounds = bounds
        self._report = report
        self._clock = clock
        self._stale_after = stale_after
        self._loop = asyncio.get_running_loop()
        self.flights = Flights(self._loop)

    def submit(self, query: Query, reply: Reply, *, udp: bool) -> None:
        """Answer `query`, now or later, by one call of `reply`."""
        try:
            route = self._decisions.route(query)
            entry = self._answer_here(query, route)
        except Exception as error:  # a bug in a stage costs this question, not those that came with it
            self._report("submit", error)
            reply(compose.error(query.wire, SERVFAIL, query, failures.INTERNAL))
            return
        if entry is not None:
            reply(self._fast.render(query, entry, udp=udp))
            return
        if not self.flights.has_room:
            reply(compose.error(query.wire, SERVFAIL, query, failures.TOO_BUSY))
            return
        waiter = Waiter(query, reply, udp=udp)
        if not self.flights.join(query.key, waiter):
            self.flights.start(query.key, self._fly(query, route))
        if self._stale_after:
            self._promise_stale(waiter)

    def refresh(self, query: Query) -> None:
        """Answer `query` again for the table: here if a stage can, else by a fetch, unless that is under way."""
        try:
            route = self._decisions.route(query)
            if self._answer_here(query, route) is not None:
                return
        except Exception as error:
            self._report("refresh", error)
            return
        if self.flights.has_room and not self.flights.join(query.key, None):
            self.flights.start(query.key, self._fly(query, route))

    async def _fly(self, query: Query, route: Route) -> None:
        """Fetch, and hand the answer to all who wait for it."""
        entry: Entry | None = None
        try:
            entry = await self.resolve(query, route)
        except Exception as error:
            self._report("resolve", error)
        finally:
            for waiter in self.flights.land(query.key):
                self._give(waiter, entry)

    async def resolve(self, query: Query, route: Route) -> Entry:
        """Fetch the answer to `query` by way of `route`, shape and keep it. A failure is an answer too."""
        overrides = self._decisions.overrides
        answer = await self._fetch(query, route)
        if not self._is_in_force(query, route, overrides):
            return policy.entry_of(query, answer, self._bounds, self._clock())[0]
        if answer.scan.rcode not in (NOERROR, NXDOMAIN):
            return self._keep_failure(query, answer)
        return self._keep(query, answer)

    async def _fetch(self, query: Query, route: Route) -> Answer:
        try:
            answer = await self._groups[route.group].exchange(query, self._loop.time() + LONGEST)
        except UpstreamError as error:
            return failures.of_error(query, error)
        if answer.scan.rcode not in (NOERROR, NXDOMAIN):
            return failures.of_answer(query, answer)
        for shape in self._shapers:
            answer = shape(query, answer)
        return answer

    def _is_in_force(self, query: Query, route: Route, overrides: Overrides) -> bool:
        """Whether the policy is still the one that chose `route`: what another chose is for those who wait alone."""
        now = self._decisions.overrides
        return now is overrides and (not now or self._decisions.route(query) == route)

    def _answer_here(self, query: Query, route: Route) -> Entry | None:
        for stage in self._stages:
            answer = stage(query, route)
            if answer is not None:
                return (
                    self._keep(query, answer) if answer.scan.min_ttl else policy.unkept(answer, self._clock())
                )
        return None

    def _keep(self, query: Query, answer: Answer) -> Entry:
        """Store what may be stored, and return what those who wait for it get."""
        entry, ttl = policy.entry_of(query, answer, self._bounds, self._clock())
        if ttl:
            self._fast.store(query.key, entry)
        else:
            self._fast.forget(query.key)  # what was true before must not come back as stale
        return entry

    def _keep_failure(self, query: Query, answer: Answer) -> Entry:
        """A failure never takes the place of data: that is given, stale if need be, and asked for again later."""
        now = self._clock()
        previous = self._fast.peek(query.key)
        if previous is None or policy.is_failure(previous) or now >= previous.stale_until:
            self._fast.store(query.key, policy.failure_entry(answer, previous, self._bounds, now))
        else:
            previous.refresh_at = max(previous.refresh_at, now + RECHECK)
            if now < previous.expires or query.flags & RD:
                return previous
        return policy.unkept(answer, now)

    def _promise_stale(self, waiter: Waiter) -> None:
        """See that the client gets what is stale when the fetch takes long (RFC 8767 section 5)."""
        entry = self._fast.peek(waiter.query.key)
        if entry is None or policy.is_failure(entry) or not waiter.query.flags & RD:
            return
        if self._clock() < entry.stale_until:
            self._loop.call_later(self._stale_after, self._give, waiter, entry)

    def _give(self, waiter: Waiter, entry: Entry | None) -> None:
        reply, waiter.reply = waiter.reply, None
        if reply is None:
            return
        query = waiter.query
        if entry is None:
            reply(compose.error(query.wire, SERVFAIL, query, failures.INTERNAL))
        else:
            reply(self._fast.render(query, entry, udp=waiter.udp))
