"""What an upstream sees of the proxy: the requests themselves, the connections, and how often it is asked."""

import threading

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from smartdoh.upstream.lines import MOST_CONNECTIONS
from tests.conftest import StartProxy, StartScripted
from tests.e2e.messages import addresses, ask_together, error_codes, lowest_ttl, question, until
from tests.servers.certificates import Authority
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.scripted.replies import Ending, GoAway
from tests.servers.zone import full_name

PADDING_BLOCK = 128  # bytes, RFC 8467 section 4.1
STALE_TTL = 30  # seconds, RFC 8767 section 4
EDE_STALE_ANSWER = 3  # RFC 8914 section 4.4


def test_request_is_as_rfc_8484_asks(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one", id=0x4242))
    [request] = upstream.requests
    assert (request.protocol, request.method, request.path) == ("HTTP/2", "POST", "/dns-query")
    assert request.header("content-type") == "application/dns-message"
    assert request.header("accept") == "application/dns-message"
    assert request.query.id == 0
    assert request.query.flags & dns.flags.RD
    assert len(request.wire) % PADDING_BLOCK == 0


@pytest.mark.parametrize("owner", ["a.wild", f"{'b' * 63}.wild", f"{'c' * 63}.{'d' * 63}.wild"])
def test_every_query_is_padded(upstream: ScriptedServer, smartdoh: StartProxy, owner: str) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question(owner))
    proxy.udp(question(owner, "AAAA", use_edns=-1))
    assert [len(request.wire) % PADDING_BLOCK for request in upstream.requests] == [0, 0]


def test_request_says_nothing_about_the_client(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """No cookies, no names, and none of the client's EDNS options (RFC 8484 section 8, RFC 6891 6.1.1)."""
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    subnet = dns.edns.ECSOption("198.51.100.0", 24)
    upstream.behave(
        lambda _request, answer: replies.Reply(
            body=replies.wire_of(answer),
            headers=(("set-cookie", "track=1; Path=/"), ("alt-svc", 'h3=":443"')),
        )
    )
    proxy = smartdoh(upstream.url)
    for owner in ("one", "several"):
        proxy.udp(question(owner, options=[cookie, subnet]))
    for request in upstream.requests:
        names = {name for name, _ in request.headers}
        assert names <= {"user-agent", "accept", "content-type", "content-length", "accept-encoding", "host"}
        agent = request.header("user-agent") or ""
        assert not any(character.isdigit() for character in agent), "versions tell clients apart"
        kinds = {int(option.otype) for option in request.query.options}
        assert kinds <= {int(dns.edns.OptionType.PADDING)}


@pytest.mark.parametrize("flags", ["DO", "CD", ""])
def test_dnssec_flags_reach_the_upstream_and_are_kept_apart(
    upstream: ScriptedServer, smartdoh: StartProxy, flags: str
) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    query = question("one", want_dnssec=flags == "DO")
    if flags == "CD":
        query.flags |= dns.flags.CD
    answer = proxy.udp(query)
    sent = upstream.requests[-1].query
    assert bool(sent.ednsflags & dns.flags.DO) == (flags == "DO")
    assert bool(sent.flags & dns.flags.CD) == (flags == "CD")
    assert bool(answer.flags & dns.flags.CD) == (flags == "CD")
    assert bool(answer.ednsflags & dns.flags.DO) == (flags == "DO")
    assert len(upstream.requests) == (2 if flags else 1)


def test_http1_is_the_fallback(scripted: StartScripted, smartdoh: StartProxy) -> None:
    server = scripted(protocols=("http/1.1",))
    proxy = smartdoh(server.url)
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert addresses(proxy.udp(question("several"))) == ["203.0.113.11", "203.0.113.12", "203.0.113.13"]
    assert {request.protocol for request in server.requests} == {"HTTP/1.1"}
    assert server.connections == 1


def test_hundreds_of_questions_on_one_connection(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.delayed(0.1))
    proxy = smartdoh(upstream.url)
    found = ask_together(proxy, [question(f"n{number}.wild") for number in range(200)])
    assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}
    assert upstream.connections == 1


def test_http1_uses_a_bounded_number_of_connections(scripted: StartScripted, smartdoh: StartProxy) -> None:
    server = scripted(protocols=("http/1.1",))
    server.behave(replies.delayed(0.02))
    found = ask_together(smartdoh(server.url), [question(f"n{number}.wild") for number in range(100)])
    assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}
    assert server.connections <= 32


def test_the_servers_limit_of_streams_is_kept(scripted: StartScripted, smartdoh: StartProxy) -> None:
    server = scripted(max_streams=10)
    server.behave(replies.delayed(0.02))
    proxy = smartdoh(server.url)
    proxy.udp(question("one"))  # the limit is known once the server has spoken
    found = ask_together(proxy, [question(f"n{number}.wild") for number in range(100)])
    assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}
    assert server.connections <= MOST_CONNECTIONS
    assert len(server.requests) == 101, "for want of a stream nothing is asked twice"


def test_idle_connection_is_closed_and_made_anew(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, group={"idle": "300ms"})
    proxy.udp(question("one"))
    upstream.wait_for(lambda: upstream.open_connections == 0)
    assert addresses(proxy.udp(question("several"))) == ["203.0.113.11", "203.0.113.12", "203.0.113.13"]
    assert upstream.connections == 2


def test_identical_questions_share_one_request(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.delayed(0.3))
    proxy = smartdoh(upstream.url)
    spellings = ["one", "ONE", "oNe", "One"] * 10
    queries = [question(spelling) for spelling in spellings]
    found = ask_together(proxy, queries)
    assert upstream.asked(full_name("one")) == 1
    for query, answer in zip(queries, found, strict=True):
        assert answer.question[0].name.to_text() == query.question[0].name.to_text()
        assert addresses(answer) == ["203.0.113.1"]


def test_one_client_leaving_does_not_end_the_others_fetch(
    upstream: ScriptedServer, smartdoh: StartProxy
) -> None:
    upstream.behave(replies.delayed(0.5))
    proxy = smartdoh(upstream.url)
    query = question("one")
    with proxy.udp_socket() as stays:
        with proxy.tcp_socket() as leaves:
            leaves.sendall(len(query.to_wire()).to_bytes(2) + query.to_wire())
            upstream.wait_for(lambda: upstream.asked(full_name("one")) == 1)
            stays.send(query.to_wire())
        assert addresses(dns.message.from_wire(stays.recv(65_535))) == ["203.0.113.1"]
    assert upstream.asked(full_name("one")) == 1


def test_second_question_is_answered_here(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url)
    for spelling in ("one", "ONE", "oNE"):
        assert addresses(proxy.udp(question(spelling))) == ["203.0.113.1"]
        assert addresses(proxy.tcp(question(spelling, use_edns=-1))) == ["203.0.113.1"]
    assert upstream.asked(full_name("one")) == 1


@pytest.mark.parametrize(("owner", "rdtype"), [("missing", "A"), ("one", "AAAA")])
def test_negative_answers_are_kept(
    upstream: ScriptedServer, smartdoh: StartProxy, owner: str, rdtype: str
) -> None:
    proxy = smartdoh(upstream.url)
    for _ in range(3):
        answer = proxy.udp(question(owner, rdtype))
        assert not answer.answer
        assert lowest_ttl(answer) <= 60  # the SOA's minimum, not its TTL of an hour (RFC 2308 section 5)
    assert upstream.asked(full_name(owner), rdtype) == 1


def test_age_is_subtracted(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.aged(100))
    upstream.behave(replies.aged(301), name=full_name("six"))
    proxy = smartdoh(upstream.url)
    assert 198 <= lowest_ttl(proxy.udp(question("one"))) <= 200
    for _ in range(2):  # older than its TTL: given once, never kept (RFC 8484 section 5.1)
        assert lowest_ttl(proxy.udp(question("six", "AAAA"))) <= 1
    assert upstream.asked(full_name("six"), "AAAA") == 2


@pytest.mark.parametrize(("bounds", "wanted"), [({"max_ttl": "1m"}, 60), ({"min_ttl": "10m"}, 600)])
def test_ttl_bounds(
    upstream: ScriptedServer, smartdoh: StartProxy, bounds: dict[str, str], wanted: int
) -> None:
    proxy = smartdoh(upstream.url, sections={"cache": {"dir": "none", **bounds}})
    for _ in range(2):
        assert wanted - 2 <= lowest_ttl(proxy.udp(question("one"))) <= wanted


def test_ad_is_for_those_who_ask(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """RFC 6840 sections 5.7 and 5.8, from the upstream and from the cache alike."""

    def validated(_request: replies.Request, answer: dns.message.Message) -> replies.Reply:
        answer.flags |= dns.flags.AD
        return replies.Reply(body=replies.wire_of(answer))

    upstream.behave(validated)
    proxy = smartdoh(upstream.url)
    for _ in range(2):
        plain, asking = question("one"), question("one")
        asking.flags |= dns.flags.AD
        assert not proxy.udp(plain).flags & dns.flags.AD
        assert proxy.udp(asking).flags & dns.flags.AD
        assert proxy.udp(question("one", want_dnssec=True)).flags & dns.flags.AD
    doubting = smartdoh(upstream.url, group={"trust_ad": False})
    assert not doubting.udp(question("one", want_dnssec=True)).flags & dns.flags.AD


def test_zero_ttl_is_for_one_answer(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.answers.put(dns.rrset.from_text(full_name("brief"), 0, "IN", "A", "203.0.113.90"))
    proxy = smartdoh(upstream.url)
    for _ in range(3):
        assert addresses(proxy.udp(question("brief"))) == ["203.0.113.90"]
    assert upstream.asked(full_name("brief")) == 3


def test_upstream_padding_and_options_are_stripped(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    def padded(_request: replies.Request, answer: dns.message.Message) -> replies.Reply:
        answer.use_edns(0, 0, 4096, options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(200))])
        return replies.Reply(body=replies.wire_of(answer))

    upstream.behave(padded)
    proxy = smartdoh(upstream.url)
    for _ in range(2):
        assert not proxy.udp(question("one")).options
        assert proxy.udp(question("one", use_edns=-1)).opt is None


def test_connection_lost_while_idle_costs_no_question(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url)
    for number in range(5):
        assert proxy.udp(question(f"n{number}.wild")).rcode() == dns.rcode.NOERROR
        upstream.drop_all()
        upstream.wait_for(lambda: upstream.open_connections == 0)
    assert upstream.connections == 5


def test_upstream_restarted_between_questions(
    scripted: StartScripted, smartdoh: StartProxy, authority: Authority
) -> None:
    with ScriptedServer(authority.good) as first:
        proxy = smartdoh(first.url)
        assert proxy.udp(question("one")).rcode() == dns.rcode.NOERROR
        port = first.port
    second = scripted(port=port)
    assert proxy.udp(question("several")).rcode() == dns.rcode.NOERROR
    assert second.connections == 1


DIES_ONCE = {
    "connection aborted": replies.ending(Ending.DROP),
    "REFUSED_STREAM": replies.ending(Ending.REFUSED),
    "GOAWAY with last stream 0": replies.going_away(GoAway.BEFORE),
}


@pytest.mark.parametrize("kind", list(DIES_ONCE))
def test_one_silent_retry(upstream: ScriptedServer, smartdoh: StartProxy, kind: str) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    upstream.behave(replies.sequence(DIES_ONCE[kind], replies.right))
    assert addresses(proxy.udp(question("several"))) == ["203.0.113.11", "203.0.113.12", "203.0.113.13"]
    assert upstream.asked(full_name("several")) == 2


def test_retries_end(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.ending(Ending.DROP))
    proxy = smartdoh(upstream.url, group={"timeout": "3s"})
    assert proxy.udp(question("one")).rcode() == dns.rcode.SERVFAIL
    assert 1 <= upstream.asked(full_name("one")) <= 3  # RFC 9520 section 3.1


@pytest.mark.parametrize("how", list(GoAway))
def test_goaway_under_load_loses_nothing(upstream: ScriptedServer, smartdoh: StartProxy, how: GoAway) -> None:
    lock, seen = threading.Lock(), 0

    def sometimes(request: replies.Request, answer: dns.message.Message) -> replies.Reply:
        nonlocal seen
        with lock:
            seen += 1
            is_time = seen == 60
        return (replies.going_away(how) if is_time else replies.delayed(0.05))(request, answer)

    upstream.behave(sometimes)
    proxy = smartdoh(upstream.url)
    found = ask_together(proxy, [question(f"n{number}.wild") for number in range(200)])
    assert {answer.rcode() for answer in found} == {dns.rcode.NOERROR}
    assert upstream.connections <= 4, "one new connection, not one a question"
    assert proxy.udp(question("one")).rcode() == dns.rcode.NOERROR
    assert upstream.connections >= 2


def test_redirects_are_not_followed(
    upstream: ScriptedServer, scripted: StartScripted, smartdoh: StartProxy
) -> None:
    elsewhere = scripted()
    upstream.behave(replies.status(307, ("location", elsewhere.url)))
    proxy = smartdoh(upstream.url)
    assert proxy.udp(question("one")).rcode() == dns.rcode.SERVFAIL
    assert elsewhere.connections == 0


def test_failures_are_kept_for_a_moment(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """RFC 9520 section 3.2: while a failure is kept, the upstream is not asked again."""
    upstream.behave(replies.status(500))
    proxy = smartdoh(upstream.url)
    for _ in range(5):
        assert proxy.udp(question("one")).rcode() == dns.rcode.SERVFAIL
    assert upstream.asked(full_name("one")) <= 3


def test_stale_answer_where_nobody_answers(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.answers.put(dns.rrset.from_text(full_name("brief"), 1, "IN", "A", "203.0.113.90"))
    proxy = smartdoh(upstream.url, group={"timeout": "1s"})
    assert lowest_ttl(proxy.udp(question("brief"))) == 1
    upstream.behave(replies.status(500))
    answer = until(lambda: proxy.udp(question("brief")), lambda got: EDE_STALE_ANSWER in error_codes(got))
    assert addresses(answer) == ["203.0.113.90"]
    assert 1 <= lowest_ttl(answer) <= STALE_TTL


def test_stale_waits_for_a_fresh_answer_where_told_so(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.answers.put(dns.rrset.from_text(full_name("brief"), 1, "IN", "A", "203.0.113.90"))
    cache = {"dir": "none", "stale_after": "5s", "prefetch": False}
    proxy = smartdoh(upstream.url, sections={"cache": cache})
    assert addresses(proxy.udp(question("brief"))) == ["203.0.113.90"]
    upstream.answers.put(dns.rrset.from_text(full_name("brief"), 300, "IN", "A", "203.0.113.91"))
    answer = until(lambda: proxy.udp(question("brief")), lambda got: upstream.asked(full_name("brief")) == 2)
    assert addresses(answer) == ["203.0.113.91"]
    assert error_codes(answer) == set()


def test_stale_can_be_switched_off(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.answers.put(dns.rrset.from_text(full_name("brief"), 1, "IN", "A", "203.0.113.90"))
    proxy = smartdoh(upstream.url, sections={"cache": {"dir": "none", "stale": "0s"}})
    assert addresses(proxy.udp(question("brief"))) == ["203.0.113.90"]
    upstream.behave(replies.status(500))
    answer = until(lambda: proxy.udp(question("brief")), lambda got: got.rcode() == dns.rcode.SERVFAIL)
    assert not answer.answer
