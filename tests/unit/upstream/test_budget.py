"""Budgets: what refusals take away, what time gives back, and that nothing more is ever sent than that."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from smartdoh.upstream import budget as numbers
from smartdoh.upstream.budget import BURST, FEW_MILLISECONDS, FORGET_AFTER, MIN_RATE, Budget

T = 5000.0
MAX = 100


@pytest.fixture
def fresh() -> Budget:
    return Budget(MAX)


def refused(retry_after: float = 0.0, in_flight: int = 0, sent: int = 0) -> Budget:
    """A budget whose upstream said 429 at T, having got `sent` requests in that second."""
    budget = Budget(MAX)
    for _ in range(sent):
        budget.take(T)
        budget.give_back()
    for _ in range(in_flight):
        budget.take(T)
    budget.refused(T, retry_after)
    return budget


def test_starts_without_a_rate(fresh: Budget) -> None:
    for _ in range(MAX):
        assert fresh.wait(T) == 0.0
        fresh.take(T)
    assert not fresh.is_short(T)


def test_limit_in_flight(fresh: Budget) -> None:
    for _ in range(MAX):
        fresh.take(T)
    assert fresh.wait(T) == math.inf
    fresh.give_back()
    assert fresh.wait(T) == 0.0


@pytest.mark.parametrize("now", [0.0, 0.5, 59.0])
def test_is_not_short_just_because_the_clock_is_young(fresh: Budget, now: float) -> None:
    assert not fresh.is_short(now)
    assert fresh.wait(now) == 0.0


@pytest.mark.parametrize(
    ("sent", "rate"),
    [(0, numbers.LEAST_SEEN / 2), (1, numbers.LEAST_SEEN / 2), (200, 100.0), (3001, 1500.5)],
    ids=["none", "few: one refusal is no reason to crawl", "many", "odd"],
)
def test_a_refusal_halves_what_was_sent(sent: int, rate: float) -> None:
    assert refused(sent=sent).rate == rate


def test_a_refusal_in_the_next_second_counts_what_was_sent_before(fresh: Budget) -> None:
    for _ in range(500):
        fresh.take(T)
    fresh.take(T + 1.01)
    fresh.refused(T + 1.02, 0.0)
    assert fresh.rate == 250.0


@pytest.mark.parametrize(("in_flight", "limit"), [(0, 4.0), (3, 4.0), (19, 10.0), (59, 30.0)])
def test_a_refusal_halves_what_was_in_flight(in_flight: int, limit: float) -> None:
    assert refused(in_flight=in_flight).limit == limit


def test_refusals_of_one_burst_count_once() -> None:
    budget = refused(sent=200)
    for step in range(1, 100):
        budget.refused(T + step / 100, 0.0)
    assert budget.rate == 100.0
    budget.refused(T + 1.0, 0.0)
    assert budget.rate == 50.0


def test_shrinks_to_a_floor_and_no_further(fresh: Budget) -> None:
    for second in range(50):
        fresh.refused(T + second, 0.0)
    assert fresh.rate == MIN_RATE
    assert fresh.limit == 1.0


@pytest.mark.parametrize("seconds", [0.5, 1.0, 30.0, 60.0])
def test_retry_after_is_honoured(seconds: float) -> None:
    budget = refused(retry_after=seconds)
    assert budget.wait(T + seconds - 0.25) >= 0.25
    assert budget.wait(T + seconds + 0.1) == 0.0


def test_a_later_retry_after_counts_even_within_one_burst() -> None:
    budget = refused(retry_after=1.0)
    budget.refused(T + 0.1, 30.0)
    budget.refused(T + 0.2, 0.0)
    assert budget.wait(T + 29) > 1.0


def test_those_who_waited_for_the_end_of_a_pause_do_not_all_go_at_once() -> None:
    """What is held until Retry-After is over leaves at the rate, one after the other."""
    budget = refused(retry_after=10.0)
    gone = []
    for _ in range(4):
        wait = budget.wait(T + 9.9)
        budget.take(T + 9.9)
        gone.append(T + 9.9 + wait)
    gaps = [later - earlier for earlier, later in itertools.pairwise(gone)]
    assert gone[0] >= T + 10.0
    assert gaps == pytest.approx([1 / budget.rate] * 3)


def test_a_pause_earns_nothing() -> None:
    """Growth counts the seconds in which requests went, not those of a pause that was asked for."""
    budget = refused(retry_after=30.0)
    rate = budget.rate
    budget.wait(T + 30.0)
    assert budget.rate == rate


def test_paces_by_a_few_milliseconds() -> None:
    budget = refused(sent=960, in_flight=40)  # 500 a second from now on
    for _ in range(40):
        budget.give_back()
    waits = []
    for _ in range(8):
        waits.append(budget.wait(T))
        budget.take(T)
    assert waits == pytest.approx([0.002 * n for n in range(1, 9)])
    assert sum(wait <= FEW_MILLISECONDS for wait in waits) == 8


def test_grows_back_slowly_and_is_forgotten_after_a_minute() -> None:
    budget = refused(sent=200)
    rates = []
    for second in range(1, 61):
        budget.wait(T + second)
        rates.append(budget.rate)
    assert rates[0] < 1.25 * 100
    assert all(earlier < later < 1.3 * earlier for earlier, later in itertools.pairwise(rates))
    assert budget.is_short(T + FORGET_AFTER)
    assert not budget.is_short(T + FORGET_AFTER + 0.01)
    assert budget.wait(T + FORGET_AFTER + 0.01) == 0.0
    assert (budget.rate, budget.limit) == (math.inf, MAX)


def test_is_forgotten_by_one_that_nobody_asks() -> None:
    """`is_short` is what stops hedges for a whole group: it may not need a request to change its mind."""
    budget = refused()
    assert budget.is_short(T + 1)
    assert not budget.is_short(T + FORGET_AFTER + 1)


def test_is_short_after_a_pause_too() -> None:
    assert refused(retry_after=60.0).is_short(T + 90)


@given(
    sent=st.integers(0, 2000),
    steps=st.lists(st.floats(0.0001, 0.2), min_size=10, max_size=300),
    retry_after=st.sampled_from([0.0, 0.0, 0.5, 3.0]),
)
def test_never_more_in_any_window_than_the_rate_allows(
    sent: int, steps: list[float], retry_after: float
) -> None:
    budget = refused(retry_after, sent=sent)
    now, gone, most = T, [], 0.0
    for step in steps:
        now += step
        wait = budget.wait(now)
        most = max(most, budget.rate)
        if wait <= FEW_MILLISECONDS:
            budget.take(now)
            budget.give_back()
            gone.append(now + wait)
    assert all(time >= T + retry_after - 1e-6 for time in gone)
    burst = max(1.0, most * BURST)
    for first, start in enumerate(gone):
        for count, end in enumerate(gone[first:], 1):
            assert count <= burst + most * (end - start) + 1 + 1e-6


class AnyHistory(RuleBasedStateMachine):
    """Requests, answers and refusals in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(20)
        self.now = T
        self.open = 0

    @rule(seconds=st.floats(0.0, 70.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def asks(self) -> None:
        wait = self.budget.wait(self.now)
        assert wait >= 0.0
        if wait <= 1.0:
            self.budget.take(self.now)
            self.open += 1

    @precondition(lambda self: self.open)
    @rule(retry_after=st.one_of(st.none(), st.floats(0.0, 60.0)))
    def ends(self, retry_after: float | None) -> None:
        self.budget.give_back()
        self.open -= 1
        if retry_after is not None:
            self.budget.refused(self.now, retry_after)
            assert self.budget.is_short(self.now)

    @invariant()
    def counts_what_is_open(self) -> None:
        assert self.budget.in_flight == self.open <= 20

    @invariant()
    def stays_in_bounds(self) -> None:
        assert self.budget.rate >= MIN_RATE
        assert 1.0 <= self.budget.limit <= 20

    def teardown(self) -> None:
        while self.open:
            self.ends(None)
        assert self.budget.in_flight == 0
        assert self.budget.wait(self.now + 200) == 0.0


test_any_history = AnyHistory.TestCase
