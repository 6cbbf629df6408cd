"""One question put to the upstreams of a group: it ends with the first good answer, or with the reason for none.

The rcode is judged and not the first packet. SERVFAIL and REFUSED are answers of last resort: REFUSED is about us,
so everybody else is asked; SERVFAIL is asked about once more elsewhere, and waits a little for a good answer that
is on its way.
"""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import Protocol

from smartdoh.errors import BadCertificate, BadReply, Limited, NetworkDown, Timeout, UpstreamError
from smartdoh.model import Answer, Query
from smartdoh.upstream.budget import FEW_MILLISECONDS
from smartdoh.upstream.member import Member
from smartdoh.wire import compose
from smartdoh.wire.codes import FORMERR, NOTIMP, REFUSED, SERVFAIL

GRACE = 0.25  # seconds that a poor answer waits for a good one that is on its way
LONGEST_PACE = 1.0  # seconds a question may be held where every upstream's budget is used up
MOST_SERVFAILS = 2  # upstreams that have to agree on SERVFAIL
POOR = frozenset((FORMERR, SERVFAIL, NOTIMP, REFUSED))
_BY_WEIGHT = (BadCertificate, BadReply, NetworkDown, Timeout, Limited)  # which of several reasons is told


class Plan(Protocol):
    """What a strategy decides for the races of its group."""

    def patience(self, order: list[Member], times: int) -> float:
        """Seconds until the group wants to look again, having looked `times` times; infinity for never."""
        ...

    def wants_another(self, now: float, times: int) -> bool:
        """Whether the next upstream is asked, though the ones asked have not failed."""
        ...


class Race:
    """One question under way. `result` ends with an Answer or an UpstreamError."""

    __slots__ = (
        "_deadline",
        "_errors",
        "_loop",
        "_next",
        "_order",
        "_pending",
        "_plan",
        "_poor",
        "_query",
        "_servfails",
        "_timer",
        "_times",
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
        self._servfails = 0
        self._times = 0
        self._poor: Answer | None = None
        self._errors: list[UpstreamError] = []
        self._timer: asyncio.TimerHandle | None = None

    def start(self, at_once: int) -> asyncio.Future[Answer]:
        """Ask the first `at_once` of them."""
        for _ in range(at_once):
            self._ask_next()
        if self._pending == 0:
            self._ask_anyway()
        if (
            len(self._order) > 1 and not self.result.done()
        ):  # a lone one has its own time limit, and no other waits
            self._arm(self._plan.patience(self._order, 0))
        return self.result

    def _ask_next(self) -> bool:
        """Ask the next upstream whose budget has room; False where there is none."""
        now = self._loop.time()
        while self._next < len(self._order):
            member = self._order[self._next]
            self._next += 1
            wait = member.budget.wait(now)
            if wait <= FEW_MILLISECONDS:
                self._pending += 1
                member.ask(self._query, self._wire, self._asked, wait)
                return True
            self._errors.append(Limited("its budget is used up", member.name))
        return False

    def _ask_anyway(self) -> None:
        """Nobody has room: hold the question for the first who will have, if that is soon, else end it."""
        now = self._loop.time()
        waits = {member: member.budget.wait(now) for member in self._order}
        member = min(waits, key=waits.__getitem__)
        if waits[member] == math.inf:
            self._arm(math.inf)
            for member in self._order:
                member.when_free(partial(self._ask_late, member))
        elif waits[member] <= min(LONGEST_PACE, (self._deadline - now) / 2):
            self._pending += 1
            member.ask(self._query, self._wire, self._asked, waits[member])
        else:
            self._end()

    def _ask_late(self, member: Member) -> None:
        """Room was made for a question that waited, unless that was asked elsewhere or is over."""
        if self._pending == 0 and not self.result.done():
            self._pending += 1
            member.ask(self._query, self._wire, self._asked)

    def _asked(self, member: Member, outcome: Answer | UpstreamError) -> None:
        self._pending -= 1
        if self.result.done():
            return
        if isinstance(outcome, Answer):
            if outcome.scan.rcode not in POOR:
                self._finish(outcome)
                return
            go_on = self._note_poor(outcome)
        else:
            self._errors.append(outcome)
            go_on = True
        if self._pending == 0 and not (go_on and self._ask_next()):
            self._end()
        elif self._poor is not None:
            self._arm(GRACE)

    def _note_poor(self, answer: Answer) -> bool:
        """Remember an answer of last resort; whether to ask on. SERVFAIL is about the name, so it beats REFUSED."""
        is_servfail = answer.scan.rcode == SERVFAIL
        if self._poor is None or is_servfail:
            self._poor = answer
        self._servfails += is_servfail
        return self._servfails < MOST_SERVFAILS

    def _look_again(self) -> None:
        """Time passed: give up, take the poor answer, or ask another beside those that are silent."""
        self._timer = None
        now = self._loop.time()
        self._times += 1
        if now >= self._deadline or self._poor is not None:
            self._end()
            return
        if self._plan.wants_another(now, self._times):
            self._ask_next()
        self._arm(self._plan.patience(self._order, self._times))

    def _arm(self, patience: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        at = self._deadline if patience == math.inf else min(self._deadline, self._loop.time() + patience)
        self._timer = self._loop.call_at(at, self._look_again)

    def _finish(self, answer: Answer) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.result.set_result(answer)

    def _end(self) -> None:
        """No good answer: the poor one, or the error that tells most."""
        if self._poor is not None:
            self._finish(self._poor)
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._pending:
            self._errors.append(Timeout("no answer in time", ", ".join(self._silent())))
        told = next(kind for kind in _BY_WEIGHT if any(isinstance(error, kind) for error in self._errors))
        said = dict.fromkeys(f"{error.upstream} {error.kind}: {error.why}" for error in self._errors)
        self.result.set_exception(told("; ".join(said)))

    def _silent(self) -> list[str]:
        heard = {error.upstream for error in self._errors}
        return [member.name for member in self._order[: self._next] if member.name not in heard]
