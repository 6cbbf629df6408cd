"""Upstreams that a person sent to rest: asked nothing as long as another does well, else the last resort."""

from __future__ import annotations

import asyncio
import random

import pytest

from smartdoh.upstream.group import STRATEGIES, Group, Hedged
from tests.scripted_members import ScriptedMember, ask, fails, members, says, timed
from tests.unit.upstream.test_group import ask_many, asked
from tests.virtual_time import run


def group_of(strategy: str, those: list[ScriptedMember]) -> Group:
    group = STRATEGIES[strategy]
    return Hedged("g", those, 5.0, lots=random.Random(7)) if group is Hedged else group("g", those, 5.0)


@pytest.mark.parametrize("strategy", list(STRATEGIES))
@pytest.mark.parametrize("others", [1, 2])
def test_it_is_asked_nothing_until_its_time_is_over(strategy: str, others: int) -> None:
    """Not as a hedge and not to explore either; then it takes part again."""

    async def main() -> None:
        those = members(says(delay=0.01), *(says(delay=0.03) for _ in range(others)))
        group = group_of(strategy, those)
        those[0].rest(60.0)
        await ask_many(group, 300)
        assert asked(those)[0] == 0
        assert min(asked(those)) == 0 < max(asked(those)[1:])
        await asyncio.sleep(60.0)
        await ask_many(group, 300)
        assert asked(those)[0] > 100  # of three that are about as quick two in three, once it is known again

    run(main())


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_those_that_are_awake_are_still_explored(strategy: str) -> None:
    async def main() -> None:
        those = members(says(delay=0.01), says(delay=0.02), says(delay=0.5))
        those[0].rest(6000.0)
        await ask_many(group_of(strategy, those), 300)
        assert asked(those)[0] == 0
        if strategy == "hedged":
            assert asked(those)[2] > 2

    run(main())


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_group_that_rests_as_a_whole_still_answers(strategy: str) -> None:
    async def main() -> None:
        those = members(says(), says())
        for member in those:
            member.rest(60.0)
        await ask_many(group_of(strategy, those), 10)

    run(main())


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_it_is_asked_where_nobody_else_does_well(strategy: str) -> None:
    """And after those that nobody put aside."""

    async def main() -> None:
        those = members(says(), fails())
        group = group_of(strategy, those)
        those[0].rest(600.0)
        for _ in range(2):
            await timed(ask(group))
        await ask_many(group, 10)
        assert asked(those)[0] == 10
        assert group.order(asyncio.get_running_loop().time())[0] == [those[1], those[0]]

    run(main())


def test_waking_ends_both_kinds_of_rest() -> None:
    async def main() -> None:
        those = members(fails(), says())
        group = group_of("failover", those)
        await ask_many(group, 3, 0.0)
        health = those[0].health
        assert health.failures == 2
        those[0].rest(600.0)
        those[0].behave(says())
        those[0].wake()
        await ask_many(group, 5)
        assert (asked(those)[0], health.failures, health.rest_until) == (7, 0, 0.0)

    run(main())


def test_a_change_of_network_does_not_wake_it() -> None:
    async def main() -> None:
        those = members(says(), says())
        those[0].rest(600.0)
        those[0].renew(new_connections=False)
        await ask_many(group_of("failover", those), 3)
        assert asked(those) == [0, 3]

    run(main())
