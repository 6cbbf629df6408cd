"""What clients hear when no upstream answers, and how long it is remembered (RFC 9520, RFC 8914)."""

import dns.rcode
import pytest

from smartdoh.errors import BadCertificate, BadReply, Limited, NetworkDown, Timeout, UpstreamError
from tests.scenario.messages import addresses, error_codes, error_text, soa
from tests.scenario.world import World, settle, story

A = "www.example.com. 300 A 192.0.2.1"


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (Timeout("no answer in 5 s"), 22, "timeout"),
        (NetworkDown("connection refused"), 23, "network"),
        (BadCertificate("expired"), 23, "certificate"),
        (BadReply("HTTP 500"), 22, "bad answer"),
        (Limited("HTTP 429"), 22, "rate limit"),
    ],
)
def test_a_failure_says_what_it_was(error: UpstreamError, code: int, word: str) -> None:
    @story()
    async def play(world: World) -> None:
        with_edns, without = await world.ask(edns=True), await world.ask()
        world.upstream.fail(error)
        await settle()
        assert with_edns.message.rcode() == without.message.rcode() == dns.rcode.SERVFAIL
        assert error_codes(with_edns.message) == [code]
        assert word in error_text(with_edns.message)
        assert without.message.edns == -1

    play()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("SERVFAIL", dns.rcode.SERVFAIL),
        ("REFUSED", dns.rcode.REFUSED),
        ("FORMERR", dns.rcode.SERVFAIL),
        ("NOTIMP", dns.rcode.SERVFAIL),
        ("YXDOMAIN", dns.rcode.YXDOMAIN),
    ],
)
def test_what_an_upstream_says_of_our_own_wording_is_our_failure(said: str, told: int) -> None:
    @story()
    async def play(world: World) -> None:
        client = await world.ask(edns=True)
        world.upstream.answer(rcode=said)
        await settle()
        assert client.message.rcode() == told
        assert error_codes(client.message) == [0]
        assert error_text(client.message).startswith("upstream said")

    play()


@story()
async def test_failures_are_kept_1_2_4_and_5_seconds(world: World) -> None:
    """Each time, nothing is asked until that is over; clients hear that the error is a kept one."""
    for seconds in (1, 2, 4, 5, 5):
        client = await world.ask(edns=True)
        assert client.is_waiting
        world.upstream.fail(Timeout("late"))
        await settle()
        assert error_codes(client.message) == [22]
        world.clock.forward(seconds - 0.001)
        kept = await world.ask(edns=True)
        assert kept.message.rcode() == dns.rcode.SERVFAIL
        assert error_codes(kept.message) == [22, 13]
        world.clock.forward(0.001)


@story()
async def test_success_resets_the_back_off(world: World) -> None:
    for _ in range(3):
        await world.ask()
        world.upstream.fail(Timeout("late"))
        await settle()
        world.clock.forward(5)
    await world.know(A)
    world.clock.forward(300 + 86_400)
    await world.ask()
    world.upstream.fail(Timeout("late"))
    await settle()
    world.clock.forward(1)
    assert (await world.ask()).is_waiting


@story()
async def test_a_pause_without_failures_resets_the_back_off(world: World) -> None:
    for _ in range(4):
        await world.ask()
        world.upstream.fail(Timeout("late"))
        await settle()
        world.clock.forward(5)
    world.clock.forward(5)
    await world.ask()
    world.upstream.fail(Timeout("late"))
    await settle()
    world.clock.forward(1)
    assert (await world.ask()).is_waiting


@story()
async def test_a_kept_failure_is_never_given_stale(world: World) -> None:
    await world.ask()
    world.upstream.answer(rcode="REFUSED")
    await settle()
    world.clock.forward(1)
    client = await world.ask()
    assert client.is_waiting
    world.upstream.answer(A)
    await settle()
    assert addresses(client.message) == ["192.0.2.1"]


@story()
async def test_a_failure_without_dnssec_says_nothing_of_a_question_with_it(world: World) -> None:
    await world.ask()
    world.upstream.fail(Timeout("late"))
    await settle()
    assert (await world.ask(do=True)).is_waiting


@story()
async def test_no_without_soa_is_told_and_not_kept(world: World) -> None:
    client = await world.ask()
    world.upstream.answer(rcode="NXDOMAIN")
    await settle()
    assert client.message.rcode() == dns.rcode.NXDOMAIN
    assert (await world.ask()).is_waiting


@story()
async def test_ttl_0_is_for_those_who_wait_alone(world: World) -> None:
    clients = [await world.ask(), await world.ask()]
    world.upstream.answer("www.example.com. 0 A 192.0.2.1")
    await settle()
    assert [addresses(client.message) for client in clients] == [["192.0.2.1"]] * 2
    assert (await world.ask()).is_waiting


@story()
async def test_no_data_for_one_type_says_nothing_of_another(world: World) -> None:
    await world.know(rdtype="AAAA", authority=(soa("example.com.", 60, 60),))
    assert (await world.ask(rdtype="A")).is_waiting
    again = await world.ask(rdtype="AAAA")
    assert again.message.rcode() == dns.rcode.NOERROR
    assert not again.message.answer
