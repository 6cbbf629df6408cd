"""The dashboard's process: started and watched by the proxy, ended with it, and never in an answer's way."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.conftest import StartProxy
from tests.e2e.commands import config_of, run
from tests.e2e.waiting import until
from tests.servers.ports import free_port, is_listening
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy

pytestmark = pytest.mark.usefixtures("short")


def children(pid: int, words: str = "dashboard") -> list[int]:
    """Processes below this one that were started with this word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode().split("\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if words in line and parent == pid:
            found.append(int(folder.name))
    return found


def start(smartdoh: StartProxy, upstream: ScriptedServer, port: int, **more: object) -> RunningProxy:
    proxy = smartdoh(upstream.url, sections={"dashboard": {"listen": f"127.0.0.1:{port}"}, **more})
    until(lambda: is_listening(port))
    return proxy


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()


def test_it_is_started_again_and_ends_with_the_proxy(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    port = free_port()
    proxy = start(smartdoh, upstream, port)
    [first] = children(proxy.pid)
    os.kill(first, signal.SIGKILL)
    until(lambda: children(proxy.pid) not in ([], [first]) and is_listening(port))
    [second] = children(proxy.pid)
    assert "the dashboard ended and is started again" in proxy.log
    proxy.stop()
    assert is_gone(second)
    assert not is_listening(port)


def test_it_ends_with_a_proxy_that_was_killed(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    port = free_port()
    proxy = start(smartdoh, upstream, port)
    [pid] = children(proxy.pid)
    proxy.kill()
    until(lambda: is_gone(pid))
    assert not is_listening(port)


def test_a_reload_moves_it_and_takes_it_away(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    port, other = free_port(), free_port()
    proxy = start(smartdoh, upstream, port)
    config = config_of(proxy)
    whole = config.read_text()
    config.write_text(whole.replace(f"127.0.0.1:{port}", f"127.0.0.1:{other}"))
    run(proxy, "reload")
    until(lambda: is_listening(other) and not is_listening(port))
    config.write_text(whole.replace(f"127.0.0.1:{port}", ""))
    run(proxy, "reload")
    until(lambda: not is_listening(other) and not children(proxy.pid))
    config.write_text(whole)
    run(proxy, "reload")
    until(lambda: is_listening(port))


def test_a_port_in_use_is_told_and_stops_no_answer(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    first = start(smartdoh, upstream, port := free_port())
    second = smartdoh(upstream.url, sections={"dashboard": {"listen": f"127.0.0.1:{port}"}})
    until(lambda: "the dashboard cannot listen" in second.log)
    assert first.port != second.port


def test_of_several_workers_the_first_has_it(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    port = free_port()
    proxy = start(smartdoh, upstream, port, server={"workers": 2})
    workers = json.loads(run(proxy, "status", "--json").stdout)["workers"] if has_status() else []
    owners = [pid for pid in children(proxy.pid, "worker") if children(pid)]
    assert len(owners) == 1
    assert not workers or owners == [workers[0]["pid"]]
    os.kill(proxy.pid, signal.SIGTERM)
    until(lambda: not is_listening(port))


def has_status() -> bool:
    """Whether the program has that command."""
    from smartdoh.control.cli import app  # noqa: PLC0415 - looked at, not used

    return any(command.name == "status" for command in app.registered_commands)


def test_answering_loads_nothing_of_it(smartdoh: StartProxy, upstream: ScriptedServer) -> None:
    """Neither with a dashboard nor without: what is mapped into the process says so."""
    proxy = start(smartdoh, upstream, free_port())
    maps = Path(f"/proc/{proxy.pid}/maps").read_text()
    assert "smartdoh" in maps or "_native" in maps or "python" in maps
    for name in ("orjson", "argon2", "httptools"):
        assert name not in maps


def test_without_the_extra_it_says_so_and_goes_on(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """As where NiceGUI is not installed: a folder before it, which hides it."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'nicegui': raise ModuleNotFoundError(name)\n"
        "import importlib.util as util\n"
        "real = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'nicegui' else real(name, package)\n"
    )
    path = os.pathsep.join([str(hidden), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    port = free_port()
    sections = {"dashboard": {"listen": f"127.0.0.1:{port}"}}
    proxy = smartdoh(upstream.url, sections=sections, env={"PYTHONPATH": path})
    until(lambda: "no dashboard: it is not installed" in proxy.log)
    assert proxy.log.count("no dashboard") == 1
    assert not is_listening(port)
    assert children(proxy.pid) == []
