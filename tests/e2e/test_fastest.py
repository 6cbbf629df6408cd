"""Fastest addresses as clients see them: the shipped command in a small Internet of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import pytest

from tests.conftest import StartProxy
from tests.e2e.commands import explained, run
from tests.e2e.messages import question, until
from tests.servers.certificates import Authority
from tests.servers.internet import Internet, Site, require_internet
from tests.servers.proxies import ViaProxy, microsocks, tinyproxy
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import Answers

ORIGIN = "shop.example."
ZONE = f"""\
$ORIGIN {ORIGIN}
$TTL 300
@     IN SOA ns hostmaster 1 7200 3600 1209600 60
@     IN NS ns
www   IN CNAME edge
edge  IN A 45.10.0.1
edge  IN A 45.10.0.2
edge  IN A 45.10.0.3
edge  IN A 45.10.0.4
edge  IN A 45.10.0.5
edge  IN AAAA 2a00:77::1
edge  IN AAAA 2a00:77::2
edge  IN HTTPS 1 . alpn=h2 ipv4hint=45.10.0.1,45.10.0.2,45.10.0.3 ipv6hint=2a00:77::1,2a00:77::2
plain IN A 45.10.0.11
plain IN A 45.10.0.12
lost  IN A 45.10.0.21
lost  IN A 45.10.0.22
home  IN A 192.168.7.1
home  IN A 192.168.7.2
"""
LONG_TTL = 300
IN_ORDER = [3, 2, 4, 5, 1]  # of `edge`: verified by time, then what refuses, then what is forged


@pytest.fixture
def internet(authority: Authority) -> Iterator[Internet]:
    """`edge` has a forged address that is quick, three good ones and one that refuses."""
    require_internet()
    good = authority.issue("shop", "*.shop.example")
    forged = authority.issue("forged", "blocked.example")
    with Internet() as made:
        made.sites |= {
            "45.10.0.1": Site(delay=0.0, certificate=forged),
            "45.10.0.2": Site(delay=0.6, certificate=good),
            "45.10.0.3": Site(delay=0.3, certificate=good),
            "45.10.0.4": Site(delay=0.8, certificate=good),
            "2a00:77::1": Site(delay=0.4, certificate=good),
            "2a00:77::2": Site(delay=0.05, certificate=good),
            "45.10.0.11": Site(delay=0.4),
            "45.10.0.12": Site(delay=0.02),
        }
        made.refuse("45.10.0.5")
        yield made


@pytest.fixture
def upstream(internet: Internet, authority: Authority) -> Iterator[ScriptedServer]:
    made = internet.run(lambda: ScriptedServer(authority.good, answers=Answers(ZONE, ORIGIN)))
    with made as server:
        yield server


@pytest.fixture(params=[tinyproxy, microsocks], ids=["http", "socks5"])
def via(request: pytest.FixtureRequest, internet: Internet, tmp_path: Path) -> Iterator[ViaProxy]:
    launched = request.param(tmp_path)
    proxy = internet.run(launched.__enter__)
    yield proxy
    launched.__exit__(None, None, None)


Start = Callable[..., RunningProxy]
Ask = Callable[..., dns.message.Message]


@pytest.fixture
def start(internet: Internet, upstream: ScriptedServer, smartdoh: StartProxy) -> Start:
    """Starts the proxy inside, with these keys of its group."""

    def start(cache: Path | str = "none", **group: str) -> RunningProxy:
        sections = {"cache": {"dir": cache}}
        return internet.run(lambda: smartdoh(upstream.url, group=group, sections=sections))

    return start


def asking(internet: Internet, proxy: RunningProxy) -> Ask:
    """Asks a proxy inside."""

    def ask(owner: str, rdtype: str = "A", **form: object) -> dns.message.Message:
        return internet.run(lambda: proxy.udp(question(f"{owner}.{ORIGIN}", rdtype, **form)))

    return ask


def told(message: dns.message.Message) -> list[str]:
    """The addresses of an answer, in its order."""
    return [item.address for rrset in message.answer if rrset.rdtype in (1, 28) for item in rrset]


def octets(message: dns.message.Message) -> list[int]:
    """The last octet of each."""
    return [int(address.rpartition(".")[2]) for address in told(message)]


def test_only(internet: Internet, start: Start) -> None:
    """The quick one has a certificate for another name; of those that are the name's own the quicker one is kept."""
    ask = asking(internet, start(fastest_ip="only"))
    first = ask("www")
    assert sorted(octets(first)) == [1, 2, 3, 4, 5]
    found = until(lambda: ask("www"), lambda message: len(told(message)) == 1)
    assert octets(found) == [3]
    assert [str(rrset.name) for rrset in found.answer] == [f"www.{ORIGIN}", f"edge.{ORIGIN}"]
    assert all(rrset.ttl <= LONG_TTL for rrset in found.answer)
    assert ("45.10.0.3", "www.shop.example") in internet.names
    assert {name for _, name in internet.names} == {"www.shop.example"}


def test_first(internet: Internet, start: Start) -> None:
    internet.sites["45.10.0.4"] = Site(is_gone=True)
    ask = asking(internet, start(fastest_ip="first"))
    ask("edge")
    orders = ([3, 2, 4, 5, 1], [3, 2, 5, 4, 1])  # 4 and 5 are both out of reach
    until(lambda: ask("edge"), lambda message: octets(message) in orders)


def test_ipv6_and_hints(internet: Internet, start: Start) -> None:
    ask = asking(internet, start(fastest_ip="only"))
    for rdtype in ("A", "AAAA", "HTTPS"):
        ask("edge", rdtype)
    until(lambda: ask("edge"), lambda message: octets(message) == [3])
    until(lambda: ask("edge", "AAAA"), lambda message: told(message) == ["2a00:77::2"])
    wanted = 'ipv4hint="45.10.0.3,45.10.0.2,45.10.0.1" ipv6hint="2a00:77::2,2a00:77::1"'
    until(lambda: ask("edge", "HTTPS"), lambda message: wanted in message.answer[0].to_text())


def test_explain_shows_the_ranking(internet: Internet, start: Start) -> None:
    proxy = start(fastest_ip="only")
    ask = asking(internet, proxy)
    ask("www")
    until(lambda: ask("www"), lambda message: octets(message) == [3])
    found = explained(proxy, f"www.{ORIGIN}")["addresses"]
    assert [(row["address"], row["standing"]) for row in found] == [
        ("45.10.0.3", "verified"),
        ("45.10.0.2", "verified"),
        ("45.10.0.4", "verified"),
        ("45.10.0.5", "out of reach"),
        ("45.10.0.1", "wrong certificate"),
    ]
    assert (found[0]["way"], found[0]["port"], found[0]["proof"]) == ("direct", 443, "verified")
    assert found[0]["connect_ms"] > 100
    shown = run(proxy, "explain", f"www.{ORIGIN}").stdout
    assert shown.index("45.10.0.3") < shown.rindex("45.10.0.1 ")


def test_signatures_stay_checkable(internet: Internet, start: Start) -> None:
    """With DO nothing is left out, not even by `only`."""
    ask = asking(internet, start(fastest_ip="only"))
    ask("edge", want_dnssec=True)
    until(lambda: ask("edge", want_dnssec=True), lambda message: octets(message) == IN_ORDER)


def test_hosts_without_tls(internet: Internet, start: Start) -> None:
    ask = asking(internet, start(fastest_ip="only"))
    ask("plain")
    until(lambda: ask("plain"), lambda message: octets(message) == [12])


def test_lost_and_private_addresses_stay(internet: Internet, start: Start) -> None:
    ask = asking(internet, start(fastest_ip="only"))
    for owner in ("lost", "home", "plain"):
        ask(owner)
    until(lambda: ask("plain"), lambda message: octets(message) == [12])
    assert sorted(octets(ask("lost"))) == [21, 22]
    assert sorted(octets(ask("home"))) == [1, 2]
    assert not any(address.startswith("192.168.") for address in internet.connections)


def test_by_proxy_and_never_outside(internet: Internet, start: Start, via: ViaProxy) -> None:
    ask = asking(internet, start(fastest_ip="only", via=via.url))
    ask("www")
    until(lambda: ask("www"), lambda message: octets(message) == [3])
    for address in ("45.10.0.1", "45.10.0.2", "45.10.0.3"):
        assert internet.connections.count(address) == via.connected_to(address, 443) > 0


def test_one_probe_an_address(internet: Internet, start: Start) -> None:
    """Two names for the same addresses: each is connected to once, and shows a certificate for each name."""
    ask = asking(internet, start(fastest_ip="only"))
    for owner in ("www", "edge"):
        ask(owner)
    for owner in ("www", "edge"):
        until(lambda owner=owner: ask(owner), lambda message: octets(message) == [3])  # type: ignore[misc]
    handshakes = [address for address, _ in internet.names]
    for address in ("45.10.0.1", "45.10.0.2", "45.10.0.3"):
        assert internet.connections.count(address) - handshakes.count(address) == 1


def test_on_disk_an_answer_stays_whole(
    internet: Internet, upstream: ScriptedServer, start: Start, tmp_path: Path
) -> None:
    """What `only` left out is there again after a restart, when nothing is known of the addresses."""
    proxy = start(cache=tmp_path, fastest_ip="only")
    ask = asking(internet, proxy)
    ask("edge")
    until(lambda: ask("edge"), lambda message: octets(message) == [3])
    proxy.stop()
    ask = asking(internet, start(cache=tmp_path, fastest_ip="only"))
    assert sorted(octets(ask("edge"))) == [1, 2, 3, 4, 5]
    until(lambda: ask("edge"), lambda message: octets(message) == [3])
    assert upstream.asked(f"edge.{ORIGIN}") == 1


def test_off(internet: Internet, start: Start) -> None:
    ask = asking(internet, start(fastest_ip="off"))
    assert sorted(octets(ask("edge"))) == [1, 2, 3, 4, 5]
    assert internet.connections == []


def test_nothing_is_left_open(internet: Internet, start: Start) -> None:
    proxy = start(fastest_ip="first")
    ask = asking(internet, proxy)
    ask("plain")
    until(lambda: ask("plain"), lambda message: octets(message) == [12, 11])
    before = proxy.descriptors
    ask("edge")
    until(lambda: ask("edge"), lambda message: octets(message) == IN_ORDER)
    until(lambda: ask("edge"), lambda _: proxy.descriptors <= before)


def test_ending_while_probes_are_under_way(internet: Internet, start: Start) -> None:
    """`stop` checks that it ended in order, with nothing to say of tasks or connections left behind."""
    proxy = start(fastest_ip="only")
    ask = asking(internet, proxy)
    ask("lost")
    ask("www")
    proxy.stop()
