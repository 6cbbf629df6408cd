"""overrides.json, edited while the proxy runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from tests.conftest import GROUP, StartProxy
from tests.e2e.messages import addresses, error_codes, error_text, question
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy

BLOCKED = 15  # Extended DNS Error, RFC 8914
NULL = ["0.0.0.0"]
WITHIN = 1.0  # seconds from save to effect
FROM_UPSTREAM = ["203.0.113.1"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "overrides.json"


@pytest.fixture
def proxy(smartdoh: StartProxy, upstream: ScriptedServer, file: Path) -> RunningProxy:
    save(file, {})
    return smartdoh(upstream.url, sections={"routing": {"default": GROUP, "overrides": str(file)}})


def save(file: Path, overrides: object) -> None:
    file.write_text(json.dumps(overrides))


def soon(ask: Callable[[], object], wanted: object, seconds: float = WITHIN) -> None:
    """Asks until the answer is as wanted, at most so long."""
    end = time.monotonic() + seconds
    while (got := ask()) != wanted:
        assert time.monotonic() < end, f"still {got}"
        time.sleep(0.02)


def test_a_cached_name_is_blocked_and_freed(proxy: RunningProxy, file: Path) -> None:
    def ask() -> list[str]:
        return addresses(proxy.udp(question("one")))

    assert ask() == FROM_UPSTREAM
    name = question("one").question[0].name.to_text()
    save(file, {name: "block"})
    soon(ask, NULL)
    answer = proxy.udp(question("one"))
    assert error_codes(answer) == {BLOCKED}
    assert name.rstrip(".") in error_text(answer)
    for rdtype in ("HTTPS", "SVCB", "MX"):
        nothing = proxy.udp(question("one", rdtype))
        assert (nothing.rcode(), nothing.answer) == (dns.rcode.NOERROR, [])
    save(file, {})
    soon(ask, FROM_UPSTREAM)


def test_addresses_of_ones_own(proxy: RunningProxy, file: Path, upstream: ScriptedServer) -> None:
    asked = len(upstream.requests)
    save(file, {"nas.home.arpa": ["192.168.1.5", "fd00::5"]})
    soon(lambda: addresses(proxy.udp(question("nas.home.arpa."))), ["192.168.1.5"])
    assert addresses(proxy.udp(question("nas.home.arpa.", "AAAA"))) == ["fd00::5"]
    assert addresses(proxy.tcp(question("below.nas.home.arpa."))) == ["192.168.1.5"]
    assert proxy.udp(question("nas.home.arpa.", "MX")).answer == []
    back = proxy.udp(question("5.1.168.192.in-addr.arpa.", "PTR"))
    assert back.answer[0][0].to_text() == "nas.home.arpa."
    assert len(upstream.requests) == asked


def test_what_cannot_be_read_changes_nothing(proxy: RunningProxy, file: Path) -> None:
    save(file, {"one.smartdoh.example": "block", "nas.home.arpa": "192.168.1.5"})
    soon(lambda: addresses(proxy.udp(question("nas.home.arpa."))), ["192.168.1.5"])
    file.write_text('{"nas.home.arpa": "192.168')
    end = time.monotonic() + 5
    while "overrides refused" not in proxy.log:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert addresses(proxy.udp(question("nas.home.arpa."))) == ["192.168.1.5"]


def test_a_file_that_goes_away_takes_nothing_with_it(proxy: RunningProxy, file: Path) -> None:
    """An editor may remove it for a moment, a network's folder for an hour."""
    save(file, {"nas.home.arpa": "192.168.1.5"})
    soon(lambda: addresses(proxy.udp(question("nas.home.arpa."))), ["192.168.1.5"])
    file.unlink()
    soon(lambda: ["overrides refused" in proxy.log], [True], seconds=5)
    assert addresses(proxy.udp(question("nas.home.arpa."))) == ["192.168.1.5"]
    save(file, {"nas.home.arpa": "192.168.1.6"})
    soon(lambda: addresses(proxy.udp(question("nas.home.arpa."))), ["192.168.1.6"])


def test_an_hour_for_one_machine(smartdoh: StartProxy, upstream: ScriptedServer, file: Path) -> None:
    """One client is let through until a time, all others stay blocked; then nobody is let through."""
    until = datetime.now(UTC) + timedelta(seconds=4)
    name = question("one").question[0].name.to_text()
    let = {"is": "allow", "until": until.isoformat(), "clients": ["127.0.0.1"]}
    save(file, {name: [let, "block"]})
    proxy = smartdoh(
        upstream.url,
        hosts=("127.0.0.1", "::1"),
        sections={"routing": {"default": GROUP, "overrides": str(file)}},
    )
    assert addresses(proxy.udp(question("one"), "127.0.0.1")) == FROM_UPSTREAM
    assert addresses(proxy.udp(question("one"), "::1")) == NULL
    soon(lambda: addresses(proxy.udp(question("one"), "127.0.0.1")), NULL, seconds=4 + WITHIN)


def test_ten_thousand_entries(proxy: RunningProxy, file: Path) -> None:
    many: dict[str, str] = {f"n{number}.example.org": "block" for number in range(10_000)}
    save(file, many)
    soon(lambda: addresses(proxy.udp(question("n9999.example.org."))), NULL, seconds=5)
    many["n9999.example.org"] = "192.0.2.9"
    save(file, many)
    soon(lambda: addresses(proxy.udp(question("n9999.example.org."))), ["192.0.2.9"])


def test_a_broken_file_at_the_start_is_told(tmp_path: Path) -> None:
    from tests.servers.smartdoh import run_to_end  # noqa: PLC0415

    (tmp_path / "overrides.json").write_text('{"a.example": "blok"}')
    settings = {
        "groups.main": {"upstreams": ["https://127.0.0.1:1/dns-query"]},
        "routing": {"overrides": str(tmp_path / "overrides.json")},
        "cache": {"dir": "none"},
        "listen": {"dns": ["127.0.0.1:5399"]},
    }
    outcome = run_to_end(["serve"], tmp_path, settings)
    assert outcome.status == 2
    assert "'a.example': 'blok' is not block" in outcome.output
