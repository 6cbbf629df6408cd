"""log.queries: every question is a line of the log, and none where it is off."""

import json
import signal
import time
from typing import Any

from tests.conftest import StartProxy
from tests.e2e.commands import config_of, run
from tests.e2e.messages import question
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import full_name


def questions(proxy: RunningProxy) -> list[dict[str, Any]]:
    """The lines about questions, in the order of the log; every line of it is whole."""
    lines = [json.loads(line) for line in proxy.log.splitlines()]
    return [line for line in lines if line["event"] == "question"]


def change(proxy: RunningProxy, text: str) -> None:
    config_of(proxy).write_text(text)
    run(proxy, "reload")


def wait_for(proxy: RunningProxy, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 10
    while len(found := questions(proxy)) < count:
        assert time.monotonic() < end, proxy.log
        time.sleep(0.02)
    return found


def test_questions_are_logged_where_that_is_wanted(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    """A reload switches it on and off, whatever the level is: who switched it on wants to see them."""
    proxy = smartdoh(upstream.url, sections={"log": {"queries": False, "level": "info", "format": "json"}})
    proxy.udp(question("both"))
    config = config_of(proxy)
    change(
        proxy, config.read_text().replace('"queries" = false', '"queries" = true').replace("info", "error")
    )
    proxy.udp(question("one"))
    proxy.udp(question("one"))
    proxy.tcp(question("one"))
    proxy.udp(question("missing", "AAAA"))
    found = wait_for(proxy, 4)
    shown = [(line["transport"], line["outcome"], line["rcode"]) for line in found]
    assert shown == [
        ("udp", "miss", "NOERROR"),
        ("udp", "hit", "NOERROR"),
        ("tcp", "hit", "NOERROR"),
        ("udp", "miss", "NXDOMAIN"),
    ]
    assert {line["name"] for line in found} == {full_name("one"), full_name("missing")}
    assert (found[0]["group"], found[0]["rule"]) == ("main", "routing.default")
    assert found[0]["ms"] > 0
    change(proxy, config.read_text().replace('"queries" = true', '"queries" = false'))
    proxy.udp(question("one"))
    proxy.stop()
    assert len(questions(proxy)) == 4


def test_what_was_asked_last_is_logged_at_the_end(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    proxy = smartdoh(upstream.url, sections={"log": {"queries": True, "format": "json"}})
    for _ in range(20):
        proxy.udp(question("one"))
    proxy.process.send(signal.SIGTERM)
    proxy.stop()
    assert [line["outcome"] for line in questions(proxy)] == ["miss"] + ["hit"] * 19
