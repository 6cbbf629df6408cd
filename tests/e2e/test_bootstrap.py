"""Bootstrap: the upstreams' host names are looked up by the servers named for it, and nothing else is."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.conftest import StartProxy, StartScripted
from tests.e2e.messages import addresses, error_text, question, until
from tests.servers.certificates import HOST_NAME
from tests.servers.plain import PlainServer, Reply, Transport, plain_server, right_answer
from tests.servers.ports import has_ipv6, refusing_port
from tests.servers.scripted import ScriptedServer
from tests.servers.zone import Answers

ZONE = "@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A 127.0.0.1\n"


def host_zone(text: str = ZONE) -> Answers:
    return Answers(text, origin=f"{HOST_NAME}.")


@pytest.fixture
def bootstrap() -> Iterator[PlainServer]:
    """Knows the upstream's host name."""
    with plain_server(host_zone()) as server:
        yield server


def servers(*addresses_of: str) -> dict[str, dict[str, list[str]]]:
    return {"bootstrap": {"servers": list(addresses_of)}}


def silent(_query: dns.message.Message, _answer: dns.message.Message, _transport: Transport) -> list[bytes]:
    return []


def only_over_tcp(
    query: dns.message.Message, answer: dns.message.Message, transport: Transport
) -> list[bytes]:
    if transport == "udp":
        answer.answer = []
        answer.flags |= dns.flags.TC
    return right_answer(query, answer, transport)


def forged_first(
    query: dns.message.Message, answer: dns.message.Message, transport: Transport
) -> list[bytes]:
    """As an attacker beside the path would: wrong ids and wrong names, then the true answer."""
    forged = dns.message.make_response(query)
    forged.answer.append(dns.rrset.from_text(f"{HOST_NAME}.", 300, "IN", "A", "127.0.0.99"))
    forged.id = (query.id + 1) & 0xFFFF
    other = dns.message.make_response(dns.message.make_query("other.test.", "A", id=query.id))
    other.answer.append(dns.rrset.from_text("other.test.", 300, "IN", "A", "127.0.0.99"))
    return [forged.to_wire(), other.to_wire(), b"junk", *right_answer(query, answer, transport)]


@pytest.mark.parametrize("reply", [right_answer, only_over_tcp, forged_first])
def test_host_name_is_found(
    upstream: ScriptedServer, bootstrap: PlainServer, smartdoh: StartProxy, reply: Reply
) -> None:
    bootstrap.reply = reply
    proxy = smartdoh(upstream.url_at(HOST_NAME), sections=servers(bootstrap.address))
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert {asked.name for asked in bootstrap.questions} == {f"{HOST_NAME}."}
    assert dict(upstream.requests[0].headers).get("host", HOST_NAME).startswith(HOST_NAME)


def test_nothing_else_is_looked_up(
    upstream: ScriptedServer, bootstrap: PlainServer, smartdoh: StartProxy
) -> None:
    proxy = smartdoh(upstream.url_at(HOST_NAME), sections=servers(bootstrap.address))
    for owner in ("one", "missing", "alias", "several"):
        proxy.udp(question(owner))
    assert {asked.name for asked in bootstrap.questions} == {f"{HOST_NAME}."}
    assert len(bootstrap.questions) <= 2, "A and AAAA, once"


def test_ids_and_ports_differ(upstream: ScriptedServer, bootstrap: PlainServer, smartdoh: StartProxy) -> None:
    bootstrap.reply = silent
    proxy = smartdoh(upstream.url_at(HOST_NAME), sections=servers(bootstrap.address))
    with proxy.udp_socket() as client:
        client.send(question("one").to_wire())
        until(lambda: proxy.udp(question("localhost.")), lambda _: len(bootstrap.questions) >= 2)
    assert len({asked.id for asked in bootstrap.questions}) > 1
    assert len({asked.source_port for asked in bootstrap.questions}) > 1


def test_a_new_connection_needs_no_other_resolver(
    upstream: ScriptedServer, bootstrap: PlainServer, smartdoh: StartProxy
) -> None:
    """What bootstrap found is used for every connection, not for the first alone."""
    proxy = smartdoh(upstream.url_at(HOST_NAME), group={"idle": "50ms"}, sections=servers(bootstrap.address))
    for number in range(4):
        assert addresses(proxy.udp(question(f"n{number}.wild"))) == ["203.0.113.77"]
        if number % 2:
            upstream.drop_all()
        upstream.wait_for(lambda: upstream.open_connections == 0)
    assert upstream.connections == 4
    assert {asked.name for asked in bootstrap.questions} == {f"{HOST_NAME}."}


def test_several_servers_are_raced(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    with ExitStack() as stack:
        deaf = stack.enter_context(plain_server(host_zone()))
        deaf.reply = silent
        refusing = stack.enter_context(refusing_port())
        well = stack.enter_context(plain_server(host_zone()))
        proxy = smartdoh(
            upstream.url_at(HOST_NAME), sections=servers(deaf.address, f"127.0.0.1:{refusing}", well.address)
        )
        assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]


def test_starts_without_bootstrap_and_recovers(
    upstream: ScriptedServer, bootstrap: PlainServer, smartdoh: StartProxy
) -> None:
    bootstrap.reply = silent
    proxy = smartdoh(upstream.url_at(HOST_NAME), group={"timeout": "1s"}, sections=servers(bootstrap.address))
    assert addresses(proxy.udp(question("localhost."))) == ["127.0.0.1"]
    answer = proxy.udp(question("one"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert error_text(answer)
    bootstrap.reply = right_answer
    until(lambda: proxy.udp(question("several")), lambda got: got.rcode() == dns.rcode.NOERROR, seconds=35)


def test_ipv6_alone_is_enough(scripted: StartScripted, smartdoh: StartProxy) -> None:
    if not has_ipv6():
        return
    server = scripted(host="::1")
    with plain_server(host_zone("@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN AAAA ::1\n")) as bootstrap:
        proxy = smartdoh(server.url_at(HOST_NAME), sections=servers(bootstrap.address))
        assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]


def test_one_dead_address_of_two(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """127.0.0.9 refuses; 127.0.0.1 is tried next."""
    with plain_server(host_zone(ZONE + "@ 300 IN A 127.0.0.9\n")) as bootstrap:
        proxy = smartdoh(upstream.url_at(HOST_NAME), sections=servers(bootstrap.address))
        assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]


def test_addresses_outlive_a_restart(
    upstream: ScriptedServer, bootstrap: PlainServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    """The next start needs no bootstrap; but only the upstream's own certificate makes them its addresses."""
    state = tmp_path / "kept"
    env, sections = {"STATE_DIRECTORY": str(state)}, servers(bootstrap.address)
    first = smartdoh(upstream.url_at(HOST_NAME), sections=sections, env=env)
    assert addresses(first.udp(question("one"))) == ["203.0.113.1"]
    first.process.wait_until((state / "addresses").exists)
    first.kill()
    bootstrap.reply = silent
    second = smartdoh(upstream.url_at(HOST_NAME), sections=sections, env=env)
    assert addresses(second.udp(question("several"), seconds=2.0))
    (state / "addresses").write_text("nonsense")
    third = smartdoh(upstream.url_at(HOST_NAME), group={"timeout": "1s"}, sections=sections, env=env)
    assert third.udp(question("one")).rcode() == dns.rcode.SERVFAIL
    assert third.log.count("addresses cannot be used") == 1
