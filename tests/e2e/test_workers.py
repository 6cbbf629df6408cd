"""Several workers: they answer as one, die and come again, are steered and counted together, and end together."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tests.servers.handover
from smartdoh.control.client import Proxy
from tests.conftest import GROUP, StartProxy, settings_for
from tests.e2e.commands import config_of, run, socket_of
from tests.e2e.messages import addresses, question
from tests.servers.certificates import Authority
from tests.servers.lists import ListServer
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, run_to_end, toml
from tests.servers.zone import full_name

pytestmark = pytest.mark.usefixtures("short")

WORKERS = 2
WANTED = ["203.0.113.1"]
NULL = ["0.0.0.0"]
CLIENTS = 40  # ports; that all of them fall to one of two workers happens once in 10^12 times
PER_SECOND = 2000
LOAD_SECONDS = 3.0
STOPPED_AT, KILLED_AT = 0.7, 1.0  # seconds into the load
LATE = 5.0  # seconds that the last answers may take, while a worker is started again
TURN = 64  # datagrams that a worker reads at a time


@pytest.fixture
def overrides(tmp_path: Path) -> Path:
    file = tmp_path / "overrides.json"
    file.write_text("{}")
    return file


@pytest.fixture
def sections(tmp_path: Path, overrides: Path) -> dict[str, Any]:
    return {
        "server": {"workers": WORKERS},
        "cache": {"dir": str(tmp_path / "cache")},
        "routing": {"default": GROUP, "overrides": str(overrides)},
    }


@pytest.fixture
def proxy(smartdoh: StartProxy, upstream: ScriptedServer, sections: dict[str, Any]) -> RunningProxy:
    return smartdoh(upstream.url, sections=sections)


def told(proxy: RunningProxy, target: str) -> Any:
    return Proxy(socket_of(proxy)).get(target)


def pids(proxy: RunningProxy) -> list[int]:
    return [worker["pid"] for worker in told(proxy, "/status")["workers"]]


def soon(ask: Callable[[], object], wanted: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while (got := ask()) != wanted:
        assert time.monotonic() < end, f"still {got}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_ask(proxy: RunningProxy, owner: str = "one") -> set[tuple[str, ...]]:
    """What many clients are told, over UDP and some over TCP: with so many ports every worker is asked."""
    found = {tuple(addresses(proxy.udp(question(owner)))) for _ in range(CLIENTS)}
    return found | {tuple(addresses(proxy.tcp(question(owner)))) for _ in range(CLIENTS // 2)}


def test_all_of_them_answer_and_are_counted_together(proxy: RunningProxy) -> None:
    """Each has some of the clients; the main socket says the sum."""
    assert all_ask(proxy) == {tuple(WANTED)}
    main = socket_of(proxy)
    [second] = main.parent.glob("worker-*.sock")

    def asked(counts: Any) -> int:
        return int(counts["memory"]["hits"] + counts["memory"]["misses"])

    everybody, one = asked(told(proxy, "/cache")), asked(Proxy(second).get("/cache"))
    assert everybody == CLIENTS + CLIENTS // 2
    assert 0 < one < everybody
    assert told(proxy, "/statistics")["cache"]["hits"] == told(proxy, "/cache")["memory"]["hits"]
    status = told(proxy, "/status")
    assert status["pid"] == proxy.pid
    assert [worker["number"] for worker in status["workers"]] == list(range(WORKERS))
    assert proxy.log.count('"event": "ready"') == 1


def test_what_one_has_fetched_the_others_find_on_disk(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    proxy.udp(question("one"))
    soon(lambda: told(proxy, "/cache")["disk"]["entries"], 1)
    assert all_ask(proxy) == {tuple(WANTED)}
    assert upstream.asked(full_name("one")) == 1
    memory = [json.loads(row) for row in Proxy(socket_of(proxy)).lines("/cache/export")]
    assert [row["level"] for row in memory] == ["memory", "disk"]
    [row] = Proxy(socket_of(proxy)).lines(f"/cache/{full_name('one')}")
    assert json.loads(row)["level"] == "memory"


def test_flush_empties_all_of_them(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    all_ask(proxy)
    soon(lambda: told(proxy, "/cache")["disk"]["entries"], 1)
    asked = upstream.asked(full_name("one"))
    done = Proxy(socket_of(proxy)).delete("/cache")
    assert done == {"removed": WORKERS, "disk": True}
    assert told(proxy, "/cache")["memory"]["entries"] == told(proxy, "/cache")["disk"]["entries"] == 0
    all_ask(proxy)
    assert upstream.asked(full_name("one")) > asked
    assert Proxy(socket_of(proxy)).delete(f"/cache/{full_name('one')}")["removed"] == WORKERS


@dataclass(slots=True)
class Load:
    """Questions at a steady rate from many ports, each sent once."""

    proxy: RunningProxy
    sent: int = 0
    answered: int = 0

    def run(self, seconds: float, at: dict[float, Callable[[], object]]) -> None:
        """Ask for so long; do what `at` says when its time comes."""
        with ExitStack() as stack, selectors.DefaultSelector() as selector:
            clients = [stack.enter_context(self.proxy.udp_socket()) for _ in range(CLIENTS)]
            for client in clients:
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ)
            wire, started, left = question("one").to_wire(), time.monotonic(), sorted(at.items())
            while (now := time.monotonic() - started) < seconds:
                while left and now >= left[0][0]:
                    left.pop(0)[1]()
                while self.sent < now * PER_SECOND:
                    clients[self.sent % CLIENTS].send(wire)
                    self.sent += 1
                self._take(selector, 0.001)
            end = time.monotonic() + LATE
            while self.answered < self.sent and time.monotonic() < end:
                self._take(selector, 0.05)

    def _take(self, selector: selectors.DefaultSelector, seconds: float) -> None:
        for key, _ in selector.select(seconds):
            assert isinstance(key.fileobj, socket.socket)
            while True:
                try:
                    answer = key.fileobj.recv(4096)
                except BlockingIOError:
                    break
                self.answered += bool(answer[3] & 15 == 0)


@pytest.mark.parametrize("number", range(WORKERS))
def test_killed_under_load_it_loses_only_what_it_had_read(proxy: RunningProxy, number: int) -> None:
    """What comes for a dead worker waits in its socket, which the supervisor holds, for its successor.

    It is stopped first, so that some hundred questions surely wait there when it dies.
    """
    assert all_ask(proxy) == {tuple(WANTED)}
    soon(lambda: told(proxy, "/cache")["disk"]["entries"], 1)
    victim = pids(proxy)[number]
    load = Load(proxy)
    load.run(
        LOAD_SECONDS,
        {
            STOPPED_AT: lambda: os.kill(victim, signal.SIGSTOP),
            KILLED_AT: lambda: os.kill(victim, signal.SIGKILL),
        },
    )
    assert load.sent >= PER_SECOND
    assert load.sent - load.answered <= TURN
    worker = told(proxy, "/status")["workers"][number]
    assert worker["restarts"] == 1
    assert worker["pid"] != victim
    assert proxy.log.count("a worker ended and is started again") == 1
    assert "signal 9 (SIGKILL)" in proxy.log


def test_one_that_keeps_dying_leaves_its_clients_to_the_others(proxy: RunningProxy) -> None:
    """The pauses grow; from the fourth on its share is given away meanwhile, and it gets it back."""
    assert all_ask(proxy) == {tuple(WANTED)}
    for deaths in range(1, 5):
        os.kill(pids(proxy)[1], signal.SIGKILL)
        soon(lambda: proxy.log.count("is started again"), deaths)
        if deaths < 4:
            soon(lambda: told(proxy, "/status")["workers"][1]["restarts"], deaths)
    assert '"pause_s": 2.0' in proxy.log
    assert all_ask(proxy) == {tuple(WANTED)}
    assert pids(proxy)[1] is None
    soon(lambda: told(proxy, "/status")["workers"][1]["restarts"], 4)
    before = told(proxy, "/cache")["memory"]["hits"]
    assert all_ask(proxy) == {tuple(WANTED)}
    [second] = socket_of(proxy).parent.glob("worker-*.sock")
    own = Proxy(second).get("/cache")["memory"]
    assert 0 < own["hits"] + own["misses"] < told(proxy, "/cache")["memory"]["hits"] - before + 2


def test_without_their_supervisor_they_end(proxy: RunningProxy) -> None:
    workers = pids(proxy)
    proxy.kill()
    soon(lambda: [is_alive(pid) for pid in workers], [False] * WORKERS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", proxy.port))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_in_order(proxy: RunningProxy, number: signal.Signals) -> None:
    workers, folder = pids(proxy), socket_of(proxy).parent
    proxy.process.send(number)
    assert proxy.process.wait() == 0
    assert not any(map(is_alive, workers))
    assert not list(folder.glob("*.sock"))


def by_command(proxy: RunningProxy, status: int) -> None:
    run(proxy, "reload", status=status)


def by_signal(proxy: RunningProxy, status: int) -> None:
    wanted = "reload refused" if status else '"event": "reloaded"'
    count = 1 if status else WORKERS
    before = proxy.log.count(wanted)
    proxy.process.send(signal.SIGHUP)
    soon(lambda: proxy.log.count(wanted), before + count)


@pytest.mark.parametrize("reload", [by_command, by_signal])
def test_reload_reaches_all(proxy: RunningProxy, reload: Callable[[RunningProxy, int], None]) -> None:
    """And one that is refused changes nothing, and is told of once."""
    assert all_ask(proxy) == {tuple(WANTED)}
    config = config_of(proxy)
    good = config.read_text()
    config.write_text(good + toml({"nonsense": {"key": 1}}))
    reload(proxy, 2)
    assert proxy.log.count("reload refused") == 1
    assert all_ask(proxy) == {tuple(WANTED)}
    blocked = f'"rules" = [{{ domains = ["{full_name("one").rstrip(".")}"], action = "block" }}]'
    config.write_text(good.replace("[routing]\n", f"[routing]\n{blocked}\n"))
    reload(proxy, 0)
    assert all_ask(proxy) == {tuple(NULL)}


def test_other_workers_take_a_restart(proxy: RunningProxy) -> None:
    config = config_of(proxy)
    config.write_text(config.read_text().replace(f'"workers" = {WORKERS}', '"workers" = 3'))
    run(proxy, "reload")
    assert proxy.log.count("server.workers is another than at the start; that takes a restart") == 1
    assert len(pids(proxy)) == WORKERS


def test_overrides_reach_all(proxy: RunningProxy, overrides: Path) -> None:
    assert all_ask(proxy) == {tuple(WANTED)}
    overrides.write_text(json.dumps({full_name("one"): "block"}))
    soon(lambda: proxy.log.count("overrides in force"), WORKERS)
    assert all_ask(proxy) == {tuple(NULL)}


def test_a_list_is_fetched_once_and_is_in_force_in_all(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, sections: dict[str, Any]
) -> None:
    list_server.put("nothing.example", full_name("bad.wild").rstrip("."))
    list_server.may_go_on.clear()  # nobody has it before all have started
    routing = {"default": GROUP, "rules": [{"list": "blocked", "action": "block"}]}
    more = {"routing": routing, "lists.blocked": {"url": list_server.url, "format": "domains"}}
    proxy = smartdoh(upstream.url, sections=sections | more)
    list_server.may_go_on.set()
    soon(lambda: all_ask(proxy, "bad.wild"), {tuple(NULL)})
    assert [status for status, _ in list_server.asked] == [200]


@pytest.mark.parametrize("shares", [False, True], ids=["alone", "shares"])
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_port_in_use(authority: Authority, tmp_path: Path, kind: socket.SocketKind, shares: bool) -> None:
    """Also by a program that would share it."""
    with socket.socket(socket.AF_INET, kind) as taken:
        if shares:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = nowhere(authority, listen={"dns": [where]})
        outcome = run_to_end(["serve"], tmp_path, settings)
    assert outcome.status == 1
    line = outcome.lines[-1]  # the first says that it starts
    assert where in line
    assert "another program" in line


def test_a_second_proxy_on_its_port(proxy: RunningProxy, authority: Authority, tmp_path: Path) -> None:
    settings = nowhere(authority, listen={"dns": [f"127.0.0.1:{proxy.port}"]})
    assert run_to_end(["serve"], tmp_path, settings).status == 1
    assert all_ask(proxy) == {tuple(WANTED)}


@pytest.mark.parametrize("found", ["by its own checks", "by the first worker"])
def test_config_that_is_refused(authority: Authority, tmp_path: Path, found: str) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "by its own checks": ({"server": {"workers": 0}}, "server.workers"),
        "by the first worker": ({"routing": {"default": GROUP, "overrides": str(broken)}}, "broken.json"),
    }
    more, words = wrong[found]
    settings = nowhere(authority, listen={"dns": [f"127.0.0.1:{free_port()}"]}, **more)
    outcome = run_to_end(["serve"], tmp_path, settings)
    assert outcome.status == 2
    line = outcome.lines[-1]  # the first says that it starts
    assert words in line


def nowhere(authority: Authority, **sections: dict[str, Any]) -> dict[str, Any]:
    more = {"server": {"workers": WORKERS}} | sections
    return settings_for("https://127.0.0.1:1/", authority=authority, sections=more)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(10)
        yield sock


def test_the_manager_hears_one_voice(
    smartdoh: StartProxy, upstream: ScriptedServer, sections: dict[str, Any], manager: socket.socket
) -> None:
    """Ready once when all are, reloading, alive as long as every worker's loop turns, stopping."""
    env = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "400000"}
    proxy = smartdoh(upstream.url, sections=sections, env=env)

    def heard(*, but: bytes = b"WATCHDOG=1") -> bytes:
        while (words := manager.recv(4096)) == but:
            pass
        return words

    assert heard() == b"READY=1"
    assert heard(but=b"") == b"WATCHDOG=1"
    proxy.process.send(signal.SIGHUP)
    assert heard().startswith(b"RELOADING=1")
    assert heard() == b"READY=1"
    stopped = pids(proxy)[1]
    os.kill(stopped, signal.SIGSTOP)
    manager.settimeout(1.0)
    with pytest.raises(TimeoutError):
        heard(but=b"WATCHDOG=1")  # until it falls silent
    os.kill(stopped, signal.SIGCONT)
    manager.settimeout(10.0)
    assert heard(but=b"") == b"WATCHDOG=1"
    proxy.process.send(signal.SIGTERM)
    assert heard() == b"STOPPING=1"


def test_sockets_handed_over_are_everybodys(
    smartdoh: StartProxy, upstream: ScriptedServer, sections: dict[str, Any]
) -> None:
    script = str(Path(tests.servers.handover.__file__))
    with ExitStack() as stack:
        port, made = free_port(), []
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
            sock.bind(("127.0.0.1", port))
            made.append(sock)
        made[1].listen()
        numbers = [sock.fileno() for sock in made]
        proxy = smartdoh(
            upstream.url,
            sections=sections | {"listen": {"dns": [f"127.0.0.1:{free_port()}"]}},
            port=port,
            prefix=[sys.executable, script, ",".join(map(str, numbers))],
            pass_fds=numbers,
        )
    assert all_ask(proxy) == {tuple(WANTED)}
    os.kill(pids(proxy)[1], signal.SIGKILL)
    assert all_ask(proxy) == {tuple(WANTED)}


def test_the_supervisor_is_small(proxy: RunningProxy) -> None:
    """It carries none of what answers."""
    loaded = Path(f"/proc/{proxy.pid}/maps").read_text()
    assert not [name for name in ("pydantic", "pycurl", "lmdb", "uvloop") if name in loaded]
    assert proxy.rss < 20 << 20
