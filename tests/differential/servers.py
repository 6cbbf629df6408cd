"""The two servers over one upstream: smartdoh by DNS over HTTPS, unbound by plain DNS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.message
import dns.query
import dns.rcode

from tests.conftest import settings_for
from tests.servers.certificates import Authority
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.real import doh_server
from tests.servers.required import require_server
from tests.servers.smartdoh import start_proxy
from tests.servers.zone import full_name


class Ports(NamedTuple):
    """Where they answer, on 127.0.0.1."""

    ours: int
    theirs: int


@contextmanager
def both(directory: Path, authority: Authority) -> Iterator[Ports]:
    """Both of them, before an unbound that serves the tests' zone and refuses all other names."""
    with doh_server("unbound", directory / "upstream", authority, 0) as upstream:
        theirs = _forwarder(directory / "unbound", upstream.plain_port)
        try:
            (directory / "smartdoh").mkdir()
            settings = settings_for(upstream.url, authority=authority)
            ours = start_proxy(settings, directory / "smartdoh")
            try:
                yield Ports(ours.port, theirs[1])
            finally:
                ours.stop()
        finally:
            theirs[0].stop()


def _forwarder(home: Path, upstream: int) -> tuple[ServerProcess, int]:
    home.mkdir()
    port = free_port()
    config = home / "unbound.conf"
    config.write_text(
        f"""\
server:
    interface: 127.0.0.1@{port}
    access-control: 127.0.0.0/8 allow_snoop
    module-config: "iterator"
    do-not-query-localhost: no
    use-syslog: no
    logfile: ""
    chroot: ""
    username: ""
    directory: "{home}"
    pidfile: ""
    minimal-responses: yes
    ede: yes
    edns-tcp-keepalive: yes
    edns-tcp-keepalive-timeout: 30000
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{upstream}
remote-control:
    control-enable: no
"""
    )
    process = ServerProcess("unbound", [require_server("unbound"), "-d", "-p", "-c", str(config)], home)
    process.wait_until(lambda: _answers(port))
    return process, port


def _answers(port: int) -> bool:
    query = dns.message.make_query(full_name("one"), "A")
    try:
        return dns.query.udp(query, "127.0.0.1", 0.5, port).rcode() == dns.rcode.NOERROR
    except (dns.exception.DNSException, OSError):
        return False
