"""What the tests of upstream share: both event loops, and real DNS servers on loopback that ask nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import pytest
import uvloop

from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.required import require_server

Run = Callable[[Coroutine[Any, Any, Any]], Any]

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


def run_strictly(work: Coroutine[Any, Any, Any], factory: Callable[[], asyncio.AbstractEventLoop]) -> Any:
    """Run `work` on a new event loop. What a callback raises, which a loop would only log, fails the test."""
    raised: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: raised.append(context))
        result = runner.run(work)
    assert not raised
    return result


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine to its end, on each of the two event loops."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    return lambda work: run_strictly(work, factory)


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
    return [require_server("unbound"), "-d", "-c", "unbound.conf"]


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
    return [require_server("named"), "-g", "-n", "1", "-c", str(directory / "named.conf")]


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
    return [require_server("dnsmasq"), "--conf-file=" + str(directory / "dnsmasq.conf")]


_REAL = {"unbound": _unbound, "named": _named, "dnsmasq": _dnsmasq}


def _is_answering(port: int) -> bool:
    try:
        dns.query.udp(dns.message.make_query("doh.test", "A"), "127.0.0.1", port=port, timeout=0.2)
    except (OSError, dns.exception.DNSException):
        return False
    return True


@pytest.fixture(scope="session", params=list(_REAL))
def plain_dns(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """Each of Debian's plain DNS servers in turn, with the zone `test`."""
    kind: str = request.param
    directory, port = tmp_path_factory.mktemp(kind), free_port()
    (directory / "test.zone").write_text(ZONE)
    process = ServerProcess(kind, _REAL[kind](directory, port), directory)
    try:
        process.wait_until(lambda: _is_answering(port))
        yield "127.0.0.1", port
    finally:
        process.stop()
