"""The ledger: a count for each name, group and upstream, bounded, and gone once it was taken."""

from __future__ import annotations

from smartdoh.app.ledger import Leaves, Ledger
from smartdoh.upstream.group import Failover, Parallel
from tests.scripted_members import ask, fails, members, query, says, timed
from tests.virtual_time import run

A, B = query("a.example"), query("b.example")


def test_every_request_counts_also_one_that_failed() -> None:
    async def main() -> None:
        ledger = Ledger()
        both, first = Parallel("both", members(says(), fails()), 5.0), Failover("first", members(says()), 5.0)
        ledger.watch([both, first], is_wanted=True)
        await timed(ask(both, question=A))
        await timed(ask(both, question=A))
        await timed(ask(first, question=B))
        assert ledger.take() == (
            [
                Leaves(A.name, "both", "a", 2),
                Leaves(A.name, "both", "b", 2),
                Leaves(B.name, "first", "a", 1),
            ],
            0,
        )
        assert ledger.take() == ([], 0)
        await timed(ask(first, question=B))
        assert ledger.take() == ([Leaves(B.name, "first", "a", 1)], 0)

    run(main())


def test_a_probe_is_ours_and_does_not_count() -> None:
    async def main() -> None:
        ledger = Ledger()
        group = Failover("first", members(says()), 5.0)
        ledger.watch([group], is_wanted=True)
        await group.members[0].probe(A, 10.0)
        assert ledger.take() == ([], 0)

    run(main())


def test_what_finds_no_room_is_counted() -> None:
    async def main() -> None:
        ledger = Ledger(room=1)
        group = Failover("first", members(says()), 5.0)
        ledger.watch([group], is_wanted=True)
        for question in (A, B, A, B):
            await timed(ask(group, question=question))
        assert ledger.take() == ([Leaves(A.name, "first", "a", 2)], 2)
        await timed(ask(group, question=B))
        assert ledger.take() == ([Leaves(B.name, "first", "a", 1)], 0), "there is room again"

    run(main())


def test_nothing_is_counted_where_nobody_wants_it() -> None:
    async def main() -> None:
        ledger = Ledger()
        group = Failover("first", members(says()), 5.0)
        ledger.watch([group], is_wanted=True)
        ledger.watch([group], is_wanted=False)
        await timed(ask(group, question=A))
        assert ledger.take() == ([], 0)
        assert group.members[0].sent is None

    run(main())
