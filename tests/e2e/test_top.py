"""`smartdoh top` before a running proxy: what is asked is seen, and what keys do is heard by dig."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GROUP, settings_for
from tests.e2e.commands import config_of, run
from tests.e2e.live import api_of, followed
from tests.e2e.messages import question
from tests.e2e.picture_top import PICTURE, draw
from tests.e2e.watching import SECONDS, Screen, top, watch
from tests.servers.certificates import Authority
from tests.servers.process import ServerProcess
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.smartdoh import STRICT_COMMAND, RunningProxy, environment, start_proxy
from tests.servers.zone import full_name

pytestmark = pytest.mark.usefixtures("short")

EVIL = r"[red]x\027[2j.ads.example."
SLOW = 0.15  # seconds that the slower upstream takes


def dig(proxy: RunningProxy, *words: str) -> list[str]:
    argv = [require_server("dig"), "@127.0.0.1", "-p", str(proxy.port), "+short", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout.split()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("top")


@pytest.fixture(scope="module")
def upstreams(authority: Authority) -> Iterator[tuple[ScriptedServer, ScriptedServer]]:
    with ScriptedServer(authority.good) as quick, ScriptedServer(authority.good) as slow:
        slow.behave(replies.delayed(SLOW))
        yield quick, slow


@pytest.fixture(scope="module")
def proxy(
    home: Path, authority: Authority, upstreams: tuple[ScriptedServer, ScriptedServer]
) -> Iterator[RunningProxy]:
    (home / "ads.txt").write_text("# ads\nads.example\n")
    (home / "overrides.json").write_text("{}\n")
    sections: dict[str, Any] = {
        "routing": {
            "default": GROUP,
            "overrides": str(home / "overrides.json"),
            "rules": [{"list": "ads", "action": "block"}],
        },
        "lists.ads": {"file": str(home / "ads.txt"), "format": "domains"},
    }
    urls = [server.url for server in upstreams]
    settings = settings_for(*urls, authority=authority, group={"strategy": "parallel"}, sections=sections)
    with ExitStack() as stack:
        login = stack.enter_context(pytest.MonkeyPatch.context())
        login.delenv("XDG_RUNTIME_DIR", raising=False)
        login.delenv("RUNTIME_DIRECTORY", raising=False)
        running = start_proxy(settings, home)
        api_of(running).get("/live")  # counting begins
        yield running
        running.stop()


def shows(screen: Screen, words: str) -> bool:
    return words in screen.text()


def names_of(rows: list[tuple[str, ...]]) -> list[str]:
    return [row[0] for row in rows]


def test_who_asks_what_and_how_it_goes(
    proxy: RunningProxy, upstreams: tuple[ScriptedServer, ScriptedServer]
) -> None:
    """The slowest upstream, the busiest client and what blocks a name are on the first screen, and in their tables."""
    for _ in range(5):
        assert dig(proxy, "-b", "127.0.0.3", full_name("one")) == ["203.0.113.1"]
    assert dig(proxy, "www.ads.example") == ["0.0.0.0"]
    slow = f"127.0.0.1:{upstreams[1].port}"

    async def play(screen: Screen) -> None:
        await screen.until(lambda: full_name("one").rstrip(".") in names_of(screen.rows("names")))
        await screen.until(lambda: f"slowest upstream  {slow}" in screen.shown("#figures"))
        figures = screen.shown("#figures")
        assert "busiest client    127.0.0.3, " in figures
        assert "most blocked      www.ads.example, by list ads" in figures
        assert screen.rows("clients")[0][0] == "127.0.0.3"
        assert ("www.ads.example", "list ads") in [row[::2] for row in screen.rows("blocked")]
        [first, second] = screen.rows("upstreams")
        assert (first[0], first[1], first[4]) == (slow, GROUP, "well, slowest")
        assert second[4] == "well"
        assert ("A", "blocked") in [row[3:5] for row in screen.rows("last")]
        assert "127.0.0.1 port" in screen.shown("#head")
        for words in ("Busiest clients", "Blocked", "Upstreams", "slowest upstream", "hit", "⏎ Why"):
            await screen.until(partial(shows, screen, words))
        await screen.press("tab", "tab", "tab")
        await screen.until(lambda: "r Rest" in screen.text())
        assert "well, slowest" in screen.text()
        assert "b Block" not in screen.text()

    watch(proxy, play)


def test_why_a_name_is_blocked(proxy: RunningProxy, home: Path) -> None:
    dig(proxy, "why.ads.example")

    async def play(screen: Screen) -> None:
        await screen.stand_on("blocked", "why.ads.example")
        await screen.press("enter")
        await screen.until(screen.dialog)
        assert "decision: blocked" in screen.dialog()
        assert f"list: ads, {home / 'ads.txt'} line 2: ads.example" in screen.dialog()
        await screen.press("escape")
        assert not screen.dialog()
        await screen.press("question_mark")
        assert "Keys" in screen.dialog()

    watch(proxy, play)


def test_a_name_is_blocked_and_allowed(proxy: RunningProxy, home: Path) -> None:
    name = full_name("both").rstrip(".")
    assert dig(proxy, name) == ["203.0.113.20"]
    assert dig(proxy, "allowed.ads.example") == ["0.0.0.0"]

    async def play(screen: Screen) -> None:
        await screen.stand_on("names", name)
        await screen.press("b")
        await screen.until(screen.dialog)
        await screen.press("n")
        assert json.loads((home / "overrides.json").read_text()) == {}, "it was not confirmed"
        await screen.press("b")
        await screen.until(screen.dialog)
        await screen.press("y")
        await screen.until(lambda: f"{name}: block" in screen.said())
        assert dig(proxy, name) == ["0.0.0.0"]
        assert json.loads((home / "overrides.json").read_text()) == {name: "block"}
        await screen.stand_on("blocked", "allowed.ads.example")
        await screen.press("a")
        await screen.until(screen.dialog)
        await screen.press("y")
        await screen.until(lambda: "allowed.ads.example: allow" in screen.said())
        assert dig(proxy, "allowed.ads.example") != ["0.0.0.0"]

    watch(proxy, play)


def test_a_name_is_forgotten(proxy: RunningProxy, upstreams: tuple[ScriptedServer, ScriptedServer]) -> None:
    name = full_name("several").rstrip(".")
    dig(proxy, name)
    before = len(upstreams[0].requests)

    async def play(screen: Screen) -> None:
        await screen.stand_on("names", name)
        await screen.press("f")
        await screen.until(lambda: f"1 answer of {name} forgotten" in screen.said())
        dig(proxy, name)
        assert len(upstreams[0].requests) == before + 1

    watch(proxy, play)


def test_an_upstream_rests_and_is_woken(proxy: RunningProxy) -> None:
    dig(proxy, full_name("six"), "AAAA")

    async def play(screen: Screen) -> None:
        await screen.stand_on("upstreams", "127.0.0.1")
        name = screen.rows("upstreams")[0][0]
        await screen.press("r")
        await screen.until(screen.dialog)
        await screen.press("y")
        await screen.until(lambda: f"{name} rests" in screen.said())
        assert "resting" in json.dumps(api_of(proxy).get("/upstreams"))
        await screen.until(lambda: "1 of 2 upstreams rest" in screen.shown("#head"))
        await screen.stand_on("upstreams", name)
        await screen.press("w")
        await screen.until(lambda: "answering" in screen.shown("#head"))

    watch(proxy, play)


def test_names_steer_no_terminal(proxy: RunningProxy) -> None:
    """A name that is markup and a control sequence is shown as it was asked, everywhere."""
    dig(proxy, EVIL)
    shown = EVIL.rstrip(".")

    async def play(screen: Screen) -> None:
        await screen.stand_on("blocked", shown)
        assert shown in screen.text()
        assert "\x1b" not in screen.text()
        await screen.press("enter")
        await screen.until(screen.dialog)
        assert shown in screen.dialog()
        assert f"Why {shown} gets its answer" in screen.text()
        await screen.press("escape", "b")
        await screen.until(screen.dialog)
        assert f"Block {shown}?" in screen.text()
        await screen.press("y")
        await screen.until(lambda: f"{shown}: block" in screen.said())

    watch(proxy, play)
    assert "\x1b" not in run(proxy, "top", "--once").stdout


def test_rows_are_filtered_and_the_screen_pauses(proxy: RunningProxy) -> None:
    dig(proxy, full_name("alias"))
    dig(proxy, "-b", "127.0.0.4", full_name("mail"), "MX")

    async def play(screen: Screen) -> None:
        await screen.until(lambda: full_name("mail").rstrip(".") in names_of(screen.rows("names")))
        await screen.press("slash", "a", "l", "i", "a", "enter")
        assert names_of(screen.rows("names")) == [full_name("alias").rstrip(".")]
        await screen.press("escape")
        assert len(screen.rows("names")) > 1
        await screen.press("p")
        assert "PAUSED" in screen.shown("#head")
        dig(proxy, full_name("text"), "TXT")
        look = api_of(proxy).lines("/live/follow")
        for _ in range(9):  # three events, with what was asked in them
            next(look)
        look.close()  # type: ignore[attr-defined]
        assert full_name("text").rstrip(".") not in names_of(screen.rows("names"))
        await screen.press("p")
        await screen.until(lambda: full_name("text").rstrip(".") in names_of(screen.rows("names")))
        await screen.stand_on("clients", "127.0.0.4")
        await screen.press("enter")
        assert {row[1] for row in screen.rows("last")} == {"127.0.0.4"}, "what a client has asked"

    watch(proxy, play)


def test_every_size_and_both_themes(proxy: RunningProxy) -> None:
    async def play(screen: Screen) -> None:
        wide = screen.panel("upstreams")
        assert not wide.display or not wide.region.area
        await screen.resize(200, 60)
        for key in ("names", "clients", "blocked", "upstreams", "last"):
            assert screen.panel(key).region.area > 200
        for _ in range(3):
            await screen.press("t", "tab")
        await screen.resize(40, 12)
        await screen.until(lambda: "q Quit" in screen.text())

    watch(proxy, play, 80, 24)


def test_a_proxy_that_ends_is_waited_for(
    authority: Authority, upstreams: tuple[ScriptedServer, ScriptedServer], tmp_path: Path
) -> None:
    mortal = start_proxy(settings_for(upstreams[0].url, authority=authority), tmp_path)
    config = config_of(mortal)

    async def play(screen: Screen) -> None:
        mortal.stop()
        await screen.until(lambda: "not running, waiting" in screen.shown("#head"))
        await screen.press("f")
        argv = [*STRICT_COMMAND, "serve", "--config", str(config)]
        again = ServerProcess("again", argv, config.parent, environment(config.parent))
        try:
            await screen.until(lambda: "answering" in screen.shown("#head"))
        finally:
            assert again.stop() == 0

    watch(mortal, play)


def test_too_many_followers_are_told_so(proxy: RunningProxy) -> None:
    async def play(screen: Screen) -> None:
        with ExitStack() as others:
            for _ in range(7):
                others.enter_context(closing(followed(proxy)))
            async with top(proxy, words="as many as may follow do so already, waiting"):
                assert "answering" in screen.shown("#head")

    watch(proxy, play)


def test_one_look_as_text_and_as_json(proxy: RunningProxy) -> None:
    proxy.udp(question("one"))
    shown = run(proxy, "top", "--once", "--interval", "1s").stdout
    for words in (
        "slowest upstream: 127.0.0.1:",
        "Busiest clients",
        "Upstreams",
        "well, slowest",
        "Last questions",
    ):
        assert words in shown
    assert shown == run(proxy, "top").stdout or "Busiest names" in run(proxy, "top").stdout, "in a pipe alike"
    found = json.loads(run(proxy, "top", "--json").stdout)
    assert found["seconds"] >= 1
    assert found["history"]


@pytest.mark.parametrize("interval", ["500ms", "soon"])
def test_an_interval_that_is_none(proxy: RunningProxy, interval: str) -> None:
    [line] = run(proxy, "top", "--interval", interval, status=2).stderr.splitlines()
    assert f"--interval: '{interval}'" in line


@pytest.mark.parametrize("words", [[], ["--once"], ["--json"]])
def test_no_proxy(
    authority: Authority, upstreams: tuple[ScriptedServer, ScriptedServer], tmp_path: Path, words: list[str]
) -> None:
    mortal = start_proxy(settings_for(upstreams[0].url, authority=authority), tmp_path)
    mortal.stop()
    [line] = run(mortal, "top", *words, status=1).stderr.splitlines()
    assert "no proxy runs" in line


def test_the_picture_is_of_the_program_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m tests.e2e.picture_top` draws it anew."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    kept = words_of(PICTURE.read_text("utf-8"))
    drawn = asyncio.run(draw(SECONDS, lambda picture: words_of(picture) == kept))
    monkeypatch.undo()
    time.tzset()
    assert words_of(drawn) == kept
    assert "url(" not in drawn.replace("url(#", ""), "it loads nothing from elsewhere"


def words_of(picture: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", picture)


def test_serve_carries_none_of_it() -> None:
    """Neither the server nor its HTTP, nor the command line before `top` is asked for."""
    program = (
        "import sys, smartdoh.control.cli, smartdoh.app.server, smartdoh.control.api.application, "
        "smartdoh.control.workers.together; print([one for one in sys.modules if one.startswith('textual')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
