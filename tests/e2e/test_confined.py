"""The service under its unit's sandbox, made without systemd: everything works, and nothing else does."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import GROUP, settings_for
from tests.e2e.messages import addresses, question
from tests.e2e.test_lists import soon
from tests.meta.tree import ROOT
from tests.servers import confine, seccomp
from tests.servers.certificates import Authority
from tests.servers.ports import is_listening
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import full_name

UNIT = (ROOT / "packaging/systemd/smartdoh.service").read_text("utf-8")
CAP_NET_BIND_SERVICE = 1 << 10
WATCHDOG = 400_000  # microseconds
WANTED = ["203.0.113.77"]

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="root and unshare are needed to build the sandbox",
)


class Service:
    """A proxy as the unit runs it, and what it told the service manager."""

    def __init__(self, folder: Path, authority: Authority, upstream: ScriptedServer) -> None:
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(10)
        (folder / "notify").chmod(0o777)
        self.host = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(2, 255)}"
        self.etc, self.folder = folder / "etc", folder
        self.etc.mkdir()
        for name in ("state", "cache", "run"):
            (folder / name).mkdir()
            os.chown(folder / name, confine.USER, confine.USER)
        self.overrides = self.etc / "overrides.json"
        self.overrides.write_text("{}")
        (self.etc / "blocked.txt").write_text(f"{full_name('bad.wild').rstrip('.')}\n")
        shutil.copy(authority.ca_file, self.etc / "ca.pem")
        self.proxy = self._start(settings_for(upstream.url, authority=authority), authority)

    def _start(self, settings: dict[str, dict[str, object]], authority: Authority) -> RunningProxy:
        rules = [{"list": "blocked", "action": "block"}]
        settings["groups.main"]["ca_file"] = str(self.etc / "ca.pem")
        settings["routing"] = {"default": GROUP, "rules": rules, "overrides": str(self.overrides)}
        settings["lists.blocked"] = {"file": str(self.etc / "blocked.txt")}
        settings["cache"] = {"entries": 1000}
        settings["listen"] = {"dns": [f"{self.host}:53"]}
        settings["dashboard"] = {"listen": f"{self.host}:8053"}
        program = self.folder / "filter"
        program.write_bytes(seccomp.filter_of(UNIT))
        keep = {ROOT, Path(sys.prefix), Path(sys.base_prefix), self.folder}
        outer = [path for path in keep if not any(other in path.parents for other in keep)]
        write = [self.folder / name for name in ("state", "cache", "run")]
        prefix = [
            *("unshare", "--mount", "--ipc", "--uts", "--propagation", "private"),
            *(sys.executable, "-m", "tests.servers.confine"),
            *(word for path in outer for word in ("--keep", str(path))),
            *(word for path in write for word in ("--write", str(path))),
            *(sys.executable, "-m", "tests.servers.seccomp", str(program)),
        ]
        paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        env = {
            "PYTHONPATH": paths,
            "STATE_DIRECTORY": str(self.folder / "state"),
            "CACHE_DIRECTORY": str(self.folder / "cache"),
            "RUNTIME_DIRECTORY": str(self.folder / "run"),
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": str(WATCHDOG),
            "BOOT_ID": "b" * 32,
        }
        return start_proxy(settings, self.folder, port=53, env=env, prefix=prefix)

    def told(self, wanted: str) -> None:
        """Wait until the manager was told this."""
        while wanted not in self.manager.recv(4096).decode():
            pass


@pytest.fixture(scope="module")
def service(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, ScriptedServer]]:
    """One for all."""
    folder = tmp_path_factory.mktemp("service")
    folder.chmod(0o755)
    with ScriptedServer(authority.good) as upstream:
        made = Service(folder, authority, upstream)
        try:
            yield made, upstream
        finally:
            if made.proxy.process.returncode is None:
                made.proxy.stop()
            made.manager.close()


def status_of(pid: int) -> dict[str, str]:
    """What the kernel says of a process."""
    return dict(re.findall(r"^(\w+):\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))


def test_it_is_confined(service: tuple[Service, ScriptedServer]) -> None:
    """Else the rest would say nothing."""
    pid = service[0].proxy.pid
    found = status_of(pid)
    assert found["Uid"].split() == [str(confine.USER)] * 4
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    held = {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert {int(each, 16) for each in held} == {CAP_NET_BIND_SERVICE}
    mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    options = {words[4]: words[5].split(",") for words in mounts}
    assert "ro" in options["/"]
    assert "ro" in options[str(service[0].folder)]
    assert "rw" in options[str(service[0].folder / "state")]
    assert options["/tmp"]
    assert sorted(os.listdir(Path("/proc", str(pid), "root", "dev"))) == sorted([*confine.DEVICES, "shm"])


def test_it_tells_the_manager(service: tuple[Service, ScriptedServer]) -> None:
    service[0].told("READY=1")
    for _ in range(2):
        service[0].told("WATCHDOG=1")


def test_it_answers_on_port_53(service: tuple[Service, ScriptedServer]) -> None:
    made, _ = service
    for name in ("one.wild", "two.wild"):
        assert addresses(made.proxy.udp(question(name), made.host)) == WANTED
        assert addresses(made.proxy.tcp(question(name), made.host)) == WANTED
    assert addresses(made.proxy.udp(question("x.bad.wild"), made.host)) == ["0.0.0.0"], (
        "a list was compiled aside"
    )


def test_it_shows_its_dashboard(service: tuple[Service, ScriptedServer]) -> None:
    made, _ = service
    made.proxy.process.wait_until(lambda: is_listening(8053, made.host))
    connection = http.client.HTTPConnection(made.host, 8053, timeout=20)
    connection.request("GET", "/settings")
    response = connection.getresponse()
    page = response.read().decode()
    connection.close()
    assert response.status == 200
    assert "groups.main" in page, "it has asked the control socket"
    assert "cannot" not in made.proxy.log


def test_it_watches_files_and_reloads(service: tuple[Service, ScriptedServer]) -> None:
    made, _ = service
    made.overrides.write_text(json.dumps({full_name("mine.wild"): "192.0.2.9"}))
    soon(lambda: addresses(made.proxy.udp(question("mine.wild"), made.host)), ["192.0.2.9"])
    made.proxy.process.send(signal.SIGHUP)
    made.told("RELOADING=1")
    made.told("READY=1")
    assert addresses(made.proxy.udp(question("one.wild"), made.host)) == WANTED


def test_it_keeps_answers_and_a_control_socket_and_nothing_else(
    service: tuple[Service, ScriptedServer],
) -> None:
    made, _ = service
    assert (made.folder / "state" / "cache.lmdb").exists()
    (control,) = [path for path in (made.folder / "run").rglob("*") if path.is_socket()]
    assert control.stat().st_uid == confine.USER
    assert control.stat().st_mode & 0o777 == 0o600
    written = [
        path for name in ("state", "run") for path in (made.folder / name).rglob("*") if path.is_file()
    ]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}


def test_it_ends_in_order(service: tuple[Service, ScriptedServer]) -> None:
    made, _ = service
    made.proxy.stop()
    made.told("STOPPING=1")


FORBIDDEN = """
import ctypes, mmap, os, socket
libc = ctypes.CDLL(None, use_errno=True)
tries = {
    "memory that is written and run": lambda: mmap.mmap(-1, 4096, prot=7),
    "a socket of packets": lambda: socket.socket(17, 3),
    "namespaces": lambda: libc.unshare(0x10000000) and os.strerror(ctypes.get_errno()) == "Operation not permitted",
    "mounts": lambda: libc.mount(b"a", b"/mnt", b"tmpfs", 0, None) and ctypes.get_errno() == 1,
    "another user": lambda: os.setuid(1),
    "a clock": lambda: __import__("time").clock_settime(0, 0),
    "a mode that gives rights": lambda: os.chmod("/nonexistent", 0o4755),
}
for name, one in tries.items():
    try:
        refused = one()
    except (PermissionError, OSError) as error:
        refused = error.errno in (1, 97)
    if not refused:
        print(name)
"""


def test_the_filter_refuses_what_the_unit_forbids(tmp_path: Path) -> None:
    """Else that everything works under it would say nothing. The process is root, so nothing else refuses it."""
    program = tmp_path / "filter"
    program.write_bytes(seccomp.filter_of(UNIT))
    argv = [sys.executable, "-m", "tests.servers.seccomp", str(program), sys.executable, "-c", FORBIDDEN]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
