"""The spine: from a miss to the answer that its clients get and the table keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from smartdoh.between import Between
from smartdoh.cache import policy
from smartdoh.cache.policy import Bounds
from smartdoh.cache.second import SecondLevel
from smartdoh.errors import Overloaded, UpstreamError
from smartdoh.fastpath import RECHECK, Entry, FastPath
from smartdoh.model import Answer, Query, Reply, Route, Shaper, Stage, Upstream
from smartdoh.outcome import FAILED, HIT, LOCAL, MISS, NAMES, REFUSED, STALE
from smartdoh.pipeline import absent, alias, failures
from smartdoh.pipeline.asked import Asked
from smartdoh.pipeline.flights import PATIENCE, QUESTIONS, Flights, Waiter
from smartdoh.pipeline.ipv6 import ipv4_question
from smartdoh.pipeline.outage import Outages
from smartdoh.pipeline.shaping import shaped
from smartdoh.pipeline.timing import Timing
from smartdoh.pipeline.told import Tell, Told
from smartdoh.pipeline.zones import Zones
from smartdoh.rules.decide import Decisions
from smartdoh.rules.overrides import Overrides
from smartdoh.tasks import Report
from smartdoh.wire import compose
from smartdoh.wire.codes import AAAA, NOERROR, NXDOMAIN, RD, SERVFAIL

_NO_ORIGINS: Mapping[str, bytes] = {}

LONGEST = 10.0  # seconds that any question may take, RFC 8767 section 5 "query resolution timer"


class Policy(NamedTuple):
    """By what a question was routed: the number of the table's generation, and the user's overrides."""

    generation: int
    overrides: Overrides


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
        origins: Mapping[str, bytes] = _NO_ORIGINS,
        between: Between | None = None,
        zones: Zones | None = None,
        asked: Asked | None = None,
        questions: int = QUESTIONS,
        patience: float = PATIENCE,
        ipv4_first: Collection[str] = (),
    ) -> None:
        """`report` hears of bugs; `clock` is the cache's; `second` is what a miss is looked up in before it is asked.

        `stale_after` is how long a client waits before it gets a stale answer (seconds). `timing` orders addresses.
        `origins` are the fingerprints of groups whose answers outlive a change of policy that leads to them still.
        `zones` tells which of them are flooded; `questions` and `patience` (seconds) are how many may wait, how long.
        `asked` counts what is answered here.
        `ipv4_first` are the groups of which no AAAA answer is shaped before it is known what A says.
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
        self._origins = origins
        self._between = between or Between()
        self._ipv4_first = frozenset(ipv4_first)
        self._loop = asyncio.get_running_loop()
        self.zones = Zones() if zones is None else zones
        self.asked = Asked() if asked is None else asked
        self.flights = Flights(self._loop, questions, patience)
        self.outages = Outages(fast, clock)
        self.tell: Tell | None = None
        """Hears of each question that was answered here."""

    def submit(self, query: Query, reply: Reply, *, udp: bool) -> None:
        """Answer `query`, now or later, by one call of `reply`."""
        waiter = Waiter(query, reply, self._loop.time(), udp=udp)
        try:
            route = waiter.route = self._decisions.route(query)
            entry = (
                self.answer_here(query, route)
                or self._recall(query, route)
                or self._known_absent(query, route)
            )
        except Exception as error:  # a bug in a stage costs this question, not those that came with it
            self._report("submit", error)
            self._reply(waiter, None, FAILED)
            return
        if entry is not None:
            self._reply(waiter, entry, self._outcome(entry, HIT))
            return
        self._wait_for_fetch(waiter, query, route)

    def _wait_for_fetch(self, waiter: Waiter, query: Query, route: Route) -> None:
        """Let the client wait for the fetch of its question, begun here unless it is under way, or tell it at once why
        it cannot: better now than late."""
        flights, zone = self.flights, b""
        waiters = flights.under_way.get(query.key)
        if waiters is None:
            charged = self.zones.charge(query.name, waiter.since)
            if charged is None and self._known(query) is None:  # a flood asks for what nobody has asked for
                self._reply(waiter, None, FAILED, failures.FLOODED_ZONE)
                return
            zone = charged or b""
        is_full = waiters is None and flights.is_full
        loser = waiter if is_full else flights.places.add(query.host, waiter)
        if loser is not None:
            self._shed(loser)
            if loser is waiter:
                self.zones.give_back(zone)
                return
        if not flights.is_looking:
            flights.look_for(self._overdue)
        if waiters is not None:
            waiters.append(waiter)
            flights.joined_at = waiter.since
        else:
            flights.start(query.key, [waiter], self._fly(query, route, self._policy(), zone))
        if self._stale_after:
            self._promise_stale(waiter)

    def _known(self, query: Query) -> Entry | None:
        """The answer that the table has, fresh or stale; no failure."""
        entry = self._fast.peek(query.key)
        if entry is None or policy.is_failure(entry) or self._clock() >= entry.stale_until:
            return None
        return entry

    def _shed(self, waiter: Waiter) -> None:
        self._reply(waiter, None, FAILED, failures.TOO_BUSY)

    def _overdue(self, waiter: Waiter) -> None:
        """It has waited as long as anybody waits: what comes later is kept, and not sent."""
        if waiter.reply is not None:
            self._reply(waiter, None, FAILED, failures.TOO_LATE)
            self._fast.waited(self._loop.time() - waiter.since)

    def refuse(self, query: Query, reply: Reply, *, udp: bool) -> None:
        """Tell who asked `query` that too much is asked."""
        self._shed(Waiter(query, reply, self._loop.time(), udp=udp))

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
        if self.flights.is_calm and query.key not in self.flights:
            self.flights.start(query.key, [], self._fly(query, route, self._policy()))

    def _policy(self) -> Policy:
        return Policy(self._fast.generation, self._decisions.overrides)

    async def _fly(self, query: Query, route: Route, then: Policy, zone: bytes = b"") -> None:
        """Fetch, and hand the answer to all who wait for it; its `zone` gets back what it was charged for it."""
        entry: Entry | None = None
        try:
            entry = await self._resolve(query, route, then)
        except Overloaded as error:  # nobody was asked, so there is nothing to be kept
            self.zones.give_back(zone)
            entry = self._instead_of(query, self._known(query), failures.of_error(query, error))
        except Exception as error:
            self._report("resolve", error)
        else:
            if entry.rcode == NOERROR:
                self.zones.give_back(zone)
        finally:
            for waiter in self.flights.land(query.key):
                self._give(waiter, entry)
            self._between()

    async def _resolve(self, query: Query, route: Route, then: Policy) -> Entry:
        """Fetch the answer to `query` by way of `route`, which `then` chose, shape and keep it.

        A failure is an answer too, but for that of having too much to do, which raises Overloaded.
        """
        answer = await self._fetch(query, route)
        is_late = then.generation != self._fast.generation
        if not is_late and not self._is_in_force(query, route, then.overrides):
            whole, _ = policy.entry_of(query, answer, self._bounds, self._clock())
            return self._for_clients(query, route, whole, answer)
        if answer.scan.rcode in (NOERROR, NXDOMAIN):
            return self.keep(query, route, answer, then.generation)
        if is_late:
            known = self._fast.peek(query.key) or self._fast.earlier(query.key)
            return self._instead_of(query, self._if_said_by_group_of(route, known), answer)
        return self._keep_failure(query, answer)

    async def _fetch(self, query: Query, route: Route) -> Answer:
        target = query
        if route.rewrite is not None and route.rewrite.target is not None:
            target = alias.target_query(query, route.rewrite.target)
        ipv4 = self._ipv4_before(query, route)
        if ipv4 is not None:
            self.refresh(ipv4)
        begun = self._loop.time()
        try:
            answer = await self._groups[route.group].exchange(target, begun + LONGEST)
        except Overloaded:
            raise
        except UpstreamError as error:
            self.outages.failed(route.group, query.key, begun, error)
            return failures.of_error(query, error)
        self.outages.answered(route.group, self._loop.time())
        if ipv4 is not None:
            await self.flights.landed(ipv4.key)
        if target is not query and answer.scan.rcode == NOERROR:
            answer = alias.aliased(query, route, target, answer)
        if answer.scan.rcode not in (NOERROR, NXDOMAIN):
            return failures.of_answer(query, answer)
        return answer

    def _ipv4_before(self, query: Query, route: Route) -> Query | None:
        """The question that has to be answered before the answer to `query` can be shaped, unless it has been."""
        if query.qtype != AAAA or route.group not in self._ipv4_first:
            return None
        ipv4 = ipv4_question(query)
        if self._fast.peek(ipv4.key) is not None:
            return None
        present = self._recall(ipv4, self._decisions.route(ipv4))
        return None if present is not None else ipv4

    def _is_in_force(self, query: Query, route: Route, then: Overrides) -> bool:
        """Whether the user's overrides still lead to `route`: what others led to is for those who wait alone.

        What else decides changes by a generation, and the table tells those apart.
        """
        decisions = self._decisions
        return decisions.overrides is then and (not then or decisions.route(query) == route)

    def keep(self, query: Query, route: Route, answer: Answer, begun: int | None = None) -> Entry:
        """Keep what the group of `route` said to `query`, and shape it; what those who wait for it get.

        `begun` is the generation in which it was asked, the current one if None.
        """
        asked = self._fast.peek(query.key) is not None
        is_its_own = route.rewrite is None  # else the list that wants an alias may change meanwhile
        origin = self._origins.get(route.group, b"") if is_its_own else b""
        whole, ttl = policy.entry_of(query, answer, self._bounds, self._clock(), origin)
        entry = self._put(query, self._for_clients(query, route, whole, answer), ttl, begun)
        if self._second is not None and is_its_own:
            if ttl:
                self._second.keep(query, route.group, whole, asked=asked)
            else:
                self._second.forget(query, route.group)
        return entry

    def _recall(self, query: Query, route: Route) -> Entry | None:
        """What was known before, into the table; returned if it may be given now, fresh or stale."""
        if route.rewrite is not None:
            return None
        present = self._fast.peek(query.key)
        if present is None:
            earlier = self._fast.earlier(query.key)
            entry = self._if_said_by_group_of(route, earlier) or self._from_second(query, route)
        elif policy.is_failure(present):
            entry = self._from_second(query, route)
        else:  # by another question that was read with this one
            return present if self._may_be_given(query, present) else None
        if entry is None or self._ipv4_before(query, route) is not None:
            return None
        return self._known_again(query, route, entry)

    def _if_said_by_group_of(self, route: Route, entry: Entry | None) -> Entry | None:
        """What the table has, from whichever policy, to be stored again if it is of the group of `route`."""
        if entry is None or not entry.origin or entry.origin != self._origins.get(route.group):
            return None
        entry = entry.again(self._bounds.stale)
        return entry if self._clock() < entry.stale_until else None

    def _from_second(self, query: Query, route: Route) -> Entry | None:
        """What the second level has.

        It is for the first who asks: those who come while a fetch is under way wait for that.
        """
        if self._second is None or query.key in self.flights:
            return None
        return self._second.recall(query, route.group)

    def _known_absent(self, query: Query, route: Route) -> Entry | None:
        """What was said of the same name to a question for another type, where that was that there is no such name."""
        if route.rewrite is not None:
            return None
        origin = self._origins.get(route.group, b"")
        found = absent.of_another_type(query, origin, self._fast.peek, self._clock())
        if found is None:
            return None
        entry = found.again(self._bounds.stale)
        self._fast.store(query.key, entry)
        return entry

    def _may_be_given(self, query: Query, entry: Entry) -> bool:
        now = self._clock()
        if now < entry.expires:
            return True
        return now < entry.stale_until and not self._stale_after and query.flags & RD != 0

    def _known_again(self, query: Query, route: Route, entry: Entry) -> Entry | None:
        """Store `entry`; it is returned if it may be given now."""
        entry = self._for_clients(query, route, entry)
        now = self._clock()
        may_be_given = self._may_be_given(query, entry)
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
                if answer.outcome == HIT:
                    is_given = answer.scan.rcode in (NOERROR, NXDOMAIN)
                    answer = answer._replace(outcome=LOCAL if is_given else REFUSED)
                if not answer.scan.min_ttl:
                    return policy.unkept(answer, self._clock())
                return self._put(query, *policy.entry_of(query, answer, self._bounds, self._clock()))
        return None

    def _for_clients(self, query: Query, route: Route, whole: Entry, answer: Answer | None = None) -> Entry:
        """An answer of upstreams, wherever it comes from, as it goes into the table; on disk it stays whole.

        Its addresses are ordered after all else, for one is chosen among what the shapers let pass.
        """
        entry = shaped(self._shapers, query, route, whole, answer)
        return entry if self._timing is None else self._timing.shaped(route.group, query, entry)

    def _put(self, query: Query, entry: Entry, ttl: int, begun: int | None = None) -> Entry:
        """Store what may be stored, `ttl` seconds long; what those who wait for it get.

        What an earlier policy asked for is stored as that policy's, unless the present one has meanwhile led to the
        same group and has an answer of it, which is older.
        """
        fast, key = self._fast, query.key
        generation = fast.generation
        if begun is not None and begun != generation:
            present = fast.peek(key)
            if not entry.origin or (present is not None and present.origin != entry.origin):
                return entry
            if present is None:
                generation = begun
        if ttl:
            fast.store(key, entry, generation)
        else:
            fast.remove(key)  # what was true before must not come back as stale
        return entry

    def _keep_failure(self, query: Query, answer: Answer) -> Entry:
        """A failure never takes the place of data: that is given, stale if need be, and asked for again later."""
        now = self._clock()
        previous = self._known(query)
        if previous is None:
            failed = policy.failure_entry(answer, self._fast.peek(query.key), self._bounds, now)
            self._fast.store(query.key, failed)
            return policy.unkept(answer, now)
        self._fast.postpone(query.key, now + RECHECK)
        return self._instead_of(query, previous, answer)

    def _instead_of(self, query: Query, known: Entry | None, failure: Answer) -> Entry:
        """What those who wait get where a fetch failed: what is known, if it may be given to them."""
        now = self._clock()
        if known is not None and (now < known.expires or query.flags & RD):
            return known
        return policy.unkept(failure, now)

    def _promise_stale(self, waiter: Waiter) -> None:
        """See that the client gets what is stale when the fetch takes long (RFC 8767 section 5)."""
        entry = self._known(waiter.query) if waiter.query.flags & RD else None
        if entry is not None:
            self._loop.call_later(self._stale_after, self._give_early, waiter, entry)

    def _give_early(self, waiter: Waiter, entry: Entry) -> None:
        self.flights.places.discard(waiter.query.host, waiter)
        self._give(waiter, entry)

    def _give(self, waiter: Waiter, entry: Entry | None) -> None:
        """Answer a client that waited, unless it has been answered."""
        if waiter.reply is None:
            return
        self._reply(waiter, entry, FAILED if entry is None else self._outcome(entry, MISS))
        self._fast.waited(self._loop.time() - waiter.since)

    def _outcome(self, entry: Entry, fresh: int) -> int:
        """What giving `entry` now counts as; `fresh` where it is data that has not expired."""
        if entry.outcome != HIT:
            return entry.outcome
        return fresh if self._clock() < entry.expires else STALE

    def _reply(
        self, waiter: Waiter, entry: Entry | None, outcome: int, why: bytes = failures.INTERNAL
    ) -> None:
        """Send a client its answer, SERVFAIL for None, count it, and tell of it."""
        reply, waiter.reply = waiter.reply, None
        assert reply is not None  # noqa: S101 - the callers have looked
        query = waiter.query
        if entry is None:
            reply(compose.error(query.wire, SERVFAIL, query, why))
        else:
            reply(self._fast.render(query, entry, udp=waiter.udp))
        rcode = SERVFAIL if entry is None else entry.rcode
        seconds = self._loop.time() - waiter.since
        self.asked.add(outcome, query.qtype, rcode, seconds, udp=waiter.udp)
        if self.tell is not None:
            source = "" if entry is None else entry.source
            self.tell(Told(query, waiter.route, waiter.udp, rcode, NAMES[outcome], seconds, source))
