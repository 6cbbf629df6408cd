"""Servers that lead back to the proxy: the group says so, the process goes on, and the rest of it answers."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import dns.rcode

from tests.conftest import StartProxy
from tests.e2e.messages import addresses, error_text, question, until
from tests.servers.certificates import HOST_NAME, NAME_IN_ZONE, Authority
from tests.servers.plain import plain_server
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.real import doh_server
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer

LOOP = "asked no more"


def test_an_upstream_that_asks_us(
    upstream: ScriptedServer, smartdoh: StartProxy, authority: Authority, tmp_path: Path
) -> None:
    """dnsdist speaks DoH and forwards to the proxy: found out by the first question that nobody answers."""
    with ExitStack() as stack:
        with plain_server() as stand_in:
            port, always_up = stand_in.port, "getServer(0):setUp()"
            looping = stack.enter_context(doh_server("dnsdist", tmp_path, authority, port, always_up))
        proxy = smartdoh(
            looping.url,
            port=port,
            group={"timeout": "1s"},
            sections={
                "server": {"loop_guard": "local"},
                "groups.other": {"upstreams": [upstream.url], "ca_file": authority.ca_file},
                "routing": {"default": "main", "rules": [{"domains": ["other.test"], "group": "other"}]},
            },
        )
        told = until(lambda: proxy.udp(question("one")), lambda got: "loop" in error_text(got), seconds=15)
        assert told.rcode() == dns.rcode.SERVFAIL
        assert proxy.log.count(LOOP) == 1
        assert proxy.udp(question("x.other.test.")).rcode() == dns.rcode.REFUSED, (
            "of a zone that the server has not"
        )


def test_a_bootstrap_server_that_asks_us(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    """As a router does whose DNS server is the proxy, which asks the router for its upstream's address."""
    port, router = free_port(), free_port()
    argv = [require_server("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            f"--server=127.0.0.1#{port}", f"--port={router}", "--listen-address=127.0.0.1", "--bind-interfaces",
            "--user=root", "--pid-file="]  # fmt: skip
    process = ServerProcess("dnsmasq", argv, tmp_path)
    try:
        proxy = smartdoh(
            upstream.url_at(NAME_IN_ZONE),
            port=port,
            group={"timeout": "1s"},
            sections={"server": {"loop_guard": "local"}, "bootstrap": {"servers": [f"127.0.0.1:{router}"]}},
        )
        told = until(lambda: proxy.udp(question("one")), lambda _: LOOP in proxy.log, seconds=15)
        assert told.rcode() == dns.rcode.SERVFAIL
        assert addresses(proxy.udp(question("localhost."))) == ["127.0.0.1"]
    finally:
        process.stop()


def test_our_own_address_behind_a_wildcard(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """A config cannot know all addresses of the machine; the running proxy does."""
    port = free_port()
    proxy = smartdoh(
        upstream.url_at(HOST_NAME),
        port=port,
        hosts=("0.0.0.0",),
        sections={"server": {"loop_guard": "local"}, "bootstrap": {"servers": [f"{own_address()}:{port}"]}},
    )
    answer = proxy.udp(question("one"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert "our own address" in error_text(answer) + proxy.log


def own_address() -> str:
    """An address of this machine that is not loopback where there is one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        return str(sock.getsockname()[0])
