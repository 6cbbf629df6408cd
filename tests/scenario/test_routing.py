"""Which group is asked: rules by domain, type and client, the first that matches; and clients that share no answers."""

import dns.rcode

from tests.scenario.messages import addresses
from tests.scenario.world import World, settle, story

RULES = """
[listen]
allow = ["127.0.0.0/8", "10.0.0.0/8", "::1/128"]

[routing]
default = "main"
rules = [
  { domains = ["special.corp.example"], group = "main" },
  { domains = ["corp.example", "10.in-addr.arpa"], group = "office" },
  { types = ["TXT"], domains = ["mixed.example"], group = "office" },
  { clients = ["10.1.0.0/16"], domains = ["games.example"], action = "block" },
  { clients = ["10.2.0.0/16"], group = "office" },
]
"""
GROUPS = ("main", "office")


async def group_of(world: World, name: str, rdtype: str = "A", host: str = "127.0.0.1") -> str:
    """The group that is asked; empty if none was."""
    before = {group: len(upstream.asked) for group, upstream in world.upstreams.items()}
    await world.ask(name, rdtype, host=host)
    asked = [group for group, upstream in world.upstreams.items() if len(upstream.asked) > before[group]]
    return "".join(asked)


@story(RULES, groups=GROUPS)
async def test_the_first_rule_that_matches_decides(world: World) -> None:
    assert await group_of(world, "www.corp.example.") == "office"
    assert await group_of(world, "corp.example.") == "office"
    assert await group_of(world, "www.special.corp.example.") == "main"
    assert await group_of(world, "www.example.com.") == "main"


@story(RULES, groups=GROUPS)
async def test_a_domain_ends_at_its_label(world: World) -> None:
    assert await group_of(world, "notcorp.example.") == "main"
    assert await group_of(world, "WWW.Corp.Example.") == "office"


@story(RULES, groups=GROUPS)
async def test_all_that_a_rule_says_must_match(world: World) -> None:
    assert await group_of(world, "www.mixed.example.", "TXT") == "office"
    assert await group_of(world, "www.mixed.example.", "A") == "main"
    assert await group_of(world, "www.other.example.", "TXT") == "main"


@story(RULES, groups=GROUPS)
async def test_an_explicit_rule_takes_a_zone_out_of_those_answered_here(world: World) -> None:
    assert await group_of(world, "1.0.0.10.in-addr.arpa.", "PTR") == "office"
    assert await group_of(world, "1.0.168.192.in-addr.arpa.", "PTR") == ""


@story(RULES, groups=GROUPS)
async def test_a_rule_for_clients_decides_for_them_alone(world: World) -> None:
    blocked = await world.ask("games.example.", host="10.1.2.3")
    assert addresses(blocked.message) == ["0.0.0.0"]
    free = await world.ask("games.example.", host="127.0.0.1")
    assert free.is_waiting, "the blocked client's answer is not theirs"
    world.upstream.answer("games.example. 300 A 192.0.2.1")
    await settle()
    assert addresses((await world.ask("games.example.", host="10.1.9.9")).message) == ["0.0.0.0"]
    assert addresses((await world.ask("games.example.", host="127.0.0.9")).message) == ["192.0.2.1"]


@story(RULES, groups=GROUPS)
async def test_clients_of_different_views_share_no_fetch(world: World) -> None:
    assert await group_of(world, "www.example.com.", host="10.2.0.1") == "office"
    assert await group_of(world, "www.example.com.", host="10.3.0.1") == "main"
    assert await group_of(world, "www.example.com.", host="127.0.0.1") == "", (
        "it waits with the client before"
    )


@story(RULES, groups=GROUPS)
async def test_a_rule_for_clients_without_domains_leaves_local_names_here(world: World) -> None:
    assert await group_of(world, "localhost.", host="10.2.0.1") == ""


@story('[local]\nzones_off = ["home.arpa", "10.in-addr.arpa"]')
async def test_zones_switched_off_are_resolved_like_any_other(world: World) -> None:
    assert await group_of(world, "nas.home.arpa.") == "main"
    assert await group_of(world, "1.0.0.10.in-addr.arpa.", "PTR") == "main"
    assert await group_of(world, "d.f.ip6.arpa.", "SOA") == ""


@story(RULES, groups=GROUPS)
async def test_a_client_that_may_not_ask_gets_nothing_looked_up(world: World) -> None:
    client = await world.ask(host="192.0.2.77")
    assert client.message.rcode() == dns.rcode.REFUSED
    assert not world.upstream.asked
