"""Old answers (RFC 8767): who gets them, when they are asked for again, what takes their place."""

import dns.flags
import dns.rcode

from smartdoh.errors import NetworkDown, Timeout
from tests.scenario.messages import addresses, error_codes, soa, ttls
from tests.scenario.world import World, settle, story

OLD = "www.example.com. 300 A 192.0.2.1"
NEW = "www.example.com. 300 A 192.0.2.2"
DAY = 86_400


async def make_stale(world: World) -> None:
    await world.know(OLD)
    world.clock.forward(301)


@story()
async def test_a_stale_answer_comes_at_once_and_is_refreshed_behind(world: World) -> None:
    await make_stale(world)
    client = await world.ask(edns=True)
    assert addresses(client.message) == ["192.0.2.1"]
    assert ttls(client.message) == [30]
    assert error_codes(client.message) == [3]
    assert world.upstream.waiting == 1
    world.upstream.answer(NEW)
    await settle()
    fresh = await world.ask()
    assert addresses(fresh.message) == ["192.0.2.2"]
    assert ttls(fresh.message) == [300]


@story()
async def test_a_stale_no_says_so_with_a_code_of_its_own(world: World) -> None:
    await world.know(rcode="NXDOMAIN", authority=(soa("example.com.", 60, 60),))
    world.clock.forward(61)
    client = await world.ask(edns=True)
    assert client.message.rcode() == dns.rcode.NXDOMAIN
    assert error_codes(client.message) == [19]
    assert ttls(client.message) == [30]
    world.upstream.answer(NEW)
    await settle()
    assert addresses((await world.ask()).message) == ["192.0.2.2"]


@story()
async def test_one_refresh_is_under_way_at_a_time(world: World) -> None:
    await make_stale(world)
    for _ in range(5):
        assert addresses((await world.ask()).message) == ["192.0.2.1"]
    assert world.upstream.waiting == 1
    world.clock.forward(31)
    await world.ask()
    assert world.upstream.waiting == 1, "due again, but the first has not landed"


@story()
async def test_a_failed_refresh_leaves_the_stale_answer_and_waits_30_seconds(world: World) -> None:
    await make_stale(world)
    await world.ask()
    world.upstream.fail(Timeout("late"))
    await settle()
    for _ in range(29):
        world.clock.forward(1)
        assert addresses((await world.ask()).message) == ["192.0.2.1"]
    assert world.upstream.waiting == 0
    world.clock.forward(1)
    await world.ask()
    assert world.upstream.waiting == 1


@story()
async def test_a_servfail_or_refused_leaves_the_stale_answer(world: World) -> None:
    for rcode in ("SERVFAIL", "REFUSED"):
        name = f"{rcode.lower()}.example.com."
        await world.know(f"{name} 300 A 192.0.2.1", name=name)
        world.clock.forward(301)
        await world.ask(name)
        world.upstream.answer(rcode=rcode)
        await settle()
        assert addresses((await world.ask(name)).message) == ["192.0.2.1"]


@story()
async def test_nxdomain_takes_the_place_of_a_stale_answer(world: World) -> None:
    await make_stale(world)
    await world.ask()
    world.upstream.answer(rcode="NXDOMAIN", authority=(soa("example.com.", 60, 60),))
    await settle()
    assert (await world.ask()).message.rcode() == dns.rcode.NXDOMAIN


@story()
async def test_an_answer_that_may_not_be_kept_ends_a_stale_one_too(world: World) -> None:
    """A name that now has TTL 0, or is gone without an SOA record, must not come back as it was a day ago."""
    for number, (records, rcode) in enumerate((((0,), "NOERROR"), ((), "NXDOMAIN"))):
        name = f"n{number}.example.com."
        await world.know(f"{name} 300 A 192.0.2.1", name=name)
        world.clock.forward(301)
        await world.ask(name)
        world.upstream.answer(*(f"{name} {ttl} A 192.0.2.2" for ttl in records), rcode=rcode)
        await settle()
        client = await world.ask(name)
        assert client.is_waiting, f"{name}: the stale answer is still given"
        world.upstream.answer(rcode="REFUSED")
        await settle()


@story()
async def test_the_stale_window_counts_from_the_expiry_and_ends(world: World) -> None:
    await make_stale(world)
    world.clock.forward(DAY - 2)
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    world.upstream.fail(Timeout("late"))
    await settle()
    world.clock.forward(1)
    client = await world.ask()
    assert client.is_waiting, "serving it stale does not make it live longer"


@story()
async def test_after_the_window_a_failure_is_told(world: World) -> None:
    await make_stale(world)
    world.clock.forward(DAY)
    client = await world.ask()
    world.upstream.fail(NetworkDown("no route"))
    await settle()
    assert client.message.rcode() == dns.rcode.SERVFAIL


@story()
async def test_a_client_that_wants_no_recursion_never_gets_a_stale_answer(world: World) -> None:
    await make_stale(world)
    client = await world.ask(flags="")
    assert client.is_waiting
    world.upstream.fail(Timeout("late"))
    await settle()
    assert client.message.rcode() == dns.rcode.SERVFAIL
    assert addresses((await world.ask()).message) == ["192.0.2.1"], "the failure did not shadow the data"


@story('[cache]\nstale = "0s"')
async def test_stale_off_is_off(world: World) -> None:
    await make_stale(world)
    assert (await world.ask()).is_waiting


@story()
async def test_a_failed_refresh_of_fresh_data_changes_nothing(world: World) -> None:
    await world.know(OLD)
    world.clock.forward(290)
    await world.ask()
    assert world.upstream.waiting == 1, "in the last tenth of its TTL it is fetched again"
    world.upstream.fail(Timeout("late"))
    await settle()
    client = await world.ask()
    assert addresses(client.message) == ["192.0.2.1"]
    assert ttls(client.message) == [10]


@story()
async def test_names_asked_in_the_last_tenth_never_go_stale(world: World) -> None:
    await world.know(OLD)
    world.clock.forward(269)
    await world.ask()
    assert world.upstream.waiting == 0
    world.clock.forward(1)
    await world.ask()
    world.upstream.answer(NEW)
    await settle()
    world.clock.forward(200)
    client = await world.ask()
    assert addresses(client.message) == ["192.0.2.2"]
    assert ttls(client.message) == [100]


@story("[cache]\nprefetch = false")
async def test_without_prefetch_nothing_is_fetched_before_it_ends(world: World) -> None:
    await world.know(OLD)
    world.clock.forward(299)
    await world.ask()
    assert world.upstream.waiting == 0


# With stale_after, RFC 8767's client response timer


@story('[cache]\nstale_after = "30s"')
async def test_a_fresh_answer_within_stale_after_is_what_the_client_gets(world: World) -> None:
    await make_stale(world)
    client = await world.ask()
    assert client.is_waiting
    world.upstream.answer(NEW)
    await settle()
    assert addresses(client.message) == ["192.0.2.2"]


@story('[cache]\nstale_after = "10ms"')
async def test_past_stale_after_the_client_gets_the_stale_answer_once(world: World) -> None:
    await make_stale(world)
    client = await world.ask(edns=True)
    await client.answered()
    assert addresses(client.message) == ["192.0.2.1"]
    assert error_codes(client.message) == [3]
    world.upstream.answer(NEW)
    await settle()
    assert len(client.got) == 1
    assert addresses((await world.ask()).message) == ["192.0.2.2"]


@story('[cache]\nstale_after = "30s"')
async def test_a_failure_within_stale_after_gives_the_stale_answer_at_once(world: World) -> None:
    await make_stale(world)
    client = await world.ask()
    world.upstream.fail(Timeout("late"))
    await settle()
    assert addresses(client.message) == ["192.0.2.1"]


@story('[cache]\nstale_after = "30s"')
async def test_a_failure_with_stale_after_holds_off_for_30_seconds_too(world: World) -> None:
    """While a failure is remembered nothing is asked (RFC 9520 section 3.2, RFC 8767 section 5)."""
    await make_stale(world)
    await world.ask()
    world.upstream.fail(Timeout("late"))
    await settle()
    for _ in range(29):
        world.clock.forward(1)
        client = await world.ask()
        assert addresses(client.message) == ["192.0.2.1"]
        assert ttls(client.message) == [30]
    assert world.upstream.waiting == 0
    world.clock.forward(1)
    assert (await world.ask()).is_waiting


@story('[cache]\nstale_after = "10ms"')
async def test_no_stale_answer_is_promised_to_a_client_without_rd(world: World) -> None:
    await make_stale(world)
    unwilling = await world.ask(flags="")
    await (await world.ask()).answered()
    assert unwilling.is_waiting
    world.upstream.answer(NEW)
    await settle()
    assert addresses(unwilling.message) == ["192.0.2.2"]
