"""The policies that the eviction benchmark compares."""

from bench.scenarios import zipf


def test_fifo_forgets_in_the_order_of_arrival() -> None:
    ask = zipf.fifo()
    for rank in range(zipf.CAPACITY):
        ask(rank)
    assert ask(0)
    ask(zipf.CAPACITY)
    assert not ask(0)


def test_lru_forgets_what_was_not_asked_longest() -> None:
    ask = zipf.lru()
    for rank in range(zipf.CAPACITY):
        ask(rank)
    assert ask(0)
    ask(zipf.CAPACITY)
    assert ask(0)
    assert not ask(1)


def test_a_kept_answer_is_a_hit_of_smartdoh() -> None:
    ask = zipf.smartdoh()
    assert [ask(1), ask(1), ask(2)] == [False, True, False]


def test_the_trace_is_skewed_and_repeatable() -> None:
    trace = zipf.make_trace(1)
    assert trace == zipf.make_trace(1)
    assert 0.06 < trace.count(0) / len(trace) < 0.11  # 1 / (1 + 1/2 + ... + 1/100,000) = 0.083
