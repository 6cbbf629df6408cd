"""Groups of upstreams, which are upstreams themselves: hedged, parallel, failover."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence

from smartdoh.model import Answer, Query
from smartdoh.upstream.member import Member
from smartdoh.upstream.race import Race

SLOW = 1.5  # seconds of silence after which the next upstream is asked, whatever hedges cost
SHORTEST_HEDGE = 0.01  # seconds; below that a hedge would cost more than it wins
LONGEST_HEDGE = 0.3
MOST_CREDIT = 10.0  # hedges that may follow each other
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
        return Race(self, order, query, min(deadline, now + self.timeout), self._loop).start(at_once)

    def order(self, now: float) -> tuple[list[Member], int]:
        """Whom to ask, and how many of them at once: those that do well as configured, then the doubtful."""
        return sorted(self.members, key=lambda member: member.health.is_doubtful(now)), 1

    def patience(self, order: list[Member], times: int) -> float:
        """As in Plan."""
        raise NotImplementedError

    def wants_another(self, now: float, times: int) -> bool:
        """As in Plan."""
        return True

    async def aclose(self) -> None:
        """Close every member."""
        for member in self.members:
            await member.aclose()


class Failover(Group):
    """The first that does well, in the order of the config; the next when it fails or says nothing for long."""

    def patience(self, order: list[Member], times: int) -> float:
        """As in Plan."""
        return SLOW


class Parallel(Group):
    """All at once, the first good answer counts."""

    def order(self, now: float) -> tuple[list[Member], int]:
        """As in Group, but all at once."""
        return list(self.members), len(self.members)

    def patience(self, order: list[Member], times: int) -> float:
        """As in Plan."""
        return math.inf


class Hedged(Group):
    """The quicker of two taken by lot (power of two choices), and one more where it is slower than it usually is.

    "Usually" is the member's own 95th percentile, so a hedge is the exception. Hedges are at most `hedge_percent`
    of the questions, and none go while a budget is short.
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
        self._credit = 1.0
        self._lots = lots or random.Random()  # noqa: S311 - a choice of speed, no secret

    def exchange(self, query: Query, deadline: float) -> asyncio.Future[Answer]:
        """As in Group."""
        self._credit = min(MOST_CREDIT, self._credit + self._share)
        return super().exchange(query, deadline)

    def order(self, now: float) -> tuple[list[Member], int]:
        """Two by lot, the quicker first; then the others by latency; the doubtful at the end."""
        if len(self.members) == 1:
            return list(self.members), 1
        members = sorted(self.members, key=_latency)
        well = [member for member in members if not member.health.is_doubtful(now)]
        ill = [member for member in members if member not in well]
        if len(well) > 2:  # noqa: PLR2004 - two are already the two choices
            pair = self._lots.sample(well, 2)
            first = min(pair, key=_latency)
            well.remove(first)
            well.insert(0, first)
        ill.sort(key=lambda member: member.health.rest_until)
        if self.questions % EXPLORE_EVERY == 0:
            return self._explore(well + ill, now)
        return well + ill, 1

    def _explore(self, order: list[Member], now: float) -> tuple[list[Member], int]:
        """Ask a second one too, for what is known of the others grows old; those done resting come first."""
        if not self._may_hedge(now):
            return order, 1
        ready = [member for member in order[1:] if not member.health.is_resting(now)]
        if not ready:
            return order, 1
        second = max(ready, key=lambda member: (member.health.failures, self._lots.random()))
        order.remove(second)
        order.insert(1, second)
        self._pay()
        return order, 2

    def patience(self, order: list[Member], times: int) -> float:
        """As in Plan."""
        if times:
            return SLOW
        return min(max(order[0].health.p95, SHORTEST_HEDGE), LONGEST_HEDGE)

    def wants_another(self, now: float, times: int) -> bool:
        """As in Plan: the first look is for a hedge, which has to be paid for."""
        if times > 1:
            return True
        if len(self.members) == 1 or not self._may_hedge(now):
            return False
        self._pay()
        return True

    def _may_hedge(self, now: float) -> bool:
        return self._credit >= 1 and not any(member.budget.is_short(now) for member in self.members)

    def _pay(self) -> None:
        self._credit -= 1
        self.hedges += 1


def _latency(member: Member) -> float:
    return member.health.latency


STRATEGIES: dict[str, type[Group]] = {"hedged": Hedged, "parallel": Parallel, "failover": Failover}
