"""The spine: from a miss to the answer that its clients get and the table keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from smartdoh.cache import policy
from smartdoh.cache.policy import Bounds
from smartdoh.cache.second import SecondLevel
from smartdoh.errors import UpstreamError
from smartdoh.fastpath import RECHECK, Entry, FastPath
from smartdoh.model import Answer, Query, Reply, Route, Shaper, Stage, Upstream
from smartdoh.pipeline import alias, failures
from smartdoh.pipeline.flights import Flights, Waiter
from smartdoh.pipeline.timing import Timing
from smartdoh.rules.decide import Decisions
from smartdoh.tasks import Report
from smartdoh.wire import compose
from smartdoh.wire.codes import NOERROR, NXDOMAIN, RD, SERVFAIL

LONGEST = 10.0  # seconds that any question may take, RFC 8767 section 5 "query resolution timer"


class Resolver:
    """Resolves what the fast path could not answer. Everything but the fetch itself is synchronous."""

    def __init__(  # noqa: PLR0913, PLR0917 - one for each part that is put together here
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
        second: SecondLevel | None = None,
        timing: Timing | None = None,
    ) -> None:
        """`report` hears of bugs; `clock` is the cache's; `second` is what a miss is looked up in before it is asked.

        `stale_after` is how long a client waits before it gets a stale answer (seconds). `timing` orders addresses.
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
        self._second = second
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self.flights = Flights(self._loop)

    def submit(self, query: Query, reply: Reply, *, udp: bool) -> None:
        """Answer `query`, now or later, by one call of `reply`."""
        try:
            route = self._decisions.route(query)
            entry = self.answer_here(query, route) or self._recall(query, route)
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
            if self.answer_here(query, route) is not None:
                return
        except Exception as error:
            self._report("refresh", error)
            return
        self._fetch_behind(query, route)

    def _fetch_behind(self, query: Query, route: Route) -> None:
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
        policy_then = self._decisions.state
        answer = await self._fetch(query, route)
        if not self._is_in_force(query, route, policy_then):
            return policy.entry_of(query, self._shaped(query, answer), self._bounds, self._clock())[0]
        if answer.scan.rcode not in (NOERROR, NXDOMAIN):
            return self._keep_failure(query, answer)
        return self.keep(query, route, answer)

    async def _fetch(self, query: Query, route: Route) -> Answer:
        target = query
        if route.rewrite is not None and route.rewrite.target is not None:
            target = alias.target_query(query, route.rewrite.target)
        try:
            answer = await self._groups[route.group].exchange(target, self._loop.time() + LONGEST)
        except UpstreamError as error:
            return failures.of_error(query, error)
        if target is not query and answer.scan.rcode == NOERROR:
            answer = alias.aliased(query, route, target, answer)
        if answer.scan.rcode not in (NOERROR, NXDOMAIN):
            return failures.of_answer(query, answer)
        return answer

    def _is_in_force(self, query: Query, route: Route, then: object) -> bool:
        """Whether the policy is still the one that chose `route`: what another chose is for those who wait alone."""
        decisions = self._decisions
        return decisions.state == then and (not decisions.overrides or decisions.route(query) == route)

    def _shaped(self, query: Query, answer: Answer) -> Answer:
        for shape in self._shapers:
            answer = shape(query, answer)
        return answer

    def keep(self, query: Query, route: Route, answer: Answer) -> Entry:
        """Shape and keep what the group of `route` said to `query`; what those who wait for it get."""
        asked = self._fast.peek(query.key) is not None
        whole, ttl = policy.entry_of(query, self._shaped(query, answer), self._bounds, self._clock())
        entry = self._put(query, self._timed(query, route, whole), ttl)
        if (
            self._second is not None and route.rewrite is None
        ):  # the list that wants an alias may change meanwhile
            if ttl:
                self._second.keep(query, route.group, whole, asked=asked)
            else:
                self._second.forget(query, route.group)
        return entry

    def _recall(self, query: Query, route: Route) -> Entry | None:
        """What the second level has, into the table; returned if it may be given now, fresh or stale.

        It is for the first who asks: those who come while a fetch is under way wait for that.
        """
        if self._second is None or route.rewrite is not None or query.key in self.flights:
            return None
        known = self._fast.peek(query.key)
        if known is not None and not policy.is_failure(known):
            return None
        entry = self._second.recall(query, route.group)
        if entry is None:
            return None
        entry = self._timed(query, route, entry)
        now = self._clock()
        may_be_given = now < entry.expires or (not self._stale_after and query.flags & RD != 0)
        wants_refresh = may_be_given and now >= entry.refresh_at
        if wants_refresh:
            entry.refresh_at = now + RECHECK
        self._fast.store(query.key, entry)
        if wants_refresh:
            self._fetch_behind(query, route)
        return entry if may_be_given else None

    def answer_here(self, query: Query, route: Route) -> Entry | None:
        """The answer to `query` that needs nobody else, kept where it may be; None if it has to be fetched."""
        for stage in self._stages:
            answer = stage(query, route)
            if answer is not None:
                if not answer.scan.min_ttl:
                    return policy.unkept(answer, self._clock())
                return self._put(query, *policy.entry_of(query, answer, self._bounds, self._clock()))
        return None

    def _timed(self, query: Query, route: Route, whole: Entry) -> Entry:
        """An answer of upstreams, wherever it comes from, as it goes into the table: its addresses in order.

        The last of all shapers, for it chooses among what the others let pass; on disk the answer stays whole.
        """
        return whole if self._timing is None else self._timing.shaped(route.group, query, whole)

    def _put(self, query: Query, entry: Entry, ttl: int) -> Entry:
        """Store what may be stored, `ttl` seconds long; what those who wait for it get."""
        if ttl:
            self._fast.store(query.key, entry)
        else:
            self._fast.remove(query.key)  # what was true before must not come back as stale
        return entry

    def _keep_failure(self, query: Query, answer: Answer) -> Entry:
        """A failure never takes the place of data: that is given, stale if need be, and asked for again later."""
        now = self._clock()
        previous = self._fast.peek(query.key)
        if previous is None or policy.is_failure(previous) or now >= previous.stale_until:
            self._fast.store(query.key, policy.failure_entry(answer, previous, self._bounds, now))
        else:
            self._fast.postpone(query.key, now + RECHECK)
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
