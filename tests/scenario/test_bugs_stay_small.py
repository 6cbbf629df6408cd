"""A bug in one step costs the question that met it, and nothing else."""

import dns.rcode

from smartdoh.model import Answer, Query, Route
from smartdoh.wire.names import from_text
from tests.scenario.messages import CLIENT, addresses, error_text, question
from tests.scenario.world import Client, Datagrams, World, settle, story

CURSED = from_text("cursed.example.com")
A = "www.example.com. 300 A 192.0.2.1"


def broken_stage(query: Query, route: Route) -> Answer | None:
    if query.name == CURSED:
        raise RuntimeError("a bug in a stage")
    return None


def broken_shaper(query: Query, route: Route, answer: Answer) -> Answer:
    if query.name == CURSED:
        raise RuntimeError("a bug in a shaper")
    return answer


@story(extra_stages=(broken_stage,))
async def test_a_bug_in_a_stage_costs_only_its_question(world: World) -> None:
    """Two good questions come in the same turn, one before it and one behind."""
    datagrams, clients = Datagrams(), [Client() for _ in range(3)]
    for name in ("www.example.com.", "cursed.example.com.", "mail.example.com."):
        datagrams.waiting.append((question(name, edns=True), (CLIENT, 5353)))
    for client, (query, _) in zip(clients, world.fast.drain(datagrams), strict=True):
        world.resolver.submit(query, client.reply, udp=True)
    assert clients[1].message.rcode() == dns.rcode.SERVFAIL
    assert "inside smartdoh" in error_text(clients[1].message)
    await settle()
    assert [str(bug) for bug in world.bugs] == ["a bug in a stage"]
    world.bugs.clear()
    world.upstream.answer(A)
    world.upstream.answer("mail.example.com. 300 A 192.0.2.2")
    await settle()
    assert addresses(clients[0].message) == ["192.0.2.1"]
    assert addresses(clients[2].message) == ["192.0.2.2"]
    assert len(world.resolver.flights) == 0


@story(shapers=(broken_shaper,))
async def test_a_bug_in_a_shaper_costs_only_its_question(world: World) -> None:
    client, other = await world.ask("cursed.example.com.", edns=True), await world.ask()
    world.upstream.answer("cursed.example.com. 300 A 192.0.2.1")
    world.upstream.answer(A)
    await settle()
    assert client.message.rcode() == dns.rcode.SERVFAIL
    assert "inside smartdoh" in error_text(client.message)
    assert addresses(other.message) == ["192.0.2.1"]
    assert [str(bug) for bug in world.bugs] == ["a bug in a shaper"]
    world.bugs.clear()
    assert (await world.ask("cursed.example.com.")).is_waiting, "and nothing of it is kept"


@story()
async def test_a_bug_in_an_upstream_costs_only_its_question(world: World) -> None:
    client, other = await world.ask(), await world.ask("mail.example.com.")
    world.upstream.fail(ZeroDivisionError("a bug in an upstream"))
    await settle()
    assert client.message.rcode() == dns.rcode.SERVFAIL
    assert other.is_waiting
    assert len(world.resolver.flights) == 1
    assert [str(bug) for bug in world.bugs] == ["a bug in an upstream"]
    world.bugs.clear()


@story(shapers=(broken_shaper,))
async def test_a_bug_while_refreshing_leaves_what_is_kept(world: World) -> None:
    broken, world.resolver._shapers = world.resolver._shapers, ()
    await world.know("cursed.example.com. 300 A 192.0.2.1", name="cursed.example.com.")
    world.resolver._shapers = broken
    world.clock.forward(301)
    await world.ask("cursed.example.com.")
    world.upstream.answer("cursed.example.com. 300 A 192.0.2.2")
    await settle()
    assert addresses((await world.ask("cursed.example.com.")).message) == ["192.0.2.1"]
    assert len(world.bugs) == 1
    world.bugs.clear()
