"""Starting, stopping, being killed, and failing to start: exit statuses and what is said."""

import os
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from tests.conftest import StartProxy, settings_for
from tests.e2e.messages import addresses, question
from tests.servers.certificates import NAME_IN_ZONE, Authority
from tests.servers.plain import plain_server
from tests.servers.ports import free_port
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.scripted.replies import Ending
from tests.servers.smartdoh import Outcome, run_to_end
from tests.servers.zone import Answers, full_name

NOWHERE = "https://127.0.0.1:1/dns-query"
CANNOT_LISTEN = 1
CONFIG_ERROR = 2
WANTED = ["203.0.113.1"]
DNS_PORT = 53
UNPRIVILEGED_FROM = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def serve(tmp_path: Path, settings: dict[str, Any], prefix: tuple[str, ...] = ()) -> Outcome:
    """A start that is expected to fail."""
    outcome = run_to_end(["serve"], tmp_path, settings, prefix)
    assert "Traceback" not in outcome.output
    return outcome


def listening_on(where: str, authority: Authority) -> dict[str, Any]:
    return settings_for(NOWHERE, authority=authority, sections={"listen": {"dns": [where]}})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_in_order(
    upstream: ScriptedServer, smartdoh: StartProxy, number: signal.Signals
) -> None:
    proxy = smartdoh(upstream.url)
    assert addresses(proxy.udp(question("one"))) == WANTED
    proxy.process.send(number)
    assert proxy.process.wait() == 0


def test_signal_with_questions_and_clients_waiting(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.ending(Ending.STALL))
    proxy = smartdoh(upstream.url, group={"timeout": "30s"})
    with proxy.tcp_socket() as stream, proxy.udp_socket() as datagrams, proxy.tcp_socket():
        query = question("one").to_wire()
        stream.sendall(len(query).to_bytes(2) + query)
        for number in range(100):
            datagrams.send(question(f"n{number}.wild").to_wire())
        upstream.wait_for(lambda: len(upstream.requests) >= 101)
        proxy.process.send(signal.SIGTERM)
        assert proxy.process.wait() == 0


def test_killed_twice_and_started_again(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    """Also with its cache on disk: whatever was half written, the next start answers."""
    port = free_port()
    for round_number in range(3):
        proxy = smartdoh(upstream.url, sections={"cache": {"dir": tmp_path / "cache"}}, port=port)
        for number in range(50):
            answer = proxy.udp(question(f"r{round_number}n{number}.wild"))
            assert answer.rcode() == dns.rcode.NOERROR
        if round_number < 2:
            proxy.kill()


def test_killed_with_questions_in_flight(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    port = free_port()
    upstream.behave(replies.ending(Ending.STALL))
    first = smartdoh(upstream.url, port=port)
    with first.tcp_socket() as stream, first.udp_socket() as datagrams:
        stream.send(b"\0")
        datagrams.send(question("one").to_wire())
        upstream.wait_for(lambda: upstream.asked(full_name("one")) == 1)
        first.kill()
    upstream.behave(replies.right)
    assert addresses(smartdoh(upstream.url, port=port).udp(question("one"))) == WANTED


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_port_in_use(authority: Authority, tmp_path: Path, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        outcome = serve(tmp_path, listening_on(where, authority))
    assert outcome.status == CANNOT_LISTEN
    line = outcome.lines[-1]  # the first says that it starts
    assert where in line
    assert "another program" in line


def test_second_proxy_on_the_same_port(
    upstream: ScriptedServer, smartdoh: StartProxy, authority: Authority, tmp_path: Path
) -> None:
    first = smartdoh(upstream.url)
    outcome = serve(tmp_path, listening_on(f"127.0.0.1:{first.port}", authority))
    assert outcome.status == CANNOT_LISTEN
    assert addresses(first.udp(question("one"))) == WANTED
    assert addresses(first.tcp(question("one"))) == WANTED


def test_address_that_is_not_here(authority: Authority, tmp_path: Path) -> None:
    outcome = serve(tmp_path, listening_on(f"203.0.113.200:{free_port()}", authority))
    assert outcome.status == CANNOT_LISTEN
    line = outcome.lines[-1]  # the first says that it starts
    assert "203.0.113.200" in line


def test_no_permission_for_port_53(authority: Authority, tmp_path: Path) -> None:
    if int(UNPRIVILEGED_FROM.read_text()) <= DNS_PORT:
        pytest.skip("every user may listen on port 53 here (net.ipv4.ip_unprivileged_port_start)")
    prefix = ("setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service")
    outcome = serve(tmp_path, listening_on("127.0.0.1:53", authority), prefix if os.geteuid() == 0 else ())
    assert outcome.status == CANNOT_LISTEN
    line = outcome.lines[-1]  # the first says that it starts
    assert "127.0.0.1:53" in line
    assert "permission" in line


def test_missing_ca_file(tmp_path: Path) -> None:
    missing = tmp_path / "no-such-ca.pem"
    outcome = serve(tmp_path, {"groups.main": {"upstreams": [NOWHERE], "ca_file": missing}})
    assert_config_error(outcome, str(missing))


def test_unreadable_ca_file(tmp_path: Path) -> None:
    """A directory is as unreadable to root as to anybody."""
    unreadable = tmp_path / "directory.pem"
    unreadable.mkdir()
    outcome = serve(tmp_path, {"groups.main": {"upstreams": [NOWHERE], "ca_file": unreadable}})
    assert_config_error(outcome, str(unreadable))


def test_ca_file_without_a_certificate(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here\n")
    outcome = serve(tmp_path, {"groups.main": {"upstreams": [NOWHERE], "ca_file": empty}})
    assert_config_error(outcome, str(empty))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"groups.main": {"upstream": [NOWHERE]}}, "upstreams"),
    "proxy of an unknown kind": ({"groups.main": {"upstreams": [NOWHERE], "via": "ftp://x"}}, "groups.main.via"),
    "no group": ({"listen": {"dns": ["127.0.0.1:5399"]}}, "groups"),
    "duration without a unit": ({"groups.main": {"upstreams": [NOWHERE], "timeout": "5"}}, "groups.main.timeout"),
    "host name without bootstrap": (
        {"groups.main": {"upstreams": ["https://dns.example/"]}, "bootstrap": {"servers": []}},
        "bootstrap",
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize("kind", list(WRONG))
def test_config_error(tmp_path: Path, kind: str, command: str) -> None:
    settings, words = WRONG[kind]
    assert_config_error(run_to_end([command], tmp_path, settings), words)


def assert_config_error(outcome: Outcome, words: str) -> None:
    assert outcome.status == CONFIG_ERROR
    assert words in outcome.output
    assert "Traceback" not in outcome.output


def test_missing_config(tmp_path: Path) -> None:
    outcome = run_to_end(["serve", "--config", str(tmp_path / "none.toml")], tmp_path)
    assert_config_error(outcome, "none.toml")


def test_check_of_a_good_config(tmp_path: Path, authority: Authority) -> None:
    outcome = run_to_end(["check"], tmp_path, settings_for(NOWHERE, authority=authority))
    assert outcome.status == 0


def test_it_may_be_the_systems_resolver(
    upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path
) -> None:
    """With /etc/resolv.conf pointing at the proxy itself, it starts, answers, and never asks itself."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("root and unshare are needed to give one process another /etc/resolv.conf")
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.77\n")
    zone = Answers("@ 300 IN SOA ns host 1 2 3 4 5\n@ 300 IN A 127.0.0.1\n", origin=f"{NAME_IN_ZONE}.")
    with plain_server(zone) as bootstrap:
        proxy = smartdoh(
            upstream.url_at(NAME_IN_ZONE),
            group={"idle": "50ms"},
            sections={
                "listen": {"dns": ["127.0.0.77:53"]},
                "bootstrap": {"servers": [bootstrap.address]},
            },
            port=DNS_PORT,
            prefix=with_resolv_conf(resolv_conf),
        )
        for owner in ("one", "several", "mail"):
            assert proxy.udp(question(owner), "127.0.0.77").rcode() == dns.rcode.NOERROR
            upstream.wait_for(lambda: upstream.open_connections == 0)
        assert {asked.name for asked in bootstrap.questions} == {f"{NAME_IN_ZONE}."}
    names = {request.name.to_text() for request in upstream.requests}
    assert names == {full_name("one"), full_name("several"), full_name("mail")}


def with_resolv_conf(file: Path) -> list[str]:
    """A command that runs another one with this file in place of /etc/resolv.conf, in a mount space of its own."""
    script = 'mount --bind "$0" "$(realpath /etc/resolv.conf)" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(file)]
