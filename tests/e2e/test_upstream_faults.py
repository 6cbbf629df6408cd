"""Everything an upstream can do wrong: the client is told, the next question works, another upstream helps."""

import dns.rcode
import dns.rrset
import pytest

from tests.conftest import StartProxy, StartScripted
from tests.e2e.messages import addresses, ask_together, error_codes, error_text, question
from tests.e2e.waiting import until
from tests.servers.ports import black_hole, refusing_port
from tests.servers.scripted import Handshake, ScriptedServer, replies
from tests.servers.scripted.replies import Behaviour, Ending, GoAway
from tests.servers.zone import full_name

BAD_ANSWER, TIMEOUT, NETWORK, LIMITED = "bad answer", "timeout", "network", "rate limit"

FAULTS: dict[str, tuple[Behaviour, str]] = {
    "wrong id": (replies.wrong_id, BAD_ANSWER),
    "wrong question": (replies.wrong_question, BAD_ANSWER),
    "wrong type in the question": (replies.wrong_type, BAD_ANSWER),
    "QR not set": (replies.without_qr, BAD_ANSWER),
    "TC set": (replies.truncated, BAD_ANSWER),
    "garbage": (replies.body(b"\xff" * 200), BAD_ANSWER),
    "text": (replies.body(b"<html>please log in</html>"), BAD_ANSWER),
    "nothing": (replies.body(b""), BAD_ANSWER),
    "a header alone": (replies.changed(lambda wire: wire[:12]), BAD_ANSWER),
    "last record cut": (replies.changed(lambda wire: wire[:-3]), BAD_ANSWER),
    "counts too high": (replies.changed(lambda wire: wire[:6] + b"\xff\xff" + wire[8:]), BAD_ANSWER),
    "trailing bytes": (replies.changed(lambda wire: wire + bytes(50)), BAD_ANSWER),
    "over 65,535 bytes": (replies.changed(lambda wire: wire + bytes(65_536)), BAD_ANSWER),
    "body without an end": (replies.ending(Ending.ENDLESS), BAD_ANSWER),
    "body cut short": (replies.ending(Ending.CUT), NETWORK),
    "stream reset in the body": (replies.ending(Ending.RESET), NETWORK),
    "silence in the body": (replies.ending(Ending.HALF), TIMEOUT),
    "no answer": (replies.ending(Ending.STALL), TIMEOUT),
    "connection aborted": (replies.ending(Ending.DROP), NETWORK),
    "stream refused": (replies.ending(Ending.REFUSED), NETWORK),
    "GOAWAY always": (replies.going_away(GoAway.BEFORE), NETWORK),
    "204": (replies.status(204), BAD_ANSWER),
    "206": (replies.status(206), BAD_ANSWER),
    "301": (replies.status(301, ("location", "https://127.0.0.1:1/dns-query")), BAD_ANSWER),
    "302": (replies.status(302, ("location", "http://127.0.0.1:1/login")), BAD_ANSWER),
    "400": (replies.status(400), BAD_ANSWER),
    "401": (replies.status(401, ("www-authenticate", "Basic realm=x")), BAD_ANSWER),
    "404": (replies.status(404), BAD_ANSWER),
    "415": (replies.status(415), BAD_ANSWER),
    "429": (replies.status(429), LIMITED),
    "500": (replies.status(500), BAD_ANSWER),
    "502": (replies.status(502), BAD_ANSWER),
    "503": (replies.status(503), LIMITED),
    "text/html": (replies.media_type("text/html"), BAD_ANSWER),
    "application/dns-json": (replies.media_type("application/dns-json"), BAD_ANSWER),
    "application/dns-message-not": (replies.media_type("application/dns-message-not"), BAD_ANSWER),
    "no media type": (replies.media_type(None), BAD_ANSWER),
    "gzip": (replies.gzipped, BAD_ANSWER),
    "gzip bomb": (replies.gzip_bomb, BAD_ANSWER),
}
SHORT = {"timeout": "800ms"}
SEVERAL = ["203.0.113.11", "203.0.113.12", "203.0.113.13"]


@pytest.mark.parametrize("kind", list(FAULTS))
def test_client_is_told_and_the_next_question_works(
    upstream: ScriptedServer, smartdoh: StartProxy, kind: str
) -> None:
    behaviour, reason = FAULTS[kind]
    proxy = smartdoh(upstream.url, group=SHORT)
    assert proxy.udp(question("six", "AAAA")).rcode() == dns.rcode.NOERROR
    descriptors = proxy.descriptors
    upstream.behave(behaviour)
    answer = proxy.udp(question("one"))
    assert (answer.rcode(), answer.answer) == (dns.rcode.SERVFAIL, [])
    assert error_codes(answer)
    assert reason in error_text(answer).lower()
    upstream.behave(replies.right)
    assert addresses(proxy.udp(question("several"))) == SEVERAL
    assert proxy.descriptors <= descriptors + 1


@pytest.mark.parametrize("kind", list(FAULTS))
def test_another_upstream_helps(
    upstream: ScriptedServer, scripted: StartScripted, smartdoh: StartProxy, kind: str
) -> None:
    second = scripted()
    upstream.behave(FAULTS[kind][0])
    proxy = smartdoh(upstream.url, second.url, group={"strategy": "failover", "timeout": "4s"})
    answer = proxy.udp(question("several"))
    assert addresses(answer) == SEVERAL
    assert upstream.asked(full_name("several")) >= 1
    assert second.asked(full_name("several")) == 1


def test_poisoned_records_never_reach_a_client(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.wrong_question)
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    upstream.behave(replies.rcode(dns.rcode.NXDOMAIN), name="attacker.example.")
    assert proxy.udp(question("attacker.example.")).rcode() != dns.rcode.NOERROR


def test_media_type_may_have_parameters_and_capitals(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.media_type("Application/DNS-Message; charset=binary"))
    assert addresses(smartdoh(upstream.url).udp(question("one"))) == ["203.0.113.1"]


def test_answer_of_nearly_64_kib_passes(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    text = " ".join('"' + "x" * 255 + '"' for _ in range(250))
    rrset = dns.rrset.from_text(full_name("huge"), 300, "IN", "TXT", text)
    upstream.answers.put(rrset)
    proxy = smartdoh(upstream.url)
    for _ in range(2):
        assert proxy.tcp(question("huge", "TXT")).answer == [rrset]


def test_hanging_handshake(upstream: ScriptedServer, scripted: StartScripted, smartdoh: StartProxy) -> None:
    upstream.handshake = Handshake.HANG
    second = scripted()
    proxy = smartdoh(upstream.url, group=SHORT)
    assert TIMEOUT in error_text(proxy.udp(question("one"))).lower()
    upstream.handshake = Handshake.NORMAL
    upstream.drop_all()
    assert addresses(proxy.udp(question("several"))) == SEVERAL
    upstream.handshake = Handshake.HANG
    both = smartdoh(upstream.url, second.url, group={"strategy": "failover", "timeout": "5s"})
    assert addresses(both.udp(question("several"))) == SEVERAL


def test_handshake_closed(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.handshake = Handshake.CLOSE
    proxy = smartdoh(upstream.url)
    assert NETWORK in error_text(proxy.udp(question("one"))).lower()
    upstream.handshake = Handshake.NORMAL
    assert addresses(proxy.udp(question("several"))) == SEVERAL


def test_refused_connection(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    with refusing_port() as port:
        refusing = f"https://127.0.0.1:{port}/dns-query"
        alone = smartdoh(refusing).udp(question("one"))
        assert alone.rcode() == dns.rcode.SERVFAIL
        assert NETWORK in error_text(alone).lower()
        both = smartdoh(refusing, upstream.url, group={"strategy": "failover"})
        assert addresses(both.udp(question("one"))) == ["203.0.113.1"]


def test_black_hole(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    with black_hole() as port:
        swallowing = f"https://127.0.0.1:{port}/dns-query"
        alone = smartdoh(swallowing, group=SHORT).udp(question("one"))
        assert alone.rcode() == dns.rcode.SERVFAIL
        assert error_codes(alone)
        both = smartdoh(swallowing, upstream.url, group={"strategy": "failover"})
        assert addresses(both.udp(question("one"))) == ["203.0.113.1"]


def test_one_bad_answer_among_many_in_flight(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """What comes wrong for one client's question changes nothing for the others on the same connection."""
    upstream.behave(replies.delayed(0.2))
    bad = [fault for fault, (_, reason) in FAULTS.items() if reason == BAD_ANSWER]
    for number, fault in enumerate(bad):
        upstream.behave(replies.delayed(0.1, FAULTS[fault][0]), name=full_name(f"bad{number}.wild"))
    proxy = smartdoh(upstream.url)
    owners = [f"bad{number}.wild" for number in range(len(bad))] + [f"good{n}.wild" for n in range(100)]
    found = ask_together(proxy, [question(owner) for owner in owners])
    for owner, answer in zip(owners, found, strict=True):
        wanted = dns.rcode.SERVFAIL if owner.startswith("bad") else dns.rcode.NOERROR
        assert (owner, answer.rcode()) == (owner, wanted)


def test_many_faults_leave_nothing_behind(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, group=SHORT)
    proxy.udp(question("one"))
    descriptors = proxy.descriptors
    for number, (behaviour, _) in enumerate(FAULTS.values()):
        upstream.behave(behaviour, name=full_name(f"fault{number}.wild"))
    for round_number in range(3):
        owners = [f"fault{number}.wild" for number in range(len(FAULTS))]
        ask_together(proxy, [question(owner, ["A", "AAAA", "MX"][round_number]) for owner in owners])
    upstream.behave(replies.right)
    assert addresses(proxy.udp(question("several"))) == SEVERAL
    until(lambda: proxy.descriptors <= descriptors + 2, "connections that failed are still there")
