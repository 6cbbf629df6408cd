"""What the tests of upstream share: both event loops, and real DNS servers on loopback that ask nobody."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import pytest
import uvloop

from tests.unit.upstream.responders import closed_port

Run = Callable[[Coroutine[Any, Any, Any]], Any]

START_SECONDS = 15.0
MANY = 60  # addresses, which no datagram of 512 octets holds
ZONE = f"""\
$TTL 300
@ IN SOA localhost. nobody.invalid. 1 3600 1200 604800 300
@ IN NS localhost.
doh IN A 192.0.2.1
doh IN A 192.0.2.2
doh IN AAAA 2001:db8::1
only4 IN A 192.0.2.4
alias IN CNAME second
second IN CNAME doh
text IN TXT "no address"
{"".join(f"many IN A 198.51.100.{number}{chr(10)}" for number in range(1, MANY + 1))}"""


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine to its end, on each of the two event loops."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner.run


def _program(name: str) -> str:
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed", pytrace=False)
        pytest.skip(f"{name} is not installed")
    return path


def _unbound(directory: Path, port: int) -> list[str]:
    """unbound with the zone as its own: it knows no root, no trust anchor and no other server."""
    (directory / "unbound.conf").write_text(
        f"""\
server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  directory: "{directory}"
  pidfile: ""
  module-config: "iterator"
  do-not-query-localhost: yes
  local-zone: "." static
  local-zone: "test." transparent
auth-zone:
  name: "test"
  zonefile: "test.zone"
  for-upstream: no
  for-downstream: yes
  fallback-enabled: no
remote-control:
  control-enable: no
"""
    )
    return [_program("unbound"), "-d", "-c", "unbound.conf"]


def _named(directory: Path, port: int) -> list[str]:
    """BIND as an authoritative server: no recursion, no notifies, no keys to keep fresh."""
    (directory / "named.conf").write_text(
        f"""\
options {{
  directory "{directory}";
  managed-keys-directory "{directory}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  lock-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  notify no;
  empty-zones-enable no;
}};
controls {{ }};
zone "test" {{ type primary; file "test.zone"; }};
"""
    )
    return [_program("named"), "-g", "-n", "1", "-c", str(directory / "named.conf")]


def _dnsmasq(directory: Path, port: int) -> list[str]:
    """dnsmasq with local names and no server to forward to."""
    lines = [
        f"port={port}",
        "listen-address=127.0.0.1",
        "bind-interfaces",
        "no-resolv",
        "no-hosts",
        "no-daemon",
        "user=",
        "pid-file=",
        "local=/test/",
        "local-ttl=300",
        "host-record=doh.test,192.0.2.1,2001:db8::1",
        "host-record=doh.test,192.0.2.2",
        "host-record=only4.test,192.0.2.4",
        "cname=second.test,doh.test",
        "cname=alias.test,second.test",
        "txt-record=text.test,no address",
        *(f"host-record=many.test,198.51.100.{number}" for number in range(1, MANY + 1)),
    ]
    (directory / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
    return [_program("dnsmasq"), "--conf-file=" + str(directory / "dnsmasq.conf")]


_REAL = {"unbound": _unbound, "named": _named, "dnsmasq": _dnsmasq}


def _answers(port: int) -> bool:
    try:
        dns.query.udp(dns.message.make_query("doh.test", "A"), "127.0.0.1", port=port, timeout=0.2)
    except (OSError, dns.exception.DNSException):
        return False
    return True


@pytest.fixture(scope="session", params=list(_REAL))
def real_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """Each of Debian's plain DNS servers in turn, with the zone `test`."""
    directory = tmp_path_factory.mktemp(request.param)
    directory.chmod(0o755)
    (directory / "test.zone").write_text(ZONE)
    port = closed_port()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            _REAL[request.param](directory, port),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{request.param} did not start:\n{(directory / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(START_SECONDS)
