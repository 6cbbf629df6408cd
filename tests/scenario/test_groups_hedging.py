"""Thousands of questions to hedged groups in virtual time: the tail, and what it costs."""

import asyncio
import random
from collections.abc import Callable

import pytest

from smartdoh.model import Answer
from smartdoh.upstream.group import Hedged
from tests.scripted_members import (
    NOERROR,
    Act,
    Script,
    ScriptedMember,
    ask,
    is_idle,
    limits,
    members,
    says,
    timed,
)
from tests.virtual_time import run

SEED = 20_260
STALL = 1.0  # seconds
QUICK, SPREAD = 0.02, 0.005  # seconds: an answer takes 20 ms and a random rest, 5 ms on average


def like_a_server(lots: random.Random, stalls: float = 0.0, quick: float = QUICK) -> Script:
    """Answers as servers do, and stalls on this share of the questions."""

    def script(_: float) -> Act:
        is_stalled = lots.random() < stalls
        return Act(STALL if is_stalled else quick + lots.expovariate(1 / SPREAD), NOERROR)

    return script


def ask_all(
    make: Callable[[random.Random], list[Script]], questions: int, gap: float
) -> tuple[list[float], float]:
    """How long each question took, sorted, and how many requests there were for each."""

    async def main() -> tuple[list[float], float]:
        lots = random.Random(SEED)
        those = members(*make(lots))
        group = Hedged("g", those, 5.0, lots=lots)
        took: list[float] = []

        async def one() -> None:
            seconds, outcome = await timed(ask(group))
            assert isinstance(outcome, Answer)
            took.append(seconds)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(questions):
                tasks.create_task(one())
                await asyncio.sleep(gap)
        await asyncio.sleep(5)
        assert is_idle(*those)
        return sorted(took), sum(member.asked for member in those) / questions

    return run(main())


def at(took: list[float], share: float) -> float:
    return took[int(len(took) * share)]


@pytest.mark.parametrize("gap", [0.001, 0.01, 0.1], ids=["1000 a second", "100 a second", "10 a second"])
@pytest.mark.parametrize("others", [0.0, 0.01], ids=["one of two stalls", "both stall"])
def test_stalls_are_hedged_away(gap: float, others: float) -> None:
    """One of two upstreams stalls 1% of questions for 1 s: p99.5 below 150 ms, at most 1.10 requests a question."""
    took, requests = ask_all(lambda lots: [like_a_server(lots, 0.01), like_a_server(lots, others)], 3000, gap)
    assert at(took, 0.995) < 0.150
    assert at(took, 0.5) < QUICK + 2 * SPREAD
    assert requests <= 1.10


def test_hedges_are_at_most_five_percent() -> None:
    """Over 10,000 questions whose upstreams are erratic, so that every one of them would be hedged."""

    def erratic(lots: random.Random) -> Script:
        return lambda _: Act(lots.choice([0.005, 0.1, 0.5, 1.2]), NOERROR)

    _, requests = ask_all(lambda lots: [erratic(lots), erratic(lots), erratic(lots)], 10_000, 0.002)
    assert requests <= 1.05 + 2 / 10_000


@pytest.mark.parametrize("slow", [0, 1, 2])
@pytest.mark.parametrize("how_many_are_slow", [1, 2])
def test_one_of_several_slow(slow: int, how_many_are_slow: int) -> None:
    """p95 is at most that of the best and 50 ms, after 20 questions."""
    slow_ones = {(slow + n) % 3 for n in range(how_many_are_slow)}

    async def main() -> list[float]:
        lots = random.Random(SEED)
        scripts = [like_a_server(lots, quick=0.4 if n in slow_ones else QUICK) for n in range(3)]
        group = Hedged("g", members(*scripts), 5.0, lots=lots)
        return [(await timed(ask(group)))[0] for _ in range(220)]

    took = sorted(run(main())[20:])
    assert at(took, 0.95) <= QUICK + 3 * SPREAD + 0.05


def test_an_upstream_with_a_limit_is_asked_no_more_than_it_takes() -> None:
    """It takes 100 questions a second; 300 come. After a few seconds most refusals are gone, and none was lost."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        recent: list[float] = []
        refusals: list[float] = []

        def limited(now: float) -> Act:
            recent[:] = [time for time in recent if time > now - 1]
            if len(recent) >= 100:
                refusals.append(now)
                return limits()(now)
            recent.append(now)
            return Act(0.01, NOERROR)

        those: list[ScriptedMember] = members(limited, says(delay=0.03))
        group = Hedged("g", those, 5.0, lots=random.Random(SEED))
        outcomes = []
        start = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(300 * 30):
                outcomes.append(tasks.create_task(timed(ask(group))))
                await asyncio.sleep(1 / 300)
        assert all(isinstance(task.result()[1], Answer) for task in outcomes)
        late = [time for time in refusals if time > start + 5]
        assert len(late) < 0.02 * 300 * 25
        assert those[0].asked > 30 * 30, "it still gets a good part of what it takes"
        assert those[0].health.failures == 0

    run(main())
