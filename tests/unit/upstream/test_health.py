"""Health: what is made of latencies and failures, with a clock that only the test moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.upstream import health as numbers
from smartdoh.upstream.health import UNKNOWN_LATENCY, UNKNOWN_P95, Health

T = 5000.0


def answer(health: Health, latency: float, now: float = T, times: int = 1) -> None:
    for _ in range(times):
        health.asked(now)
        health.answered(now + latency, latency)


def fail(health: Health, now: float = T) -> bool:
    health.asked(now)
    return health.failed(now)


def failing(times: int) -> tuple[Health, float]:
    """One that failed so many times, each after its rest, and when it failed last."""
    health, now = Health(), T
    for _ in range(times):
        now = max(now, health.rest_until)
        fail(health, now)
    return health, now


def test_unknown_is_good_enough_to_be_tried() -> None:
    health = Health()
    assert (health.latency, health.p95) == (UNKNOWN_LATENCY, UNKNOWN_P95)
    assert not health.is_doubtful(T)
    assert not health.is_due(T)


def test_first_latency_is_taken_whole_and_later_ones_by_an_eighth() -> None:
    health = Health()
    answer(health, 0.100)
    assert health.latency == pytest.approx(0.100)
    answer(health, 0.020)
    assert health.latency == pytest.approx(0.100 - 0.080 / 8)


def test_percentile_needs_sixteen_answers() -> None:
    health = Health()
    answer(health, 0.01, times=15)
    assert health.p95 == UNKNOWN_P95
    answer(health, 0.01)
    assert health.p95 == pytest.approx(0.01)


@given(st.lists(st.floats(0.0001, 5.0), min_size=64, max_size=300))
def test_percentile_is_of_the_last_samples(latencies: list[float]) -> None:
    health = Health()
    for latency in latencies:
        answer(health, latency)
    counted = latencies[: len(latencies) // 16 * 16][-64:]
    assert sum(latency <= health.p95 for latency in counted) >= 0.95 * len(counted)
    assert sum(latency < health.p95 for latency in counted) <= 0.95 * len(counted)


def test_one_slow_answer_in_a_hundred_does_not_move_the_percentile() -> None:
    health = Health()
    for number in range(320):
        answer(health, 1.0 if number % 100 == 50 else 0.02)
    assert health.p95 == pytest.approx(0.02)


def test_one_failure_is_no_reason_to_rest() -> None:
    health, now = failing(1)
    assert not health.is_doubtful(now)


@pytest.mark.parametrize(
    ("failures", "rest"),
    [(2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 16.0), (7, 32.0), (8, 60.0), (9, 60.0), (50, 60.0)],
)
def test_rests_grow(failures: int, rest: float) -> None:
    health, now = failing(failures)
    assert health.rest_until - now == pytest.approx(rest)
    assert health.is_doubtful(now)
    assert not health.is_due(now + rest - 0.01)
    assert health.is_due(now + rest)


def test_after_its_rest_it_is_due_but_doubtful_until_it_has_answered() -> None:
    health, now = failing(2)
    later = now + 1.0
    assert health.is_due(later)
    assert health.is_doubtful(later)
    answer(health, 0.02, later)
    assert not health.is_due(later + 1)
    assert not health.is_doubtful(later + 1)


def test_one_probe_at_a_time() -> None:
    health, now = failing(2)
    health.asked(now + 1.0)
    assert not health.is_due(now + 1.5)
    health.failed(now + 1.6)
    assert health.rest_until == pytest.approx(now + 3.6)


def test_a_probe_that_is_never_answered_is_repeated_after_a_while() -> None:
    health, now = failing(2)
    health.asked(now + 1.0)
    assert health.is_due(now + 1.0 + numbers.PROBE)


def test_the_requests_of_one_broken_connection_are_two_failures_at_most() -> None:
    health = Health()
    for _ in range(500):
        health.asked(T)
    news = [health.failed(T + 0.1) for _ in range(500)]
    assert news == [True, True] + [False] * 498
    assert health.rest_until == pytest.approx(T + 0.1 + 1.0)


def test_a_good_answer_ends_everything() -> None:
    health, now = failing(8)
    answer(health, 0.02, now)
    assert (health.failures, health.is_doubtful(now + 1)) == (0, False)
    fail(health, now + 2)
    fail(health, now + 2)
    assert health.rest_until == pytest.approx(now + 3)


def test_silence_while_requests_wait_is_doubtful() -> None:
    health = Health()
    answer(health, 0.02, times=64)
    health.asked(T + 10)
    assert not health.is_doubtful(T + 10 + numbers.STALLED - 0.01)
    assert health.is_doubtful(T + 10 + numbers.STALLED + 0.05)
    health.answered(T + 11, 1.0)
    assert not health.is_doubtful(T + 20)


def test_silence_without_requests_is_none() -> None:
    health = Health()
    answer(health, 0.02)
    assert not health.is_doubtful(T + 100_000)


def test_one_slow_name_among_answers_is_no_silence() -> None:
    health = Health()
    answer(health, 0.02, times=64)
    health.asked(T)
    for step in range(100):
        answer(health, 0.02, T + step * 0.1)
        assert not health.is_doubtful(T + step * 0.1 + 0.05)


def test_a_slow_upstream_may_be_silent_for_longer() -> None:
    health = Health()
    answer(health, 0.5, times=64)
    health.asked(T + 10)
    assert not health.is_doubtful(T + 11.9)
    assert health.is_doubtful(T + 12.1)


def test_an_end_that_says_nothing_is_counted_as_heard() -> None:
    health = Health()
    health.asked(T)
    health.ended(T + 1)
    assert not health.is_doubtful(T + 100)
    assert health.failures == 0


def test_a_contradiction_counts_as_failure() -> None:
    health = Health()
    for _ in range(2):
        health.asked(T)
        health.ended(T)
        assert health.contradicted(T + 0.1)
    assert health.is_doubtful(T + 0.2)


def test_what_failed_on_another_way_is_forgiven() -> None:
    """It is neither resting nor due nor silent: the first to be asked, and two failures from the next rest."""
    health, now = failing(5)
    health.asked(now)
    health.forgive(now + 10)
    assert not health.is_doubtful(now + 10.1)
    assert not health.is_due(now + 100)
    assert health.failed(now + 11)
    assert not health.is_doubtful(now + 11)
    fail(health, now + 12)
    assert health.is_doubtful(now + 12)
