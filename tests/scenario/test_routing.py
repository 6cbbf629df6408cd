"""Which group is asked: rules by domain, type and client, the first that matches; and clients that share no answers."""

import ipaddress
from datetime import timedelta

import dns.rcode

from smartdoh.app.overrides import wall_clock
from smartdoh.errors import Timeout
from smartdoh.rules.overrides import Override, Overrides, parse_key
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


# Overrides that change while an answer is under way


@story()
async def test_what_an_old_policy_fetched_is_not_kept_under_a_new_one(world: World) -> None:
    """The client that waits gets it; blocked meanwhile, the name is blocked for the next one."""
    early = await world.ask("x.example.com.")
    world.decisions.overrides = overrides(Override(is_blocked=True))
    world.upstream.answer("x.example.com. 300 A 192.0.2.1")
    await settle()
    assert addresses(early.message) == ["192.0.2.1"]
    assert addresses((await world.ask("x.example.com.")).message) == ["0.0.0.0"]


@story()
async def test_a_failure_of_an_old_policy_is_not_kept_either(world: World) -> None:
    early = await world.ask("x.example.com.")
    world.decisions.overrides = overrides(Override(addresses=(ipaddress.ip_address("192.0.2.7"),)))
    world.upstream.fail(Timeout("late"))
    await settle()
    assert early.message.rcode() == dns.rcode.SERVFAIL
    assert addresses((await world.ask("x.example.com.")).message) == ["192.0.2.7"]


@story(groups=GROUPS)
async def test_what_was_fetched_while_an_override_ended_is_not_kept(world: World) -> None:
    until = wall_clock() + timedelta(hours=1)
    world.decisions.overrides = overrides(Override(group="office", until=until))
    assert await group_of(world, "x.example.com.") == "office"
    world.decisions._now = lambda: until
    world.upstreams["office"].answer("x.example.com. 300 A 192.0.2.1")
    await settle()
    assert await group_of(world, "x.example.com.") == "main"


@story(groups=GROUPS)
async def test_an_override_that_holds_keeps_what_it_fetched(world: World) -> None:
    world.decisions.overrides = overrides(Override(group="office"))
    await world.ask("x.example.com.")
    world.upstreams["office"].answer("x.example.com. 300 A 192.0.2.1")
    await settle()
    assert addresses((await world.ask("x.example.com.")).message) == ["192.0.2.1"]


def overrides(override: Override) -> Overrides:
    return Overrides({parse_key("x.example.com"): [override]})
