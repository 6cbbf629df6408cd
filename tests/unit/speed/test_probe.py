"""Probes and proofs against sockets: straight, and through real proxies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smartdoh.speed.dial import Dialer
from smartdoh.speed.probe import Failure, Probed, probe
from smartdoh.speed.proof import host_of, prove
from smartdoh.speed.ranking import Verdict
from smartdoh.speed.way import Way
from smartdoh.wire.names import from_text
from tests.servers.certificates import Authority
from tests.servers.ports import refusing_port
from tests.servers.proxies import ViaProxy, microsocks, tinyproxy
from tests.unit.speed.conftest import Run
from tests.unit.speed.hosts import black_hole, hasty_proxy, late, listening, packed, saying, tls

pytestmark = pytest.mark.usefixtures("low_ports")

HERE = "127.66.0.1"
NAME = "www.example.com"


@pytest.fixture(scope="module", params=[tinyproxy, microsocks], ids=["http", "socks5"])
def via(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViaProxy]:
    with request.param(tmp_path_factory.mktemp("via")) as proxy:
        yield proxy


def way_through(proxy: ViaProxy, authority: Authority, scheme: str | None = None) -> Way:
    return Way(proxy.url_as(scheme or proxy.scheme), str(authority.ca_file))


async def probed(address: str, way: Way | None = None) -> Probed | Failure:
    dialer = Dialer(way) if way else None
    try:
        return await probe(packed(address), dialer)
    finally:
        if dialer:
            await dialer.aclose()


async def proved(address: str, way: Way, name: str = NAME) -> Verdict:
    dialer = Dialer(way)
    try:
        return await prove(name, packed(address), dialer)
    finally:
        await dialer.aclose()


def port_of(outcome: Probed | Failure) -> int | Failure:
    return outcome.port if isinstance(outcome, Probed) else outcome


@pytest.mark.parametrize("address", [HERE, "::1"])
def test_straight(run: Run, address: str) -> None:
    with listening(address) as host:
        assert port_of(run(probed(address))) == 443
        assert host.connections() == 1


def test_port_80_where_443_refuses(run: Run) -> None:
    with listening(HERE, 80):
        assert port_of(run(probed(HERE))) == 80


def test_refused(run: Run) -> None:
    assert run(probed(HERE)) is Failure.REFUSED


def test_no_way_there(run: Run) -> None:
    assert run(probed("255.255.255.255")) is Failure.REFUSED


def test_silence_is_not_followed_by_port_80(run: Run) -> None:
    with black_hole(HERE), listening(HERE, 80) as other:
        assert run(probed(HERE)) is Failure.TIMEOUT
        assert other.connections() == 0


def test_a_late_one_is_measured(run: Run) -> None:
    async def story() -> Probed | Failure:
        async with late(HERE):
            return await probed(HERE)

    outcome = run(story())
    assert isinstance(outcome, Probed)
    assert outcome.seconds > 0.3  # what the kernel waits before the second try is more than that


def test_through_a_proxy(run: Run, via: ViaProxy, authority: Authority) -> None:
    before = via.connected_to(HERE, 443)
    with tls(HERE, authority.good) as names:
        assert port_of(run(probed(HERE, way_through(via, authority)))) == 443
        assert names == [None]
    assert via.connected_to(HERE, 443) == before + 1


@pytest.mark.parametrize(
    "words",
    [b"\x15\3\3\0\2\2\x28", b"\x15\3\3\0\2\2\x70", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n"],
)
def test_any_answer_is_one(run: Run, via: ViaProxy, authority: Authority, words: bytes) -> None:
    """An alert to a handshake without a name, or something that is no TLS."""

    async def story() -> Probed | Failure:
        async with saying(HERE, 443, words):
            return await probed(HERE, way_through(via, authority))

    assert port_of(run(story())) == 443


def test_hanging_up_without_a_word_is_none(run: Run, via: ViaProxy, authority: Authority) -> None:
    async def story() -> Probed | Failure:
        async with saying(HERE, 443, b""):
            return await probed(HERE, way_through(via, authority))

    assert run(story()) is Failure.REFUSED


def test_through_a_proxy_to_port_80(run: Run, via: ViaProxy, authority: Authority) -> None:
    async def story() -> Probed | Failure:
        async with saying(HERE, 80, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"):
            return await probed(HERE, way_through(via, authority))

    assert port_of(run(story())) == 80


@pytest.mark.parametrize("address", [HERE, "127.66.0.9"])
def test_a_promise_of_a_proxy_is_no_connection(run: Run, authority: Authority, address: str) -> None:
    """It says that it is connected and tries only then."""

    async def story() -> Probed | Failure:
        with tls(HERE, authority.good):
            async with hasty_proxy() as url:
                return await probed(address, Way(url, str(authority.ca_file)))

    assert port_of(run(story())) == (443 if address == HERE else Failure.REFUSED)


def test_refused_behind_a_proxy(run: Run, via: ViaProxy, authority: Authority) -> None:
    assert run(probed(HERE, way_through(via, authority))) is Failure.REFUSED


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_that_is_down_says_nothing_of_an_address(run: Run, scheme: str) -> None:
    with refusing_port() as port, listening(HERE) as host:
        assert run(probed(HERE, Way(f"{scheme}://127.0.0.1:{port}"))) is Failure.NO_PROXY
        assert host.connections() == 0


def test_a_proxy_by_name_is_found_by_what_is_known(run: Run, via: ViaProxy, authority: Authority) -> None:
    url = f"{via.scheme}://proxy.invalid:{via.port}"
    way = Way(url, str(authority.ca_file), "", ("proxy.invalid", via.port), lambda: ("127.0.0.1",))
    with tls(HERE, authority.good):
        assert port_of(run(probed(HERE, way))) == 443


def test_environment_names_no_proxy(run: Run, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    async def story() -> Verdict:
        with tls(HERE, authority.issue("here", NAME)):
            return await proved(HERE, Way(ca_file=str(authority.ca_file)))

    assert run(story()) is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("identity", "expired", "verdict"),
    [
        (NAME, False, Verdict.VERIFIED),
        ("*.example.com", False, Verdict.VERIFIED),
        ("other.example.com", False, Verdict.WRONG),
        (NAME, True, Verdict.WRONG),
    ],
)
def test_certificates(run: Run, authority: Authority, identity: str, expired: bool, verdict: Verdict) -> None:
    certificate = authority.issue("leaf", identity, expired=expired)

    async def story() -> tuple[Verdict, list[str | None]]:
        with tls(HERE, certificate) as asked:
            return await proved(HERE, Way(ca_file=str(authority.ca_file))), asked

    assert run(story()) == (verdict, [NAME])


def test_an_authority_that_nobody_knows(run: Run, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path).issue("leaf", NAME)

    async def story() -> Verdict:
        with tls(HERE, stranger):
            return await proved(HERE, Way(ca_file=str(authority.ca_file)))

    assert run(story()) is Verdict.WRONG


def test_without_any_authority_nothing_is_wrong(run: Run, authority: Authority) -> None:
    async def story() -> Verdict:
        with tls(HERE, authority.issue("leaf", NAME)):
            return await proved(HERE, Way(ca_file=""))

    assert run(story()) is not Verdict.WRONG


def test_no_tls(run: Run, authority: Authority) -> None:
    way = Way(ca_file=str(authority.ca_file))
    assert run(proved(HERE, way)) is Verdict.NONE
    with listening(HERE):  # takes the connection and says nothing
        assert run(proved(HERE, way)) is Verdict.NONE


@pytest.mark.parametrize("identity", [NAME, "other.example.com"])
def test_certificates_behind_a_proxy(run: Run, via: ViaProxy, authority: Authority, identity: str) -> None:
    before = via.connected_to(HERE, 443)

    async def story() -> Verdict:
        with tls(HERE, authority.issue("leaf", identity)):
            return await proved(HERE, way_through(via, authority))

    assert run(story()) is (Verdict.VERIFIED if identity == NAME else Verdict.WRONG)
    assert via.connected_to(HERE, 443) == before + 1
    assert via.connected_to(NAME, 443) == 0  # the proxy is told where, and nothing is looked up


@pytest.mark.parametrize(
    ("name", "host"),
    [
        (from_text("www.example.com"), "www.example.com"),
        (from_text("my_host.example.com"), "my_host.example.com"),
        (from_text("xn--bcher-kva.example"), "xn--bcher-kva.example"),
        (b"\0", None),
        (b"\x07192.0.2\0", None),
        (b"\x08www.evil\3com\0", None),
        (from_text("192.0.2.1"), None),
        (b"\1*\7example\3com\0", None),
        (b"\4a\r\nb\3com\0", None),
        (b"\3a/b\3com\0", None),
    ],
)
def test_names_of_hosts(name: bytes, host: str | None) -> None:
    assert host_of(name) == host
