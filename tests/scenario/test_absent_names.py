"""A name that does not exist does not exist for any type; what only looks like that is asked for."""

import dns.rcode
import dns.rdatatype

from tests.scenario.messages import soa
from tests.scenario.world import World, settle, story

NAME = "www.example.com."
NO = soa("example.com.", 60, 60)


@story()
async def test_nxdomain_holds_for_all_types(world: World) -> None:
    await world.know(rcode="NXDOMAIN", authority=(NO,))
    world.clock.forward(20)
    for rdtype in ("AAAA", "HTTPS", "MX", "TYPE65400"):
        answer = (await world.ask(NAME, rdtype)).message
        assert answer.rcode() == dns.rcode.NXDOMAIN
        assert str(answer.question[0].rdtype) == str(dns.rdatatype.from_text(rdtype))
        assert answer.authority[0].ttl == 40
    assert len(world.upstream.asked) == 1
    hits = world.fast.statistics().hits
    await world.ask(NAME, "MX")
    assert world.fast.statistics().hits == hits + 1, "the second time it is looked up"


@story()
async def test_it_ends_when_that_ends(world: World) -> None:
    await world.know(rcode="NXDOMAIN", authority=(NO,))
    await world.ask(NAME, "MX")
    world.clock.forward(61)
    client = await world.ask(NAME, "TXT")
    assert client.is_waiting
    world.upstream.answer(f'{NAME} 60 TXT "now"')
    await settle()
    assert client.message.answer


@story()
async def test_nodata_says_nothing_of_other_types(world: World) -> None:
    await world.know(authority=(NO,))
    assert (await world.ask(NAME, "AAAA")).is_waiting
    world.upstream.answer()


@story()
async def test_an_alias_exists(world: World) -> None:
    await world.know(f"{NAME} 60 CNAME gone.example.com.", rcode="NXDOMAIN", authority=(NO,))
    assert (await world.ask(NAME, "CNAME")).is_waiting
    world.upstream.answer()


@story()
async def test_other_bits_and_names_are_asked_for(world: World) -> None:
    await world.know(rcode="NXDOMAIN", authority=(NO,))
    for name, form in ((NAME, {"do": True}), (NAME, {"flags": "RD CD"}), (f"below.{NAME}", {})):
        assert (await world.ask(name, "AAAA", **form)).is_waiting
        world.upstream.answer()
        await settle()


@story()
async def test_a_no_of_our_own_making_is_about_its_type(world: World) -> None:
    """A private address of a public name makes it no name; what it has beside is asked for."""
    await world.know(f"{NAME} 300 A 192.168.1.1")
    assert (await world.ask(NAME)).message.rcode() == dns.rcode.NXDOMAIN
    assert (await world.ask(NAME, "MX")).is_waiting
    world.upstream.answer()


@story('[routing]\nrules = [{ types = ["AAAA"], group = "other" }]', groups=("main", "other"))
async def test_another_group_may_know_better(world: World) -> None:
    """Two views of one name: what one group does not have the other may."""
    await world.know(rcode="NXDOMAIN", authority=(NO,))
    assert (await world.ask(NAME, "AAAA")).is_waiting
    world.upstreams["other"].answer()
