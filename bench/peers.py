"""The servers that are measured: how each is configured to call nobody but the upstream on loopback."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One upstream on 127.0.0.1, by its ports; `plain` is 0 where it speaks DoH only."""

    doh: int
    plain: int = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.doh}/dns-query"


@dataclass(frozen=True, slots=True)
class Site:
    """What a server is to be: where it listens, whom it asks and how, where its files go."""

    folder: Path
    port: int
    upstreams: tuple[Endpoint, ...]
    over_doh: bool
    ca_file: Path
    cache_entries: int

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


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
    most_entries: int = sys.maxsize
    asks_several: bool = False

    def is_installed(self) -> bool:
        return shutil.which(self.program, path=SEARCH_PATH) is not None

    def version(self) -> str:
        """The version of the package it came in, `unknown` where no package manager knows."""
        if self.package == "smartdoh":
            return _own_version()
        query = ["dpkg-query", "-W", "-f", "${Version}", self.package]
        try:
            found = subprocess.run(query, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return "unknown"
        return found.stdout.strip() or "unknown"


SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _own_version() -> str:
    try:
        return version("smartdoh")
    except PackageNotFoundError:
        return "unknown"


def _program(name: str) -> str:
    return shutil.which(name, path=SEARCH_PATH) or name


def _smartdoh(site: Site) -> list[str]:
    urls = ", ".join(f'"{upstream.url}"' for upstream in site.upstreams)
    config = f"""\
[listen]
dns = ["127.0.0.1:{site.port}"]
[groups.direct]
upstreams = [{urls}]
strategy = "hedged"
fastest_ip = "off"
ca_file = "{site.ca_file}"
[routing]
default = "direct"
[cache]
memory_entries = {site.cache_entries}
dir = "none"
"""
    return [sys.executable, "-m", "smartdoh", "serve", "--config", site.write("smartdoh.toml", config)]


def _unbound(site: Site) -> list[str]:
    addresses = "\n".join(f"  forward-addr: 127.0.0.1@{upstream.plain}" for upstream in site.upstreams)
    config = f"""\
server:
  interface: 127.0.0.1@{site.port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{site.folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: 256m
  rrset-cache-size: 256m
  so-rcvbuf: 4m
  so-sndbuf: 4m
  outgoing-range: 4096
  num-queries-per-thread: 4096
remote-control:
  control-enable: no
forward-zone:
  name: "."
{addresses}
"""
    return [_program("unbound"), "-d", "-c", site.write("unbound.conf", config)]


def _dnsdist(site: Site) -> list[str]:
    over_doh = (
        f', tls="openssl", subjectName="127.0.0.1", dohPath="/dns-query", '
        f'validateCertificates=true, caStore="{site.ca_file}"'
    )
    servers = "\n".join(
        f'newServer{{address="127.0.0.1:{upstream.doh if site.over_doh else upstream.plain}", '
        f'healthCheckMode="up"{over_doh if site.over_doh else ""}}}'
        for upstream in site.upstreams
    )
    config = f"""\
setSecurityPollSuffix("")
setLocal("127.0.0.1:{site.port}")
{servers}
getPool(""):setCache(newPacketCache({site.cache_entries}, {{maxTTL=86400}}))
"""
    return [_program("dnsdist"), "--supervised", "-C", site.write("dnsdist.conf", config)]


def _dnsmasq(site: Site) -> list[str]:
    servers = "\n".join(f"server=127.0.0.1#{upstream.plain}" for upstream in site.upstreams)
    config = f"""\
port={site.port}
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
user=
pid-file=
cache-size={site.cache_entries}
dns-forward-max=4096
{servers}
"""
    return [_program("dnsmasq"), "--keep-in-foreground", "-C", site.write("dnsmasq.conf", config)]


def _smartdns(site: Site) -> list[str]:
    servers = "\n".join(
        f"server-https {upstream.url}" if site.over_doh else f"server 127.0.0.1:{upstream.plain}"
        for upstream in site.upstreams
    )
    config = f"""\
bind 127.0.0.1:{site.port}
{servers}
ca-file {site.ca_file}
cache-size {site.cache_entries}
cache-persist no
speed-check-mode none
dualstack-ip-selection no
prefetch-domain no
serve-expired no
log-level error
log-file {site.folder}/smartdns.log
"""
    return [_program("smartdns"), "-f", "-x", "-p", "-", "-c", site.write("smartdns.conf", config)]


def _dnss(site: Site) -> list[str]:
    upstream = site.upstreams[0]
    return [
        _program("dnss"),
        "-enable_dns_to_https",
        f"-dns_listen_addr=127.0.0.1:{site.port}",
        f"-https_upstream={upstream.url}",
        f"-https_client_cafile={site.ca_file}",
        f"-fallback_upstream=127.0.0.1:{upstream.plain or 9}",
    ]


SMARTDOH = Peer("smartdoh", _smartdoh, sys.executable, "smartdoh", speaks_plain=False, asks_several=True)

PEERS = (
    SMARTDOH,
    Peer("unbound", _unbound, "unbound", "unbound", speaks_doh=False),
    Peer("dnsdist", _dnsdist, "dnsdist", "dnsdist", asks_several=True),
    Peer("dnsmasq", _dnsmasq, "dnsmasq", "dnsmasq-base", speaks_doh=False, most_entries=10_000),
    Peer("smartdns", _smartdns, "smartdns", "smartdns", speaks_http2=False, asks_several=True),
    Peer("dnss", _dnss, "dnss", "dnss", speaks_plain=False, most_entries=2_000),
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
