"""The query log of a real proxy: what was asked is what it says, whoever searches it, and whatever is killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import dns.message
import pytest

from smartdoh import unixsocket
from tests.conftest import StartProxy
from tests.e2e.commands import config_of, run, socket_of
from tests.e2e.messages import question
from tests.e2e.waiting import until
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import COMMAND, RunningProxy, environment
from tests.servers.zone import full_name

SECTIONS: dict[str, Any] = {
    "query_log": {"enabled": True},
    "routing": {"default": "main", "rules": [{"domains": ["ads.example"], "action": "block"}]},
}
PATIENCE = 15.0


def database(proxy: RunningProxy) -> Path:
    return config_of(proxy).parent / "state" / "queries.sqlite"


def lines(proxy: RunningProxy, *arguments: str) -> list[dict[str, Any]]:
    """What `smartdoh log` says."""
    found: list[dict[str, Any]] = json.loads(
        run(proxy, "log", "--json", "--limit", "10000", *arguments).stdout
    )
    return found


def count(proxy: RunningProxy) -> int:
    """How many lines there are, by the database itself."""
    try:
        with closing(sqlite3.connect(f"{database(proxy).as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM questions").fetchone()[0])
    except sqlite3.Error:
        return 0


def writers(proxy: RunningProxy) -> list[int]:
    """The processes that write for it."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"smartdoh.app.questions.writer" in words and _is_of(parent, proxy.pid):
            found.append(int(path.name))
    return found


def _is_of(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def get(proxy: RunningProxy, target: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = unixsocket.connect(socket_of(proxy), PATIENCE)
    with closing(connection):
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def ads(name: str) -> dns.message.Message:
    return dns.message.make_query(f"{name}.ads.example.", "A")


def test_what_was_asked_is_what_the_log_says(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    """Over both transports, hits and misses, blocked and failed; then after a restart, by the file alone."""
    proxy = smartdoh(upstream.url, sections=SECTIONS)
    for _ in range(5):
        proxy.udp(question("one"))
        proxy.tcp(question("one"))
        proxy.udp(ads("x"))
    proxy.udp(question("missing", "AAAA"))
    proxy.udp(dns.message.make_query("localhost.", "A"))
    until(lambda: count(proxy) == 17)
    found = lines(proxy)
    assert [line["id"] for line in found] == sorted(line["id"] for line in found)
    said = Counter((line["transport"], line["name"], line["outcome"]) for line in found)
    assert said == {
        ("udp", full_name("one"), "miss"): 1,
        ("udp", full_name("one"), "hit"): 4,
        ("tcp", full_name("one"), "hit"): 5,
        ("udp", "x.ads.example.", "blocked"): 5,
        ("udp", full_name("missing"), "miss"): 1,
        ("udp", "localhost.", "local"): 1,
    }
    (first,) = lines(proxy, "--outcome", "miss", full_name("one"), "--client", "127.0.0.1", "--since", "1h")
    assert (first["client"], first["type"], first["rcode"]) == ("127.0.0.1", "A", "NOERROR")
    assert (first["group"], first["rule"]) == ("main", "routing.default")
    assert first["upstream"]
    assert first["ms"] > 0
    for filters, number in (
        ("name=ads.example&below=1&outcome=blocked", 5),
        ("name=ads.example", 0),
        ("type=AAAA&rcode=NXDOMAIN", 1),
        ("group=main", 2),
        ("until=1h", 0),
    ):
        assert len(get(proxy, f"/queries?{filters}")[1]["questions"]) == number, filters
    assert database(proxy).stat().st_mode & 0o777 == 0o600
    proxy.stop()
    assert lines(proxy) == found


def test_many_names_can_be_left_out(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    """More than a command line has room for."""
    secret = [f"secret-number-{number}.ads.example" for number in range(12_000)]
    proxy = smartdoh(upstream.url, sections={**SECTIONS, "query_log": {"enabled": True, "exclude": secret}})
    proxy.udp(ads("secret-number-11999"))
    proxy.udp(ads("told"))
    until(lambda: count(proxy) == 1)
    assert [line["name"] for line in lines(proxy)] == ["told.ads.example."]


def test_the_api(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    proxy = smartdoh(upstream.url, sections=SECTIONS)
    for number in range(7):
        proxy.udp(ads(f"n{number}"))
    until(lambda: count(proxy) == 7)
    status, page = get(proxy, "/queries?limit=3&below=1&name=ads.example")
    assert status == 200
    assert [line["name"] for line in page["questions"]] == [f"n{number}.ads.example." for number in (6, 5, 4)]
    _, rest = get(proxy, f"/queries?before={page['before']}")
    assert len(rest["questions"]) == 4
    assert rest["before"] is None
    for wrong in ("client=me", "type=NOTHING", "outcome=fetched", "rcode=X", "since=soon", "limit=0"):
        status, said = get(proxy, f"/queries?{wrong}")
        assert status == 400, wrong
        assert wrong.partition("=")[2] in said["error"] or "TYPE" in said["error"]


def test_without_a_log_nothing_runs(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question("one"))
    status, said = get(proxy, "/queries")
    assert (status, said) == (409, {"error": "no query log is kept: set query_log.enabled"})
    assert "query_log.enabled" in run(proxy, "log", status=2).stderr
    assert writers(proxy) == []
    assert not database(proxy).exists()


def test_a_reload_switches_it_on_and_off(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    proxy = smartdoh(upstream.url, sections={**SECTIONS, "query_log": {"enabled": False}})
    config = config_of(proxy)
    text = config.read_text()
    proxy.udp(ads("before"))
    config.write_text(text.replace('"enabled" = false', '"enabled" = true'))
    run(proxy, "reload")
    proxy.udp(ads("while"))
    until(lambda: count(proxy) == 1)
    run(proxy, "reload")
    assert len(writers(proxy)) == 1
    proxy.udp(ads("still"))
    config.write_text(text)
    run(proxy, "reload")
    until(lambda: writers(proxy) == [])
    proxy.udp(ads("after"))
    proxy.stop()
    assert [line["name"] for line in lines(proxy)] == ["while.ads.example.", "still.ads.example."]


def test_a_name_cannot_reach_a_terminal_as_anything_but_text(
    smartdoh: StartProxy, upstream: ScriptedServer
) -> None:
    proxy = smartdoh(upstream.url, sections=SECTIONS)
    proxy.udp(ads(r"\027[31mred\010\155\128[b]"))
    until(lambda: count(proxy) == 1)
    plain = run(proxy, "log").stdout
    drawn = subprocess.run(
        ["script", "-qec", f"{' '.join(COMMAND)} log --config {config_of(proxy)}", "/dev/null"],
        env={**environment(config_of(proxy).parent), "TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()
    for shown in (plain, drawn):
        assert r"\027[31mred\010" in shown
        assert "[b]" in shown, "what looks like markup is text"
        assert "\x1b[31mred" not in shown
    assert plain.isascii()
    assert len(plain.splitlines()) == 1


def test_a_writer_that_is_killed_is_started_again(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    proxy = smartdoh(upstream.url, sections=SECTIONS)
    proxy.udp(ads("one"))
    until(lambda: count(proxy) == 1)
    (writer,) = writers(proxy)
    os.kill(writer, signal.SIGKILL)
    until(lambda: _is_dead(writer))
    proxy.udp(ads("two"))  # there is none at the moment
    until(lambda: writers(proxy) not in ([], [writer]), proxy.log)
    proxy.udp(ads("three"))
    until(lambda: count(proxy) == 3, proxy.log)
    assert "the writer of the query log ended" in proxy.log
    assert "SIGKILL" in proxy.log


def test_a_proxy_that_soon_ends_has_all_written(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    proxy = smartdoh(upstream.url, sections=SECTIONS)
    for number in range(20):
        proxy.udp(ads(f"n{number}"))
    proxy.stop()
    until(lambda: count(proxy) == 20, proxy.log)


def test_a_proxy_that_is_killed_leaves_its_lines_and_no_process(
    smartdoh: StartProxy, upstream: ScriptedServer
) -> None:
    proxy = smartdoh(upstream.url, sections=SECTIONS)
    for number in range(50):
        proxy.udp(ads(f"n{number}"))
    until(lambda: count(proxy) > 0)
    (writer,) = writers(proxy)
    time.sleep(0.5)  # what was passed on by then is safe
    proxy.kill()
    until(lambda: not Path(f"/proc/{writer}").exists() or _is_dead(writer))
    assert count(proxy) == 50


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def events(proxy: RunningProxy, target: str) -> Generator[tuple[str, Any], None, None]:
    """Server-sent events, from when the connection is there."""
    with unixsocket.connect(socket_of(proxy), PATIENCE) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        name = ""
        with sock.makefile("rb") as stream:
            for line in stream:
                if line.startswith(b"event: "):
                    name = line[7:].strip().decode()
                elif line.startswith(b"data: "):
                    yield name, json.loads(line[6:])


@pytest.mark.parametrize("workers", [1, 2])
def test_following_without_a_log(smartdoh: StartProxy, upstream: ScriptedServer, workers: int) -> None:
    """Of several workers all are heard, though the first one speaks."""
    proxy = smartdoh(upstream.url, sections={"routing": SECTIONS["routing"], "server": {"workers": workers}})
    stream = events(proxy, "/queries/follow?name=ads.example&below=1")
    assert next(stream) == ("lost", {"count": 0})
    if workers > 1:
        time.sleep(1.5)  # the others hear of it half a second later
    for number in range(40):
        proxy.udp(question("one"))
        proxy.udp(ads(f"n{number}"))
    names = set[str]()
    while len(names) < 40:
        event, row = next(stream)
        if event == "question":
            assert (row["outcome"], row["id"]) == ("blocked", None)
            names.add(row["name"])
    assert names == {f"n{number}.ads.example." for number in range(40)}
    stream.close()


def test_several_workers_write_one_log_of_all_that_was_asked(
    smartdoh: StartProxy, upstream: ScriptedServer
) -> None:
    """From the first question on: what comes before a worker has found the writer waits for it."""
    proxy = smartdoh(upstream.url, sections={**SECTIONS, "server": {"workers": 2}})
    for number in range(60):
        with proxy.udp_socket() as client:  # another port may be another worker's
            client.send(ads(f"n{number}").to_wire())
            client.recv(4096)
    until(lambda: count(proxy) == 60, proxy.log)
    assert len(writers(proxy)) == 1
