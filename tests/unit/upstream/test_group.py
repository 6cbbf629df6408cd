"""The strategies: whom they ask first, and when somebody else besides; in virtual time."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from smartdoh.errors import UpstreamError
from smartdoh.model import Answer
from smartdoh.upstream.group import SLOW, STRATEGIES, Failover, Group, Hedged
from tests.scripted_members import (
    REFUSED,
    SERVFAIL,
    ScriptedMember,
    ask,
    fails,
    hangs,
    is_idle,
    limits,
    members,
    says,
    timed,
)
from tests.virtual_time import run

Make = Callable[[list[ScriptedMember]], Group]


def hedged(those: list[ScriptedMember], **options: Any) -> Hedged:
    return Hedged("g", those, 5.0, lots=random.Random(7), **options)


def failover(those: list[ScriptedMember]) -> Failover:
    return Failover("g", those, 5.0)


async def ask_many(group: Group, count: int, gap: float = 0.1) -> list[float]:
    """So many questions, one after the other with a gap; how long each took. All have to be answered."""
    took = []
    for _ in range(count):
        seconds, outcome = await timed(ask(group))
        assert isinstance(outcome, Answer), outcome
        took.append(seconds)
        await asyncio.sleep(gap)
    return took


def asked(those: list[ScriptedMember]) -> list[int]:
    return [member.asked for member in those]


def test_strategies_have_the_names_of_the_config() -> None:
    assert set(STRATEGIES) == {"hedged", "parallel", "failover"}


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_lone_upstream(strategy: str) -> None:
    """One request a question, whatever it says, and each answer is passed on."""

    async def main() -> None:
        those = members(says(delay=0.01))
        group = STRATEGIES[strategy]("g", those, 5.0)
        await ask_many(group, 200)
        assert asked(those) == [200]
        for what in (SERVFAIL, REFUSED):
            those[0].behave(says(what))
            for _ in range(10):
                _, outcome = await timed(ask(group))
                assert isinstance(outcome, Answer)
                assert outcome.scan.rcode == what
        assert asked(those) == [220]
        those[0].behave(fails())
        for _ in range(10):
            assert isinstance((await timed(ask(group)))[1], UpstreamError)
        assert asked(those) == [230], "one that rests is asked all the same if there is no other"
        those[0].behave(says())
        await ask_many(group, 1)
        assert group.hedges == 0

    run(main())


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_lone_upstream_that_hangs_ends_by_its_own_limit(strategy: str) -> None:
    async def main() -> None:
        those = members(hangs())
        took, outcome = await timed(ask(STRATEGIES[strategy]("g", those, 5.0)))
        assert isinstance(outcome, UpstreamError)
        assert took == pytest.approx(5.0)

    run(main())


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_lone_upstream_has_the_deadline_of_the_question_too(strategy: str) -> None:
    """Where that comes before the time limit of the group, which its transport knows."""

    async def main() -> None:
        those = members(hangs())
        took, outcome = await timed(ask(STRATEGIES[strategy]("g", those, 60.0), seconds=2.0))
        assert isinstance(outcome, UpstreamError)
        assert took == pytest.approx(2.0, abs=0.002)

    run(main())


def test_failover_keeps_to_the_order_of_the_config() -> None:
    async def main() -> None:
        those = members(says(delay=0.3), says(delay=0.001))
        await ask_many(failover(those), 100)
        assert asked(those) == [100, 0]

    run(main())


def test_failover_asks_the_next_when_nothing_was_said_for_long() -> None:
    async def main() -> None:
        those = members(hangs(), says(delay=0.02))
        assert await ask_many(failover(those), 1) == [pytest.approx(SLOW + 0.02)]

    run(main())


@pytest.mark.parametrize("make", [failover, hedged])
@pytest.mark.parametrize("outage", [3.0, 100.0])
def test_one_that_was_down_comes_back(make: Make, outage: float) -> None:
    """While it is down it gets a probe now and then, and nobody waits for that; then it is used again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        those = members(fails(), says(delay=0.03))
        group = make(those)
        await ask_many(group, 4)
        end = loop.time() + outage
        took = []
        while loop.time() < end:
            took += await ask_many(group, 1, 0.05)
        assert max(took) <= 0.032
        down = those[0].asked
        assert down <= 12, "it rests for 1, 2, 4 ... seconds"
        those[0].behave(says(delay=0.01))
        took = await ask_many(group, 700)  # 77 s, longer than the longest rest
        assert took[-1] == pytest.approx(0.01)
        assert those[0].asked > down + 50

    run(main())


@pytest.mark.parametrize("make", [failover, hedged])
def test_nobody_waits_for_one_that_hangs(make: Make) -> None:
    """Only the questions that find out: those of the first moments, and never a probe's."""

    async def main() -> None:
        those = members(hangs(), says(delay=0.02))
        group = make(those)
        await ask_many(group, 2)
        await asyncio.sleep(6)
        took = await ask_many(group, 600)
        assert sum(seconds > 0.1 for seconds in took) <= 2
        assert is_idle(*those) or those[0].script.waiting

    run(main())


@pytest.mark.parametrize("make", [failover, hedged])
def test_the_doubtful_are_asked_last_but_are_asked(make: Make) -> None:
    async def main() -> None:
        those = members(fails(), fails(), fails())
        group = make(those)
        for _ in range(5):
            assert isinstance((await timed(ask(group)))[1], UpstreamError)
        those[2].behave(says(delay=0.02))
        await ask_many(group, 1)
        before = asked(those)[:2]
        await ask_many(group, 20, 0.01)
        assert sum(asked(those)[:2]) <= sum(before) + 4, "the one that works is asked first"

    run(main())


def test_one_that_refuses_everything_is_not_asked_first_for_ever() -> None:
    """It answers quickly, but never well."""

    async def main() -> None:
        for make in (failover, hedged):
            those = members(says(REFUSED, 0.001), says(delay=0.03))
            await ask_many(make(those), 300)
            assert those[0].asked < 40

    run(main())


def test_a_name_that_fails_everywhere_harms_nobody() -> None:
    async def main() -> None:
        those = members(says(SERVFAIL, 0.01), says(SERVFAIL, 0.01))
        group = failover(those)
        for _ in range(20):
            await timed(ask(group))
        now = asyncio.get_running_loop().time()
        assert not any(member.health.is_doubtful(now) for member in those)

    run(main())


def test_hedged_settles_on_the_quickest() -> None:
    async def main() -> None:
        those = members(says(delay=0.2), says(delay=0.02), says(delay=0.2))
        took = await ask_many(hedged(those), 200)
        assert sorted(took[20:])[int(180 * 0.95)] <= 0.02 + 0.05
        assert those[1].asked > 180

    run(main())


def test_hedged_spreads_over_those_that_are_about_as_quick() -> None:
    async def main() -> None:
        those = members(says(delay=0.020), says(delay=0.022), says(delay=0.024), says(delay=0.3))
        await ask_many(hedged(those), 600)
        a, b, c, d = asked(those)
        assert min(a, b) > 100
        assert max(c, d) < 30, "of two by lot one is always better than these"

    run(main())


def test_hedged_finds_one_that_got_better() -> None:
    async def main() -> None:
        those = members(says(delay=0.08), says(delay=0.3))
        group = hedged(those)
        await ask_many(group, 100)
        those[1].behave(says(delay=0.01))
        took = await ask_many(group, 3000, 0.01)
        assert took[-1] == pytest.approx(0.01)

    run(main())


def test_hedged_leaves_one_that_got_worse() -> None:
    async def main() -> None:
        those = members(says(delay=0.01), says(delay=0.05))
        group = hedged(those)
        await ask_many(group, 200)
        those[0].behave(says(delay=0.5))
        took = await ask_many(group, 20)
        assert took[-1] == pytest.approx(0.05)

    run(main())


def test_a_hedge_goes_after_the_upstreams_own_p95() -> None:
    async def main() -> None:
        those = members(says(delay=0.05), says(delay=0.06))
        group = hedged(those)
        await ask_many(group, 50)
        those[0].behave(hangs())
        took, _ = await timed(ask(group))
        assert took == pytest.approx(0.05 + 0.06, abs=0.002)
        assert group.hedges >= 1

    run(main())


def test_the_last_hedge_is_kept_for_one_that_is_very_late() -> None:
    """5% of all answers come after the p95; spent on them, there would be nothing left for what really hangs."""

    async def main() -> None:
        those = members(says(delay=0.05), says(delay=0.06))
        group = hedged(those)
        await ask_many(group, 50)
        group._credit = 1.2
        those[0].behave(hangs())
        took, _ = await timed(ask(group))
        assert took == pytest.approx(2 * 0.05 + 0.06, abs=0.002)

    run(main())


def test_no_hedge_while_a_budget_is_short() -> None:
    """Any member's: the network or the client's address is what is limited."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        those = members(says(delay=0.05), says(delay=0.06), says(delay=0.06))
        group = hedged(those)
        await ask_many(group, 63)
        before = group.hedges
        those[2].budget.refused(loop.time(), 0.0)
        those[0].behave(hangs())
        took, _ = await timed(ask(group))
        assert took == pytest.approx(SLOW + 0.06, abs=0.3)
        assert group.hedges == before
        await asyncio.sleep(60)
        those[0].behave(says(delay=0.05))
        await ask_many(group, 300)
        assert group.hedges > before, "a refusal long ago stops hedges for ever"

    run(main())


def test_hedge_percent_of_zero_means_none() -> None:
    async def main() -> None:
        those = members(says(delay=0.05), says(delay=0.06))
        group = hedged(those, hedge_percent=0)
        await ask_many(group, 500, 0.01)
        assert sum(asked(those)) == 500

    run(main())


@pytest.mark.parametrize("make", [failover, hedged])
def test_what_one_refuses_the_next_answers(make: Make) -> None:
    """HTTP 429: spilled at once, no illness, and asked again when the pause is over."""

    async def main() -> None:
        those = members(limits(retry_after=5.0), says(delay=0.02))
        group = make(those)
        took = await ask_many(group, 20)
        assert max(took) <= 0.022
        assert those[0].asked == 1
        those[0].behave(says(delay=0.01))
        await ask_many(group, 1500)  # hedged looks for a better one again when the budget is forgotten
        assert those[0].asked > 100
        assert those[0].health.failures == 0

    run(main())


def test_aclose_closes_every_member() -> None:
    async def main() -> None:
        those = members(says(), says())
        await failover(those).aclose()
        assert all(member.script.is_closed for member in those)

    run(main())
