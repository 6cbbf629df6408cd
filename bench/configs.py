"""How each server is configured: to keep what it is asked to keep, and to call nobody but the upstreams on loopback.

Each function writes a configuration and returns the command that starts the server with it.
"""

import shutil
import sys

from bench.sites import Site

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CACHE_BYTES_EACH = 1_000  # what unbound is given for an answer, in each of its two caches
LEAST_CACHE_BYTES = 256 << 20
TCP_CONNECTIONS = 200  # unbound's limit: by itself it takes 10


def program_path(name: str) -> str:
    return shutil.which(name, path=SEARCH_PATH) or name


def smartdoh(site: Site) -> list[str]:
    urls = ", ".join(f'"{upstream.url}"' for upstream in site.upstreams)
    server = f"[server]\nworkers = {site.workers}\n" if site.workers > 1 else ""
    config = f"""\
{server}[listen]
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
{site.besides}"""
    return [sys.executable, "-m", "smartdoh", "serve", "--config", site.write("smartdoh.toml", config)]


def unbound(site: Site) -> list[str]:
    addresses = "\n".join(f"  forward-addr: 127.0.0.1@{upstream.plain}" for upstream in site.upstreams)
    cache_bytes = max(LEAST_CACHE_BYTES, CACHE_BYTES_EACH * site.cache_entries)
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
  num-threads: {site.workers}
  module-config: "iterator"
  do-not-query-localhost: no
  msg-cache-size: {cache_bytes}
  rrset-cache-size: {cache_bytes}
  so-rcvbuf: 4m
  so-sndbuf: 4m
  outgoing-range: 4096
  num-queries-per-thread: 4096
  incoming-num-tcp: {TCP_CONNECTIONS}
remote-control:
  control-enable: no
forward-zone:
  name: "."
{addresses}
"""
    return [program_path("unbound"), "-d", "-c", site.write("unbound.conf", config)]


def dnsdist(site: Site) -> list[str]:
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
    return [program_path("dnsdist"), "--supervised", "-C", site.write("dnsdist.conf", config)]


def dnsmasq(site: Site) -> list[str]:
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
    return [program_path("dnsmasq"), "--keep-in-foreground", "-C", site.write("dnsmasq.conf", config)]


def smartdns(site: Site) -> list[str]:
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
    return [program_path("smartdns"), "-f", "-x", "-p", "-", "-c", site.write("smartdns.conf", config)]


def dnss(site: Site) -> list[str]:
    upstream = site.upstreams[0]
    return [
        program_path("dnss"),
        "-enable_dns_to_https",
        f"-dns_listen_addr=127.0.0.1:{site.port}",
        f"-https_upstream={upstream.url}",
        f"-https_client_cafile={site.ca_file}",
        f"-fallback_upstream=127.0.0.1:{upstream.plain or 9}",
    ]
