"""Where one fault is played: servers, a proxy in front of them, and what ends with the play."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dns.rrset

from tests.servers.certificates import Authority, Certificate
from tests.servers.internet import Internet
from tests.servers.plain import PlainServer
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import Answers, full_name

HOT = tuple(full_name(f"hot{number}.wild") for number in range(20))
STALE = tuple(full_name(f"stale{number}") for number in range(10))
STALE_TTL = 1  # second
ECHO = Path(__file__).with_name("echo.py")
COMMITTED = 1.0  # seconds in which what was answered has come to lie on disk

Sections = Mapping[str, Mapping[str, Any]]


class Stage:
    """Everything public may be used by a world, by a fault and by the play."""

    def __init__(self, directory: Path, internet: Internet | None) -> None:
        self.directory = directory
        self.open = ExitStack()
        self.authority = Authority(directory / "authority")
        self.answers = Answers()
        for number, name in enumerate(STALE):
            self.answers.put(dns.rrset.from_text(name, STALE_TTL, "IN", "A", f"203.0.113.{100 + number}"))
        self.upstreams: list[ScriptedServer] = []
        self.proxy: RunningProxy
        self.bootstrap: PlainServer
        self.stranger: ScriptedServer
        self._internet = internet
        self._running: dict[ScriptedServer, ExitStack] = {}
        self._port = free_port()
        self._started: list[RunningProxy] = []
        self.settings: dict[str, Any] = {}
        self._how: dict[str, Any] = {}

    @property
    def internet(self) -> Internet:
        """The network with public addresses, for a fault that needs it."""
        assert self._internet is not None, "the fault does not say needs_internet"
        return self._internet

    @property
    def upstream(self) -> ScriptedServer:
        """The first upstream."""
        return self.upstreams[0]

    @property
    def state(self) -> Path:
        """Where the proxy keeps what it learns."""
        return self.directory / "state"

    @property
    def cache(self) -> Path:
        """Where the cache on disk is, if the world wants one."""
        return self.directory / "cache"

    def add_upstream(self, certificate: Certificate | None = None, **how: Any) -> ScriptedServer:
        """One more scripted server, which knows the tests' zone."""
        server = ScriptedServer(certificate or self.authority.good, answers=self.answers, **how)
        self.upstreams.append(server)
        self._running[server] = self.open.enter_context(ExitStack())
        self._running[server].enter_context(server)
        return server

    @contextmanager
    def without_upstream(self) -> Iterator[int]:
        """The first upstream is gone, and whoever connects to its port, which is given, is refused; then it is back."""
        gone = self.upstream
        self._running.pop(gone).close()
        try:
            yield gone.port
        finally:
            self.add_upstream(port=gone.port)
            self.upstreams[0] = self.upstreams.pop()

    def serve(
        self,
        *urls: str,
        group: Mapping[str, Any] | None = None,
        sections: Sections | None = None,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        """Start the proxy with one group of these upstreams; of the scripted ones where none are named."""
        wanted = list(urls) or [server.url for server in self.upstreams]
        main = {"upstreams": wanted, "ca_file": self.authority.ca_file, "fastest_ip": "off"}
        self.settings = {
            "groups.main": main | dict(group or {}),
            "routing": {"default": "main"},
            "cache": {"dir": "none"},
        } | dict(sections or {})
        self._how = {"env": {"STATE_DIRECTORY": str(self.state)} | dict(env or {}), "prefix": prefix}
        self.start()

    def start(self) -> None:
        """Start the proxy, or start it again where it has ended: on the same port, with what it had on disk."""
        self.state.mkdir(exist_ok=True)
        self.proxy = start_proxy(self.settings, self.directory, port=self._port, **self._how)
        self._started.append(self.proxy)

    def restart(self, then: Callable[[], object] = bool) -> float:
        """Kill the proxy as a power cut would, do something, and start it again; seconds until it was ready."""
        time.sleep(COMMITTED)
        return self.restart_at_once(then)

    def restart_at_once(self, then: Callable[[], object] = bool) -> float:
        """The same, whatever is not on disk yet."""
        self.proxy.kill()
        then()
        began = time.monotonic()
        self.start()
        return time.monotonic() - began

    def finish(self) -> None:
        """Every proxy ends in order, and never showed a traceback."""
        for proxy in self._started:
            proxy.stop()

    def start_echo(self) -> int:
        """A process that sends every datagram back; its port."""
        echo = subprocess.Popen(
            [sys.executable, "-I", "-S", str(ECHO)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.open.callback(echo.wait)
        self.open.callback(echo.kill)
        assert echo.stdout is not None
        with echo.stdout as said:
            return int(said.readline())

    @property
    def log(self) -> str:
        """What every proxy wrote."""
        return "\n".join(proxy.log for proxy in self._started)

    @property
    def cpu(self) -> float:
        """Seconds of processor time that the proxy has used."""
        fields = Path(f"/proc/{self.proxy.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def undone(begin: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
    """What `begin` does lasts until `end`."""
    begin()
    try:
        yield
    finally:
        end()
