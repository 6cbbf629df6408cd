"""Equal shares: who loses a place, whose turn it is, and that the counts are right whatever happens."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from smartdoh.fair import FairQueue


def filled(most: int, *clients: str) -> FairQueue[tuple[str, int]]:
    queue: FairQueue[tuple[str, int]] = FairQueue(most)
    for number, client in enumerate(clients):
        assert queue.add(client, (client, number)) is None
    return queue


def test_a_lone_client_may_have_every_place_and_no_more() -> None:
    queue = filled(5, *"aaaaa")
    assert queue.add("a", ("a", 9)) == ("a", 9)
    assert len(queue) == 5


def test_who_has_few_gets_the_newest_place_of_who_has_most() -> None:
    queue = filled(6, *"aaaabb")
    assert queue.add("c", ("c", 9)) == ("a", 3)
    assert queue.add("c", ("c", 10)) == ("a", 2)
    assert queue.add("c", ("c", 11)) == ("c", 11), "each has two of six"
    assert queue.add("b", ("b", 12)) == ("b", 12)


def test_many_with_one_each_leave_no_place_for_more() -> None:
    queue = filled(3, *"abc")
    assert queue.add("d", ("d", 9)) == ("d", 9)


def test_turns_go_round() -> None:
    queue = filled(9, *"aaaabbc")
    assert [queue.take()[0] for _ in range(7)] == list("abcabaa")
    assert len(queue) == queue.clients == 0


def test_a_fewer_places_than_before_are_given_up_by_and_by() -> None:
    queue = filled(9, *"aaaaaaaab")
    queue.most = 4
    assert queue.add("c", ("c", 9)) == ("a", 7)
    assert queue.add("a", ("a", 10)) == ("a", 10)


def test_the_same_again_changes_nothing() -> None:
    queue = filled(2, "a")
    assert queue.add("a", ("a", 0)) is None
    assert len(queue) == 1
    queue.discard("b", ("b", 0))
    queue.discard("a", ("a", 7))
    assert len(queue) == 1


def test_the_oldest_of_everybody_go_first() -> None:
    queue = filled(9, *"aabba")
    assert sorted(queue.take_oldest(lambda item: item[1] < 3)) == [("a", 0), ("a", 1), ("b", 2)]
    assert len(queue) == 2


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["add", "add", "take", "discard"]))),
    st.integers(1, 8),
)
def test_counts_and_shares_hold(steps: list[tuple[str, str]], most: int) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(most)
    there: set[tuple[str, int]] = set()
    for number, (client, verb) in enumerate(steps):
        if verb == "take" and there:
            there.remove(queue.take())
        elif verb == "discard" and there:
            gone = min(there)
            queue.discard(gone[0], gone)
            there.remove(gone)
        elif verb == "add":
            held = Counter(name for name, _ in there)
            loser = queue.add(client, (client, number))
            there.add((client, number))
            if loser is not None:
                there.remove(loser)
                assert len(there) == most, "a place was free"
                if loser[0] == client:
                    assert held[client] >= most // len({*held, client})
                else:
                    assert held[loser[0]] > held[client]
        assert len(queue) == len(there) <= most
        assert queue.clients == len({name for name, _ in there})
