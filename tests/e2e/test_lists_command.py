"""`smartdoh lists`: updated and shown, by the proxy that runs and without one, for a person, a pipe and a program."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from smartdoh.control.client import Proxy
from tests.conftest import GROUP, StartProxy, settings_for
from tests.e2e.commands import config_of, run, socket_of
from tests.e2e.messages import addresses, question
from tests.servers.certificates import NAME_IN_ZONE, Authority
from tests.servers.lists import ListServer
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import COMMAND, RunningProxy, environment, toml
from tests.servers.zone import full_name

pytestmark = pytest.mark.usefixtures("short")

BAD, WORSE = (full_name(f"{name}.wild").rstrip(".") for name in ("bad", "worse"))
NULL = ["0.0.0.0"]
WITHIN = 10.0  # seconds that a busy machine may take for what is under way


def sections(folder: Path, url: str) -> dict[str, Any]:
    """A list that is fetched, and one of a person's own."""
    (folder / "mine.txt").write_text("mine.example\n||nonsense^\n")
    rules = [{"list": name, "action": "block"} for name in ("blocked", "mine")]
    return {
        "routing": {"default": GROUP, "rules": rules},
        "lists.blocked": {"file": str(folder / "blocked.txt"), "url": url, "format": "domains"},
        "lists.mine": {"file": str(folder / "mine.txt"), "format": "domains", "on_missing": "closed"},
    }


@pytest.fixture
def proxy(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path
) -> RunningProxy:
    """It has fetched its list once, and has a day until it looks again."""
    list_server.put(BAD)
    found = smartdoh(upstream.url, sections=sections(tmp_path, list_server.url))
    wait_for(lambda: addresses(found.udp(question("bad.wild"))) == NULL)
    return found


def wait_for(is_so: Any) -> None:
    end = time.monotonic() + WITHIN
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def outcomes(proxy: RunningProxy, *words: str, status: int = 0) -> dict[str, Any]:
    told = json.loads(run(proxy, "lists", "update", *words, "--json", status=status).stdout)
    return {found["list"]: found for found in told["lists"]}


def states(proxy: RunningProxy) -> dict[str, Any]:
    return {
        found["name"]: found for found in json.loads(run(proxy, "lists", "show", "--json").stdout)["lists"]
    }


def test_the_running_proxy_updates_its_lists(proxy: RunningProxy, list_server: ListServer) -> None:
    list_server.put(BAD, WORSE)
    done = run(proxy, "lists", "update")
    assert done.stderr == "", "no bars in a pipe"
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["blocked", "updated", "2"] in rows
    assert ["mine", "unchanged", "1", "1", "not", "a", "domain", "name"] in rows
    assert addresses(proxy.udp(question("worse.wild"))) == NULL
    found = outcomes(proxy, "blocked")
    assert (list(found), found["blocked"]["outcome"]) == (["blocked"], "unchanged")
    assert list_server.asked[-1] == (304, list_server.etag)


def test_a_list_that_is_no_good_leaves_the_old_one(proxy: RunningProxy, list_server: ListServer) -> None:
    list_server.put("<html>", "</html>")
    done = run(proxy, "lists", "update", "blocked", status=1)
    assert "it has no usable line" in done.stdout
    found = states(proxy)["blocked"]
    assert "no usable line" in found["problem"]
    assert found["set_aside"]["reasons"][0] == "it has no usable line"
    assert Path(found["set_aside"]["file"]).read_bytes() == list_server.content
    assert (found["lines_used"], found["fails_now"]) == (1, None)
    assert 0 < found["next_look_s"] <= 10
    assert addresses(proxy.udp(question("bad.wild"))) == NULL
    list_server.status = 404
    list_server.etag = ""
    failed = outcomes(proxy, status=1)
    assert (failed["blocked"]["outcome"], failed["blocked"]["why"]) == ("failed", "HTTP 404")
    assert failed["mine"]["outcome"] == "unchanged"
    list_server.status = 200
    list_server.put(BAD, WORSE)
    assert outcomes(proxy)["blocked"]["outcome"] == "updated"
    mended = states(proxy)["blocked"]
    assert (mended["problem"], mended["set_aside"], mended["lines_used"]) == ("", None, 2)


def test_what_the_proxy_says_of_its_lists(proxy: RunningProxy, list_server: ListServer) -> None:
    found = states(proxy)
    assert list(found) == ["blocked", "mine"]
    blocked, mine = found["blocked"], found["mine"]
    assert (blocked["url"], blocked["format"], blocked["on_missing"]) == (list_server.url, "domains", "open")
    assert 86_000 < blocked["next_look_s"] <= 86_400
    assert blocked["checked"] >= blocked["changed"]
    assert (mine["url"], mine["checked"], mine["next_look_s"]) == ("", None, None)
    assert (mine["lines_used"], mine["skipped"]) == (1, {"name": 1})
    shown = run(proxy, "lists", "show").stdout
    for words in ("blocked", "fails open", "fails closed", "1 not a domain name", "ago"):
        assert words in shown


def test_two_updates_at_once_are_one(proxy: RunningProxy, list_server: ListServer) -> None:
    list_server.put(BAD, WORSE)
    list_server.may_go_on.clear()
    before = len(list_server.asked)
    path = socket_of(proxy)
    streams = [Proxy(path).lines(f"/lists{which}", "POST") for which in ("/blocked", "")]
    told = [[json.loads(line)] for line in map(next, streams)]
    assert states(proxy)["blocked"]["updating"] is True
    list_server.may_go_on.set()
    for first, stream in zip(told, streams, strict=True):
        events = [event for event in (*first, *map(json.loads, stream)) if event["list"] == "blocked"]
        assert [event["phase"] for event in events[-3:-1]] == ["compiling", "judging"]
        assert (events[-1]["outcome"], events[-1]["status"]["lines_used"]) == ("updated", 2)
    assert told[0][0] == {"list": "blocked", "phase": "fetching", "done": 0, "total": None}
    assert len(list_server.asked) == before + 1
    assert states(proxy)["blocked"]["updating"] is False


def test_an_update_ends_with_the_proxy(proxy: RunningProxy, list_server: ListServer) -> None:
    """Who waits for it is told so, and is not kept waiting."""
    list_server.put(BAD, WORSE)
    list_server.may_go_on.clear()
    waiting = subprocess.Popen(
        [*COMMAND, "lists", "update", "--config", str(config_of(proxy))],
        env=environment(config_of(proxy).parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: states(proxy)["blocked"]["updating"])
    proxy.stop()
    said = "".join(waiting.communicate(timeout=30))
    assert waiting.returncode == 1
    assert "broken off" in said or "went away" in said
    assert "Traceback" not in said
    list_server.may_go_on.set()


@pytest.mark.parametrize("runs", [True, False])
def test_an_unknown_name(proxy: RunningProxy, runs: bool) -> None:
    if not runs:
        proxy.stop()
    done = run(proxy, "lists", "update", "blokced", status=2)
    assert "'blokced' is no list; did you mean 'blocked'?" in done.stderr.splitlines()[-1]
    assert done.stdout == ""


def command(folder: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *words, "--config", str(folder / "smartdoh.toml")],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture
def alone(authority: Authority, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path) -> Path:
    """The folder of a config that no proxy runs with."""
    list_server.put(BAD)
    how = sections(tmp_path, list_server.url)
    (tmp_path / "smartdoh.toml").write_text(
        toml(settings_for(upstream.url, authority=authority, sections=how))
    )
    return tmp_path


def test_without_a_proxy_the_files_are_updated(
    alone: Path, list_server: ListServer, upstream: ScriptedServer
) -> None:
    """By way of the config's own upstreams, as the proxy would; and its next start finds them."""
    missing = json.loads(command(alone, "lists", "show", "--json").stdout)
    assert missing["running"] is False
    assert [found["fails_now"] for found in missing["lists"]] == ["open", None]
    done = command(alone, "lists", "update")
    assert "no proxy runs" in done.stderr
    assert ["blocked", "updated", "1"] in [line.split() for line in done.stdout.splitlines()]
    assert upstream.asked(NAME_IN_ZONE, "A") == 1
    assert (alone / "blocked.txt").read_bytes() == list_server.content
    again = json.loads(command(alone, "lists", "update", "blocked", "--json").stdout)
    assert (again["running"], again["lists"][0]["outcome"]) == (False, "unchanged")
    assert list_server.asked[-1] == (304, list_server.etag)
    list_server.put("<html>")
    refused = command(alone, "lists", "update", "--json", status=1)
    assert {found["list"]: found["outcome"] for found in json.loads(refused.stdout)["lists"]} == {
        "blocked": "set aside",
        "mine": "unchanged",
    }
    shown = command(alone, "lists", "show").stdout
    assert "set aside" in shown
    list_server.status = 404
    assert "HTTP 404" in command(alone, "lists", "update", "blocked", status=1).stdout


def test_a_proxy_that_starts_meanwhile_has_what_the_command_fetched(
    alone: Path, list_server: ListServer, upstream: ScriptedServer, smartdoh: StartProxy
) -> None:
    """The command put a newer list there while the proxy had the older in force: it takes that up at its next look."""
    command(alone, "lists", "update")
    how = sections(alone, list_server.url)
    how["lists.blocked"]["refresh"] = "1s"
    proxy = smartdoh(upstream.url, sections=how)
    list_server.put(BAD, WORSE)
    command(alone, "lists", "update")
    wait_for(lambda: addresses(proxy.udp(question("worse.wild"))) == NULL)
    assert (alone / "blocked.txt").read_bytes() == list_server.content


def test_check_tells_of_the_lists(alone: Path) -> None:
    done = command(alone, "check", "--json")
    found = {one["name"]: one for one in json.loads(done.stdout)["lists"]}
    assert (found["mine"]["lines_used"], found["mine"]["skipped"]) == (1, {"name": 1})
    assert found["mine"]["file"] == str(alone / "mine.txt")
    assert (found["blocked"]["lines_used"], found["blocked"]["fails_now"]) == (None, "open")
    assert "compiling" not in command(alone, "check").stderr
    (alone / "mine.txt.compiled").unlink()
    (alone / "mine.txt").write_bytes(b"\xff" * 100)
    broken = json.loads(command(alone, "check", "--json").stdout)["lists"]
    assert broken[1]["lines_used"] == 0 or broken[1]["problem"]


@pytest.mark.parametrize(
    ("words", "bar"),
    [(["lists", "update"], "fetching"), (["check"], "compiling"), (["check", "--json"], "compiling")],
)
def test_a_person_sees_bars_on_stderr(
    alone: Path, list_server: ListServer, words: list[str], bar: str
) -> None:
    list_server.put(*(f"n{number}.example" for number in range(50_000)))
    (alone / "mine.txt").write_bytes(list_server.content)
    person, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *words, "--config", str(alone / "smartdoh.toml")],
        env=environment(alone, {"TERM": "xterm", "COLUMNS": "100"}),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    seen = read_all(person)
    os.close(person)
    assert process.stdout is not None
    said = process.stdout.read()
    process.stdout.close()
    assert process.wait(30) == 0
    assert bar in seen
    assert "━" in seen
    assert "━" not in said
    assert "compiling" not in said


def read_all(descriptor: int) -> str:
    """What a terminal shows until nobody writes to it any more."""
    chunks = []
    try:
        while chunk := os.read(descriptor, 65_536):
            chunks.append(chunk)
    except OSError:  # EIO: the other side is closed
        pass
    return b"".join(chunks).decode("utf-8", "replace")
