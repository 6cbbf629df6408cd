"""Where the proxy listens: several addresses, wildcards, IPv6, and sockets that were handed over."""

import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import dns.message
import dns.rcode
import pytest

import tests.servers.handover
from tests.conftest import StartProxy
from tests.e2e.messages import addresses, ask_together, question
from tests.servers.ports import free_port, has_ipv6, is_listening
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy

WANTED = ["203.0.113.1"]


def assert_answers_at(proxy: RunningProxy, address: str) -> None:
    """UDP answers must come from the address that was asked: a connected socket hears no other."""
    with proxy.udp_socket(address) as client:
        client.send(question("one").to_wire())
        assert addresses(dns.message.from_wire(client.recv(65_535))) == WANTED
    assert addresses(proxy.tcp(question("one"), address)) == WANTED


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "127.200.1.9"])
def test_ipv4_wildcard_answers_from_the_asked_address(
    upstream: ScriptedServer, smartdoh: StartProxy, address: str
) -> None:
    assert_answers_at(smartdoh(upstream.url, hosts=["0.0.0.0"]), address)


def test_ipv6_wildcard(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    if has_ipv6():
        assert_answers_at(smartdoh(upstream.url, hosts=["::"]), "::1")


def test_both_wildcards_side_by_side(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, hosts=["0.0.0.0", "::"] if has_ipv6() else ["0.0.0.0"])
    for address in ["127.0.0.1", "127.0.0.7", *(["::1"] if has_ipv6() else [])]:
        assert_answers_at(proxy, address)


def test_several_addresses(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    hosts = ["127.0.0.1", "127.0.0.3", *(["::1"] if has_ipv6() else [])]
    proxy = smartdoh(upstream.url, hosts=hosts)
    for address in hosts:
        assert_answers_at(proxy, address)


def test_a_burst_of_hits_is_answered_whole(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """More than one turn of the listener takes, from many sockets."""
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    found = ask_together(proxy, [question("one") for _ in range(1000)])
    assert all(addresses(answer) == WANTED for answer in found)
    assert len(upstream.requests) == 1


def test_udp_answers_while_upstream_is_busy(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    queries = [question(f"n{number}.wild") for number in range(300)] + [question("one") for _ in range(100)]
    assert {answer.rcode() for answer in ask_together(proxy, queries)} == {dns.rcode.NOERROR}


@pytest.mark.parametrize("kinds", [("udp", "tcp"), ("udp",), ("tcp",)])
def test_sockets_handed_over(upstream: ScriptedServer, smartdoh: StartProxy, kinds: tuple[str, ...]) -> None:
    port, unused = free_port(), free_port()
    with ExitStack() as stack:
        sockets = [stack.enter_context(bound(kind, port)) for kind in kinds]
        proxy = smartdoh(upstream.url, **handed(sockets, port, unused))
    if "udp" in kinds:
        assert addresses(proxy.udp(question("one"))) == WANTED
    if "tcp" in kinds:
        assert addresses(proxy.tcp(question("one"))) == WANTED
    assert not is_listening(unused), "what the config says is for starts without such sockets"


def test_sockets_for_another_process_are_left_alone(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, env={"LISTEN_FDS": "2", "LISTEN_PID": "1"})
    assert_answers_at(proxy, "127.0.0.1")


def bound(kind: str, port: int) -> socket.socket:
    """A socket as systemd makes it: bound, and listening if that is its kind."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    made.bind(("127.0.0.1", port))
    if kind == "tcp":
        made.listen()
    return made


def handed(sockets: list[socket.socket], port: int, unused: int) -> dict[str, object]:
    """How to start a proxy that finds these sockets; its config names a port that it must not use."""
    numbers = [made.fileno() for made in sockets]
    script = str(Path(tests.servers.handover.__file__))
    return {
        "port": port,
        "sections": {"listen": {"dns": [f"127.0.0.1:{unused}"]}},
        "prefix": [sys.executable, script, ",".join(map(str, numbers))],
        "pass_fds": numbers,
    }
