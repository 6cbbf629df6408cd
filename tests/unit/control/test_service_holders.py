"""Who holds a port: found among real sockets, those of a real server too, and who of them is in the way."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from smartdoh.config.addresses import parse_endpoint
from smartdoh.control.service.holders import Holder, Process, holders
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.required import require_server

UNBOUND = """server:
  interface: 127.0.0.1@{port}
  chroot: ""
  username: ""
  pidfile: "{home}/pid"
  directory: "{home}"
  use-syslog: no
  do-ip6: no
remote-control:
  control-enable: no
"""


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
@pytest.mark.parametrize(("kind", "transport"), [(socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")])
def test_a_socket_of_ours_is_found_with_its_process(
    family: socket.AddressFamily, host: str, kind: socket.SocketKind, transport: str
) -> None:
    with socket.socket(family, kind) as sock:
        sock.bind((host, 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        port = sock.getsockname()[1]
        (found,) = holders([port])
        assert (found.host, found.port, found.transport) == (host, port, transport)
        assert os.getpid() in [process.pid for process in found.processes]
        assert found.processes[0].name == Path("/proc/self/comm").read_text().strip()
    assert holders([port]) == []


def test_a_connection_holds_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert len(holders([port])) == 1


def test_a_real_server_is_named(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "unbound.conf"
    config.write_text(UNBOUND.format(port=port, home=tmp_path))
    server = ServerProcess("unbound", [require_server("unbound"), "-d", "-c", str(config)], tmp_path)
    try:
        server.wait_until(lambda: len(holders([port])) >= 2)
        found = holders([port])
    finally:
        server.stop()
    assert {holder.transport for holder in found} == {"UDP", "TCP"}
    assert {process.name for holder in found for process in holder.processes} == {"unbound"}
    assert {process.pid for holder in found for process in holder.processes} == {server.pid}


def test_whose_processes_cannot_be_seen_is_found_all_the_same(tmp_path: Path) -> None:
    """As for somebody who is not root: the sockets are there, and nobody's. The unit comes from the cgroup."""
    net = tmp_path / "net"
    net.mkdir()
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    rest = "00000000:00000000 00:00000000 00000000     0        0"
    (net / "udp").write_text(f"{head}  1: 3500007F:0035 00000000:0000 07 {rest} 4711 2\n")
    (net / "tcp6").write_text(
        f"{head}  0: {'0' * 32}:0035 {'0' * 32}:0000 0A {rest} 4712 1\n"
        f"  1: 0000000000000000FFFF00000100007F:0035 {'0' * 32}:0000 0A {rest} 4713 1\n"
        f"  2: {'0' * 32}:0036 {'0' * 32}:0000 0A {rest} 4714 1\n"
    )
    folder = tmp_path / "1234"
    (folder / "fd").mkdir(parents=True)
    (folder / "fd" / "7").symlink_to("socket:[4711]")
    (folder / "fd" / "8").symlink_to("/dev/null")
    (folder / "comm").write_text("systemd-resolve\n")
    (folder / "cgroup").write_text("0::/system.slice/systemd-resolved.service\n")
    resolved = Process(1234, "systemd-resolve", "systemd-resolved.service")
    assert holders([53], tmp_path) == [
        Holder("127.0.0.53", 53, "UDP", (resolved,)),
        Holder("::", 53, "TCP"),
        Holder("127.0.0.1", 53, "TCP"),
    ]


@pytest.mark.parametrize(
    ("wanted", "held", "in_the_way"),
    [
        ("127.0.0.1:53", "127.0.0.1", True),
        ("127.0.0.1:53", "127.0.0.53", False),
        ("127.0.0.1:5353", "127.0.0.1", False),
        ("0.0.0.0:53", "127.0.0.53", True),
        ("127.0.0.1:53", "0.0.0.0", True),
        ("127.0.0.1:53", "::", True),
        ("127.0.0.1:53", "::1", False),
        ("[::1]:53", "::", True),
        ("[::]:53", "0.0.0.0", False),
    ],
)
def test_who_is_in_the_way(wanted: str, held: str, in_the_way: bool) -> None:
    assert Holder(held, 53, "UDP").is_in_the_way_of(parse_endpoint(wanted)) is in_the_way
