"""The servers that are held to the same rows: how each is configured, in every variant that it has."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.cache import ENTRIES

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is to be, and whom it may ask."""

    program: str
    folder: Path
    listen: str
    port: int
    doh_port: int
    plain_port: int
    ca_file: Path

    def write(self, name: str, text: str) -> str:
        """A file in its own folder."""
        path = self.folder / name
        path.write_text(text)
        return str(path)


Configure = Callable[[Place, str], list[str] | None]
"""Writes the configuration of a variant and returns the command; None where there is no such variant."""

BY_OPTION = frozenset({"default", "wildcard", "own clock"})


@dataclass(frozen=True, slots=True)
class Peer:
    """One other server."""

    program: str
    configure: Configure
    asks_doh: bool = False
    has_own_timers: bool = False
    """Whether its time-outs go by a clock that libfaketime does not move: the kernel's, or a coarse one."""
    has_own_clock: bool = False
    """Whether no clock of it can be moved at all: a program in Go asks the kernel without the C library."""


def unbound(place: Place, variant: str) -> list[str] | None:
    """Unbound with its own options for stale answers, errors and limits; without validation."""
    extra = {
        "patient": "  serve-expired-client-timeout: 1800",
        "small": "  msg-cache-size: 4k\n  rrset-cache-size: 4k\n  msg-cache-slabs: 1\n  rrset-cache-slabs: 1",
        "private": "  access-control: 127.0.0.0/8 refuse\n  access-control: 127.0.0.1/32 allow",
        "blocking": '  local-zone: "blocked.example." always_null',
        "open zone": '  local-zone: "10.in-addr.arpa." nodefault',
    }
    if variant not in BY_OPTION and variant not in extra:
        return None
    allow = "" if variant == "private" else "  access-control: 127.0.0.0/8 allow\n"
    config = f"""\
server:
  port: {place.port}
  interface: {place.listen}
{allow}{extra.get(variant, "")}
  interface-automatic: {"yes" if variant == "wildcard" else "no"}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{place.folder}"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  incoming-num-tcp: 300
  max-udp-size: 1232
  deny-any: yes
  serve-expired: yes
  serve-expired-ttl: {DAY}
  serve-expired-reply-ttl: 30
  ede: yes
  ede-serve-expired: yes
  edns-tcp-keepalive: yes
  prefetch: yes
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{place.plain_port}
"""
    return [place.program, "-d", "-c", place.write("unbound.conf", config)]


def dnsmasq(place: Place, variant: str) -> list[str] | None:
    """dnsmasq as a forwarder with what it has against leaks, and stale answers."""
    extra = {
        "small": f"cache-size={ENTRIES}",
        "blocking": "address=/blocked.example/",
        "open zone": f"server=/10.in-addr.arpa/127.0.0.1#{place.plain_port}",
    }
    if variant not in BY_OPTION and variant not in extra:
        return None
    bind = "" if variant == "wildcard" else f"listen-address={place.listen}\nbind-interfaces\n"
    config = f"""\
port={place.port}
{bind}no-resolv
no-hosts
user=
pid-file=
domain-needed
bogus-priv
use-stale-cache={DAY}
{"" if variant == "small" else "cache-size=10000"}
server=127.0.0.1#{place.plain_port}
{extra.get(variant, "")}
"""
    return [place.program, "--keep-in-foreground", "-C", place.write("dnsmasq.conf", config)]


def dnsdist(place: Place, variant: str) -> list[str] | None:
    """dnsdist with a packet cache, asking over DoH."""
    extra = {
        "small": "",
        "private": "setACL({'127.0.0.1/32'})",
        "blocking": "addAction('blocked.example.', RCodeAction(DNSRCode.NXDOMAIN))",
        "expired": "",
        "wrong name": "",
        "unknown authority": "",
    }
    if variant not in BY_OPTION and variant not in extra:
        return None
    entries = ENTRIES if variant == "small" else 10_000
    config = f"""\
setSecurityPollSuffix("")
setLocal("{place.listen}:{place.port}", {{maxInFlight=64}})
newServer{{address="127.0.0.1:{place.doh_port}", maxInFlight=64, healthCheckMode="up", tls="openssl",
  subjectName="127.0.0.1", dohPath="/dns-query", validateCertificates=true, caStore="{place.ca_file}"}}
getPool(""):setCache(newPacketCache({entries}, {{maxTTL=86400, staleTTL=30, keepStaleData=true}}))
setStaleCacheEntriesTTL({DAY})
addAction(AndRule({{QTypeRule(DNSQType.ANY), TCPRule(false)}}), TCAction())
{extra.get(variant, "")}
"""
    return [place.program, "--supervised", "--disable-syslog", "-C", place.write("dnsdist.conf", config)]


def dnss(place: Place, variant: str) -> list[str] | None:
    """dnss with its cache, asking over DoH."""
    if variant not in {*BY_OPTION, "expired", "wrong name", "unknown authority"}:
        return None
    return [
        place.program,
        "-enable_dns_to_https",
        "-enable_cache",
        f"-dns_listen_addr={place.listen}:{place.port}",
        f"-https_upstream=https://127.0.0.1:{place.doh_port}/dns-query",
        f"-https_client_cafile={place.ca_file}",
        f"-fallback_upstream=127.0.0.1:{place.plain_port}",
    ]


PEERS = {
    "unbound": Peer("unbound", unbound, has_own_timers=True),
    "dnsmasq": Peer("dnsmasq", dnsmasq, has_own_timers=True),
    "dnsdist": Peer("dnsdist", dnsdist, asks_doh=True),
    "dnss": Peer("dnss", dnss, asks_doh=True, has_own_timers=True, has_own_clock=True),
}
