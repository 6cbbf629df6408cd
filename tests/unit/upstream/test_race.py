"""One question put to several upstreams, in virtual time: who is asked, when, and what comes of it."""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

import pytest

from smartdoh.errors import BadCertificate, BadReply, Limited, NetworkDown, Overloaded, Timeout, UpstreamError
from smartdoh.model import Answer
from smartdoh.upstream.group import Failover, Hedged, Parallel
from smartdoh.upstream.member import LEAST_QUEUE, Member
from smartdoh.upstream.race import GRACE, LONGEST_GRACE, Race
from tests.scripted_members import (
    FORMERR,
    NOERROR,
    NOTIMP,
    NXDOMAIN,
    QUERY,
    REFUSED,
    SERVFAIL,
    Script,
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

ERRORS: dict[str, UpstreamError] = {
    "certificate": BadCertificate("expired", "a"),
    "bad answer": BadReply("HTTP 500", "a"),
    "network": NetworkDown("refused", "a"),
    "timeout": Timeout("gave up", "a"),
    "rate limit": Limited("HTTP 429", "a"),
}


def outcome_of(
    *scripts: Script,
    strategy: type[Failover | Parallel] = Failover,
    timeout: float = 5.0,
    seconds: float = 10.0,
) -> tuple[float, Any, list[ScriptedMember]]:
    """The time that one question took, what came of it, and the members that were asked."""

    async def main() -> tuple[float, Any, list[ScriptedMember]]:
        those = members(*scripts)
        took, outcome = await timed(ask(strategy("g", those, timeout), seconds))
        await asyncio.sleep(20)
        assert is_idle(*those)
        return took, outcome, those

    return run(main())


def roughly(seconds: float, abs: float | None = None) -> Any:  # noqa: A002 - as pytest calls it
    """A number that is equal to those near it."""
    return pytest.approx(seconds, abs=abs)


def rcode(outcome: Any) -> int:
    assert isinstance(outcome, Answer), outcome
    return outcome.scan.rcode


def asked(those: list[ScriptedMember]) -> list[int]:
    return [member.asked for member in those]


@pytest.mark.parametrize("what", [NOERROR, NXDOMAIN])
def test_a_good_answer_ends_it(what: int) -> None:
    took, outcome, those = outcome_of(says(what, 0.03), says())
    assert (took, rcode(outcome), asked(those)) == (roughly(0.03), what, [1, 0])
    assert outcome.source == "a"


@pytest.mark.parametrize("error", list(ERRORS))
def test_an_error_means_the_next_at_once(error: str) -> None:
    took, outcome, those = outcome_of(says(ERRORS[error], 0.001), says(delay=0.03))
    assert (took, outcome.source, asked(those)) == (roughly(0.031), "b", [1, 1])


@pytest.mark.parametrize("poor", [SERVFAIL, REFUSED, FORMERR, NOTIMP])
def test_a_poor_answer_means_the_next_at_once(poor: int) -> None:
    took, outcome, those = outcome_of(says(poor, 0.001), says(delay=0.03), says())
    assert (took, outcome.source, asked(those)) == (roughly(0.031), "b", [1, 1, 0])


def test_servfail_is_asked_about_once_elsewhere() -> None:
    took, outcome, those = outcome_of(says(SERVFAIL, 0.01), says(SERVFAIL, 0.01), says(), says())
    assert (took, rcode(outcome), asked(those)) == (roughly(0.02), SERVFAIL, [1, 1, 0, 0])


def test_refused_is_asked_everywhere() -> None:
    poor = says(REFUSED, 0.01)
    _, outcome, those = outcome_of(poor, poor, poor, says(delay=0.01))
    assert (rcode(outcome), asked(those)) == (NOERROR, [1, 1, 1, 1])
    _, outcome, those = outcome_of(poor, poor, poor)
    assert (rcode(outcome), asked(those)) == (REFUSED, [1, 1, 1])


def test_refused_waits_for_a_slow_upstream_as_long_as_there_is_time() -> None:
    """REFUSED is about us: it says nothing of the name, however long another needs."""
    took, outcome, _ = outcome_of(says(REFUSED, 0.01), says(delay=1.4))
    assert (took, rcode(outcome)) == (roughly(1.41), NOERROR)
    took, outcome, _ = outcome_of(says(REFUSED, 0.01), hangs(), timeout=4.0)
    assert (took, rcode(outcome)) == (roughly(4.0, abs=0.002), REFUSED)


def test_servfail_beats_refused() -> None:
    _, outcome, _ = outcome_of(says(REFUSED, 0.01), says(SERVFAIL, 0.01))
    assert rcode(outcome) == SERVFAIL
    _, outcome, _ = outcome_of(says(SERVFAIL, 0.01), says(REFUSED, 0.01))
    assert rcode(outcome) == SERVFAIL


def test_servfail_never_beats_a_good_answer_within_the_grace() -> None:
    took, outcome, _ = outcome_of(says(SERVFAIL, 0.01), says(delay=GRACE - 0.001))
    assert (took, rcode(outcome)) == (roughly(GRACE + 0.009), NOERROR)


@pytest.mark.parametrize("strategy", [Failover, Parallel])
def test_servfail_is_not_held_for_ever(strategy: type[Failover | Parallel]) -> None:
    took, outcome, _ = outcome_of(says(SERVFAIL, 0.01), hangs(), hangs(), strategy=strategy)
    assert rcode(outcome) == SERVFAIL
    assert GRACE <= took <= LONGEST_GRACE + 0.02


def test_the_grace_begins_once() -> None:
    """Failures of others do not prolong it."""
    others = [fails(0.3 + n / 10) for n in range(4)]
    took, outcome, _ = outcome_of(says(SERVFAIL, 0.01), *others, hangs(), strategy=Parallel)
    assert rcode(outcome) == SERVFAIL
    assert took <= LONGEST_GRACE + 0.02


def test_two_servfails_wait_for_a_third_that_is_on_its_way() -> None:
    took, outcome, _ = outcome_of(
        says(SERVFAIL, 0.01), says(SERVFAIL, 0.02), says(delay=0.2), strategy=Parallel
    )
    assert (took, rcode(outcome)) == (roughly(0.2), NOERROR)


def test_parallel_asks_all_and_takes_the_first_good_answer() -> None:
    took, outcome, those = outcome_of(
        says(delay=0.3), fails(), says(SERVFAIL, 0.01), says(delay=0.1), strategy=Parallel
    )
    assert (took, outcome.source, asked(those)) == (roughly(0.1), "d", [1, 1, 1, 1])


@pytest.mark.parametrize("strategy", [Failover, Parallel])
def test_the_error_tells_most_and_all_reasons(strategy: type[Failover | Parallel]) -> None:
    for most, kind in enumerate(ERRORS):
        scripts = [says(error, 0.01) for error in list(ERRORS.values())[most:]]
        _, outcome, _ = outcome_of(*reversed(scripts), strategy=strategy)
        assert type(outcome) is type(ERRORS[kind])
        for error in list(ERRORS.values())[most:]:
            assert f"{error.kind}: {error.why}" in str(outcome)


def test_an_error_of_no_known_kind_ends_it_too() -> None:
    _, outcome, _ = outcome_of(says(UpstreamError("odd", "a"), 0.01))
    assert isinstance(outcome, UpstreamError)
    assert "odd" in str(outcome)


def test_each_silent_upstream_is_named() -> None:
    _, outcome, _ = outcome_of(hangs(), fails(), hangs(), strategy=Parallel, timeout=2.0)
    assert isinstance(outcome, NetworkDown)
    assert "a, c timeout: no answer in time" in str(outcome)


@pytest.mark.parametrize("strategy", [Failover, Parallel])
@pytest.mark.parametrize(("timeout", "seconds"), [(1.0, 10.0), (4.0, 10.0), (60.0, 2.0)])
def test_the_deadline_is_for_all_attempts_together(
    strategy: type[Failover | Parallel], timeout: float, seconds: float
) -> None:
    took, outcome, _ = outcome_of(
        hangs(), hangs(), hangs(), strategy=strategy, timeout=timeout, seconds=seconds
    )
    assert isinstance(outcome, Timeout)
    assert took == roughly(min(timeout, seconds), abs=0.002)


def test_late_answers_change_nothing() -> None:
    """They come after the race has ended: well, badly, or by the clock."""
    took, outcome, _ = outcome_of(says(delay=0.4), fails(0.5), says(delay=0.1), strategy=Parallel)
    assert (took, outcome.source) == (roughly(0.1), "c")
    took, outcome, those = outcome_of(says(delay=2.5), says(delay=2.0), strategy=Parallel, timeout=1.0)
    assert isinstance(outcome, Timeout)
    assert all(member.health.latency >= 2.0 for member in those), "a late answer tells of the latency"


async def outcome_and_time(those: list[ScriptedMember]) -> tuple[float, Any]:
    """As `timed`, of one question to a failover group."""
    return await timed(ask(Failover("g", those, 5.0)))


def scenario(main: Coroutine[Any, Any, None]) -> None:
    run(main)


def test_one_that_nobody_waits_for_any_more() -> None:
    """The future is cancelled while timers and requests are open: nothing is raised anywhere."""

    async def main() -> None:
        those = members(hangs(), says(delay=3.0), fails(2.0))
        for strategy in (Failover, Parallel):
            future = ask(strategy("g", those, 5.0))
            await asyncio.sleep(0.01)
            future.cancel()
            with pytest.raises(asyncio.CancelledError):
                await future
        await asyncio.sleep(20)
        assert is_idle(*those)

    scenario(main())


class Eager:
    """A plan that wants another each tenth of a second."""

    def patience(self, lead: Member, waited: float, attempts: int) -> float:
        return 0.1

    def wants_another(self, lead: Member, now: float, waited: float, attempts: int) -> bool:
        return True


def race_of(*scripts: Script) -> tuple[float, Any, list[ScriptedMember]]:
    """One race by an eager plan."""

    async def main() -> tuple[float, Any, list[ScriptedMember]]:
        loop = asyncio.get_running_loop()
        those = members(*scripts)
        race = Race(Eager(), list(those), QUERY, loop.time() + 5.0, loop)
        took, outcome = await timed(race.start(1))
        return took, outcome, those

    return run(main())


def test_one_more_each_time_the_plan_wants() -> None:
    took, outcome, those = race_of(hangs(), hangs(), hangs(), says(delay=0.05))
    assert (took, outcome.source, asked(those)) == (roughly(0.35), "d", [1, 1, 1, 1])


def test_a_hedge_that_fails_is_replaced_at_once() -> None:
    """Else a dead second upstream would take away what a hedge is for."""
    took, outcome, _ = race_of(hangs(), fails(0.001), says(delay=0.02))
    assert (took, outcome.source) == (roughly(0.121), "c")


def test_a_hedge_that_says_servfail_waits_for_the_first() -> None:
    took, outcome, those = race_of(says(delay=0.2), says(SERVFAIL, 0.01), says(SERVFAIL, 0.01))
    assert (took, outcome.source, asked(those)) == (roughly(0.2), "a", [1, 1, 0])


def test_one_without_room_is_skipped() -> None:
    async def main() -> None:
        those = members(says(), says(delay=0.03))
        those[0].budget.refused(asyncio.get_running_loop().time(), 30.0)
        took, outcome = await outcome_and_time(those)
        assert (took, outcome.source) == (roughly(0.03), "b")
        assert those[0].asked == 0

    scenario(main())


def test_where_nobody_has_room_soon_it_ends_at_once() -> None:
    async def main() -> None:
        those = members(says(), says())
        for member in those:
            member.budget.refused(asyncio.get_running_loop().time(), 30.0)
        took, outcome = await outcome_and_time(those)
        assert isinstance(outcome, Limited)
        assert took == 0.0
        assert asked(those) == [0, 0]

    scenario(main())


def test_it_is_held_for_the_first_who_has_room_soon() -> None:
    async def main() -> None:
        those = members(says(), says())
        now = asyncio.get_running_loop().time()
        those[0].budget.refused(now, 0.7)
        those[1].budget.refused(now, 0.5)
        took, outcome = await outcome_and_time(those)
        assert outcome.source == "b"
        assert 0.5 <= took < 0.7

    scenario(main())


def test_what_is_held_is_not_sent_into_a_pause() -> None:
    """The upstream asks for silence while questions are held for it."""

    async def main() -> None:
        (member,) = members(says())
        loop = asyncio.get_running_loop()
        group = Failover("g", [member], 5.0)
        member.budget.refused(loop.time(), 0.5)
        held = [ask(group) for _ in range(3)]
        member.budget.refused(loop.time() + 0.1, 30.0)
        for future in held:
            assert isinstance((await timed(future))[1], Limited)
        assert member.asked == 0
        assert is_idle(member)

    scenario(main())


def test_room_is_passed_on_in_order() -> None:
    """More questions than may be in flight: each waits for its turn, none is lost and none goes twice."""

    async def main() -> None:
        (member,) = members(says(delay=0.05), max_in_flight=20)
        group = Failover("g", [member], 5.0)
        loop = asyncio.get_running_loop()
        start = loop.time()
        ended: list[int] = []

        async def one(number: int) -> None:
            assert isinstance(await ask(group), Answer)
            ended.append(number // 20)  # those of one moment end in any order

        await asyncio.gather(*(one(number) for number in range(100)))
        assert loop.time() - start == roughly(0.25)
        assert ended == sorted(ended)
        assert member.asked == 100
        assert is_idle(member)

    scenario(main())


def test_those_who_wait_for_room_have_a_deadline() -> None:
    async def main() -> None:
        (member,) = members(hangs(), max_in_flight=1)
        group = Failover("g", [member], 2.0)
        first, second = ask(group), ask(group)
        took, outcome = await timed(second)
        assert took == roughly(2.0, abs=0.002)
        assert isinstance(outcome, Limited)
        await timed(first)
        await asyncio.sleep(10)
        assert member.asked == 1, "the second had left"
        assert is_idle(member)

    scenario(main())


def test_room_anywhere_will_do() -> None:
    async def main() -> None:
        those = members(hangs(), says(delay=0.05), max_in_flight=1)
        group = Parallel("g", those, 5.0)
        first = ask(group)
        second = ask(group)
        assert (await timed(first))[0] == roughly(0.05)
        assert (await timed(second))[0] == roughly(0.05)
        assert asked(those) == [1, 2]
        await asyncio.sleep(20)
        assert is_idle(*those)

    scenario(main())


def test_room_in_two_places_is_taken_once() -> None:
    async def main() -> None:
        those = members(says(delay=0.06), says(delay=0.05), max_in_flight=1)
        group = Parallel("g", those, 5.0)
        first, second = ask(group), ask(group)
        await first
        assert (await timed(second))[0] == roughly(0.05)
        assert asked(those) == [1, 2]

    scenario(main())


def test_a_held_question_counts_once_against_the_budget() -> None:
    async def main() -> None:
        (member,) = members(limits(), max_in_flight=10)
        group = Failover("g", [member], 5.0)
        for _ in range(30):
            await timed(ask(group))
        assert is_idle(member)
        assert member.budget.wait(asyncio.get_running_loop().time()) < math.inf

    scenario(main())


def test_what_would_wait_too_long_is_told_at_once() -> None:
    async def main() -> None:
        (member,) = members(says(delay=1.0), max_in_flight=2)
        group = Failover("g", [member], 5.0)
        under_way = [ask(group) for _ in range(2 + LEAST_QUEUE)]
        took, outcome = await timed(ask(group))
        assert isinstance(outcome, Overloaded)
        assert (took, outcome.upstream) == (0.0, member.name)
        for future in under_way:
            future.cancel()
        await asyncio.sleep(5)
        assert is_idle(member)
        assert asked([member]) == [2], "those that nobody waits for any more are not asked"
        assert isinstance((await timed(ask(group)))[1], Answer)

    scenario(main())


def test_who_waits_for_little_gets_the_place_of_who_waits_for_much_and_goes_first() -> None:
    async def main() -> None:
        (member,) = members(says(delay=0.25), max_in_flight=2)
        group = Failover("g", [member], 5.0)
        greedy = [ask(group) for _ in range(2 + LEAST_QUEUE)]
        modest = ask(group, question=QUERY._replace(host="192.0.2.9"))
        displaced = await timed(greedy[-1])
        assert isinstance(displaced[1], Overloaded)
        await modest
        assert sum(future.done() for future in greedy) <= 5, "it did not wait for those before it"
        for future in greedy:
            future.cancel()
        await asyncio.sleep(5)

    scenario(main())


@pytest.mark.parametrize("strategy", [Failover, Hedged])
def test_without_a_stream_the_next_is_asked_and_nobody_twice(strategy: type[Failover | Hedged]) -> None:
    """A question that finds no stream at its upstream is no reason to ask two."""

    async def main() -> None:
        full, other = those = members(says(delay=0.01), says(delay=2.0))
        group = strategy("g", those, 5.0)
        full.script.has_room = False
        waiting = ask(group)
        await asyncio.sleep(0.1)
        assert asked(those) == [0, 1]
        other.script.has_room = False
        both_full = ask(group)
        await asyncio.sleep(1.5)
        assert asked(those) == [0, 1], "nobody has room"
        other.script.has_room = True
        await waiting
        await both_full
        assert asked(those) == [0, 2], "who has room first is asked"
        assert group.hedges == 0

    scenario(main())
