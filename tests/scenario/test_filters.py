"""Stories of answers that are not passed on as they came: fetched, kept, stale, and after a change of policy."""

from __future__ import annotations

from pathlib import Path

import dns.rcode
import pytest

from smartdoh.rules.lists import compile_list, compiled_path, open_list
from smartdoh.rules.overrides_file import parse_overrides
from tests.scenario.messages import addresses, error_codes, soa
from tests.scenario.world import World, settle, story

WWW = "www.example.com."
PRIVATE = f"{WWW} 300 A 192.168.1.1"
PUBLIC = f"{WWW} 300 A 203.0.113.1"
ALLOWED = '[local]\nrebind_allow = ["example.com"]\n'
BLOCKED = '[routing]\nrules = [{ domains = ["tracker.example"], action = "block" }]\n'
ALIAS = (f"{WWW} 300 CNAME tracker.example.", "tracker.example. 300 A 203.0.113.1")
BOGUS = Path(__file__).parents[1] / "data/lists/bogus-nxdomain.conf"


async def rcode(world: World, **form: object) -> dns.rcode.Rcode:
    client = await world.ask(**form)  # type: ignore[arg-type]
    return client.message.rcode()


# Rebinding


@story()
async def test_a_name_that_turns_private_is_no_name(world: World) -> None:
    """The attack: the page's own name, with another address a moment later."""
    await world.know(PUBLIC.replace("300", "1"))
    world.clock.forward(2)
    client = await world.ask(edns=True)
    assert addresses(client.message) == ["203.0.113.1"], "stale"
    world.upstream.answer(PRIVATE)
    await settle()
    client = await world.ask(edns=True)
    assert client.message.rcode() == dns.rcode.NXDOMAIN
    assert error_codes(client.message) == [15]


@story()
async def test_it_stays_no_name_while_it_is_kept_and_stale(world: World) -> None:
    await world.know(PRIVATE)
    for seconds in (0, 299, 100, 3600):
        world.clock.forward(seconds)
        client = await world.ask(edns=True)
        assert client.message.rcode() == dns.rcode.NXDOMAIN
        assert 15 in error_codes(client.message)
    assert len(world.upstream.asked) == 2, "one refresh, which nobody answered"
    world.upstream.answer(PUBLIC)
    await settle()
    assert addresses((await world.ask()).message) == ["203.0.113.1"]


@story()
async def test_a_policy_that_allows_it_gets_it(world: World) -> None:
    """Nothing that the other policy decided is left, in either direction."""
    await world.know(PRIVATE)
    allowing = World(ALLOWED, before=world)
    client = await allowing.ask()
    assert client.is_waiting, "what was kept is the other policy's word"
    allowing.upstream.answer(PRIVATE)
    await settle()
    assert addresses(client.message) == ["192.168.1.1"]
    again = World(before=allowing)
    assert await rcode(again) == dns.rcode.NXDOMAIN
    assert not again.upstream.waiting, "the answer itself was known"


@story(BLOCKED)
async def test_what_is_answered_here_is_nobodys_to_judge(world: World) -> None:
    world.decisions.overrides = parse_overrides('{"nas.example.com": "192.168.1.5"}', ["main"], "overrides")
    assert addresses((await world.ask("nas.example.com.")).message) == ["192.168.1.5"]
    assert addresses((await world.ask("localhost.")).message) == ["127.0.0.1"]
    assert addresses((await world.ask("tracker.example.")).message) == ["0.0.0.0"]


# Aliases


@story(BLOCKED)
async def test_an_alias_of_a_blocked_name_is_blocked_and_kept(world: World) -> None:
    await world.know(*ALIAS)
    misses = world.fast.statistics().misses
    for seconds in (0, 100, 150):
        world.clock.forward(seconds)
        client = await world.ask(edns=True)
        assert addresses(client.message) == ["0.0.0.0"]
        assert 15 in error_codes(client.message)
    assert world.fast.statistics().misses == misses


@story('[block]\nanswer = "refused"\n' + BLOCKED)
async def test_a_refusal_is_kept_but_never_stale(world: World) -> None:
    """Else each question for such a name would be one upstream."""
    await world.know(*ALIAS)
    world.clock.forward(200)
    assert await rcode(world) == dns.rcode.REFUSED
    assert len(world.upstream.asked) == 1
    world.clock.forward(200)
    assert (await world.ask()).is_waiting
    world.upstream.answer(PUBLIC)
    await settle()
    assert addresses((await world.ask()).message) == ["203.0.113.1"]


@story()
async def test_a_name_that_gets_blocked_takes_its_aliases_with_it(world: World) -> None:
    await world.know(*ALIAS)
    assert addresses((await world.ask()).message) == ["203.0.113.1"]
    world.decisions.overrides = parse_overrides('{"tracker.example": "block"}', ["main"], "overrides")
    world.fast.next_generation()  # as the file's watcher does
    assert addresses((await world.ask()).message) == ["0.0.0.0"]
    world.decisions.overrides = parse_overrides("{}", ["main"], "overrides")
    world.fast.next_generation()
    client = await world.ask()
    world.upstream.answer(*ALIAS)
    await settle()
    assert addresses(client.message) == ["203.0.113.1"]


# Addresses for "no such name"


@story(
    '[lists.fake]\nfile = "fake.conf"\nformat = "addresses"\n[groups.main]\nupstreams = ["https://192.0.2.1"]\n'
    'bogus_nxdomain = "fake"\n',
    groups=(),
)
async def test_bogus_addresses_are_no_such_name(world: World) -> None:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fake.conf"
        file.write_bytes(BOGUS.read_bytes())
        compile_list(file, "addresses", compiled_path(file))
        names = open_list(file, "addresses", compiled_path(file))
    await world.know(f"{WWW} 60 A 198.51.100.7")
    assert addresses((await world.ask()).message) == ["198.51.100.7"], "there is no list yet"
    world.bogus.lists = {"fake": names}
    world.fast.next_generation()  # as whoever keeps the lists does
    client = await world.ask(edns=True)
    assert client.message.rcode() == dns.rcode.NXDOMAIN
    await world.know(f"{WWW} 60 AAAA 2001:db8:bad::5", rdtype="AAAA")
    assert await rcode(world, rdtype="AAAA") == dns.rcode.NXDOMAIN
    await world.know("mail.example.com. 60 A 198.51.100.8", name="mail.example.com.")
    assert addresses((await world.ask("mail.example.com.")).message) == ["198.51.100.8"]


# IPv6


AAAA = f"{WWW} 300 AAAA 2001:db8::1"
GROUP = '[groups.main]\nupstreams = ["https://192.0.2.1"]\nipv6 = "{}"\n'


@story(GROUP.format("drop"), groups=())
async def test_no_ipv6(world: World) -> None:
    await world.know(AAAA, rdtype="AAAA")
    client = await world.ask(rdtype="AAAA", edns=True)
    assert (client.message.rcode(), client.message.answer) == (dns.rcode.NOERROR, [])
    assert error_codes(client.message) == [17]
    await world.know(PUBLIC)
    assert addresses((await world.ask()).message) == ["203.0.113.1"]


@pytest.mark.parametrize("is_first", [True, False], ids=["A first", "AAAA first"])
def test_no_ipv6_where_there_is_ipv4(is_first: bool) -> None:
    """Which of the two answers comes first does not matter."""

    @story(GROUP.format("drop_if_ipv4"), groups=())
    async def play(world: World) -> None:
        client = await world.ask(rdtype="AAAA")
        assert sorted(asked.qtype for asked in world.upstream.asked) == [1, 28]
        world.upstream.answer_to(1 if is_first else 28, PUBLIC if is_first else AAAA)
        await settle()
        assert client.is_waiting
        world.upstream.answer(AAAA if is_first else PUBLIC)
        await settle()
        assert client.message.answer == []
        assert addresses((await world.ask()).message) == ["203.0.113.1"], "and is known"

    play()


@story(GROUP.format("drop_if_ipv4"), groups=())
async def test_names_with_ipv6_alone_keep_it(world: World) -> None:
    client = await world.ask(rdtype="AAAA")
    world.upstream.answer_to(1, authority=(soa("example.com.", 600, 600),))
    world.upstream.answer(AAAA)
    await settle()
    assert addresses(client.message) == ["2001:db8::1"]
    before = len(world.upstream.asked)
    world.fast.next_generation()
    assert addresses((await world.ask(rdtype="AAAA")).message) == ["2001:db8::1"]
    assert len(world.upstream.asked) == before


@story(GROUP.format("drop_if_ipv4"), groups=())
async def test_a_name_whose_ipv4_addresses_cannot_be_had_keeps_its_ipv6(world: World) -> None:
    client = await world.ask(rdtype="AAAA")
    world.upstream.answer_to(1, rcode="SERVFAIL")
    world.upstream.answer(AAAA)
    await settle()
    assert addresses(client.message) == ["2001:db8::1"]
