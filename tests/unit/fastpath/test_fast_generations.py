"""Generations: what another policy decided is a miss, and is there for whoever finds that it still holds."""

import pytest

from tests.scenario.fast import rig
from tests.scenario.messages import CLIENT, addresses, query, question

A, B = "www.example.com. 300 A 192.0.2.1", "www.example.com. 300 A 192.0.2.2"
KEY = query().key

pytestmark = pytest.mark.usefixtures("build")


def test_what_an_earlier_policy_kept_is_a_miss_that_can_be_stored_again() -> None:
    with rig() as fast:
        fast.store(question(), A)
        assert fast.fast.earlier(KEY) is None  # it is of this generation
        fast.fast.next_generation()
        assert fast.misses(question())
        assert fast.fast.peek(KEY) is None
        entry = fast.fast.earlier(KEY)
        assert entry is not None
        fast.clock.forward(100)
        fast.fast.store(KEY, entry.again(entry.stale))
        assert fast.fast.earlier(KEY) is None
        answer = fast.ask(question())
        assert addresses(answer) == ["192.0.2.1"]
        assert answer.answer[0].ttl == 200  # its times went on


def test_it_is_there_through_many_generations_but_not_through_a_flush() -> None:
    with rig() as fast:
        fast.store(question(), A)
        for _ in range(3):
            fast.fast.next_generation()
        assert fast.fast.earlier(KEY) is not None
        assert fast.fast.flush() == 1
        assert fast.fast.earlier(KEY) is None
        fast.store(question(), B)
        fast.fast.next_generation()
        assert fast.fast.earlier(KEY) is not None


def test_what_was_stored_for_an_earlier_generation_is_a_miss() -> None:
    with rig() as fast:
        before = fast.fast.generation
        entry = fast.store(question(), A)
        fast.fast.next_generation()
        assert fast.fast.generation != before
        fast.fast.store(KEY, entry.again(entry.stale), before)
        assert fast.misses(question())
        assert fast.fast.earlier(KEY) is not None


def test_an_answer_to_a_question_from_before_a_flush_does_not_come_back() -> None:
    with rig() as fast:
        before = fast.fast.generation
        entry = fast.store(question(), A)
        fast.fast.flush()
        fast.fast.store(KEY, entry.again(entry.stale), before)
        assert fast.misses(question())
        assert fast.fast.earlier(KEY) is None


def test_stored_again_it_has_its_origin_and_times_and_another_time_to_be_stale() -> None:
    with rig() as fast:
        entry = fast.store(question(), A)
        other = entry.again(77.0)
        for name in ("wire", "origin", "stored", "expires", "refresh_at", "rcode", "ede", "source", "ad"):
            assert getattr(other, name) == getattr(entry, name)
        assert other.stale_until == entry.expires + 77.0


def test_a_change_of_policy_asks_anew_who_may_ask_and_keeps_what_is_counted() -> None:
    with rig() as fast:
        fast.store(question(), A)
        fast.ask(question())
        fast.fast.change_policy(lambda host: None, stale_at_once=True)
        assert addresses(fast.ask(question())) == []  # REFUSED
        counts = fast.fast.statistics()
        assert (counts.hits, counts.refused, counts.entries) == (1, 1, 1)
        fast.fast.change_policy(lambda host: 0 if host == CLIENT else None, stale_at_once=True)
        assert fast.misses(question())


def test_a_change_of_policy_changes_whether_stale_answers_come_at_once() -> None:
    with rig() as fast:
        fast.fast.change_policy(lambda host: 0, stale_at_once=False)
        fast.store(question(), A)
        fast.clock.forward(400)
        assert fast.misses(question())
        fast.fast.change_policy(lambda host: 0, stale_at_once=True)
        entry = fast.fast.earlier(KEY)
        assert entry is not None
        fast.fast.store(KEY, entry.again(entry.stale))
        assert addresses(fast.ask(question())) == ["192.0.2.1"]
