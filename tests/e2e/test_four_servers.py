"""unbound, BIND 9, dnsdist and Knot Resolver as upstreams: one suite that all four pass."""

import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest

from smartdoh.upstream.lines import MOST_CONNECTIONS
from tests.conftest import StartProxy, settings_for
from tests.e2e.messages import ask_together, assert_same, lowest_ttl, question
from tests.servers.certificates import Authority
from tests.servers.doh_client import ask
from tests.servers.ports import has_ipv6
from tests.servers.real import DohServer
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import KINDS

UDP_LIMIT = 1232  # bytes; what is sent over UDP at most, DNS flag day 2020


@pytest.fixture(scope="module")
def proxy(
    real_server: DohServer, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    """A proxy in front of one of the four servers, for all the questions that do not disturb each other."""
    running = start_proxy(
        settings_for(real_server.url, authority=authority), tmp_path_factory.mktemp("proxy")
    )
    yield running
    running.stop()


def direct(server: DohServer, query: dns.message.Message) -> dns.message.Message:
    """What the server itself says, asked over DoH without the proxy."""
    reply = ask(server.url, query, server.ca_file)
    assert reply.status == 200
    return reply.message


@pytest.mark.parametrize("kind", list(KINDS))
def test_answer_is_whole(proxy: RunningProxy, real_server: DohServer, kind: str) -> None:
    if kind in real_server.cannot:
        return
    owner, rdtype = KINDS[kind]
    query = question(owner, rdtype)
    began = time.monotonic()
    wanted = direct(real_server, query)
    first = proxy.tcp(query)
    again = proxy.tcp(question(owner, rdtype))
    oldest = int(time.monotonic() - began) + 1
    assert_same(first, wanted)
    assert_same(again, wanted)
    for got in (first, again):
        assert got.flags & dns.flags.RA
        assert not got.flags & (dns.flags.TC | dns.flags.AA)
        if wanted.authority or is_positive(wanted):
            assert lowest_ttl(wanted) - oldest <= lowest_ttl(got) <= lowest_ttl(wanted)


def is_positive(answer: dns.message.Message) -> bool:
    """Whether it ends in what was asked for. A no without an SOA may be given any TTL down to 0 (RFC 2308)."""
    return any(rrset.rdtype == answer.question[0].rdtype for rrset in answer.answer)


@pytest.mark.parametrize("kind", list(KINDS))
def test_udp_gives_the_same_or_says_tc(proxy: RunningProxy, real_server: DohServer, kind: str) -> None:
    if kind in real_server.cannot:
        return
    owner, rdtype = KINDS[kind]
    query = question(owner, rdtype, payload=4096)
    wanted = direct(real_server, query)
    got = proxy.udp(query)
    if kind == "TXT over 1232 bytes":
        assert got.flags & dns.flags.TC
        assert not got.answer
        assert got.opt is not None
        assert len(got.to_wire()) <= UDP_LIMIT
    else:
        assert not got.flags & dns.flags.TC
        assert_same(got, wanted)


def test_second_time_from_the_cache_with_an_aged_ttl(proxy: RunningProxy, real_server: DohServer) -> None:
    query = question("cached-for-a-while.wild")
    first = proxy.udp(query)
    time.sleep(1.1)  # a TTL counts whole seconds; this is the one place that has to see one pass
    again = proxy.udp(question("cached-for-a-while.wild"))
    assert_same(again, first)
    assert 1 <= lowest_ttl(first) - lowest_ttl(again) <= 3
    assert first.answer[0].ttl == 300


def test_many_questions_share_one_connection(proxy: RunningProxy, real_server: DohServer) -> None:
    queries = [question(f"shared-{number}.wild") for number in range(100)]
    answers = ask_together(proxy, queries)
    assert {answer.rcode() for answer in answers} == {dns.rcode.NOERROR}
    for query, answer in zip(queries, answers, strict=True):
        assert answer.answer[0].name == query.question[0].name
    assert proxy.connections_to(real_server.port) == 1


def test_burst_on_a_cold_connection(real_server: DohServer, smartdoh: StartProxy) -> None:
    """More questions than the server takes at a time, before it has even said how many that are."""
    proxy = smartdoh(real_server.url)
    answers = ask_together(proxy, [question(f"cold-{number}.wild") for number in range(500)])
    assert {answer.rcode() for answer in answers} == {dns.rcode.NOERROR}
    assert proxy.connections_to(real_server.port) <= MOST_CONNECTIONS


def test_ipv6_upstream(real_server: DohServer, smartdoh: StartProxy) -> None:
    if not has_ipv6():
        return
    proxy = smartdoh(real_server.url_at("[::1]"))
    assert_same(proxy.udp(question("one")), direct(real_server, question("one")))
