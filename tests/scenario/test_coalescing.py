"""Identical questions in flight share one fetch, and each client gets its own answer."""

import dns.flags
import dns.rcode

from smartdoh.errors import Timeout
from tests.scenario.messages import addresses, error_codes, error_text
from tests.scenario.world import World, settle, story

A = "www.example.com. 300 A 192.0.2.1"


@story()
async def test_many_clients_one_fetch(world: World) -> None:
    spellings = ("www.example.com.", "WWW.example.com.", "wWw.ExAmPlE.cOm.")
    clients = [await world.ask(name, id=number) for number, name in enumerate(spellings * 5)]
    assert len(world.upstream.asked) == 1
    assert world.resolver.flights.waiting == 15
    world.upstream.answer(A)
    await settle()
    for number, client in enumerate(clients):
        assert client.message.id == number
        assert str(client.message.question[0].name) == spellings[number % 3]
        assert addresses(client.message) == ["192.0.2.1"]
    assert world.resolver.flights.waiting == len(world.resolver.flights) == 0


@story()
async def test_each_client_that_waited_is_in_the_histogram_once(world: World) -> None:
    for number in range(3):
        await world.ask(id=number)
    assert world.fast.statistics().waits.count == 0
    world.upstream.answer(A)
    await settle()
    await world.ask()
    assert world.fast.statistics().waits.count == 3
    assert 0 < world.fast.statistics().waits.seconds < 60


@story()
async def test_each_waiter_gets_its_own_edns_and_flags(world: World) -> None:
    plain = await world.ask(flags="RD")
    with_opt = await world.ask(edns=True, flags="RD AD")
    world.upstream.answer(A, ad=True)
    await settle()
    assert plain.message.edns == -1
    assert not plain.message.flags & dns.flags.AD
    assert with_opt.message.edns == 0
    assert with_opt.message.flags & dns.flags.AD


@story()
async def test_a_question_with_other_bits_in_its_key_is_a_fetch_of_its_own(world: World) -> None:
    await world.ask()
    await world.ask(do=True)
    await world.ask(flags="RD CD")
    await world.ask(rdtype="AAAA")
    assert len(world.upstream.asked) == 4
    for _ in range(4):
        world.upstream.answer()
    await settle()


@story()
async def test_a_waiter_that_leaves_ends_nothing(world: World) -> None:
    """Its reply goes nowhere, the other one's arrives, and the answer is kept."""
    leaver = await world.ask()
    stayer = await world.ask()
    leaver.reply = lambda wire: None  # type: ignore[method-assign]
    world.upstream.answer(A)
    await settle()
    assert addresses(stayer.message) == ["192.0.2.1"]
    assert addresses((await world.ask()).message) == ["192.0.2.1"]
    assert len(world.upstream.asked) == 1


@story()
async def test_a_failure_reaches_every_waiter(world: World) -> None:
    clients = [await world.ask(id=number, edns=True) for number in range(5)]
    world.upstream.fail(Timeout("nothing within 5 s", "dns.example"))
    await settle()
    for number, client in enumerate(clients):
        assert client.message.id == number
        assert client.message.rcode() == dns.rcode.SERVFAIL
        assert error_codes(client.message) == [22]
        assert "timeout" in error_text(client.message)


@story()
async def test_a_question_asked_while_the_answer_lands_is_a_hit(world: World) -> None:
    await world.know(A)
    again = world.send((await world.ask()).wire[:2] + world.upstream.asked[0].wire[2:])
    assert not again.is_waiting


@story()
async def test_closing_answers_those_who_wait(world: World) -> None:
    client = await world.ask()
    await world.resolver.flights.aclose()
    assert client.message.rcode() == dns.rcode.SERVFAIL
    assert len(world.resolver.flights) == 0


@story()
async def test_finish_waits_for_what_is_under_way(world: World) -> None:
    client = await world.ask()
    world.upstream.answer(A)
    assert client.is_waiting
    await world.resolver.flights.finish(10.0)
    assert addresses(client.message) == ["192.0.2.1"]
    await world.resolver.flights.finish(10.0)


@story()
async def test_finish_waits_no_longer_than_it_was_told(world: World) -> None:
    client = await world.ask()
    await world.resolver.flights.finish(0.0)
    assert client.is_waiting
