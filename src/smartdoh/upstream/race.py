"""One question put to the upstreams of a group: it ends with the first good answer, or with the reason for none.

The rcode is judged and not the first packet. SERVFAIL and REFUSED are answers of last resort: REFUSED is about us,
so everybody else is asked; SERVFAIL is asked about once more elsewhere, and waits a little for a good answer that
is on its way.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from smartdoh.errors import (
    BadCertificate,
    BadReply,
    Limited,
    Looping,
    NetworkDown,
    Overloaded,
    Timeout,
    UpstreamError,
)
from smartdoh.model import Answer, Query
from smartdoh.upstream.budget import FEW_MILLISECONDS
from smartdoh.upstream.member import GOOD, Member
from smartdoh.wire import compose
from smartdoh.wire.codes import SERVFAIL

GRACE = 0.25  # seconds, at least, that SERVFAIL waits for a good answer that is on its way
LONGEST_GRACE = 1.0  # seconds, at most, where those who were asked are slow
LONGEST_PACE = 1.0  # seconds a question may be held where every upstream's budget is used up
MOST_SERVFAILS = 2  # upstreams that have to agree on SERVFAIL
TICK = 0.001  # seconds; a loop's clock may be as coarse, so that a timer comes that much too early
_BY_WEIGHT = (
    BadCertificate,
    BadReply,
    NetworkDown,
    Timeout,
    Overloaded,
    Limited,
    Looping,
)  # which of several reasons is told


class Plan(Protocol):
    """What a strategy decides for the races of its group."""

    def patience(self, lead: Member, waited: float, attempts: int) -> float:
        """Seconds until the group wants to look again; infinity for never.

        `lead` is the upstream whose answer is expected first, asked `waited` seconds ago, and `attempts` how many
        upstreams are to be at work on the question: one, and one more for each time that the group wanted another.
        """
        ...

    def wants_another(self, lead: Member, now: float, waited: float, attempts: int) -> bool:
        """Whether the next upstream is asked, though the ones asked have not failed."""
        ...


class Race:
    """One question under way. `result` ends with an Answer or an UpstreamError."""

    __slots__ = (
        "_attempts",
        "_deadline",
        "_errors",
        "_is_in_grace",
        "_lead",
        "_led_since",
        "_loop",
        "_next",
        "_order",
        "_pending",
        "_plan",
        "_poor",
        "_query",
        "_servfails",
        "_timer",
        "_wire",
        "result",
    )

    def __init__(
        self,
        plan: Plan,
        order: list[Member],
        query: Query,
        deadline: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`order` is whom to ask, best first; `deadline` is shared by all attempts (the loop's clock)."""
        self._loop = loop
        self.result: asyncio.Future[Answer] = loop.create_future()
        self._plan = plan
        self._order = order
        self._query = query
        self._wire = compose.upstream_query(query)
        self._deadline = deadline
        self._next = 0
        self._pending = 0
        self._attempts = 1
        self._servfails = 0
        self._led_since = 0.0
        self._poor: list[tuple[Member, Answer]] = []
        self._errors: list[UpstreamError] = []
        self._timer: asyncio.TimerHandle | None = None
        self._lead = order[0]
        self._is_in_grace = False

    def start(self, at_once: int, is_hurried: bool = True) -> asyncio.Future[Answer]:
        """Ask the first `at_once` of them. `is_hurried`: the deadline comes before the transports' own time limit."""
        is_prompt = True
        for _ in range(at_once):
            is_prompt = self._ask_next()
        if self._pending == 0:
            self._ask_anyway()
        elif len(self._order) > 1:
            if at_once == 1:
                self._lead = self._order[self._next - 1]
            self._arm(self._plan.patience(self._lead, 0.0, 1))
        elif (
            is_hurried or not is_prompt
        ):  # else the transport's own time limit ends a lone one, which spares a timer
            self._arm(math.inf)
        return self.result

    def _ask_next(self) -> bool:
        """Ask the next upstream whose budget has room; whether the question has gone out to it already."""
        self._led_since = now = self._loop.time()
        while self._next < len(self._order):
            member = self._order[self._next]
            self._next += 1
            wait = member.wait(now)
            if wait <= FEW_MILLISECONDS:
                self._pending += 1
                return member.ask(self._query, self._wire, self._asked, wait)
            self._errors.append(Limited("its budget is used up", member.name))
        return False

    def _ask_anyway(self) -> None:
        """Nobody has room: hold the question for the first who will have, if that is soon, else end it."""
        now = self._loop.time()
        waits = {member: member.wait(now) for member in self._order}
        member = min(waits, key=waits.__getitem__)
        if waits[member] == math.inf:
            self._queue_up()
        elif waits[member] <= min(LONGEST_PACE, (self._deadline - now) / 2):
            self._arm(math.inf)
            self._pending += 1
            member.ask(self._query, self._wire, self._asked, waits[member])
        else:
            self._end()

    def _queue_up(self) -> None:
        """Wait for whoever has room first; where too many do already, the client hears so at once."""
        queued = [full.when_free(self._query.host, self) for full in self._order]
        if any(queued):
            self._arm(math.inf)
        else:
            self.give_way()

    def give_way(self) -> None:
        """As in InLine."""
        if self._pending == 0 and not self.result.done():
            self._errors.append(Overloaded("too many questions wait for it", self._lead.name))
            self._end()

    def ask_late(self) -> None:
        """Room was made for a question that waited, unless that was asked elsewhere meanwhile or is over."""
        if self._pending == 0 and not self.result.done():
            self._ask_anyway()

    def _asked(self, member: Member, outcome: Answer | UpstreamError) -> None:
        self._pending -= 1
        if self.result.done():
            return
        if isinstance(outcome, Answer):
            rcode = outcome.scan.rcode
            if rcode in GOOD:
                self._win(outcome)
                return
            self._poor.append((member, outcome))
            self._servfails += rcode == SERVFAIL
        else:
            self._errors.append(outcome)
        self._go_on()

    def _go_on(self) -> None:
        """One of those asked was of no use, so the next takes its place; for SERVFAIL only if nobody is at work."""
        still_at_work = self._pending
        if still_at_work < (1 if self._servfails else self._attempts) and self._servfails < MOST_SERVFAILS:
            self._ask_next()
        is_replaced = self._pending > still_at_work
        if self._pending == 0:
            self._end()
        elif self._servfails:
            if is_replaced or not self._is_in_grace:
                self._is_in_grace = True
                self._arm(self._grace())
        elif is_replaced:
            self._lead = self._order[self._next - 1]
            self._arm(self._plan.patience(self._lead, 0.0, self._attempts))

    def _grace(self) -> float:
        """How long SERVFAIL waits for those who have not answered yet."""
        slowest = max(member.health.p95 for member in self._order[: self._next])
        return min(LONGEST_GRACE, max(GRACE, 2 * slowest))

    def _look_again(self) -> None:
        """Time passed: give up, take SERVFAIL, or ask another beside those that are silent."""
        self._timer = None
        if self.result.done():  # cancelled from outside
            return
        now = self._loop.time()
        if self._servfails or now >= self._deadline - TICK:
            self._end()
            return
        if self._next == len(self._order):
            self._arm(math.inf)
            return
        waited = now - self._led_since
        if self._plan.wants_another(self._lead, now, waited, self._attempts):
            self._attempts += 1
            self._ask_next()
        self._arm(self._plan.patience(self._lead, waited, self._attempts))

    def _arm(self, patience: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = self._deadline if patience == math.inf else min(self._deadline, self._loop.time() + patience)
        self._timer = self._loop.call_at(at, self._look_again)

    def _win(self, answer: Answer) -> None:
        """A good answer, which also shows that those who had none did not do well."""
        if self._timer is not None:
            self._timer.cancel()
        for member, poor in self._poor:
            member.contradicted(poor)
        self.result.set_result(answer)

    def _end(self) -> None:
        """No good answer: a poor one, SERVFAIL before others as it is about the name; or the error that tells most."""
        if self._timer is not None:
            self._timer.cancel()
        if self._poor:
            answers = [answer for _, answer in self._poor]
            self.result.set_result(next((a for a in answers if a.scan.rcode == SERVFAIL), answers[0]))
            return
        if self._pending:
            self._errors.append(Timeout("no answer in time", ", ".join(self._silent())))
        elif not self._errors:
            self._errors.append(Limited("every budget is used up", self._lead.name))
        kinds = (kind for kind in _BY_WEIGHT if any(isinstance(error, kind) for error in self._errors))
        said = dict.fromkeys(f"{error.upstream} {error.kind}: {error.why}" for error in self._errors)
        names = dict.fromkeys(error.upstream for error in self._errors)
        error = next(kinds, UpstreamError)("; ".join(said), ", ".join(names))
        error.each = tuple(self._errors)
        self.result.set_exception(error)

    def _silent(self) -> list[str]:
        heard = {error.upstream for error in self._errors}
        return [member.name for member in self._order[: self._next] if member.name not in heard]
