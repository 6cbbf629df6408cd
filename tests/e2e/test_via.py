"""Groups behind a proxy: HTTP and SOCKS5, with and without a login, seen from the proxies' own logs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import dns.rcode
import pytest

from tests.conftest import StartProxy, StartScripted
from tests.e2e.messages import addresses, error_text, question
from tests.servers.certificates import HOST_NAME
from tests.servers.plain import PlainServer, plain_server
from tests.servers.ports import has_ipv6, refusing_port
from tests.servers.proxies import PASSWORD, USER, ViaProxy, microsocks, tinyproxy
from tests.servers.scripted import ScriptedServer
from tests.servers.zone import Answers

LOGIN = f"{USER}:{PASSWORD}@"


@pytest.fixture
def http_proxy(tmp_path: Path) -> Iterator[ViaProxy]:
    """tinyproxy."""
    with tinyproxy(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def socks_proxy(tmp_path: Path) -> Iterator[ViaProxy]:
    """microsocks."""
    with microsocks(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def bootstrap() -> Iterator[PlainServer]:
    """Knows the upstream's host name."""
    zone = Answers("@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A 127.0.0.1\n", origin=f"{HOST_NAME}.")
    with plain_server(zone) as server:
        yield server


@pytest.fixture
def on_both_families(scripted: StartScripted) -> ScriptedServer:
    """One upstream on 127.0.0.1 and ::1, for a proxy that takes whichever `localhost` means first."""
    server = scripted()
    if has_ipv6():
        scripted(host="::1", port=server.port)
    return server


def test_http_proxy_by_address(upstream: ScriptedServer, http_proxy: ViaProxy, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, group={"via": http_proxy.url})
    for owner in ("one", "several"):
        assert proxy.udp(question(owner)).rcode() == dns.rcode.NOERROR
    assert http_proxy.connected_to("127.0.0.1", upstream.port) == 1
    assert upstream.connections == 1
    assert upstream.requests[0].protocol == "HTTP/2"
    assert proxy.connections_to(upstream.port) == 0


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_proxy_by_address(
    upstream: ScriptedServer, socks_proxy: ViaProxy, smartdoh: StartProxy, scheme: str
) -> None:
    proxy = smartdoh(upstream.url, group={"via": socks_proxy.url_as(scheme)})
    for owner in ("one", "several"):
        assert proxy.udp(question(owner)).rcode() == dns.rcode.NOERROR
    assert socks_proxy.connected_to("127.0.0.1", upstream.port) == 1
    assert proxy.connections_to(upstream.port) == 0


def test_http_proxy_resolves_the_name(
    on_both_families: ScriptedServer, http_proxy: ViaProxy, bootstrap: PlainServer, smartdoh: StartProxy
) -> None:
    url = on_both_families.url_at("localhost")
    proxy = smartdoh(url, group={"via": http_proxy.url}, sections=asking(bootstrap))
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert http_proxy.connected_to("localhost", on_both_families.port) == 1
    assert bootstrap.questions == []


def test_socks5h_proxy_resolves_the_name(
    on_both_families: ScriptedServer, socks_proxy: ViaProxy, bootstrap: PlainServer, smartdoh: StartProxy
) -> None:
    url = on_both_families.url_at("localhost")
    proxy = smartdoh(url, group={"via": socks_proxy.url_as("socks5h")}, sections=asking(bootstrap))
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert socks_proxy.connected_to("localhost", on_both_families.port) == 1
    assert bootstrap.questions == []


def test_socks5_leaves_the_name_to_bootstrap(
    upstream: ScriptedServer, socks_proxy: ViaProxy, bootstrap: PlainServer, smartdoh: StartProxy
) -> None:
    url = upstream.url_at(HOST_NAME)
    proxy = smartdoh(url, group={"via": socks_proxy.url_as("socks5")}, sections=asking(bootstrap))
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert socks_proxy.connected_to("127.0.0.1", upstream.port) == 1
    assert {asked.name for asked in bootstrap.questions} == {f"{HOST_NAME}."}


@pytest.mark.parametrize("launch", [tinyproxy, microsocks])
@pytest.mark.parametrize("login", [LOGIN, "", f"{USER}:wrong@"], ids=["right", "none", "wrong"])
def test_login(
    upstream: ScriptedServer,
    smartdoh: StartProxy,
    tmp_path: Path,
    launch: Callable[..., AbstractContextManager[ViaProxy]],
    login: str,
) -> None:
    with launch(tmp_path, with_login=True) as via:
        proxy = smartdoh(upstream.url, group={"via": via.url_as(via.scheme, login)})
        answer = proxy.udp(question("one"))
        assert PASSWORD not in proxy.log
    if login == LOGIN:
        assert addresses(answer) == ["203.0.113.1"]
    else:
        assert answer.rcode() == dns.rcode.SERVFAIL
        assert PASSWORD not in error_text(answer)
        assert upstream.connections == 0


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_is_down_is_not_gone_around(
    upstream: ScriptedServer, smartdoh: StartProxy, scheme: str
) -> None:
    with refusing_port() as port:
        proxy = smartdoh(upstream.url, group={"via": f"{scheme}://127.0.0.1:{port}"})
        answer = proxy.udp(question("one"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert "network" in error_text(answer).lower()
    assert upstream.connections == 0


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_environment_names_no_proxy(
    upstream: ScriptedServer, http_proxy: ViaProxy, smartdoh: StartProxy, name: str
) -> None:
    proxy = smartdoh(upstream.url, env={name: http_proxy.url})
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert http_proxy.connected_to("127.0.0.1", upstream.port) == 0


def test_environment_does_not_switch_the_proxy_off(
    upstream: ScriptedServer, http_proxy: ViaProxy, smartdoh: StartProxy
) -> None:
    proxy = smartdoh(upstream.url, group={"via": http_proxy.url}, env={"no_proxy": "*", "NO_PROXY": "*"})
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
    assert http_proxy.connected_to("127.0.0.1", upstream.port) == 1


def asking(bootstrap: PlainServer) -> dict[str, dict[str, list[str]]]:
    """The section that names this server for bootstrap."""
    return {"bootstrap": {"servers": [bootstrap.address]}}
