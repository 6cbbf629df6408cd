"""One upstream of a group: its transport with its health, its budget, and the check of what it says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Protocol

from smartdoh.errors import BadReply, Limited, Looping, Timeout, UpstreamError, WireError
from smartdoh.fair import FairQueue
from smartdoh.model import Answer, Query
from smartdoh.tasks import Tasks
from smartdoh.upstream.bootstrap import Finder
from smartdoh.upstream.budget import Budget
from smartdoh.upstream.doh import DohTransport
from smartdoh.upstream.health import Health
from smartdoh.upstream.reply import Reply
from smartdoh.upstream.standing import Standing
from smartdoh.upstream.tally import Tally
from smartdoh.wire import compose, edit, edns
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import AD, NOERROR, NXDOMAIN, SERVFAIL

GOOD = frozenset((NOERROR, NXDOMAIN))
"""Rcodes that answer the question; any other is an answer of last resort."""

LEAST_QUEUE = 100  # questions that may wait for room, however few may be in flight

Asked = Callable[["Member", "Answer | UpstreamError"], None]


class InLine(Protocol):
    """A question that waits for room."""

    def ask_late(self) -> None:
        """There is room now."""
        ...

    def give_way(self) -> None:
        """Another client's question, who has fewer there, has taken its place."""
        ...


class Member:
    """Asks one DoH server and keeps count of how it does."""

    def __init__(
        self,
        transport: DohTransport,
        finder: Finder | None,
        tasks: Tasks,
        *,
        max_in_flight: int = 1000,
        trust_ad: bool = True,
        group: str = "",
    ) -> None:
        """`finder` gives the addresses of the transport's host, where it is a name that has to be resolved here.

        `group` is the name of the group that it is of, for the log.
        """
        self.name = transport.origin.name
        self.health = Health()
        self.budget = Budget(max_in_flight)
        self.requests = 0
        self.last_failure: tuple[float, UpstreamError] | None = None
        """When it last had no answer (the loop's clock), and why."""
        self.tally = Tally()
        self.suspect: Callable[[], None] | None = None
        """Called when it had no answer, or SERVFAIL."""
        self.sent: Callable[[bytes], None] | None = None
        """Called with the name of each question that is put to it."""
        self._standing = Standing(self.name, group)
        self._bar = ""
        self._queue: FairQueue[InLine] = FairQueue(LEAST_QUEUE)
        self._transport = transport
        self._finder = finder
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._trust_ad = trust_ad

    def __repr__(self) -> str:
        return f"<Member {self.name} {self.health.latency * 1e3:.1f} ms, {self.budget.in_flight} in flight>"

    @property
    def bar(self) -> str:
        """Why no question goes to it; empty where they do."""
        return self._bar

    @bar.setter
    def bar(self, why: str) -> None:
        self._bar = why
        self.health.is_barred = bool(why)

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """The addresses and the port that it has, as far as they are known; none behind a proxy."""
        origin = self._transport.origin
        if origin.via:
            return ()
        hosts = (origin.host,) if self._finder is None else self._transport.addresses
        return tuple((host, origin.port) for host in hosts)

    async def probe(self, query: Query, deadline: float) -> Answer:
        """Ask it whatever is known of it, which counts for nothing. Raises UpstreamError."""
        heard: asyncio.Future[Reply | UpstreamError] = self._loop.create_future()

        def hear(said: Reply | UpstreamError) -> None:
            if not heard.done():  # else nobody waits any more
                heard.set_result(said)

        self._transport.ask(compose.upstream_query(query), hear)
        said = await heard
        judged = self._judge(query, said) if isinstance(said, Reply) else said
        if isinstance(judged, UpstreamError):
            raise judged
        return judged

    def ask(self, query: Query, wire: bytes, asked: Asked, wait: float = 0.0) -> bool:
        """Send `wire`, the upstream form of `query`, after `wait` seconds; call `asked` once with what came of it.

        Whether it has gone out, so that the transport's time limit counts from now.
        """
        if self._bar:
            looping = Looping(self._bar, self.name)
            self.tally.failed(looping)
            self._loop.call_soon(asked, self, looping)
            return True
        self.budget.take(self._loop.time())
        self.requests += 1
        if wait > 0:
            self._loop.call_later(wait, self._send_held, query, wire, asked)
            return False
        return self._send(query, wire, asked)

    def wait(self, now: float) -> float:
        """Seconds until one more request may go: 0.0 now, infinity if only an answer can make room.

        There is no room either where the request would wait for a stream here: that wait is no latency of the
        upstream's, for which another one would be asked beside it.
        """
        return self.budget.wait(now) if self._transport.has_room else math.inf

    def when_free(self, client: str, question: InLine) -> bool:
        """Let the question of a client wait until a request has ended and so made room; clients take turns.

        False where as many wait already as may be in flight, of clients with no more than their share.
        """
        self._queue.most = max(LEAST_QUEUE, int(self.budget.limit))
        loser = self._queue.add(client, question)
        if loser is question:
            return False
        if loser is not None:
            loser.give_way()
        return True

    def contradicted(self, answer: Answer) -> None:
        """Another upstream had a good answer where this one said SERVFAIL, REFUSED or the like."""
        now = self._loop.time()
        if self.health.contradicted(now):
            why = f"it said rcode {answer.scan.rcode} where another had an answer"
            self._standing.failed(now, "rcode", why, self.health.rest_until)

    def _pass_on(self) -> None:
        """Give free room to the next that waits for it."""
        while self._queue and self.budget.in_flight < self.budget.limit and self._transport.has_room:
            self._queue.take().ask_late()

    def rest(self, seconds: float) -> None:
        """Be asked nothing for so long, as long as another of the group does well: a person wants that."""
        self.health.put_aside_until = self._loop.time() + seconds

    def wake(self) -> None:
        """Be asked again: whatever rest it is in ends, and what failed before does not count."""
        self.health.put_aside_until = 0.0
        self.health.forgive(self._loop.time())

    def drop_connection(self) -> None:
        """Use a new connection from now on."""
        self._transport.drop_connection()

    def renew(self, *, new_connections: bool) -> None:
        """Failures so far say nothing any more; with new connections, what is under way is asked again on them."""
        self.health.forgive(self._loop.time())
        if new_connections:
            self._transport.start_over()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._transport.aclose()

    def _send_held(self, query: Query, wire: bytes, asked: Asked) -> None:
        """Send what was paced, unless the upstream has meanwhile asked for silence."""
        if self._transport.is_closed or self._loop.time() < self.budget.blocked_until:
            self.budget.give_back()
            limited = Limited("its budget is used up", self.name)
            self.tally.failed(limited)
            asked(self, limited)
        else:
            self._send(query, wire, asked)

    def _send(self, query: Query, wire: bytes, asked: Asked) -> bool:
        now = self._loop.time()
        self.health.asked(now)
        done = partial(self._answered, query, now, asked)
        if self._finder is not None:
            addresses = self._finder.known()
            if not addresses:
                find = self._find_and_send(self._finder, query, wire, done)
                self._tasks.start(find, f"bootstrap of {self.name}")
                return False
            self._transport.addresses = addresses
        self._put(query, wire, done)
        return True

    def _put(self, query: Query, wire: bytes, done: Callable[[Reply | UpstreamError], None]) -> None:
        if self.sent is not None:
            self.sent(query.name)
        self._transport.ask(wire, done)

    async def _find_and_send(
        self, finder: Finder, query: Query, wire: bytes, done: Callable[[Reply | UpstreamError], None]
    ) -> None:
        try:
            self._transport.addresses = await finder.find()
        except UpstreamError as error:
            done(error)
        except BaseException:  # whatever it was, the request is over
            done(Timeout("given up", self.name))
            raise
        else:
            self._put(query, wire, done)

    def _answered(self, query: Query, sent_at: float, asked: Asked, outcome: Reply | UpstreamError) -> None:
        now = self._loop.time()
        self.budget.give_back()
        judged = self._judge(query, outcome) if isinstance(outcome, Reply) else outcome
        if isinstance(judged, UpstreamError):
            self.tally.failed(judged)
        if isinstance(judged, Answer):
            if judged.scan.rcode in GOOD:
                self.health.answered(now, now - sent_at)
                self._standing.answered(now)
                self.tally.answers.add(now - sent_at)
            else:
                self.tally.was_of_no_use()
                self.health.ended(now)  # what that says of the upstream, only another's answer tells
        elif isinstance(judged, Limited):
            self.budget.refused(now, judged.retry_after)
            self.health.ended(now)
        else:
            if self._finder is not None and not isinstance(judged, BadReply):
                self._finder.doubt()
            if self.health.failed(now):
                self._standing.failed(now, judged.kind, judged.why, self.health.rest_until)
        if isinstance(judged, UpstreamError):
            self.last_failure = now, judged
        if self.suspect is not None and (not isinstance(judged, Answer) or judged.scan.rcode == SERVFAIL):
            self.suspect()
        asked(self, judged)
        if self._queue:
            self._pass_on()

    def _judge(self, query: Query, reply: Reply) -> Answer | UpstreamError:
        """Whether the message is an answer to the question, made ready to be kept."""
        try:
            scan = scan_answer(reply.wire, query)
            wire = reply.wire
            if scan.opt is not None:
                wire = edit.remove_opt(wire, scan)
                if scan.opt[1] != len(reply.wire):
                    rcode, options = scan.rcode, scan.edns
                    scan = scan_answer(wire, query)._replace(rcode=rcode, edns=options)
        except WireError as error:
            return BadReply(str(error), self.name)
        if not self._trust_ad:
            scan = scan._replace(flags=scan.flags & ~AD)
        ede = self._attributed(scan.edns.options) if scan.rcode and scan.edns and scan.edns.options else b""
        return Answer(wire, scan, self.name, reply.age, ede)

    def _attributed(self, options: bytes) -> bytes:
        """An upstream's Extended DNS Error, with its name in the text (RFC 8914 section 3)."""
        found = edns.read_extended_error(options)
        if found is None:
            return b""
        code, text = found
        return edns.extended_error(code, f"{self.name}: {text}" if text else self.name)
