"""A running proxy looked into and steered over its control socket: overrides, upstreams, look-ups, settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from tests.conftest import GROUP
from tests.e2e.messages import addresses, question
from tests.e2e.steering import HAND_MADE, Running, renew, started
from tests.servers.certificates import Authority
from tests.servers.zone import full_name

pytestmark = pytest.mark.usefixtures("short")

WANTED, NULL = ["203.0.113.1"], ["0.0.0.0"]


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "workers"])
def proxy(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with started(authority, tmp_path_factory.mktemp("steering"), request.param) as running:
        yield running


@pytest.fixture
def running(proxy: Running) -> Running:
    renew(proxy)
    return proxy


def asked_everywhere(running: Running, name: str) -> set[tuple[str, ...]]:
    """The answers to a name from many ports, so that every worker is asked."""
    return {tuple(addresses(running.proxy.udp(question(name)))) for _ in range(12)}


# Overrides


def test_an_override_is_in_force_at_once_and_stands_in_the_file(running: Running) -> None:
    """In every worker when the request ends; and what another client has cached is forgotten."""
    name = full_name("one")
    assert asked_everywhere(running, "one") == {tuple(WANTED)}
    status, done = running.ask("PUT", f"/overrides/{name}", {"value": "block"})
    assert (status, done) == (
        200,
        {"file": str(running.file), "key": name, "value": "block", "before": None},
    )
    assert asked_everywhere(running, "one") == {tuple(NULL)}
    assert running.file.read_text() == HAND_MADE.replace('"allow"', f'"allow",\n\t"{name}": "block"')
    status, done = running.ask("PUT", f"/overrides/{name.upper()}", {"value": ["192.0.2.7"]})
    assert (status, done["key"], done["before"], done["value"]) == (200, name, "block", ["192.0.2.7"])
    assert asked_everywhere(running, "one") == {("192.0.2.7",)}
    assert running.ask("DELETE", f"/overrides/{name}")[1]["before"] == ["192.0.2.7"]
    assert running.file.read_text() == HAND_MADE
    assert asked_everywhere(running, "one") == {tuple(WANTED)}


def test_only_what_an_override_is_about_is_forgotten(running: Running) -> None:
    running.proxy.udp(question("one"))
    running.proxy.udp(question("both"))
    asked = sum(len(server.requests) for server in running.upstreams)
    running.ask("PUT", f"/overrides/{full_name('both')}", {"value": GROUP})
    for _ in range(12):
        running.proxy.udp(question("one"))
    assert sum(len(server.requests) for server in running.upstreams) <= asked + 1  # the other worker's


def test_keys_of_odd_spelling(running: Running) -> None:
    for key in ("=www.example.net", "bücher.example", "a\\.b.example", "x/y.example", "1.2.3.in-addr.arpa"):
        assert running.ask("PUT", f"/overrides/{quote(key, safe='')}", {"value": "block"})[0] == 200, key
    _, shown = running.ask("GET", "/overrides")
    assert [entry["key"] for entry in shown["entries"]][2:4] == ["=www.example.net", "bücher.example"]
    assert shown["entries"][0] == {"key": "first.example", "value": "block", "line": 2}
    assert (shown["problem"], shown["file"]) == ("", str(running.file))
    for key in ("=www.example.net", "bücher.example", "a\\.b.example", "x/y.example", "1.2.3.in-addr.arpa"):
        assert running.ask("DELETE", f"/overrides/{quote(key, safe='')}")[0] == 200, key
    assert running.file.read_text() == HAND_MADE


@pytest.mark.parametrize(
    ("method", "key", "body", "status", "words"),
    [
        ("PUT", "a.example", {"value": "nowhere"}, 400, "'nowhere' is not block"),
        ("PUT", "a.example", {"value": {"is": "block", "\ud800": 1}}, 400, "an object has is"),
        ("PUT", "a.example", {"wert": "block"}, 400, "is not an object like"),
        ("PUT", "a.example", None, 400, "is not an object like"),
        ("PUT", "*.example", {"value": "block"}, 400, "is no name"),
        ("PUT", "a..example", {"value": "block"}, 400, "a..example"),
        ("PUT", "a.example", {"value": "x" * 66_000}, 413, "at most 65536 octets"),
        ("DELETE", "a.example", None, 404, "'a.example' is not overridden"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    running: Running, method: str, key: str, body: object, status: int, words: str
) -> None:
    code, said = running.ask(method, f"/overrides/{quote(key)}", body)
    assert (code, set(said)) == (status, {"error"})
    assert words in said["error"]
    assert running.file.read_text() == HAND_MADE


def test_a_broken_file_is_refused_with_its_line_and_what_holds_is_shown(running: Running) -> None:
    broken = '{\n"mine.example": "block"\n"b": 1}'
    running.file.write_text(broken)
    code, said = running.ask("PUT", "/overrides/a.example", {"value": "block"})
    assert code == 409
    assert "line 3, column 1" in said["error"]
    assert running.file.read_text() == broken
    _, shown = running.ask("GET", "/overrides")
    assert "line 3" in shown["problem"]
    assert [entry["key"] for entry in shown["entries"]] == ["first.example", "last.example"]


def test_an_edit_by_hand_is_not_lost(running: Running) -> None:
    """Saved, and the request comes before the proxy has noticed."""
    for number in range(5):
        running.file.write_text(HAND_MADE.replace('"first.example"', f'"hand-{number}.example"'))
        assert running.ask("PUT", "/overrides/a.example", {"value": "block"})[0] == 200
        assert f"hand-{number}.example" in running.file.read_text()
        assert asked_everywhere(running, f"hand-{number}.example.") == {tuple(NULL)}


def test_a_file_that_went_is_made_again(running: Running) -> None:
    running.file.unlink()
    assert running.ask("PUT", "/overrides/a.example", {"value": "block"})[0] == 200
    assert json.loads(running.file.read_text()) == {"a.example": "block"}


# Upstreams


def test_an_upstream_is_sent_to_rest_and_woken(running: Running) -> None:
    first = quote(running.names[0])
    status, group = running.ask("POST", f"/groups/{GROUP}/rest?upstream={first}&seconds=120")
    assert (status, group["name"]) == (200, GROUP)
    resting, other = group["upstreams"]
    assert (resting["health"], resting["put_to_rest"], other["health"]) == ("resting", True, "well")
    assert 115 < resting["rests_s"] <= 120
    assert requests_of(running, lambda: ask_new(running, "a")) == [0, 24]
    for name in running.names:
        running.ask("POST", f"/groups/{GROUP}/rest?upstream={quote(name)}")
    assert sum(requests_of(running, lambda: ask_new(running, "b"))) >= 24, "the last resort"
    status, group = running.ask("POST", f"/groups/{GROUP}/wake?upstream={first}")
    assert [one["health"] for one in group["upstreams"]] == ["well", "resting"]
    assert requests_of(running, lambda: ask_new(running, "c")) == [24, 0]
    _, [shown] = running.ask("GET", "/upstreams")
    assert [one["put_to_rest"] for one in shown["upstreams"]] == [False, True]


def ask_new(running: Running, word: str) -> None:
    """24 names from 24 ports: with two workers both are asked."""
    for number in range(24):
        assert addresses(running.proxy.udp(question(f"{word}{number}.wild")))


def requests_of(running: Running, what: Callable[[], None]) -> list[int]:
    """How many requests each upstream gets meanwhile."""
    before = [len(server.requests) for server in running.upstreams]
    what()
    return [len(server.requests) - had for server, had in zip(running.upstreams, before, strict=True)]


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        (
            f"/groups/{GROUP}/rest?upstream=dns.example",
            404,
            "'dns.example' is no upstream of main; there are: 127",
        ),
        ("/groups/nowhere/rest?upstream=x", 404, "'nowhere' is no group; there are: main"),
        (f"/groups/{GROUP}/rest", 400, "upstream: is missing"),
        (f"/groups/{GROUP}/rest?upstream=x&seconds=0", 400, "seconds: '0' is not from 1 to 604800"),
        (f"/groups/{GROUP}/rest?upstream=x&seconds=nan", 400, "seconds: 'nan' is not"),
        (f"/groups/{GROUP}/wake?upstream=x&seconds=5", 400, "seconds: is unknown"),
    ],
)
def test_no_upstream_rests_by_mistake(running: Running, target: str, status: int, words: str) -> None:
    code, said = running.ask("POST", target)
    assert code == status
    assert words in said["error"]


# A question now, and the settings


def test_a_look_up_passes_the_cache_by(running: Running) -> None:
    running.proxy.udp(question("one"))
    name = full_name("one")
    counts: list[int] = []
    looked = requests_of(running, lambda: counts.append(running.ask("GET", f"/query?name={name}")[0]))
    assert (counts, looked) == ([200], [1, 0])
    _, found = running.ask("GET", f"/query?name={name}&group={GROUP}")
    assert (found["group"], found["rcode"], found["source"]) == (GROUP, "NOERROR", running.names[0])
    assert found["answer"][0].endswith("IN A 203.0.113.1")
    assert found["took_ms"] > 0
    assert found["error"] is None
    running.ask("PUT", f"/overrides/{name}", {"value": "block"})
    _, found = running.ask("GET", f"/query?name={name}")
    assert found["answer"][0].endswith("IN A 0.0.0.0")
    assert "nowhere" in running.ask("GET", "/query?name=a.example&group=nowhere")[1]["error"]


def test_the_running_config_is_shown(running: Running) -> None:
    status, found = running.ask("GET", "/settings")
    assert status == 200
    assert found["settings"]["groups"][GROUP]["strategy"] == "failover"
    assert found["settings"]["routing"]["overrides"] == str(running.file)
    assert found["path"].endswith("smartdoh.toml")
