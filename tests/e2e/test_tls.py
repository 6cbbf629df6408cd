"""TLS: an upstream that cannot prove who it is gives no answer."""

from pathlib import Path

import dns.rcode
import pytest

from tests.conftest import StartProxy, StartScripted
from tests.e2e.messages import addresses, error_text, question
from tests.servers.certificates import HOST_NAME, IDENTITIES, Authority, Certificate
from tests.servers.plain import plain_server
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import run_to_end
from tests.servers.zone import Answers


@pytest.fixture(scope="module")
def bad_certificates(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Certificate]:
    """Each wrong in one way for https://127.0.0.1."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    return {
        "issued by an unknown authority": stranger.good,
        "expired": authority.issue("expired", *IDENTITIES, expired=True),
        "for another name": authority.issue("other", "other.test"),
        "for another address": authority.issue("address", "127.0.0.2"),
        "for a name, and asked by address": authority.issue("name", HOST_NAME),
    }


BAD = [
    "issued by an unknown authority",
    "expired",
    "for another name",
    "for another address",
    "for a name, and asked by address",
]


@pytest.mark.parametrize("kind", BAD)
def test_no_answer_is_taken(
    scripted: StartScripted, smartdoh: StartProxy, bad_certificates: dict[str, Certificate], kind: str
) -> None:
    impostor = scripted(certificate=bad_certificates[kind])
    answer = smartdoh(impostor.url).udp(question("one"))
    assert (answer.rcode(), answer.answer) == (dns.rcode.SERVFAIL, [])
    assert "certificate" in error_text(answer).lower()
    assert impostor.requests == [], "a question went to a server that nobody knows"
    assert impostor.connections <= 2, "a bad certificate is not retried in a loop"


def test_reason_is_logged(
    scripted: StartScripted, smartdoh: StartProxy, bad_certificates: dict[str, Certificate]
) -> None:
    impostor = scripted(certificate=bad_certificates["expired"])
    proxy = smartdoh(impostor.url)
    proxy.udp(question("one"))
    assert "certificate" in proxy.log.lower()


def test_another_upstream_answers(
    scripted: StartScripted, smartdoh: StartProxy, bad_certificates: dict[str, Certificate]
) -> None:
    impostor, honest = scripted(certificate=bad_certificates["expired"]), scripted()
    proxy = smartdoh(impostor.url, honest.url, group={"strategy": "failover"})
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert impostor.requests == []


def test_authority_must_be_named(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """Without `ca_file` there is the system's trust store, and the tests' authority is not in it."""
    answer = smartdoh(upstream.url, group={"ca_file": ""}).udp(question("one"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert upstream.requests == []


def test_host_name_is_verified(
    upstream: ScriptedServer, scripted: StartScripted, smartdoh: StartProxy, authority: Authority
) -> None:
    """Bootstrap may say anything: the certificate must name the host of the URL."""
    impostor = scripted(certificate=authority.issue("impostor", "other.test", "127.0.0.1"))
    zone = Answers("@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A 127.0.0.1\n", origin=f"{HOST_NAME}.")
    with plain_server(zone) as server:
        bootstrap = {"bootstrap": {"servers": [server.address]}}
        good = smartdoh(upstream.url_at(HOST_NAME), sections=bootstrap)
        assert addresses(good.udp(question("one"))) == ["203.0.113.1"]
        bad = smartdoh(impostor.url_at(HOST_NAME), sections=bootstrap)
        assert bad.udp(question("one")).rcode() == dns.rcode.SERVFAIL
    assert impostor.requests == []


def test_nothing_but_https(tmp_path: Path) -> None:
    settings = {"groups.main": {"upstreams": ["http://127.0.0.1:8080/dns-query"]}}
    outcome = run_to_end(["check"], tmp_path, settings)
    assert outcome.status == 2
    assert "http://127.0.0.1:8080/dns-query" in outcome.output
