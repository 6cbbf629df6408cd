"""Groups of upstreams, which are upstreams themselves: hedged, parallel, failover."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence

from smartdoh.model import Answer, Query
from smartdoh.upstream.member import Member
from smartdoh.upstream.race import TICK, Race

SLOW = 1.5  # seconds of silence after which the next upstream is asked, whatever hedges cost
SHORTEST_HEDGE = 0.01  # seconds; below that a hedge would cost more than it wins
LONGEST_HEDGE = 0.3
MOST_CREDIT = 10.0  # hedges that may follow each other
RESERVE = 1.0  # hedges kept for questions that are very late
VERY_LATE = 1.5  # times what is usual
NEAR, NEAR_SECONDS = 1.5, 0.01  # how much slower than the quickest still counts as about as quick
EXPLORE_EVERY = 64  # questions, after which one also goes to another upstream, to know how that does now


class Group:
    """Members and the deadline that every question to them gets."""

    def __init__(self, name: str, members: Sequence[Member], timeout: float) -> None:
        self.name = name
        self.members = tuple(members)
        self.timeout = timeout
        self.questions = 0
        self.hedges = 0
        self._loop = asyncio.get_running_loop()

    def exchange(self, query: Query, deadline: float) -> asyncio.Future[Answer]:
        """Ask, until `deadline` or for this group's own timeout. Raises UpstreamError."""
        now = self._loop.time()
        self.questions += 1
        order, at_once = self.order(now)
        limit = now + self.timeout
        return Race(self, order, query, min(deadline, limit), self._loop).start(at_once, deadline < limit)

    def order(self, now: float) -> tuple[list[Member], int]:
        """Whom to ask, and how many of them at once: those that do well, best first, then the doubtful.

        One that has rested long enough gets a copy of the question, so that nobody waits to see whether it is back. One
        that a person put aside is asked, last, only where nobody does well.
        """
        well = [member for member in self.members if not member.health.is_doubtful(now)]
        if len(well) == len(self.members):
            return self.rank(well), self.explore(well, now)
        ill = sorted((member for member in self.members if member not in well), key=_rest)
        if any(member.health.is_put_aside(now) for member in ill):
            ill = (
                _awake(ill, now) if well else sorted(ill, key=lambda member: member.health.is_put_aside(now))
            )
            if not ill:
                return self.rank(well), self.explore(well, now)
        due = next((member for member in ill if member.health.is_due(now)), None)
        if due is None or not well:
            return self.rank(well) + ill, 1
        ill.remove(due)
        self.rank(well).insert(1, due)
        self._pay()
        return well + ill, 2

    def rank(self, well: list[Member]) -> list[Member]:
        """Put those that do well in the order in which they are asked; in place."""
        return well

    def explore(self, well: list[Member], now: float) -> int:
        """How many to ask at once where all do well."""
        return 1

    def patience(self, lead: Member, waited: float, attempts: int) -> float:
        """As in Plan."""
        raise NotImplementedError

    def wants_another(self, lead: Member, now: float, waited: float, attempts: int) -> bool:
        """As in Plan."""
        return True

    async def aclose(self) -> None:
        """Close every member."""
        for member in self.members:
            await member.aclose()

    def _pay(self) -> None:
        """One more request than there are questions."""
        self.hedges += 1


class Failover(Group):
    """The first that does well, in the order of the config; the next when it fails or says nothing for long."""

    def patience(self, lead: Member, waited: float, attempts: int) -> float:
        """As in Plan."""
        return SLOW


class Parallel(Group):
    """All at once, the first good answer counts."""

    def order(self, now: float) -> tuple[list[Member], int]:
        """As in Group, but all at once."""
        awake = _awake(self.members, now)
        if len(awake) < len(self.members) and all(member.health.is_doubtful(now) for member in awake):
            awake += [member for member in self.members if member not in awake]
        return awake, len(awake)

    def patience(self, lead: Member, waited: float, attempts: int) -> float:
        """As in Plan."""
        return math.inf


class Hedged(Group):
    """The quicker of two taken by lot (power of two choices), and one more where it is slower than it usually is.

    "Usually" is the member's own 95th percentile, so a hedge is the exception. Hedges and other copies are at most
    `hedge_percent` of the questions, and no hedge goes while a budget is short. What cannot be paid for at once is
    looked at again, later and later, so that the questions that are really late get what there is.
    """

    def __init__(
        self,
        name: str,
        members: Sequence[Member],
        timeout: float,
        *,
        hedge_percent: float = 5.0,
        lots: random.Random | None = None,
    ) -> None:
        super().__init__(name, members, timeout)
        self._share = hedge_percent / 100
        self._credit = 2.0 if hedge_percent else 0.0
        self._lots = lots or random.Random()  # noqa: S311 - a choice of speed, no secret

    def exchange(self, query: Query, deadline: float) -> asyncio.Future[Answer]:
        """As in Group."""
        self._credit = min(MOST_CREDIT, self._credit + self._share)
        return super().exchange(query, deadline)

    def rank(self, well: list[Member]) -> list[Member]:
        """As in Group: by latency, but first the quicker of two by lot among those that are about as quick."""
        if len(well) > 1:
            well.sort(key=_latency)
        if len(well) > 2:  # noqa: PLR2004 - two are already the two choices
            near = well[0].health.latency * NEAR + NEAR_SECONDS
            among = sum(member.health.latency <= near for member in well)
            one, other = int(self._lots.random() * among), int(self._lots.random() * (among - 1))
            well.insert(0, well.pop(min(one, other + (other >= one))))
        return well

    def explore(self, well: list[Member], now: float) -> int:
        """As in Group: now and then a second one, for what is known of the others grows old."""
        if self.questions % EXPLORE_EVERY or len(well) == 1 or not self._may_hedge(now, RESERVE):
            return 1
        well.insert(1, well.pop(1 + int(self._lots.random() * (len(well) - 1))))
        self._pay()
        return 2

    def patience(self, lead: Member, waited: float, attempts: int) -> float:
        """As in Plan."""
        if attempts > 1:
            return SLOW
        if not waited:
            return _hedge_after(lead)
        return max(SHORTEST_HEDGE, min(waited, SLOW - waited))

    def wants_another(self, lead: Member, now: float, waited: float, attempts: int) -> bool:
        """As in Plan: a hedge has to be paid for, but what takes far too long is no hedge any more."""
        if attempts > 1 or waited >= SLOW - TICK:
            return True
        is_only_late = waited < VERY_LATE * _hedge_after(lead)
        if not self._may_hedge(now, RESERVE if is_only_late else 0.0):
            return False
        self._pay()
        return True

    def _may_hedge(self, now: float, reserve: float) -> bool:
        return self._credit >= 1 + reserve and not any(member.budget.is_short(now) for member in self.members)

    def _pay(self) -> None:
        super()._pay()
        self._credit = max(-1.0, self._credit - 1)


def _hedge_after(lead: Member) -> float:
    return min(max(lead.health.p95, SHORTEST_HEDGE), LONGEST_HEDGE)


def _awake(members: Sequence[Member], now: float) -> list[Member]:
    """Those that no person put aside."""
    return [member for member in members if not member.health.is_put_aside(now)]


def _rest(member: Member) -> float:
    return member.health.rest_until


def _latency(member: Member) -> float:
    return member.health.latency


STRATEGIES: dict[str, type[Group]] = {"hedged": Hedged, "parallel": Parallel, "failover": Failover}
