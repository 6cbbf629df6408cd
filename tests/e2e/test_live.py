"""The live view of a running proxy: what was asked is what it shows, of one process and of two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from smartdoh.control.failures import RefusedError
from tests.conftest import GROUP, settings_for
from tests.e2e.commands import run
from tests.e2e.live import api_of, followed, looks, seen
from tests.e2e.messages import question
from tests.servers.certificates import Authority
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import full_name

pytestmark = pytest.mark.usefixtures("short")

OUTCOMES = ["hit", "stale", "miss", "blocked", "local", "refused", "failed"]


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "workers"])
def proxy(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProxy]:
    home: Path = tmp_path_factory.mktemp("live")
    ads = home / "ads.txt"
    ads.write_text("ads.example\n")
    rules = [{"list": "ads", "action": "block"}]
    with ExitStack() as stack:
        login = stack.enter_context(pytest.MonkeyPatch.context())
        login.delenv("XDG_RUNTIME_DIR", raising=False)
        login.delenv("RUNTIME_DIRECTORY", raising=False)
        upstream = stack.enter_context(ScriptedServer(authority.good))
        sections: dict[str, Any] = {
            "routing": {"default": GROUP, "rules": rules},
            "lists.ads": {"file": str(ads), "format": "domains"},
            "server": {"workers": request.param},
        }
        running = start_proxy(settings_for(upstream.url, authority=authority, sections=sections), home)
        yield running
        running.stop()


def asked(look: Any) -> int:
    return int(sum(look["counts"].values()))


def test_what_was_asked_is_shown(proxy: RunningProxy) -> None:
    first = api_of(proxy).get("/live")
    assert (asked(first), first["names"], first["last"], first["latency_ms"]) == (0, [], [], None)
    for _ in range(6):
        proxy.udp(question("one"))
    proxy.udp(question("www.ads.example."))
    proxy.udp(question("www.ads.example."))
    proxy.tcp(question("localhost."))
    look = seen(proxy, lambda look: asked(look) == 9 and len(look["last"]) == 9 and look["latency_ms"])
    counts = look["counts"]
    assert list(counts) == OUTCOMES == list(look["rate"])
    assert counts["blocked"] == 2
    assert counts["local"] == 1
    assert counts["hit"] + counts["miss"] == 6
    assert counts["miss"] >= 1
    assert look["hit_ratio"] == pytest.approx(counts["hit"] / 6, abs=0.001)
    assert look["names"][0] == {"name": full_name("one"), "count": 6}
    assert look["clients"] == [{"client": "127.0.0.1", "count": 9}]
    assert look["blocked"] == [{"name": "www.ads.example.", "count": 2, "list": "ads"}]
    assert look["latency_ms"]["p50"] > 0
    assert look["sampled"] is False
    assert len(look["last"]) == 9
    times = [one["at"] for one in look["last"]]
    assert times == sorted(times, reverse=True)
    [fetched, *_] = [one for one in look["last"] if one["outcome"] == "miss"]
    [upstream] = look["groups"][0]["upstreams"]
    assert fetched == {
        "id": None,
        "at": fetched["at"],
        "client": "127.0.0.1",
        "transport": "udp",
        "name": full_name("one"),
        "type": "A",
        "class": "IN",
        "rcode": "NOERROR",
        "outcome": "miss",
        "group": GROUP,
        "upstream": upstream["name"],
        "rule": "routing.default",
        "list": "",
        "line": 0,
        "ms": fetched["ms"],
    }
    assert fetched["ms"] > 0
    [blocked, *_] = [one for one in look["last"] if one["outcome"] == "blocked"]
    assert (blocked["list"], blocked["line"]) == ("ads", 1)
    assert upstream["requests"] == counts["miss"]
    assert sum(sum(point["rate"].values()) for point in look["history"]) > 0
    assert look["memory"]["entries"] >= 2


def test_each_second_is_followed_through_a_reload(proxy: RunningProxy) -> None:
    seen(proxy, lambda look: look["history"])
    following = looks(proxy)
    first, second = next(following), next(following)
    assert first["history"], "the first one has what was before"
    assert second["history"] == []
    assert second["at"] > first["at"]
    run(proxy, "reload")
    before = asked(first)
    for _ in range(4):
        proxy.udp(question("several"))
    while asked(look := next(following)) < before + 4:
        assert look["at"] > first["at"]
    assert look["rate"].keys() == set(OUTCOMES)


def test_eight_may_follow(proxy: RunningProxy) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(closing(followed(proxy)))
        with pytest.raises(RefusedError, match="follow"), closing(looks(proxy)) as one_more:
            next(one_more)
    followed(proxy).close()
