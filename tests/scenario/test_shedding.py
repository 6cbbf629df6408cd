"""Too much at once, in virtual time: who is served, who hears at once that he is not, and what is kept all the same."""

from collections.abc import Awaitable, Callable

import dns.rcode
import pytest

from smartdoh.errors import Overloaded, Timeout
from smartdoh.pipeline.zones import BURST
from smartdoh.wire import names
from tests import virtual_time
from tests.scenario.messages import addresses, error_codes, error_text
from tests.scenario.world import Client, World, played_in, settle

A = "www.example.com. 300 A 192.0.2.1"
FULL = "too many questions are waiting"


class Limited(World):
    """A world in which nobody may be left waiting."""

    async def end(self) -> None:
        await super().end()
        assert self.resolver.flights.waiting == len(self.resolver.flights) == 0


def shedding(text: str) -> Callable[[Callable[[World], Awaitable[None]]], Callable[[], None]]:
    """Make a test of a story in a world with these [limits], in virtual time."""
    return played_in(lambda: Limited(f"[limits]\n{text}"), virtual_time.run)


async def ask_many(world: World, count: int, host: str, zone: str = "example.com") -> list[Client]:
    return [await world.ask(f"{host}-{number}.{zone}.", host=host, edns=True) for number in range(count)]


def is_shed(client: Client) -> bool:
    return not client.is_waiting and error_text(client.message) == FULL


@shedding("questions = 4")
async def test_a_lone_client_has_every_place_and_the_next_question_hears_so_at_once(world: World) -> None:
    """A stub or a router's cache in front brings everybody's questions from one address."""
    first = await ask_many(world, 4, "127.0.0.1")
    late = await world.ask("late.example.com.", host="127.0.0.1", edns=True)
    assert (late.message.rcode(), error_text(late.message)) == (dns.rcode.SERVFAIL, FULL)
    assert all(client.is_waiting for client in first)
    world.upstream.answer()
    await settle()
    again = await world.ask("late.example.com.", host="127.0.0.1")
    assert again.is_waiting, "there is room, and the refusal was not kept"


@shedding("questions = 6")
async def test_few_of_many_come_before_many_of_few(world: World) -> None:
    greedy = await ask_many(world, 6, "192.168.1.66")
    modest = [(await ask_many(world, 1, f"192.168.1.{number}"))[0] for number in (1, 2, 3)]
    assert all(client.is_waiting for client in modest)
    assert [is_shed(client) for client in greedy] == [False] * 3 + [True] * 3, "the newest went"
    assert is_shed((await ask_many(world, 1, "192.168.1.66"))[0]), "its share is used up"


@shedding("questions = 2")
async def test_what_lost_its_place_is_kept_and_not_sent(world: World) -> None:
    greedy = await ask_many(world, 2, "192.168.1.66")
    await ask_many(world, 1, "192.168.1.1")
    assert is_shed(greedy[1])
    for query in list(world.upstream.asked):
        world.upstream.answer(f"{names.to_text(query.name)} 300 A 192.0.2.1")
    await settle()
    assert len(greedy[1].got) == 1
    asked = len(world.upstream.asked)
    assert not (await world.ask("192.168.1.66-1.example.com.")).is_waiting
    assert len(world.upstream.asked) == asked


@shedding("questions = 1")
async def test_cached_names_come_first_and_refreshes_last(world: World) -> None:
    await world.know(A)
    await ask_many(world, 1, "192.168.1.66")
    assert is_shed((await ask_many(world, 1, "192.168.1.66"))[0])
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    world.clock.forward(299)
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    assert len(world.upstream.asked) == 2, "no refresh"
    assert (await world.ask("localhost.")).message.rcode() == dns.rcode.NOERROR


@shedding('wait = "5s"')
async def test_nobody_waits_longer_than_he_would_listen(world: World) -> None:
    client = await world.ask(edns=True)
    began = world.resolver._loop.time()
    await client.answered()
    assert 5.0 <= world.resolver._loop.time() - began <= 5.5
    assert client.message.rcode() == dns.rcode.SERVFAIL
    assert error_codes(client.message) == [22]
    assert len(world.resolver.flights) == 1
    world.upstream.answer(A)
    await settle()
    assert len(client.got) == 1, "late answers are not sent"
    assert addresses((await world.ask()).message) == ["192.0.2.1"], "but kept"


@shedding('wait = "5s"')
async def test_who_joined_later_waits_as_long_himself(world: World) -> None:
    first = await world.ask()
    await first.answered()
    second = await world.ask()
    assert second.is_waiting
    world.upstream.answer(A)
    await settle()
    assert addresses(second.message) == ["192.0.2.1"]


@shedding("questions = 1")
async def test_fetches_that_nobody_waits_for_are_bounded_too(world: World) -> None:
    for number in range(2):
        await (await world.ask(f"n{number}.example.com.")).answered()
    assert (len(world.resolver.flights), world.resolver.flights.waiting) == (2, 0)
    assert is_shed(await world.ask("late.example.com.", edns=True))


@shedding("zone_failures = 2")
async def test_a_flooded_zone_has_its_budget_and_the_rest_of_the_world_is_served(world: World) -> None:
    most = int(2 * 2 * BURST)
    flood = await ask_many(world, most + 10, "192.168.1.66", "victim.example")
    for client in flood[most:]:
        assert client.message.rcode() == dns.rcode.SERVFAIL
        assert error_text(client.message) == "too many names of this zone do not exist"
    assert len(world.upstream.asked) == most
    assert (await world.ask("www.other.example.")).is_waiting
    for _ in range(most):
        world.upstream.fail(Timeout("silence", "a"))
    await settle()
    assert not (await world.ask("new.victim.example.")).is_waiting, "time alone pays"
    world.upstream.answer()


@shedding("zone_failures = 2")
async def test_names_that_exist_cost_their_zone_nothing(world: World) -> None:
    for number in range(50):
        name = f"n{number}.example.com."
        await world.know(f"{name} 300 A 192.0.2.1", name=name)
    assert len(world.upstream.asked) == 50
    assert world.resolver.zones.throttled == 0


@shedding('zone_failures = 2\n[cache]\nstale_after = "1s"')
async def test_what_is_known_of_a_flooded_zone_is_asked_for_again(world: World) -> None:
    await world.know(A)
    await ask_many(world, int(2 * 2 * BURST) + 10, "192.168.1.66")
    assert world.resolver.zones.throttled
    world.clock.forward(400)
    assert (await world.ask()).is_waiting


@pytest.mark.parametrize("stale", ['"0s"', '"1d"'])
def test_a_group_with_too_much_to_do_says_so_and_nothing_is_kept(stale: str) -> None:
    @shedding(f'zone_failures = 1\n[cache]\nstale_after = "1s"\nstale = {stale}')
    async def play(world: World) -> None:
        await world.know(A)
        world.clock.forward(400)
        client = await world.ask(edns=True)
        world.upstream.fail(Overloaded("too many questions wait for it", "a"))
        await settle()
        if stale == '"1d"':
            assert addresses(client.message) == ["192.0.2.1"]
        else:
            assert error_text(client.message) == "too busy: a"
        assert (await world.ask()).is_waiting
        world.upstream.answer(A)

    play()
