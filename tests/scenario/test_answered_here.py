"""What is answered here stays here: blocked, local and special names never reach an upstream, however old they get."""

import pytest

from tests.scenario.messages import addresses, error_codes
from tests.scenario.world import World, settle, story

BLOCKED = '[routing]\nrules = [{ domains = ["ads.example"], action = "block" }]\n'
LOCAL = ["localhost.", "nas.home.arpa.", "1.0.0.10.in-addr.arpa.", "printer.", "hidden.onion."]


@pytest.mark.parametrize("name", LOCAL)
def test_a_local_name_is_never_refreshed_from_upstream(name: str) -> None:
    """Asked in the last tenth of its TTL, after it, and a day later."""

    @story()
    async def play(world: World) -> None:
        first = (await world.ask(name)).message
        for seconds in (3400, 300, 86_400 + 3600):
            world.clock.forward(seconds)
            again = (await world.ask(name)).message
            assert again.rcode() == first.rcode()
            assert addresses(again) == addresses(first)
            await settle()
        assert not world.upstream.asked

    play()


@story(BLOCKED)
async def test_a_blocked_name_stays_blocked(world: World) -> None:
    for seconds in (0, 290, 20, 3600, 86_400):
        world.clock.forward(seconds)
        client = await world.ask("www.ads.example.", edns=True)
        assert addresses(client.message) == ["0.0.0.0"]
        assert 15 in error_codes(client.message)
        await settle()
    assert not world.upstream.asked


@story(BLOCKED)
async def test_what_is_answered_here_is_a_hit_the_second_time(world: World) -> None:
    await world.ask("www.ads.example.")
    misses = world.fast.statistics().misses
    await world.ask("www.ads.example.")
    await world.ask("WWW.ads.example.", edns=True)
    assert world.fast.statistics().misses == misses


@story(BLOCKED)
async def test_a_refresh_of_what_is_answered_here_makes_it_fresh(world: World) -> None:
    await world.ask("www.ads.example.")
    world.clock.forward(290)
    await world.ask("www.ads.example.")
    world.clock.forward(200)
    client = await world.ask("www.ads.example.", edns=True)
    assert error_codes(client.message) == [15], "not stale"
    assert client.message.answer[0].ttl == 100
