"""Another policy on the same table: what still holds goes on, what was decided otherwise is decided anew."""

import dns.rcode

from smartdoh.errors import Timeout
from smartdoh.rules.overrides import Override, Overrides, parse_key
from tests.scenario.messages import addresses, question
from tests.scenario.world import Client, Datagrams, World, settle, story

A, B = "www.example.com. 300 A 192.0.2.1", "www.example.com. 300 A 192.0.2.2"
GROUPS = ("main", "office")
TO_OFFICE = '[routing]\ndefault = "main"\nrules = [{ domains = ["example.com"], group = "office" }]\n'
TO_MAIN = '[routing]\ndefault = "main"\nrules = [{ domains = ["example.com"], group = "main" }]\n'
BLOCKED = '[routing]\ndefault = "main"\nrules = [{ domains = ["example.com"], action = "block" }]\n'
DEFAULT = '[routing]\ndefault = "main"\n'
SLOW_STALE = '[cache]\nstale_after = "1.8s"\n'


def asked(world: World) -> int:
    return sum(len(upstream.asked) for upstream in world.upstreams.values())


@story(DEFAULT, groups=GROUPS)
async def test_an_answer_of_the_same_group_goes_on_with_its_times(world: World) -> None:
    await world.know(A)
    world.clock.forward(100)
    again = World(TO_MAIN, groups=GROUPS, before=world)
    client = await again.ask()
    assert addresses(client.message) == ["192.0.2.1"]
    assert client.message.answer[0].ttl == 200
    assert asked(again) == 1
    assert again.fast.statistics().misses == 2
    await again.ask()
    assert again.fast.statistics().hits == 1  # the table has it again


@story(DEFAULT, groups=GROUPS)
async def test_an_answer_of_another_group_is_asked_anew(world: World) -> None:
    await world.know(A)
    again = World(TO_OFFICE, groups=GROUPS, before=world)
    client = await again.ask()
    assert client.is_waiting
    again.upstreams["office"].answer(B)
    await settle()
    assert addresses(client.message) == ["192.0.2.2"]


@story(DEFAULT, groups=GROUPS)
async def test_what_is_blocked_now_is_blocked_and_what_was_blocked_is_asked(world: World) -> None:
    await world.know(A)
    blocked = World(BLOCKED, groups=GROUPS, before=world)
    assert addresses((await blocked.ask()).message) == ["0.0.0.0"]
    again = World(DEFAULT, groups=GROUPS, before=blocked)
    assert (await again.ask()).is_waiting
    await again.end()


@story(DEFAULT)
async def test_other_bounds_of_lives_begin_anew(world: World) -> None:
    """They are in every answer that was made, as the fingerprint of those on disk has it."""
    await world.know(A)
    again = World('[cache]\nmax_ttl = "10s"\n', before=world)
    assert (await again.ask()).is_waiting
    await again.end()


@story('[cache]\nstale = "1d"\n')
async def test_how_long_answers_may_be_stale_is_the_new_policy_s(world: World) -> None:
    await world.know(A)
    world.clock.forward(400)
    shorter = World('[cache]\nstale = "1m"\n', before=world)
    assert (await shorter.ask()).is_waiting
    longer = World('[cache]\nstale = "1h"\n', before=shorter)
    client = await longer.ask()
    assert addresses(client.message) == ["192.0.2.1"]
    assert longer.upstream.waiting == 2  # it is asked for behind that
    await shorter.end()
    await longer.end()


@story(SLOW_STALE)
async def test_a_stale_one_waits_for_a_fetch_where_the_policy_says_so(world: World) -> None:
    await world.know(A)
    world.clock.forward(400)
    again = World(SLOW_STALE, before=world)
    client = await again.ask()
    assert client.is_waiting
    again.upstream.fail(Timeout("silent", "upstream"))
    await settle()
    assert addresses(client.message) == ["192.0.2.1"]


@story()
async def test_a_failure_is_not_taken_over(world: World) -> None:
    client = await world.ask()
    world.upstream.fail(Timeout("silent", "upstream"))
    await settle()
    assert client.message.rcode() == dns.rcode.SERVFAIL
    again = World(before=world)
    assert (await again.ask()).is_waiting
    await again.end()


@story()
async def test_questions_read_together_are_all_answered_by_what_the_first_found(world: World) -> None:
    await world.know(A)
    again = World(before=world)
    datagrams, clients = Datagrams(), [Client() for _ in range(3)]
    datagrams.waiting.extend((question(), ("127.0.0.1", 5353)) for _ in clients)
    misses = again.fast.drain(datagrams)
    assert len(misses) == len(clients)
    for (query, _), client in zip(misses, clients, strict=True):
        again.resolver.submit(query, client.reply, udp=True)
        assert addresses(client.message) == ["192.0.2.1"]
    assert asked(again) == 1


# What lands after the policy has changed


@story(DEFAULT, groups=GROUPS)
async def test_an_answer_that_comes_late_counts_where_the_new_policy_leads_there(world: World) -> None:
    waiting = await world.ask()
    again = World(TO_MAIN, groups=GROUPS, before=world)
    world.upstream.answer(A)
    await settle()
    assert addresses(waiting.message) == ["192.0.2.1"]
    assert addresses((await again.ask()).message) == ["192.0.2.1"]
    assert asked(again) == 1


@story(DEFAULT, groups=GROUPS)
async def test_an_answer_that_comes_late_is_not_the_new_policy_s(world: World) -> None:
    waiting = await world.ask()
    again = World(TO_OFFICE, groups=GROUPS, before=world)
    world.upstream.answer(A)
    await settle()
    assert addresses(waiting.message) == ["192.0.2.1"]
    client = await again.ask()
    assert client.is_waiting
    again.upstreams["office"].answer(B)
    await settle()
    assert addresses(client.message) == ["192.0.2.2"]
    assert addresses((await again.ask()).message) == ["192.0.2.2"]


@story(DEFAULT, groups=GROUPS)
async def test_an_answer_that_comes_late_does_not_push_out_the_new_policy_s(world: World) -> None:
    waiting = await world.ask()
    again = World(TO_OFFICE, groups=GROUPS, before=world)
    client = await again.ask()
    again.upstreams["office"].answer(B)
    await settle()
    world.upstream.answer(A)
    await settle()
    assert addresses(waiting.message) == ["192.0.2.1"]
    assert addresses(client.message) == ["192.0.2.2"]
    assert addresses((await again.ask()).message) == ["192.0.2.2"]
    assert asked(again) == 2


@story(DEFAULT, groups=GROUPS)
async def test_a_refresh_that_comes_late_takes_the_place_of_what_it_was_to_refresh(world: World) -> None:
    await world.know(A)
    world.clock.forward(280)
    await world.ask()  # late in its life: it is fetched again
    assert world.upstream.waiting == 1
    again = World(TO_MAIN, groups=GROUPS, before=world)
    assert addresses((await again.ask()).message) == ["192.0.2.1"]
    world.upstream.answer(B)
    await settle()
    assert addresses((await again.ask()).message) == ["192.0.2.2"]
    assert asked(again) == 2


@story()
async def test_a_failure_that_comes_late_is_for_those_who_wait_alone(world: World) -> None:
    waiting = await world.ask()
    again = World(before=world)
    world.upstream.fail(Timeout("silent", "upstream"))
    await settle()
    assert waiting.message.rcode() == dns.rcode.SERVFAIL
    assert again.fast.statistics().entries == 0


@story(SLOW_STALE)
async def test_who_waits_for_a_failure_that_comes_late_gets_what_is_known(world: World) -> None:
    await world.know(A)
    world.clock.forward(400)
    waiting = await world.ask()
    assert waiting.is_waiting
    World(SLOW_STALE, before=world)
    world.upstream.fail(Timeout("silent", "upstream"))
    await settle()
    assert addresses(waiting.message) == ["192.0.2.1"]


@story()
async def test_the_policy_that_counts_is_the_one_that_chose_the_group(world: World) -> None:
    """And not the one in force when the fetch got its first turn."""
    world.send(question())
    world.fast.next_generation()
    await settle()
    before = world.fast.generation
    world.upstream.answer(A)
    await settle()
    query = world.upstream.asked[0]
    assert world.fast.generation == before
    assert world.fast.peek(query.key) is None
    assert world.fast.earlier(query.key) is not None


# Within one config: lists and overrides


@story()
async def test_a_list_that_was_updated_costs_no_answer_that_still_holds(world: World) -> None:
    await world.know(A)
    world.fast.next_generation()
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    assert len(world.upstream.asked) == 1


@story(DEFAULT, groups=GROUPS)
async def test_an_override_decides_before_what_was_kept(world: World) -> None:
    await world.know(A)
    key = parse_key("example.com")
    world.decisions.overrides = Overrides({key: (Override(group="office"),)})
    world.fast.next_generation()
    assert (await world.ask()).is_waiting
    assert len(world.upstreams["office"].asked) == 1
    await world.end()
