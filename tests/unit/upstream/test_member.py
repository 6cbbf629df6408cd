"""A member: what it makes of a reply, and what health, budget and bootstrap hear of it; in virtual time."""

import asyncio
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from smartdoh.errors import BadCertificate, BadReply, Limited, NetworkDown, Timeout, UpstreamError
from smartdoh.model import Answer
from smartdoh.tasks import Tasks
from smartdoh.upstream.member import Member
from smartdoh.upstream.reply import Reply
from smartdoh.wire import compose
from smartdoh.wire.codes import AD
from tests.scripted_members import (
    NXDOMAIN,
    QUERY,
    SERVFAIL,
    Act,
    ScriptedMember,
    ScriptedTransport,
    answer_wire,
    fails,
    hangs,
    limits,
    says,
)
from tests.virtual_time import run

WIRE = compose.upstream_query(QUERY)


async def outcome_of(member: Member, wait: float = 0.0) -> Any:
    """What one request came to."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    member.ask(QUERY, WIRE, lambda _, outcome: future.set_result(outcome), wait)
    return await future


def reply(wire: bytes, age: int = 0, **options: Any) -> Any:
    """What a member makes of these bytes."""

    async def main() -> Any:
        member = ScriptedMember("a", says(Reply(wire, age)), **options)
        outcome = await outcome_of(member)
        assert member.budget.in_flight == 0
        return outcome

    return run(main())


def rich(rcode: dns.rcode.Rcode = dns.rcode.NOERROR, *options: dns.edns.Option, ad: bool = False) -> bytes:
    """An answer with an OPT record before another additional record."""
    message = dns.message.make_response(dns.message.from_wire(WIRE))
    message.set_rcode(rcode)
    message.use_edns(0, options=list(options))
    message.flags |= dns.flags.AD if ad else 0
    message.answer.append(dns.rrset.from_text("www.example.com.", 300, "IN", "A", "203.0.113.7"))
    message.additional.append(dns.rrset.from_text("ns.example.com.", 300, "IN", "A", "203.0.113.8"))
    return message.to_wire()


def test_an_answer_is_made_ready_to_be_kept() -> None:
    answer = reply(rich(), age=7)
    assert isinstance(answer, Answer)
    assert (answer.source, answer.age, answer.ede) == ("a", 7, b"")
    read = dns.message.from_wire(answer.wire)
    assert read.edns == -1
    assert [str(rrset[0]) for rrset in (*read.answer, *read.additional)] == ["203.0.113.7", "203.0.113.8"]
    assert all(answer.wire[at : at + 4] == b"\0\0\1\x2c" for at in answer.scan.ttl_offsets)


@pytest.mark.parametrize("trust", [True, False])
def test_whether_the_ad_bit_is_believed(trust: bool) -> None:
    assert bool(reply(rich(ad=True), trust_ad=trust).scan.flags & AD) is trust


def test_an_extended_error_says_whose_it_is() -> None:
    answer = reply(
        rich(dns.rcode.SERVFAIL, dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "bad signature"))
    )
    assert answer.ede[4:6] == b"\0\6"
    assert answer.ede[6:] == b"a: bad signature"


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        WIRE,
        answer_wire(WIRE)[:-1],
        answer_wire(WIRE) + b"\0",
        b"\1" + answer_wire(WIRE)[1:],
        b"<html>" * 50,
    ],
    ids=["empty", "the query", "cut", "junk", "id", "html"],
)
def test_what_is_no_answer_counts_as_failure(wire: bytes) -> None:
    async def main() -> None:
        member = ScriptedMember("a", says(Reply(wire, 0)))
        outcome = await outcome_of(member)
        assert isinstance(outcome, BadReply)
        assert outcome.upstream == "a"
        assert member.health.failures == 1

    run(main())


@pytest.mark.parametrize("rcode", [0, NXDOMAIN])
def test_a_good_answer_is_a_sample(rcode: int) -> None:
    async def main() -> None:
        member = ScriptedMember("a", says(rcode, 0.08))
        await outcome_of(member)
        assert member.health.latency == pytest.approx(0.08)

    run(main())


def test_a_quick_servfail_is_no_proof_of_speed_nor_of_health() -> None:
    async def main() -> None:
        member = ScriptedMember("a", fails())
        for _ in range(2):
            await outcome_of(member)
        member.behave(says(SERVFAIL, 0.001))
        await outcome_of(member)
        assert member.health.is_doubtful(asyncio.get_running_loop().time())
        assert member.health.latency > 0.01

    run(main())


def test_a_refusal_goes_to_the_budget_and_not_to_health() -> None:
    async def main() -> None:
        member = ScriptedMember("a", limits(retry_after=3.0))
        outcome = await outcome_of(member)
        assert isinstance(outcome, Limited)
        assert member.health.failures == 0
        assert member.budget.wait(asyncio.get_running_loop().time()) >= 2.9

    run(main())


def test_pacing_is_not_counted_as_latency() -> None:
    async def main() -> None:
        member = ScriptedMember("a", says(delay=0.03))
        start = asyncio.get_running_loop().time()
        await outcome_of(member, wait=0.015)
        assert member.script.asked == [pytest.approx(start + 0.015)]
        assert member.health.latency == pytest.approx(0.03)

    run(main())


def test_whether_it_has_gone_out() -> None:
    """True only where the transport's own time limit bounds the whole question."""

    async def main() -> None:
        member = ScriptedMember("a", says())
        assert member.ask(QUERY, WIRE, lambda *_: None)
        assert not member.ask(QUERY, WIRE, lambda *_: None, 0.01)
        await asyncio.sleep(1)

    run(main())


def test_what_was_paced_does_not_go_after_closing() -> None:
    async def main() -> None:
        member = ScriptedMember("a", says())
        ended = asyncio.ensure_future(outcome_of(member, wait=0.5))
        await asyncio.sleep(0.1)
        await member.aclose()
        assert isinstance(await ended, UpstreamError)
        assert member.asked == 0
        assert member.budget.in_flight == 0

    run(main())


class ScriptedFinder:
    """A bootstrap that finds an address after a while, or raises."""

    def __init__(self, delay: float, outcome: tuple[str, ...] | BaseException) -> None:
        self.delay = delay
        self.outcome = outcome
        self.found: tuple[str, ...] = ()
        self.doubts = 0

    def doubt(self) -> None:
        self.doubts += 1

    def known(self) -> tuple[str, ...]:
        return self.found

    async def find(self) -> tuple[str, ...]:
        await asyncio.sleep(self.delay)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        self.found = self.outcome
        return self.found


def with_finder(finder: ScriptedFinder, tasks: Tasks) -> tuple[Member, ScriptedTransport]:
    transport = ScriptedTransport("a", says())
    return Member(transport, finder, tasks), transport  # type: ignore[arg-type]


def test_an_unknown_host_is_found_first() -> None:
    async def main() -> None:
        tasks = Tasks(lambda *_: None)
        finder = ScriptedFinder(0.1, ("192.0.2.1",))
        member, transport = with_finder(finder, tasks)
        assert isinstance(await outcome_of(member), Answer)
        assert transport.addresses == ("192.0.2.1",)
        finder.found = ("192.0.2.2",)
        assert isinstance(await outcome_of(member), Answer)
        assert transport.addresses == ("192.0.2.2",)

    run(main())


@pytest.mark.parametrize(
    ("outcome", "doubts"),
    [
        (NetworkDown("x"), 1),
        (BadCertificate("x"), 1),
        (Timeout("x"), 1),
        (Limited("x"), 0),
        (Reply(b"", 0), 0),
    ],
)
def test_an_address_that_leads_nowhere_is_doubted(outcome: Reply | UpstreamError, doubts: int) -> None:
    async def main() -> None:
        finder = ScriptedFinder(0, ())
        finder.found = ("192.0.2.1",)
        transport = ScriptedTransport("a", lambda _: Act(0, outcome))
        member = Member(transport, finder, Tasks(lambda *_: None))  # type: ignore[arg-type]
        assert isinstance(await outcome_of(member), UpstreamError)
        assert finder.doubts == doubts

    run(main())


def test_bootstrap_that_fails_is_the_upstreams_failure() -> None:
    async def main() -> None:
        member, transport = with_finder(
            ScriptedFinder(0.1, NetworkDown("nobody answers")), Tasks(lambda *_: None)
        )
        assert isinstance(await outcome_of(member), NetworkDown)
        assert (transport.asked, member.health.failures, member.budget.in_flight) == ([], 1, 0)

    run(main())


def test_a_bug_in_bootstrap_is_reported_and_ends_the_request() -> None:
    async def main() -> None:
        heard: list[BaseException] = []
        tasks = Tasks(lambda _, error: heard.append(error))
        member, _ = with_finder(ScriptedFinder(0.1, ValueError("a bug")), tasks)
        assert isinstance(await outcome_of(member), UpstreamError)
        assert member.budget.in_flight == 0
        await asyncio.sleep(0)
        assert [type(error) for error in heard] == [ValueError]

    run(main())


def test_a_search_that_is_cancelled_ends_the_request() -> None:
    async def main() -> None:
        tasks = Tasks(lambda *_: None)
        member, _ = with_finder(ScriptedFinder(3600, ("192.0.2.1",)), tasks)
        ended = asyncio.ensure_future(outcome_of(member))
        await asyncio.sleep(0.1)
        await tasks.aclose()
        assert isinstance(await ended, Timeout)
        assert member.budget.in_flight == 0

    run(main())


def test_in_flight_always_returns_to_zero() -> None:
    async def main() -> None:
        acts = [
            Act(0.01, 0),
            Act(0.5, SERVFAIL),
            Act(0.2, NetworkDown("x")),
            Act(0.1, Limited("x")),
            Act(0, Reply(b"", 0)),
        ]
        number = 0

        def script(_: float) -> Act:
            nonlocal number
            number += 1
            return acts[number % len(acts)]

        member = ScriptedMember("a", script)
        await asyncio.gather(*(outcome_of(member, wait=n % 3 / 100) for n in range(200)))
        assert member.budget.in_flight == 0
        member.behave(hangs())
        await outcome_of(member)
        assert member.budget.in_flight == 0

    run(main())
