"""The network changes while smartdoh runs: links, addresses, routes. It is back within seconds, without a restart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from tests.conftest import settings_for
from tests.e2e.messages import addresses, error_codes, question, until
from tests.servers.certificates import HOST_NAME, Authority
from tests.servers.namespaces import Cable, Namespace, ip
from tests.servers.plain import PlainServer, plain_server
from tests.servers.required import find_program
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import Answers

BACK = 5.0  # seconds after which all is well again, at most
SERVER, BOOTSTRAP = "198.18.0.10", "198.18.0.53"
ZONE = f"@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A {SERVER}\n"
WILD = ["203.0.113.77"]
NETWORK_ERROR = 23  # Extended DNS Errors, RFC 8914

_numbers = count()


@dataclass(frozen=True, slots=True)
class Home:
    """A proxy in a network of its own, whose cables lead to where the servers are."""

    inside: Namespace
    isp: Cable
    vpn: Cable
    upstream: ScriptedServer
    bootstrap: PlainServer
    proxy: RunningProxy

    def ask(self) -> dns.message.Message:
        """The answer to a question that nobody has asked before."""
        query = question(f"n{next(_numbers)}.wild")
        return self.inside.run(lambda: self.proxy.udp(query))

    def is_back(self) -> None:
        """It answers within the time it has for that."""
        until(self.ask, lambda got: addresses(got) == WILD, seconds=BACK)

    def ip(self, *words: str) -> None:
        """Changes the proxy's network."""
        self.inside.run(lambda: ip(*words))


@pytest.fixture(scope="module")
def home(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """It is started without a network, and no cable is in."""
    if os.geteuid() != 0 or find_program("ip") is None:
        pytest.skip("network namespaces need root and ip(8)")
    folder: Path = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        inside = stack.enter_context(Namespace())
        far = stack.enter_context(Namespace(SERVER, BOOTSTRAP))
        isp = Cable("isp", inside, "10.78.0.2/24", far, "10.78.0.1/24", ("default",)).lay()
        vpn = Cable("vpn", inside, "10.79.0.2/24", far, "10.79.0.1/24", ("198.18.0.0/24",)).lay()
        answers = Answers(ZONE, origin=f"{HOST_NAME}.")
        bootstrap = far.run(lambda: stack.enter_context(plain_server(answers, BOOTSTRAP)))
        upstream = far.run(lambda: stack.enter_context(ScriptedServer(authority.good, host=SERVER)))
        sections = {"bootstrap": {"servers": [bootstrap.address]}}
        settings = settings_for(upstream.url_at(HOST_NAME), authority=authority, sections=sections)
        proxy = inside.run(lambda: start_proxy(settings, folder))
        stack.callback(proxy.stop)
        yield Home(inside, isp, vpn, upstream, bootstrap, proxy)


@pytest.fixture(autouse=True)
def plugged(home: Home) -> Iterator[None]:
    """Each story but the first begins with a network that works, and leaves it so."""
    yield
    home.ip("link", "set", "isp", "up")
    home.ip("route", "replace", "default", "via", "10.78.0.1")
    home.is_back()


def test_it_starts_without_a_network_and_is_there_with_it(home: Home) -> None:
    """Not only when the growing pauses of bootstrap end: the questions meanwhile make those long."""
    query = question("kept.wild")
    refused = home.inside.run(lambda: home.proxy.udp(query))
    assert refused.rcode() == dns.rcode.SERVFAIL
    assert error_codes(refused) & {NETWORK_ERROR}
    for _ in range(3):
        home.ask()
    home.isp.plug()
    until(
        lambda: home.inside.run(lambda: home.proxy.udp(query)),
        lambda got: addresses(got) == WILD,
        seconds=BACK,
    )
    assert home.bootstrap.questions


def test_a_link_that_goes_and_comes(home: Home) -> None:
    home.isp.pull()
    until(home.ask, lambda got: got.rcode() == dns.rcode.SERVFAIL)
    home.isp.plug()
    home.is_back()


def test_another_address(home: Home) -> None:
    """As from another DHCP server: connections of the old address are of no use."""
    before = home.upstream.connections
    home.ip("address", "add", "10.78.0.3/24", "dev", "isp")
    home.ip(
        "address", "del", "10.78.0.2/24", "dev", "isp"
    )  # its route goes with it, and so does the other address
    home.ip("address", "replace", "10.78.0.3/24", "dev", "isp")
    home.ip("route", "replace", "default", "via", "10.78.0.1")
    home.is_back()
    assert home.upstream.connections > before
    home.ip("address", "replace", "10.78.0.2/24", "dev", "isp")


def test_a_route_that_leads_elsewhere(home: Home) -> None:
    """A VPN goes up: no link went down, nothing failed, and the old connection would wait in vain."""
    before = home.upstream.connections
    home.vpn.plug()
    home.upstream.wait_for(lambda: home.upstream.open_connections == 0)
    home.is_back()
    assert home.upstream.connections > before
    home.vpn.pull()
    home.is_back()


def test_what_is_no_way_of_ours_disturbs_nothing(home: Home) -> None:
    """A container's cable, an address beside ours, a route to somewhere else."""
    home.is_back()
    before = home.upstream.connections
    home.ip("link", "add", "other", "type", "veth", "peer", "name", "end")
    home.ip("address", "add", "10.99.0.1/24", "dev", "other")
    home.ip("link", "set", "other", "up")
    home.ip("route", "add", "192.0.2.0/24", "via", "10.78.0.1")
    home.ip("link", "del", "other")
    looks = home.proxy.log.count("asking anew")
    home.isp.pull()  # and what does is noticed after it
    until(home.ask, lambda got: got.rcode() == dns.rcode.SERVFAIL)
    assert home.upstream.connections == before
    assert home.proxy.log.count("asking anew") == looks + 1
