"""What a plain dig shows of why: explain in band, and Extended DNS Errors, by both builds over UDP and TCP."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import settings_for
from tests.servers.certificates import Authority
from tests.servers.ports import refusing_port
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import full_name

TRANSPORTS = ("+notcp", "+tcp")
STRANGER = "127.7.7.7"  # may not ask
GUEST = "127.3.3.3"  # may ask, and has rules of its own
EDE = re.compile(r"; EDE: (\d+) \([^)]*\)(?:: \((.*)\))?$", re.MULTILINE)
SECONDS = 20.0


@dataclass
class Told:
    """A proxy and the server behind it."""

    proxy: RunningProxy
    upstream: ScriptedServer

    def dig(self, *words: str, source: str = "127.0.0.1") -> str:
        """What dig prints."""
        argv = [require_server("dig"), "@127.0.0.1", "-p", str(self.proxy.port), "-b", source, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout

    def errors(self, *words: str) -> list[tuple[int, str]]:
        """The Extended DNS Errors that dig shows: code and text."""
        return [(int(code), text) for code, text in EDE.findall(self.dig(*words))]

    def explained(self, name: str, *words: str, source: str = "127.0.0.1") -> list[str]:
        """The strings for a name."""
        said = self.dig(f"{name}explain.smartdoh.", "TXT", "+short", *words, source=source)
        return re.findall(r'"((?:[^"\\]|\\.)*)"', said)

    def line(self, name: str, begins: str, *words: str, source: str = "127.0.0.1") -> str:
        """The one string that begins so."""
        lines = self.explained(name, *words, source=source)
        (found,) = [line for line in lines if line.startswith(begins)]
        return found


@pytest.fixture(scope="module", params=["", "1"], ids=["compiled", "python"])
def told(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    home = tmp_path_factory.mktemp("told")
    (home / "ads.txt").write_text("# ours\nads.example.com\n")
    (home / "own.json").write_text('{"mine.example.com": "block", "nas.example.com": "192.168.1.5"}')
    rules: list[dict[str, Any]] = [
        {"list": "ads", "action": "block"},
        {"domains": ["school.example"], "clients": [f"{GUEST}/32"], "action": "block"},
        {"domains": ["dead.example"], "group": "dead"},
    ]
    with ScriptedServer(authority.good) as upstream, refusing_port() as dead:
        settings = settings_for(upstream.url, authority=authority, group={"timeout": "1s"}) | {
            "groups.dead": {
                "upstreams": [f"https://127.0.0.1:{dead}/dns-query"],
                "fastest_ip": "off",
            },
            "routing": {"default": "main", "rules": rules, "overrides": str(home / "own.json")},
            "lists.ads": {"file": str(home / "ads.txt"), "format": "domains"},
            "listen": {"allow": ["127.0.0.1/32", f"{GUEST}/32"]},
        }
        proxy = start_proxy(settings, home, env={"SMARTDOH_PURE_PYTHON": request.param})
        try:
            yield Told(proxy, upstream)
        finally:
            proxy.stop()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_blocked_answer_names_list_and_line(told: Told, transport: str) -> None:
    """When it is decided and when it comes from memory; only to those who have EDNS."""
    wanted = [(15, "blocked by list ads line 2 (routing.rules[0])")]
    for _ in range(2):
        assert told.errors("x.ads.example.com.", transport) == wanted
    assert "EDE" not in told.dig("x.ads.example.com.", transport, "+noedns")
    assert told.errors("mine.example.com.", transport) == [(15, "blocked by own.json: mine.example.com")]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_failed_answer_says_how_each_upstream_failed(told: Told, transport: str) -> None:
    """Then it is kept, and the reason with it."""
    name = f"x{transport[1:]}.dead.example."
    first, second = told.errors(name, transport), told.errors(name, transport)
    assert [code for code, _ in first] == [23]
    assert re.fullmatch(r"network \(Connection refused\): 127\.0\.0\.1:\d+", first[0][1])
    assert second == [*first, (13, "")]


def test_the_status_of_http_is_told(told: Told) -> None:
    for status, words in ((500, "bad answer (HTTP 500): "), (503, "rate limit (HTTP 503): ")):
        name = full_name(f"status-{status}")
        told.upstream.behave(replies.status(status), name)
        assert told.errors(name)[0][1].startswith(words)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_explain_in_band(told: Told, transport: str) -> None:
    name = full_name("one")
    told.dig(name)
    lines = told.explained(name, transport)
    assert lines[0] == f"{name} A, asked by 127.0.0.1"
    assert lines[1:3] == ["decision: group main", "because of: routing.default"]
    assert re.fullmatch(
        r"group main: 1 of 1 upstreams well, best \S+, [\d.]+ ms, 95% within [\d.]+ ms", lines[3]
    )
    kept = told.line(name, "cache")
    assert re.fullmatch(r"cache \(memory\): NOERROR, fresh for \d+ s, \d+ s old, from \S+", kept)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_explain_of_what_is_blocked(told: Told, transport: str) -> None:
    name = "y.ads.example.com."
    lines = told.explained(name, transport)
    assert lines[1:5] == [
        "decision: blocked",
        "because of: routing.rules[0]: ads line 2",
        "list: ads, ads.txt line 2",
        "answered here: routing.rules[0]: ads line 2",
    ]


def test_it_is_said_to_each_client_as_it_is_for_that_one(told: Told) -> None:
    assert told.line("school.example.", "decision") == "decision: group main"
    assert told.line("school.example.", "decision", source=GUEST) == "decision: blocked"
    assert "REFUSED" in told.dig("school.example.explain.smartdoh.", "TXT", source=STRANGER)
    assert told.explained("school.example.", source=STRANGER) == []


def test_the_type_may_be_named(told: Told) -> None:
    """An address of the user's for A, and no data for others."""
    assert told.line("nas.example.com.", "decision") == "decision: answered with 192.168.1.5"
    assert told.explained("nas.example.com._mx.")[0] == "nas.example.com. MX, asked by 127.0.0.1"


def test_the_last_failure_is_told(told: Told) -> None:
    told.dig("z.dead.example.")
    assert re.fullmatch(
        r"last failure: \d+ s ago, network \(Connection refused\): \S+", told.line("z.dead.example.", "last")
    )
    assert "SERVFAIL" in told.line("z.dead.example.", "cache")


def test_a_hostile_name_comes_out_as_text(told: Told) -> None:
    said = told.dig(r"\027[31m\"\010<b>.explain.smartdoh.", "TXT", "+short")
    assert len(said.splitlines()) == 1
    assert said.strip().isprintable()


def test_it_is_never_kept_and_never_asked_elsewhere(told: Told) -> None:
    """TTL 0, and each time as it is now."""
    name = full_name("several")
    assert told.line(name, "cache") == "cache: nothing is kept"
    told.dig(name)
    assert "NOERROR" in told.line(name, "cache")
    answer = re.search(
        r"^\S+explain\.smartdoh\.\s+(\d+)", told.dig(f"{name}explain.smartdoh.", "TXT"), re.MULTILINE
    )
    assert answer is not None
    assert answer[1] == "0"
    for words in (("x.explain.smartdoh.", "A"), ("smartdoh.", "MX"), ("y.smartdoh.", "TXT")):
        assert "smartdoh.\t\t3600\tIN\tSOA" in told.dig(*words)
    assert not [
        request for request in told.upstream.requests if "smartdoh." in request.name.to_text().split(".")
    ]
    asked = {request.name.to_text().lower() for request in told.upstream.requests}
    assert not [each for each in asked if each.endswith(".smartdoh.")]


def test_stale_answers_say_so(authority: Authority, tmp_path: Path) -> None:
    """RFC 8914: 3 (Stale Answer); and explain says for how long it may still be given."""
    with ScriptedServer(authority.good) as upstream:
        settings = settings_for(upstream.url, authority=authority, group={"timeout": "1s"})
        settings["cache"] |= {"max_ttl": "1s"}
        proxy = start_proxy(settings, tmp_path)
        told, name = Told(proxy, upstream), full_name("one")
        try:
            told.dig(name)
            upstream.behave(replies.status(500))
            deadline = time.monotonic() + SECONDS
            while not (errors := told.errors(name)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert errors[0][0] == 3
            assert re.search(r"stale for \d+ s, given for 8\d+ s more", told.line(name, "cache"))
        finally:
            proxy.stop()
