"""The dnstap output: what was asked is what Debian's collector and tools read, and no answer waits for it."""

from __future__ import annotations

import re
import socket
import time
from contextlib import closing
from pathlib import Path

from tests.conftest import StartProxy
from tests.e2e.messages import question
from tests.e2e.test_lists import sections
from tests.e2e.waiting import until
from tests.servers.dnstap import fstrm_capture
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import full_name


def ask_each_way(proxy: RunningProxy) -> None:
    """Fetched over UDP, a hit over TCP, blocked."""
    proxy.udp(question("one"))
    proxy.tcp(question("one", "AAAA"))
    proxy.tcp(question("one", "AAAA"))
    proxy.udp(question("bad.wild"))


def test_what_was_asked_is_what_comes_out(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """The names, types, rcodes, transports and times, read by dnstap-ldns; and what has no field of its own."""
    blocked = tmp_path / "blocked.txt"
    blocked.write_text(full_name("bad.wild").rstrip(".") + "\n")
    with fstrm_capture(tmp_path, tmp_path / "tap.sock") as capture:
        tap = {"dnstap": {"socket": str(tmp_path / "tap.sock"), "identity": "router"}}
        proxy = smartdoh(upstream.url, sections=sections(blocked) | tap)
        until(lambda: "the dnstap collector reads" in proxy.log)
        begun = time.time()
        ask_each_way(proxy)
        proxy.stop()  # which sends what is left, and ends the stream in order
        until(lambda: "received FSTRM_CONTROL_STOP" in capture.process.log)
        capture.stop()
        messages = capture.text().split("---\n")[:-1]
        frames = capture.frames()
    asked = [tuple(re.search(r"\n +;(\S+)\s+IN\s+(\S+)\n", message).groups()) for message in messages]  # type: ignore[union-attr]
    one, bad = full_name("one"), full_name("bad.wild")
    assert asked == [(one, "A"), (one, "AAAA"), (one, "AAAA"), (bad, "A")]
    assert [re.findall(r"socket_protocol: (\w+)", message)[0] for message in messages] == [
        "UDP",
        "TCP",
        "TCP",
        "UDP",
    ]
    for message in messages:
        assert 'identity: "router"' in message
        assert "type: CLIENT_RESPONSE" in message
        assert 'query_address: "127.0.0.1"' in message
        assert "rcode: NOERROR" in message
        at = re.findall(r"response_time: !!timestamp (\S+ \S+)", message)[0]
        assert abs(time.mktime(time.strptime(at[:19], "%Y-%m-%d %H:%M:%S")) - time.timezone - begun) < 60
    assert re.findall(r"outcome=(miss|hit|blocked)", frames) == ["miss", "miss", "hit", "blocked"]
    assert "list=blocked line=1" in frames


def test_a_collector_that_comes_late_restarts_or_never_reads_costs_no_answer(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """First there is none, then one that accepts nothing, then a good one."""
    path = tmp_path / "tap.sock"
    proxy = smartdoh(upstream.url, sections={"dnstap": {"socket": str(path)}})
    until(lambda: "no dnstap collector" in proxy.log)
    proxy.udp(question("one"))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as never:
        never.bind(str(path))
        never.listen()
        never.settimeout(15.0)
        connection, _ = never.accept()
        for _ in range(20):
            assert proxy.udp(question("one")).answer
        connection.close()
    path.unlink()
    with fstrm_capture(tmp_path, path) as capture:
        until(lambda: "the dnstap collector reads" in proxy.log)
        proxy.udp(question("two"))
        proxy.stop()
        until(lambda: "received FSTRM_CONTROL_STOP" in capture.process.log)
        capture.stop()
        assert f";{full_name('two')}" in capture.text()
        assert f";{full_name('one')}" in capture.text(), "what found room while there was no collector"
