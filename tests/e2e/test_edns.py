"""Cookies and keepalive as dig sees them: RFC 7873, RFC 9018, RFC 7828."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest

from smartdoh.control.client import Proxy
from tests.conftest import StartProxy
from tests.e2e.commands import socket_of
from tests.e2e.messages import question
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import full_name

COOKIE = re.compile(r"; COOKIE: ([0-9a-f]{16})([0-9a-f]{32}) \(good\)")
CLIENTS = 40  # ports; that all of them fall to one of two workers happens once in 10^12 times


def dig(proxy: RunningProxy, *words: str) -> str:
    """What dig prints."""
    argv = [require_server("dig"), "@127.0.0.1", "-p", str(proxy.port), full_name("one"), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout


def cookie_in(said: str) -> str:
    """The whole cookie that dig found good: its own, and 16 octets of ours."""
    assert "status: NOERROR" in said
    found = COOKIE.search(said)
    assert found is not None, said
    return found[1] + found[2]


def test_dig_learns_a_cookie_and_may_bring_it_back(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """On a miss, on a hit, over TCP, and after a reload; nothing of it goes on to the upstream."""
    proxy = smartdoh(upstream.url)
    ours = cookie_in(dig(proxy, "+cookie"))
    assert ours[16:24] == "01000000"
    for words in ((), ("+tcp",), ("+dnssec",)):
        said = dig(proxy, f"+cookie={ours}", *words)
        assert cookie_in(said) == ours
        assert "BADCOOKIE" not in said
    proxy.process.send(signal.SIGHUP)
    proxy.process.wait_until(lambda: "reloaded" in proxy.log)
    assert cookie_in(dig(proxy, f"+cookie={ours}")) == ours
    assert "COOKIE" not in dig(proxy, "+nocookie")
    kinds = {int(option.otype) for request in upstream.requests for option in request.query.options}
    assert kinds <= {int(dns.edns.OptionType.PADDING)}


def test_dig_is_told_how_long_it_may_be_idle(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, sections={"listen": {"tcp_idle": "12s"}})
    for _ in range(2):  # a miss, then a hit
        assert "; TCP KEEPALIVE: 12.0 secs" in dig(proxy, "+tcp", "+keepalive")
    assert "KEEPALIVE" not in dig(proxy, "+tcp")
    assert "KEEPALIVE" not in dig(proxy, "+keepalive")


def test_cookies_may_be_turned_off(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, sections={"listen": {"cookies": False}})
    for _ in range(2):
        assert "(good)" not in dig(proxy, "+cookie")


@pytest.mark.usefixtures("short")
def test_workers_know_each_others_cookies(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    """Also the one that is started again."""
    proxy = smartdoh(
        upstream.url, sections={"server": {"workers": 2}, "cache": {"dir": str(tmp_path / "cache")}}
    )
    ours = cookie_in(dig(proxy, "+cookie"))
    assert found_good_by(proxy, ours) == CLIENTS
    os.kill(Proxy(socket_of(proxy)).get("/status")["workers"][1]["pid"], signal.SIGKILL)
    proxy.process.wait_until(lambda: proxy.log.count("worker started") > 2)
    assert found_good_by(proxy, ours) == CLIENTS


def found_good_by(proxy: RunningProxy, cookie: str) -> int:
    """From how many of many ports a message that asks for nothing but its cookie finds that good."""
    asking = question(
        "one", options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, bytes.fromhex(cookie))]
    )
    asking.question.clear()
    good = 0
    for _ in range(CLIENTS):
        with proxy.udp_socket() as client:
            client.send(asking.to_wire())
            good += dns.message.from_wire(client.recv(65_535)).rcode() == dns.rcode.NOERROR
    return good
