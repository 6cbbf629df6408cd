"""The commands that look into a running proxy and steer it: what they print, what they do, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import GROUP
from tests.e2e import commands
from tests.e2e.commands import run
from tests.e2e.messages import addresses, question
from tests.e2e.steering import HAND_MADE, Running, renew, started
from tests.servers.certificates import Authority
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import full_name

pytestmark = pytest.mark.usefixtures("short")


@pytest.fixture(scope="module")
def started_one(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(authority, tmp_path_factory.mktemp("commands")) as running:
        yield running


@pytest.fixture
def running(started_one: Running) -> Running:
    renew(started_one)
    return started_one


@pytest.fixture
def proxy(running: Running) -> RunningProxy:
    return running.proxy


def read(proxy: RunningProxy, *words: str) -> Any:
    return json.loads(run(proxy, *words, "--json").stdout)


def test_overrides_are_set_listed_and_removed(running: Running, proxy: RunningProxy) -> None:
    name = full_name("one").rstrip(".")
    assert run(proxy, "overrides", "set", name, "block").stdout == f"{name}: block\n"
    assert addresses(proxy.udp(question("one"))) == ["0.0.0.0"]
    said = run(proxy, "overrides", "set", name, "192.0.2.7", "192.0.2.8").stdout
    assert said == f"{name}: 192.0.2.7, 192.0.2.8, it was block\n"
    assert sorted(addresses(proxy.udp(question("one")))) == ["192.0.2.7", "192.0.2.8"]
    done = read(proxy, "overrides", "set", f"={name}", GROUP, "--until", "2h", "--client", "127.0.0.0/8")
    assert (done["value"]["is"], done["value"]["clients"]) == (GROUP, ["127.0.0.0/8"])
    shown = run(proxy, "overrides", "list").stdout
    assert [line.split()[1] for line in shown.splitlines()[2:]] == [
        "first.example",
        "last.example",
        name,
        f"={name}",
    ]
    assert [entry["key"] for entry in read(proxy, "overrides", "list")["entries"]][-1] == f"={name}"
    assert run(proxy, "overrides", "remove", name).stdout.startswith(
        f"{name}: overridden no more, it was 192"
    )
    assert read(proxy, "overrides", "remove", f"={name}")["value"] is None
    assert running.file.read_text() == HAND_MADE


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["overrides", "set", "a.example", "nowhere"], "'nowhere' is not block, allow, the name of a group"),
        (["overrides", "set", "a.example", "block", "--until", "soon"], "until: 'soon' is not a time"),
        (["overrides", "remove", "a.example"], "'a.example' is not overridden"),
        (["upstreams", "rest", "nobody"], "'nobody' is no upstream; there are: 127.0.0.1:"),
        (["upstreams", "wake", "nobody", "--group", "main"], "'nobody' is no upstream of main"),
        (["upstreams", "rest", "nobody", "--for", "soon"], "--for: 'soon'"),
    ],
)
def test_what_is_refused_is_one_line_and_exit_2(proxy: RunningProxy, words: list[str], told: str) -> None:
    [line] = run(proxy, *words, status=2).stderr.splitlines()
    assert told in line


def test_upstreams_are_shown_sent_to_rest_and_woken(running: Running, proxy: RunningProxy) -> None:
    name, other = running.names
    said = run(proxy, "upstreams", "rest", name, "--for", "90s").stdout
    assert said == f"{name} of group {GROUP}: resting for 90.0 s, as was wanted\n"
    shown = run(proxy, "upstreams", "show").stdout
    assert "as was wanted" in next(line for line in shown.splitlines() if name in line)
    assert "well" in next(line for line in shown.splitlines() if other in line)
    status = run(proxy, "status").stdout
    assert "1 of 2 do well" in status
    assert f"{name} resting for" in status
    [group] = read(proxy, "upstreams", "rest", other, "--group", GROUP)
    assert [one["health"] for one in group["upstreams"]] == ["resting", "resting"]
    assert run(proxy, "upstreams", "wake", name).stdout == f"{name} of group {GROUP}: well\n"
    [group] = read(proxy, "upstreams", "show")
    assert [one["health"] for one in group["upstreams"]] == ["well", "resting"]


def test_status_and_stats(proxy: RunningProxy) -> None:
    for _ in range(2):
        proxy.udp(question("one"))
    found = read(proxy, "status")
    assert (found["pid"], found["groups"], found["overrides"]) == (proxy.pid, [GROUP], 2)
    shown = run(proxy, "status").stdout
    assert f"{proxy.pid}, for" in shown
    assert f"127.0.0.1 port {proxy.port}" in shown
    assert read(proxy, "stats")["groups"][GROUP]["questions"] >= 1
    shown = run(proxy, "stats").stdout
    assert re.search(r"Questions by outcome\s+outcome\s+count\s+share\s", shown)
    assert re.search(r"\bhit\s+[0-9,]+\s+[0-9.]+%", shown)
    assert re.search(r"miss\s+[0-9,]+\s+[0-9.,]+ ms\s+(up to|over) ", shown)
    assert "hits" in shown
    assert GROUP in shown


def test_what_the_other_commands_do_is_told_as_json_too(proxy: RunningProxy) -> None:
    proxy.udp(question("one"))
    assert read(proxy, "cache", "flush", full_name("one").rstrip(".")) == {"removed": 1, "disk": False}
    assert read(proxy, "cache", "flush", "export")["removed"] == 0
    assert read(proxy, "reload") == {"warnings": []}


@pytest.mark.parametrize(
    "words",
    [["status"], ["stats"], ["upstreams", "show"], ["overrides", "list"], ["overrides", "remove", "a"]],
)
def test_without_a_proxy(running: Running, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another config has another socket, where nobody listens."""
    config = commands.config_of(running.proxy)
    other = config.with_name("other.toml")
    other.write_text(config.read_text())
    monkeypatch.setattr(commands, "config_of", lambda _: other)
    [line] = run(running.proxy, *words, status=1).stderr.splitlines()
    assert "no proxy runs" in line
