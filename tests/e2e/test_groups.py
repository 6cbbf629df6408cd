"""Groups of upstreams: who is asked, whose answer wins, and what a refusal for asking too much leads to."""

import email.utils
import threading
import time
from collections.abc import Callable

import dns.message
import dns.rcode
import pytest

from tests.conftest import StartProxy, StartScripted
from tests.e2e.messages import addresses, ask_together, error_text, question, until
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.scripted.replies import Behaviour, Ending, Reply, Request
from tests.servers.zone import full_name

STRATEGIES = ["hedged", "parallel", "failover"]
STALL = replies.ending(Ending.STALL)
POOR_ANSWERS = [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP, dns.rcode.FORMERR]


@pytest.fixture
def other(scripted: StartScripted) -> ScriptedServer:
    """The second upstream of a group."""
    return scripted()


def total(*servers: ScriptedServer) -> int:
    return sum(len(server.requests) for server in servers)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_stalling_upstream_does_not_keep_a_client_waiting(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy, strategy: str
) -> None:
    upstream.behave(STALL)
    proxy = smartdoh(upstream.url, other.url, group={"strategy": strategy, "timeout": "8s"})
    for number in range(5):
        assert proxy.udp(question(f"n{number}.wild")).rcode() == dns.rcode.NOERROR


def test_parallel_asks_all(upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.delayed(0.5))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "parallel"})
    for number in range(5):
        assert proxy.udp(question(f"n{number}.wild")).rcode() == dns.rcode.NOERROR
    upstream.wait_for(lambda: len(upstream.requests) == 5)
    other.wait_for(lambda: len(other.requests) == 5)


def test_hedged_asks_one_where_all_is_well(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy
) -> None:
    for server in (upstream, other):
        server.behave(replies.delayed(0.02))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "hedged"})
    for part in range(10):
        found = ask_together(proxy, [question(f"n{number}.p{part}.wild") for number in range(20)])
        assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}
    assert 200 <= total(upstream, other) <= 220


def test_hedged_asks_the_next_where_one_stalls_now_and_then(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy
) -> None:
    """One of two upstreams never answers each tenth question; nobody gets SERVFAIL for it."""
    upstream.behave(each(10, STALL, replies.delayed(0.005)))
    other.behave(replies.delayed(0.005))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "hedged", "timeout": "4s"})
    for part in range(10):
        found = ask_together(proxy, [question(f"n{number}.p{part}.wild") for number in range(20)])
        assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}


def test_failover_asks_in_order(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy
) -> None:
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "failover"})
    for number in range(5):
        proxy.udp(question(f"n{number}.wild"))
    assert (len(upstream.requests), len(other.requests)) == (5, 0)
    upstream.behave(replies.status(500))
    for number in range(5, 10):
        assert proxy.udp(question(f"n{number}.wild")).rcode() == dns.rcode.NOERROR
    assert len(other.requests) == 5
    assert len(upstream.requests) <= 10


def test_failover_comes_back(upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.status(500))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "failover"})
    for number in range(10):
        proxy.udp(question(f"n{number}.wild"))
    upstream.behave(replies.right)
    assert other.asked(full_name("n9.wild")) == 1
    for number in range(10, 400):
        proxy.udp(question(f"n{number}.wild"))
        if other.asked(full_name(f"n{number}.wild")) == 0:
            return
        time.sleep(0.05)
    raise AssertionError("the first upstream is well again, and never asked")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("code", POOR_ANSWERS)
def test_a_poor_answer_never_beats_a_good_one(
    upstream: ScriptedServer,
    other: ScriptedServer,
    smartdoh: StartProxy,
    code: dns.rcode.Rcode,
    strategy: str,
) -> None:
    upstream.behave(replies.rcode(code))
    other.behave(replies.delayed(0.1))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": strategy})
    for number in range(5):
        assert addresses(proxy.udp(question(f"n{number}.wild"))) == ["203.0.113.77"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_servfail_of_all_is_servfail(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy, strategy: str
) -> None:
    for server in (upstream, other):
        server.behave(replies.rcode(dns.rcode.SERVFAIL))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": strategy})
    assert proxy.udp(question("one")).rcode() == dns.rcode.SERVFAIL
    assert (upstream.asked(full_name("one")), other.asked(full_name("one"))) == (1, 1)


@pytest.mark.parametrize("owner", ["missing", "mail"])
def test_no_is_an_answer(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy, owner: str
) -> None:
    """NXDOMAIN and NODATA are not asked for a second time elsewhere."""
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "failover"})
    assert not proxy.udp(question(owner, "AAAA")).answer
    assert (len(upstream.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_deadline_is_for_all_attempts_together(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy, strategy: str
) -> None:
    for server in (upstream, other):
        server.behave(STALL)
    proxy = smartdoh(upstream.url, other.url, group={"strategy": strategy, "timeout": "1s"})
    answer = proxy.udp(question("one"), seconds=8)
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert "timeout" in error_text(answer).lower()


def in_seconds() -> str:
    return "2"


def as_date() -> str:
    return email.utils.formatdate(time.time() + 3, usegmt=True)  # a date has whole seconds, so 2 to 3 remain


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("form", [in_seconds, as_date])
def test_retry_after_is_honoured(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy, code: int, form: Callable[[], str]
) -> None:
    """No request before it has ended; then the upstream is asked again, on the connection it had."""

    def limited(request: Request, answer: dns.message.Message) -> Reply:
        return replies.status(code, ("retry-after", form()))(request, answer)

    upstream.behave(replies.sequence(limited, replies.right))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "failover"})
    number = 0
    deadline = time.monotonic() + 15
    while len(upstream.requests) < 2:
        assert time.monotonic() < deadline, "never asked again"
        assert proxy.udp(question(f"n{number}.wild")).rcode() == dns.rcode.NOERROR
        number += 1
        time.sleep(0.02)
    first, second, *_ = upstream.requests
    assert second.time - first.time >= 1.95
    assert upstream.connections == 1


def test_a_refused_upstream_alone_is_asked_again_when_it_may_be(
    upstream: ScriptedServer, smartdoh: StartProxy
) -> None:
    upstream.behave(replies.sequence(replies.status(429, ("retry-after", "1")), replies.right))
    proxy = smartdoh(upstream.url)
    first = proxy.udp(question("one"))
    assert first.rcode() in {dns.rcode.SERVFAIL, dns.rcode.NOERROR}
    if first.rcode() == dns.rcode.SERVFAIL:
        assert "rate limit" in error_text(first).lower()
    until(lambda: proxy.udp(question("several")), lambda got: got.rcode() == dns.rcode.NOERROR)
    assert upstream.connections == 1
    requests = upstream.requests
    assert requests[1].time - requests[0].time >= 0.95


def test_what_exceeds_a_budget_is_spilled(
    upstream: ScriptedServer, other: ScriptedServer, smartdoh: StartProxy
) -> None:
    """The first takes ten at a time and refuses the rest; everyone is answered, and it is asked less and less."""
    limit = Limit(10)
    upstream.behave(limit.behave)
    other.behave(replies.delayed(0.02))
    proxy = smartdoh(upstream.url, other.url, group={"strategy": "failover"})
    for part in range(5):
        found = ask_together(proxy, [question(f"n{number}.p{part}.wild") for number in range(100)])
        assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}
    assert upstream.connections == 1
    assert limit.refused <= 150, "asked as much as ever, though it refuses"
    assert limit.served >= 10, "a refusal is no illness"


def test_many_questions_at_once_to_one_limited_upstream(
    upstream: ScriptedServer, smartdoh: StartProxy
) -> None:
    upstream.behave(replies.delayed(0.05))
    proxy = smartdoh(upstream.url, group={"max_in_flight": 20})
    found = ask_together(proxy, [question(f"n{number}.wild") for number in range(100)])
    answered = [answer for answer in found if answer.rcode() == dns.rcode.NOERROR]
    assert len(answered) == 100


class Limit:
    """A behaviour that serves so many requests at a time, each for 50 ms, and refuses the others."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._ends: list[float] = []
        self.served = 0
        self.refused = 0

    def behave(self, request: Request, answer: dns.message.Message) -> Reply:
        now = time.monotonic()
        with self._lock:
            self._ends = [end for end in self._ends if end > now]
            if len(self._ends) >= self._at_once:
                self.refused += 1
                return replies.status(429)(request, answer)
            self._ends.append(now + 0.05)
            self.served += 1
        return replies.delayed(0.05)(request, answer)


def each(count: int, rare: Behaviour, usual: Behaviour) -> Behaviour:
    """`rare` for each so-manieth request, `usual` for the others."""
    lock, seen = threading.Lock(), 0

    def behave(request: Request, answer: dns.message.Message) -> Reply:
        nonlocal seen
        with lock:
            seen += 1
            is_rare = seen % count == 0
        return (rare if is_rare else usual)(request, answer)

    return behave
