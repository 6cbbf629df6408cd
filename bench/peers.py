"""The servers that are measured, and which of them can be started here."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from bench import configs
from bench.compiled import COMPILER, compile_c
from bench.configs import SEARCH_PATH
from bench.errors import BenchError
from bench.sites import Endpoint, Site

__all__ = ["LIMIT", "OURS", "PEERS", "TWIN", "Endpoint", "Peer", "Site", "from_command", "installed"]

Part = Literal["server", "twin", "limit"]
"""A server; smartdoh's other build; a program that shows what no server can go below."""

Build = Literal["native", "python"]
"""Which fast path smartdoh runs when nothing is said."""

OURS = "smartdoh"
TWIN = "smartdoh-python"
LIMIT = "echo"
PURE = "SMARTDOH_PURE_PYTHON"


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under test. `command` writes its configuration and returns what to run."""

    name: str
    command: Callable[[Site], list[str]]
    program: str
    package: str
    speaks_plain: bool = True
    speaks_doh: bool = True
    speaks_http2: bool = True
    speaks_tcp: bool = True
    """Whether it keeps a hundred TCP connections and takes many questions from each."""
    most_entries: int = sys.maxsize
    asks_several: bool = False
    has_workers: bool = False
    part: Part = "server"

    def is_installed(self) -> bool:
        if self.part == "twin" and fastpath_build() == "python":
            return False
        return shutil.which(self.program, path=SEARCH_PATH) is not None

    def version(self) -> str:
        """The version of the package it came in, `unknown` where no package manager knows."""
        if self.package == OURS:
            return _own_version()
        query = ["dpkg-query", "-W", "-f", "${Version}", self.package]
        try:
            found = subprocess.run(query, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return "unknown"
        return found.stdout.strip() or "unknown"


def _own_version() -> str:
    try:
        return version("smartdoh")
    except PackageNotFoundError:
        return "unknown"


def fastpath_build() -> Build:
    """Whether the compiled fast path can be imported, and is not switched off where the benchmark runs."""
    if os.environ.get(PURE, "0") not in {"", "0"}:
        return "python"
    try:
        import_module("smartdoh.fastpath._native")
    except ImportError:
        return "python"
    return "native"


def _twin(site: Site) -> list[str]:
    return ["env", f"{PURE}=1", *configs.smartdoh(site)]


def _limit(site: Site) -> list[str]:
    return [compile_c("echo", site.folder), str(site.port)]


PEERS = (
    Peer(
        OURS,
        configs.smartdoh,
        sys.executable,
        OURS,
        speaks_plain=False,
        asks_several=True,
        has_workers=True,
    ),
    Peer(TWIN, _twin, sys.executable, OURS, speaks_plain=False, part="twin"),
    Peer("unbound", configs.unbound, "unbound", "unbound", speaks_doh=False, has_workers=True),
    Peer("dnsdist", configs.dnsdist, "dnsdist", "dnsdist", asks_several=True),
    Peer(
        "dnsmasq",
        configs.dnsmasq,
        "dnsmasq",
        "dnsmasq-base",
        speaks_doh=False,
        speaks_tcp=False,  # a process for each connection, 20 at most
        most_entries=10_000,
    ),
    Peer(
        "smartdns",
        configs.smartdns,
        "smartdns",
        "smartdns",
        speaks_http2=False,
        speaks_tcp=False,  # stops answering on a hundred connections
        asks_several=True,
    ),
    Peer("dnss", configs.dnss, "dnss", "dnss", speaks_plain=False, most_entries=2_000),
    Peer(LIMIT, _limit, COMPILER, "gcc", speaks_doh=False, speaks_tcp=False, part="limit"),
)


def installed(names: list[str]) -> list[Peer]:
    """The peers that can be started here, all of them or those named."""
    known = {peer.name: peer for peer in PEERS}
    for name in names:
        if name not in known:
            raise BenchError(f"no server is called {name!r}; there are {', '.join(known)}")
    return [peer for peer in PEERS if peer.is_installed() and (not names or peer.name in names)]


def from_command(text: str) -> Peer:
    """A peer from `name=start command`.

    In the command {port} is where it is to listen, {upstream_port} the DoH upstream's port, {plain_port} the same
    upstream's for plain DNS, {dir} a folder of its own, {ca_file} the test CA. It is to forward over DoH.
    """
    name, equals, command = text.partition("=")
    words = shlex.split(command)
    if not equals or not name or not words:
        raise BenchError(f"--peer {text!r}: write it as name='start command'")

    def filled(site: Site) -> list[str]:
        upstream = site.upstreams[0]
        values = {
            "port": site.port,
            "upstream_port": upstream.doh,
            "plain_port": upstream.plain,
            "dir": site.folder,
            "ca_file": site.ca_file,
        }
        return [word.format(**values) for word in words]

    return Peer(name, filled, words[0], "")
