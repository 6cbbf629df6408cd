"""A running proxy with two upstreams and overrides, for tests that look into it and steer it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smartdoh import unixsocket
from tests.conftest import GROUP, settings_for
from tests.e2e.commands import socket_of
from tests.servers.certificates import Authority
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, start_proxy

HAND_MADE = '{\n\t"first.example":  "block",\n\t"last.example": "allow"\n}\n'


class Running:
    """A proxy with two upstreams and an overrides file, and its control socket."""

    def __init__(self, proxy: RunningProxy, upstreams: list[ScriptedServer], file: Path) -> None:
        self.proxy = proxy
        self.upstreams = upstreams
        self.file = file
        self.names = [f"127.0.0.1:{server.port}" for server in upstreams]

    def ask(self, method: str, target: str, body: object = None) -> tuple[int, Any]:
        connection = _Connection(socket_of(self.proxy))
        connection.request(method, target, None if body is None else json.dumps(body))
        response = connection.getresponse()
        said = response.read()
        connection.close()
        return response.status, json.loads(said)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock: socket.socket = unixsocket.connect(self.path, 30)


@contextmanager
def started(authority: Authority, directory: Path, workers: int = 1) -> Iterator[Running]:
    """Start one; both upstreams know tests/servers/zone.py, and are asked in their order."""
    file = directory / "overrides.json"
    sections = {
        "routing": {"default": GROUP, "overrides": str(file)},
        "server": {"workers": workers},
    }
    with ScriptedServer(authority.good) as one, ScriptedServer(authority.good) as other:
        group = {"strategy": "failover"}
        settings = settings_for(one.url, other.url, authority=authority, group=group, sections=sections)
        proxy = start_proxy(settings, directory)
        yield Running(proxy, [one, other], file)
        proxy.stop()


def renew(running: Running) -> None:
    """As if nobody had steered it: its overrides are HAND_MADE, and in force, nobody rests, nothing is kept."""
    running.file.write_text(HAND_MADE)
    for name in running.names:
        running.ask("POST", f"/groups/{GROUP}/wake?upstream={quote(name)}")
    running.ask("PUT", "/overrides/settled.example", {"value": "block"})
    running.ask("DELETE", "/overrides/settled.example")
    running.ask("DELETE", "/cache")
