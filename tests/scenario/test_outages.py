"""Failures that were the network's are forgotten when it is back; those of a name by itself are kept for their time."""

import dns.rcode

from smartdoh.errors import Limited, NetworkDown, Timeout
from tests.scenario.messages import addresses, soa
from tests.scenario.world import World, settle, story

A = "www.example.com. 300 A 192.0.2.1"
OTHER = "mail.example.com. 300 A 192.0.2.2"


async def fail(world: World, name: str = "www.example.com.") -> None:
    await world.ask(name)
    world.upstream.fail(NetworkDown("unreachable"))
    await settle()
    assert (await world.ask(name)).message.rcode() == dns.rcode.SERVFAIL, "it is kept"


@story()
async def test_the_first_answer_ends_an_outage(world: World) -> None:
    await fail(world)
    await world.ask("mail.example.com.")
    world.upstream.answer(OTHER)
    await settle()
    client = await world.ask()
    assert client.is_waiting
    world.upstream.answer(A)
    await settle()
    assert addresses(client.message) == ["192.0.2.1"]


@story()
async def test_a_name_that_fails_beside_others_is_kept(world: World) -> None:
    """Its own failure: asking again at once would be what RFC 9520 forbids."""
    await world.ask()
    await world.ask("mail.example.com.")
    world.upstream._waiting.rotate(-1)
    world.upstream.answer(OTHER)
    await settle()
    world.upstream.fail(Timeout("no answer in 5 s"))
    await settle()
    await world.ask("new.example.com.")
    world.upstream.answer("new.example.com. 300 A 192.0.2.3")
    await settle()
    assert (await world.ask()).message.rcode() == dns.rcode.SERVFAIL


@story()
async def test_what_an_upstream_said_is_no_outage(world: World) -> None:
    """NXDOMAIN and SERVFAIL that came from it stay, and so does our own refusal to ask more."""
    await world.ask("no.example.com.")
    world.upstream.answer(authority=(soa("example.com.", 60, 60),), rcode="NXDOMAIN")
    await settle()
    await world.ask("ill.example.com.")
    world.upstream.answer(rcode="SERVFAIL")
    await settle()
    await world.ask("busy.example.com.")
    world.upstream.fail(Limited("HTTP 429"))
    await settle()
    world.resolver.outages.end()
    for name in ("no.example.com.", "ill.example.com.", "busy.example.com."):
        assert not (await world.ask(name)).is_waiting


@story()
async def test_another_network_ends_it_too(world: World) -> None:
    await fail(world)
    world.resolver.outages.end()
    assert (await world.ask()).is_waiting


@story()
async def test_stale_data_is_asked_for_again_at_once(world: World) -> None:
    """Not only 30 s after the refresh that failed in the outage."""
    await world.know(A)
    world.clock.forward(301)
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    world.upstream.fail(NetworkDown("unreachable"))
    await settle()
    await world.ask()
    assert world.upstream.waiting == 0, "the next try waits"
    world.resolver.outages.end()
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    await settle()
    assert world.upstream.waiting == 1
    world.upstream.answer("www.example.com. 300 A 192.0.2.9")
    await settle()
    assert addresses((await world.ask()).message) == ["192.0.2.9"]
