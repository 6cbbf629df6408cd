"""Every question is counted once, as what became of it, whether the table answered it or the spine."""

from __future__ import annotations

from collections import Counter

import pytest

from smartdoh.errors import Timeout
from smartdoh.fastpath.counts import Answered
from smartdoh.pipeline.asked import TIMED, Asked
from tests.builds import BUILDS, fast_path
from tests.scenario.messages import question
from tests.scenario.world import World, settle, story

RULES = """
[listen]
allow = ["127.0.0.0/8"]
[routing]
rules = [{ domains = ["ads.example"], action = "block" }]
"""
A = "www.example.com. 300 A 192.0.2.1"


def outcomes(world: World) -> dict[str, int]:
    """How many of each; all that was answered at all."""
    counts: Counter[str] = Counter()
    for one in (*world.fast.statistics().answered, *world.resolver.asked.answered()):
        counts[one.outcome] += one.count
    return dict(counts)


async def ask_for_all(world: World) -> None:
    """A miss, then a hit and a stale answer; twice each what is blocked, local and failed; three that are refused."""
    await world.know(A)
    await world.ask()
    world.clock.forward(301.0)
    await world.ask()
    world.upstream.answer(A)
    await settle()
    for _ in range(2):
        await world.ask("x.ads.example.")
        await world.ask("localhost.", "AAAA")
    failing = await world.ask("no.example.com.")
    world.upstream.fail(Timeout("dns.example", "no answer"))
    await settle()
    assert not failing.is_waiting
    await world.ask("no.example.com.")
    await world.ask("www.example.com.", host="192.0.2.9")
    await world.ask("www.example.com.", "AXFR")
    await world.ask("www.example.com.", "TSIG")


@pytest.mark.parametrize("build", BUILDS)
def test_each_question_counts_as_what_became_of_it(build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is blocked, local or failed stays so when the table answers it."""
    monkeypatch.setattr("tests.scenario.world.FastPath", fast_path(build))

    async def tell(world: World) -> None:
        await ask_for_all(world)
        assert outcomes(world) == {
            "miss": 1,
            "hit": 1,
            "stale": 1,
            "blocked": 2,
            "local": 2,
            "failed": 2,
            "refused": 3,
        }
        table = world.fast.statistics()
        assert (table.hits, table.stale, table.refused) == (4, 1, 1)
        assert [one for one in table.answered if one.outcome == "failed"] == [
            Answered("udp", "failed", 1, 2, 1)
        ]
        spine = world.resolver.asked.answered()
        assert [(one.qtype, one.rcode) for one in spine if one.outcome == "refused"] == [(250, 1), (252, 5)]

    story(RULES)(tell)()


@story(RULES)
async def test_what_waits_is_timed_by_outcome(world: World) -> None:
    await ask_for_all(world)
    found = world.resolver.asked.latency()
    assert {name: one.count for name, one in found.items()} == {
        "stale": 0,
        "miss": 1,
        "blocked": 1,
        "local": 1,
        "failed": 1,
    }
    assert all(sum(one.counts) == one.count and one.seconds >= 0 for one in found.values())


@story(RULES)
async def test_a_reload_goes_on_counting(world: World) -> None:
    """The questions that the old runtime still has under way are counted with those of the new one."""
    waiting = await world.ask()
    again = World(RULES, before=world)
    assert again.resolver.asked is world.resolver.asked
    world.upstream.answer(A)
    await settle()
    assert not waiting.is_waiting
    assert outcomes(again) == {"miss": 1}
    await again.end()


@story("[cache]\nstale_after = '1.8s'\n")
async def test_a_stale_answer_that_was_waited_for(world: World) -> None:
    await world.know(A)
    world.clock.forward(301.0)
    client = world.send(question())
    await settle()
    world.upstream.fail(Timeout("dns.example", "no answer"))
    await settle()
    assert not client.is_waiting
    assert outcomes(world) == {"miss": 1, "stale": 1}


def test_over_which_transport_and_of_which_type() -> None:
    asked = Asked()
    for outcome in TIMED:
        asked.add(outcome, 65, 0, 0.003, udp=False)
    asked.add(TIMED[0], 257, 3, 20.0, udp=True)
    found = asked.answered()
    assert found[0] == Answered("udp", "stale", 0, 3, 1)
    assert {(one.transport, one.qtype, one.count) for one in found[1:]} == {("tcp", 65, 1)}
    latency = asked.latency()["stale"]
    assert (latency.count, latency.counts[-1], round(latency.seconds, 3)) == (2, 1, 20.003)
    assert latency.counts[latency.bounds.index(0.005)] == 1
