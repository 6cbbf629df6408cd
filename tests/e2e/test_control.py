"""The command line and the control socket against a running proxy: explain, cache, reload."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import re
import select
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dns.message
import pytest

from smartdoh import unixsocket
from tests.conftest import GROUP, StartProxy
from tests.e2e.commands import config_of, explained, run, socket_of
from tests.e2e.messages import addresses, error_codes, question
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.smartdoh import COMMAND, RunningProxy, environment
from tests.servers.zone import full_name

WANTED = ["203.0.113.1"]
PER_SECOND = 2000
LOAD_SECONDS = 5.0
RELOAD_EVERY = 0.2  # seconds
SOCKETS = 10
MOST_WAITING = (
    1000  # questions without an answer, few enough that their answers fit into the sockets' buffers
)


class Connection(http.client.HTTPConnection):
    """HTTP by hand, for what the command line does not send."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self) -> None:
        self.sock: socket.socket = unixsocket.connect(self.path, 10)


pytestmark = pytest.mark.usefixtures("short")


@pytest.fixture
def proxy(smartdoh: StartProxy, upstream: ScriptedServer) -> RunningProxy:
    return smartdoh(upstream.url)


def ask_raw(proxy: RunningProxy, method: str, target: str, **more: Any) -> tuple[int, Any]:
    connection = Connection(socket_of(proxy))
    connection.request(method, target, **more)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(
        body
    ) if response.headers.get_content_type() == "application/json" else body


# Explain


def test_explain_from_question_to_cached_answer(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    before = explained(proxy, full_name("one"))
    assert before["running"] is True
    assert before["cached"] == []
    assert before["group"]["upstreams"][0]["latency_ms"] is None
    proxy.udp(question("one"))
    after = explained(proxy, full_name("one"))
    [kept] = after["cached"]
    assert kept["state"] == "fresh"
    assert 0 <= kept["age_s"] < 60
    assert 240 < kept["left_s"] <= 300
    assert kept["source"] == after["group"]["upstreams"][0]["name"]
    assert kept["records"][0].endswith("IN A 203.0.113.1")
    assert after["group"]["upstreams"][0]["latency_ms"] > 0
    assert after["group"]["upstreams"][0]["health"] == "well"
    assert len(upstream.requests) == 1, "explaining asks nobody"
    shown = run(proxy, "explain", full_name("one")).stdout
    for words in ("routing.default", f"group {GROUP}", "fresh for", "203.0.113.1"):
        assert words in shown


def test_explain_names_the_rule(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    rules = [{"domains": ["blocked.example"], "clients": ["127.0.0.9"], "action": "block"}]
    proxy = smartdoh(upstream.url, sections={"routing": {"default": GROUP, "rules": rules}})
    blocked = explained(proxy, "x.blocked.example", "HTTPS", "--client", "127.0.0.9")
    assert (blocked["decision"]["action"], blocked["decision"]["why"]) == ("block", "routing.rules[0]")
    assert blocked["answered_here"]
    assert explained(proxy, "x.blocked.example")["decision"]["action"] == "ask"
    assert explained(proxy, "x.blocked.example", "--client", "8.8.8.8")["may_ask"] is False


def test_explain_names_the_override(smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path) -> None:
    file = tmp_path / "overrides.json"
    file.write_text('{"nas.example": "192.0.2.5"}')
    proxy = smartdoh(upstream.url, sections={"routing": {"default": GROUP, "overrides": str(file)}})
    found = explained(proxy, "nas.example")
    assert found["decision"]["action"] == "answer"
    assert found["decision"]["addresses"] == ["192.0.2.5"]
    assert "nas.example" in found["decision"]["why"]


def test_explain_names_the_line_of_the_list(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    file = tmp_path / "ads.txt"
    file.write_text("# ads\nother.example\nads.example\n")
    rules = [{"list": "ads", "action": "block"}]
    sections = {
        "routing": {"default": GROUP, "rules": rules},
        "lists.ads": {"file": str(file), "format": "domains"},
    }
    proxy = smartdoh(upstream.url, sections=sections)
    decision = explained(proxy, "x.ads.example")["decision"]
    assert (decision["action"], decision["list"]) == ("block", "ads")
    assert (decision["file"], decision["line"]) == (str(file), 3)
    assert f"{file} line 3" in run(proxy, "explain", "x.ads.example").stdout
    proxy.stop()
    assert explained(proxy, "x.ads.example")["decision"] == decision, "from the config alone"


def test_explain_names_the_exception_that_let_it_through(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """With the text of the line: in a list in base64 it could not be looked up."""
    file = tmp_path / "listed.txt"
    file.write_bytes(base64.b64encode(b"[AutoProxy]\n||listed.example\n@@||free.listed.example\n"))
    sections = {
        "routing": {"default": GROUP, "rules": [{"list": "listed", "action": "block"}]},
        "lists.listed": {"file": str(file), "format": "autoproxy"},
    }
    proxy = smartdoh(upstream.url, sections=sections)
    found = explained(proxy, "free.listed.example")
    passed = {"why": "routing.rules[0]", "list": "listed", "file": str(file), "line": 3}
    assert found["let_through"] == [passed | {"text": "@@||free.listed.example"}]
    assert found["decision"]["why"] == "routing.default"
    shown = run(proxy, "explain", "free.listed.example").stdout
    assert f"let through by: routing.rules[0]: listed, {file} line 3: @@||free.listed.example\n" in shown
    blocked = explained(proxy, "x.listed.example")
    assert (blocked["let_through"], blocked["decision"]["text"]) == ([], "||listed.example")


def test_explain_says_which_list_is_not_there(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    sections = {
        "routing": {"default": GROUP, "rules": [{"list": "blocked", "action": "block"}]},
        "lists.blocked": {"file": str(tmp_path / "blocked.txt")},
    }
    proxy = smartdoh(upstream.url, sections=sections)
    assert explained(proxy, "x.example")["lists_missing"] == ["blocked"]
    assert "never loaded: blocked\n" in run(proxy, "explain", "x.example").stdout


def test_explain_of_a_resting_upstream(smartdoh: StartProxy, scripted: Callable[..., ScriptedServer]) -> None:
    ill, well = scripted(), scripted()
    ill.behave(replies.status(500))
    proxy = smartdoh(ill.url, well.url, group={"strategy": "parallel"})
    for number in range(4):
        proxy.udp(question(f"n{number}.wild"))
    states = [upstream["health"] for upstream in explained(proxy, "x.example")["group"]["upstreams"]]
    assert states[0] in ("resting", "doubtful")
    assert states[1] == "well"


def test_explain_without_a_proxy_says_so(proxy: RunningProxy) -> None:
    proxy.stop()
    done = run(proxy, "explain", full_name("one"), "--json")
    assert json.loads(done.stdout)["running"] is False
    assert "from the config alone" in done.stderr


@pytest.mark.parametrize("words", [["a..b"], ["a.example", "NOTYPE"], ["a.example", "--client", "me"]])
def test_explain_of_nonsense(proxy: RunningProxy, words: list[str]) -> None:
    assert len(run(proxy, "explain", *words, status=2).stderr.splitlines()) == 1


# Cache


def test_cache_stats_export_and_flush(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    for owner in ("one", "a.wild", "b.wild", "missing"):
        proxy.udp(question(owner))
    proxy.udp(question("one"))
    counts = json.loads(run(proxy, "cache", "stats", "--json").stdout)["memory"]
    assert (counts["entries"], counts["hits"], counts["misses"]) == (4, 1, 4)
    assert [(one["transport"], one["outcome"], one["qtype"], one["count"]) for one in counts["answered"]] == [
        ("udp", "hit", 1, 1)
    ]
    shown = run(proxy, "cache", "stats").stdout
    assert "misses" in shown
    assert re.search(r"Answers from it by rcode\s+what\s+count\s+NOERROR\s+1\b", shown)
    rows = [json.loads(line) for line in run(proxy, "cache", "export").stdout.splitlines()]
    assert {row["name"]: row["rcode"] for row in rows} == {
        full_name("one"): "NOERROR",
        full_name("a.wild"): "NOERROR",
        full_name("b.wild"): "NOERROR",
        full_name("missing"): "NXDOMAIN",
    }
    assert run(proxy, "cache", "flush", full_name("wild"), "--below").stdout == "2 answers forgotten\n"
    assert run(proxy, "cache", "flush", full_name("one").upper()).stdout == "1 answer forgotten\n"
    asked = len(upstream.requests)
    assert addresses(proxy.udp(question("one"))) == WANTED
    assert len(upstream.requests) == asked + 1
    proxy.udp(question("one", "AAAA"))
    assert run(proxy, "cache", "flush", full_name("one"), "--type", "aaaa").stdout == "1 answer forgotten\n"
    assert "--below" in run(proxy, "cache", "flush", "--type", "A", status=2).stderr
    assert "no record type" in run(proxy, "cache", "flush", "one", "--type", "X!", status=2).stderr
    assert run(proxy, "cache", "flush").stdout == "2 answers forgotten\n"
    assert json.loads(run(proxy, "cache", "stats", "--json").stdout)["memory"]["entries"] == 0


def test_what_is_on_disk_is_explained_exported_and_flushed(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """After a reload the memory is empty, and the answers are on disk."""
    proxy = smartdoh(upstream.url, sections={"cache": {"dir": tmp_path / "cache"}})
    proxy.udp(question("one"))
    proxy.udp(question("both"))
    run(proxy, "reload")
    [kept] = explained(proxy, full_name("one"))["cached"]
    assert (kept["level"], kept["state"], kept["rcode"]) == ("disk", "fresh", "NOERROR")
    assert kept["records"][0].endswith("203.0.113.1")
    end = time.monotonic() + 10
    while len(lines := run(proxy, "cache", "export").stdout.splitlines()) < 2:  # written soon, not at once
        assert time.monotonic() < end
    assert {json.loads(line)["name"] for line in lines} == {full_name("one"), full_name("both")}
    assert json.loads(run(proxy, "cache", "stats", "--json").stdout)["disk"]["entries"] == 2
    assert "on disk" in run(proxy, "cache", "flush", full_name("one")).stdout
    assert explained(proxy, full_name("one"))["cached"] == []
    assert len(explained(proxy, full_name("both"))["cached"]) == 1
    run(proxy, "cache", "flush")
    assert explained(proxy, full_name("both"))["cached"] == []
    asked = len(upstream.requests)
    proxy.udp(question("one"))
    assert len(upstream.requests) == asked + 1


def test_what_is_on_disk_is_exported_without_a_proxy(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """In the very lines that the proxy gives, but for what has passed of their time."""
    proxy = smartdoh(upstream.url, sections={"cache": {"dir": tmp_path / "cache"}})
    proxy.udp(question("one"))
    proxy.udp(question("missing"))
    proxy.stop()
    done = run(proxy, "cache", "export")
    assert "no proxy runs" in done.stderr
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(rows) == {full_name("one"), full_name("missing")}
    one = rows[full_name("one")]
    assert (one["level"], one["group"], one["state"]) == ("disk", GROUP, "fresh")
    again = smartdoh(upstream.url, sections={"cache": {"dir": tmp_path / "cache"}})
    [same] = [
        row
        for row in map(json.loads, run(again, "cache", "export").stdout.splitlines())
        if row["name"] == one["name"]
    ]
    passing = {"age_s", "left_s", "stale_left_s", "records"}
    assert {key: same[key] for key in same if key not in passing} == {
        key: one[key] for key in one if key not in passing
    }


@pytest.mark.parametrize("words", [["cache", "stats"], ["cache", "flush"], ["cache", "export"], ["reload"]])
def test_without_a_proxy(proxy: RunningProxy, words: list[str]) -> None:
    proxy.stop()
    [line] = run(proxy, *words, status=1).stderr.splitlines()
    assert "no proxy runs" in line


# The socket


def test_the_socket_is_its_owners_alone_and_goes_at_the_end(proxy: RunningProxy) -> None:
    path = socket_of(proxy)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    proxy.stop()
    assert not path.exists()


def test_a_dead_socket_is_replaced(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    first = smartdoh(upstream.url)
    first.kill()
    dead = socket_of(first)
    inode = dead.stat().st_ino
    again = subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config_of(first))],
        env=environment(config_of(first).parent),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert again.stderr is not None
    while "ready" not in (line := again.stderr.readline()):
        assert line, "it ended"
    assert dead.stat().st_ino != inode or stat.S_ISSOCK(dead.stat().st_mode)
    assert explained(first, "x.example")["running"] is True
    again.terminate()
    assert again.wait(10) == 0
    again.stderr.close()
    assert not dead.exists()


def test_two_proxies_on_one_machine(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    first, second = smartdoh(upstream.url), smartdoh(upstream.url)
    assert len(list(runtime.rglob("control-*.sock"))) == 2
    first.udp(question("one"))
    counts = [
        json.loads(run(proxy, "cache", "stats", "--json").stdout)["memory"]["entries"]
        for proxy in (first, second)
    ]
    assert counts == [1, 0]


def test_status_statistics_and_upstreams(proxy: RunningProxy) -> None:
    code, status = ask_raw(proxy, "GET", "/status")
    assert (code, status["pid"], status["config"]) == (200, proxy.pid, str(config_of(proxy)))
    proxy.udp(question("one"))
    _, statistics = ask_raw(proxy, "GET", "/statistics")
    assert statistics["cache"]["misses"] == 1
    assert statistics["groups"][GROUP]["questions"] == 1
    _, groups = ask_raw(proxy, "GET", "/upstreams")
    assert [group["name"] for group in groups] == [GROUP]
    _, lines = ask_raw(proxy, "GET", f"/cache/{full_name('one')}")
    assert json.loads(lines)["rcode"] == "NOERROR"


@pytest.mark.parametrize(
    ("method", "target", "more", "code"),
    [
        ("GET", "/nothing", {}, 404),
        ("POST", "/status", {}, 405),
        ("GET", "/explain", {}, 400),
        ("GET", "/explain?name=a..b", {}, 400),
        ("POST", "/reload", {"headers": {"Content-Length": "10000000"}}, 413),
        ("POST", "/reload", {"headers": {"Content-Length": "-1"}}, 400),
        ("GET", "/status", {"headers": {"X": "x" * 200_000}}, 431),
    ],
)
def test_bad_requests(proxy: RunningProxy, method: str, target: str, more: dict[str, Any], code: int) -> None:
    assert ask_raw(proxy, method, target, **more)[0] == code
    assert ask_raw(proxy, "GET", "/status")[0] == 200


def test_too_many_connections_are_turned_away(proxy: RunningProxy) -> None:
    ask_raw(proxy, "GET", "/status")
    idle = [Connection(socket_of(proxy)) for _ in range(40)]
    for connection in idle:
        connection.connect()
    assert ask_raw(proxy, "GET", "/status")[0] == 503
    for connection in idle:
        connection.close()
    end = time.monotonic() + 10
    while ask_raw(proxy, "GET", "/status")[0] != 200:
        assert time.monotonic() < end


def test_an_open_connection_does_not_hold_up_the_end(proxy: RunningProxy) -> None:
    connection = Connection(socket_of(proxy))
    connection.request("GET", "/status")
    assert connection.getresponse().status == 200
    proxy.stop()
    connection.close()


# Reload


def block(proxy: RunningProxy, name: str) -> None:
    """A rule more in the proxy's config."""
    config = config_of(proxy)
    text = config.read_text()
    rule = f'"rules" = [{{ domains = ["{name}"], action = "block" }}]'
    config.write_text(text.replace(f'"default" = "{GROUP}"', f'"default" = "{GROUP}"\n{rule}'))


def test_reload_puts_a_new_config_in_force(proxy: RunningProxy) -> None:
    assert addresses(proxy.udp(question("one"))) == WANTED
    block(proxy, full_name("one"))
    assert run(proxy, "reload").stdout == "reloaded\n"
    assert addresses(proxy.udp(question("one"))) == ["0.0.0.0"]
    assert explained(proxy, full_name("one"))["decision"]["why"] == "routing.rules[0]"


@pytest.mark.parametrize("broken", ["[groups", "[groups.main]\nupstreams = []\n"])
def test_a_broken_config_leaves_the_old_one_running(proxy: RunningProxy, broken: str) -> None:
    config = config_of(proxy)
    sound = config.read_text()
    config.write_text(broken)
    done = run(proxy, "reload", status=2)
    assert done.stderr.strip()
    assert ask_raw(proxy, "POST", "/reload")[0] == 409
    assert addresses(proxy.udp(question("one"))) == WANTED
    proxy.process.send(signal.SIGHUP)
    end = time.monotonic() + 10
    while proxy.log.count("reload refused") < 3:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert addresses(proxy.udp(question("both"))) == ["203.0.113.20"]
    config.write_text(sound)
    run(proxy, "reload")


def wires() -> Iterator[bytes]:
    """Questions with ids 0, 1, ...: twenty names that come again, and now and then a new one."""
    made: dict[int, bytes] = {}
    for number in itertools.count():
        name = number if number % 40 == 0 else number % 20
        if name not in made:
            made[name] = question(f"n{name}.wild").to_wire()[2:]
        yield number.to_bytes(2) + made[name]


def reload_by_turns(proxy: RunningProxy, number: int) -> None:
    """By signal, or by the control socket."""
    if number % 2:
        proxy.process.send(signal.SIGHUP)
    else:
        assert ask_raw(proxy, "POST", "/reload")[0] == 200


def test_nothing_is_lost_while_it_reloads(proxy: RunningProxy) -> None:
    """2,000 questions a second and a reload each 200 ms: each question gets one answer, the right one."""
    answered: set[int] = set()
    sent, reloads, questions = 0, 0, wires()
    start = time.monotonic()
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.udp_socket()) for _ in range(SOCKETS)]
        while (passed := time.monotonic() - start) < LOAD_SECONDS or len(answered) < sent:
            assert passed < LOAD_SECONDS + 15, f"{sent - len(answered)} of {sent} got no answer"
            while (
                passed < LOAD_SECONDS and sent < passed * PER_SECOND and sent - len(answered) < MOST_WAITING
            ):
                clients[sent % SOCKETS].send(next(questions))
                sent += 1
            if passed < LOAD_SECONDS and reloads * RELOAD_EVERY < passed:
                reload_by_turns(proxy, reloads)
                reloads += 1
            for client in select.select(clients, [], [], 0.001)[0]:
                wire = client.recv(4096)
                number = int.from_bytes(wire[:2])
                assert addresses(dns.message.from_wire(wire)) == ["203.0.113.77"]
                assert number not in answered
                answered.add(number)
    assert len(answered) == sent
    assert reloads >= LOAD_SECONDS / RELOAD_EVERY * 0.8
    assert proxy.log.count("reloaded") > reloads / 2  # signals that come together are one


def test_explain_and_reload_do_not_disturb_the_socket_of_the_next(
    smartdoh: StartProxy, upstream: ScriptedServer
) -> None:
    """Who starts a second proxy with the same config is told, and the first keeps its socket."""
    first = smartdoh(upstream.url)
    config = config_of(first)
    other = subprocess.run(
        [*COMMAND, "serve", "--config", str(config)],
        env=environment(config.parent),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert other.returncode == 1
    assert explained(first, full_name("one"))["running"] is True
    assert error_codes(first.udp(question("one"))) == set()


# JSON of the commands that need no proxy


def test_query_and_check_as_json(proxy: RunningProxy) -> None:
    found = json.loads(run(proxy, "query", full_name("one"), "--json").stdout)
    assert found["rcode"] == "NOERROR"
    assert found["answer"][0].endswith("203.0.113.1")
    assert json.loads(run(proxy, "check", "--json").stdout)["sound"] is True
    config_of(proxy).write_text("[groups.main]\nupstreams = []\n")
    refused = json.loads(run(proxy, "check", "--json", status=2).stdout)
    assert refused["sound"] is False
    assert refused["problems"][0]["key"] == "groups.main.upstreams"
