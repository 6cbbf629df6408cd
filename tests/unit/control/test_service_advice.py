"""What people are told to do about others on the port: commands that fit who it is."""

from __future__ import annotations

import pytest

from smartdoh.config.addresses import parse_endpoint
from smartdoh.control.service.advice import START, on_holders, on_undoing, on_use
from smartdoh.control.service.holders import Holder, Process
from tests.meta.tree import ROOT

HERE = (parse_endpoint("127.0.0.1:53"), parse_endpoint("[::1]:53"))
RESOLVED = Process(411, "systemd-resolve", "systemd-resolved.service")
README = (ROOT / "README.md").read_text("utf-8") + (ROOT / "docs" / "service.md").read_text("utf-8")


def told(process: Process | None, host: str = "127.0.0.1") -> str:
    return "\n".join(on_holders(HERE, [Holder(host, 53, "UDP", (process,) if process else ())]))


@pytest.mark.parametrize(
    ("process", "words"),
    [
        (RESOLVED, "DNSStubListener=no"),
        (RESOLVED, "sudo systemctl restart systemd-resolved"),
        (Process(1, "systemd", "init.scope"), "systemctl list-sockets"),
        (Process(500, "dnsmasq", "dnsmasq.service"), "sudo systemctl disable --now dnsmasq.service"),
        (Process(500, "dnsmasq", "dnsmasq.service"), "port=0"),
        (Process(500, "dnsmasq", "NetworkManager.service"), "dns=none"),
        (Process(500, "dnsmasq", "libvirtd.service"), "it belongs to libvirtd.service"),
        (Process(500, "named", "named.service"), "sudo systemctl disable --now named.service"),
        (Process(500, "unbound", ""), "end it, or leave it that address"),
        (None, "sudo ss -lnptu"),
    ],
)
def test_the_commands_fit_who_it_is(process: Process | None, words: str) -> None:
    said = told(process)
    assert words in said
    assert said.endswith(START)
    if process is not None:
        assert f"{process.name} (pid {process.pid}) holds UDP 127.0.0.1:53" in said


def test_what_is_a_part_of_something_else_is_never_disabled() -> None:
    for unit in ("NetworkManager.service", "libvirtd.service", "docker.service", "session-2.scope"):
        assert "disable" not in told(Process(500, "dnsmasq", unit))


def test_who_is_not_in_the_way_is_let_be() -> None:
    assert told(RESOLVED, "127.0.0.53") == ""
    assert on_holders((parse_endpoint("0.0.0.0:53"),), [Holder("127.0.0.53", 53, "TCP", (RESOLVED,))])


def test_one_who_holds_several_sockets_is_told_of_once() -> None:
    held = [Holder("127.0.0.1", 53, transport, (RESOLVED,)) for transport in ("UDP", "TCP")]
    assert "\n".join(on_holders(HERE, held)).count("DNSStubListener") == 1


@pytest.mark.parametrize(
    ("listen", "resolv_conf", "is_resolved_here", "words"),
    [
        ("127.0.0.1:53", "nameserver 192.0.2.1\n", False, "echo 'nameserver 127.0.0.1'"),
        ("127.0.0.1:53", "nameserver 127.0.0.53\n", True, "DNSStubListener=no"),
        ("127.0.0.1:53", "# mine\nnameserver 127.0.0.1\n", False, ""),
        (
            "127.0.0.1:53",
            "nameserver 127.0.0.1\nnameserver 192.0.2.1\n",
            False,
            "echo 'nameserver 127.0.0.1'",
        ),
        ("[::1]:53", "", False, "echo 'nameserver ::1'"),
        ("0.0.0.0:53", "", False, "echo 'nameserver 127.0.0.1'"),
        ("192.168.1.2:53", "", False, ""),
        ("127.0.0.1:5353", "", False, ""),
    ],
)
def test_how_programs_come_to_ask_it(
    listen: str, resolv_conf: str, is_resolved_here: bool, words: str
) -> None:
    said = "\n".join(on_use((parse_endpoint(listen),), resolv_conf, is_resolved_here=is_resolved_here))
    assert words in said
    assert bool(said) == bool(words)


def test_the_documents_say_the_same() -> None:
    for line in (*on_use(HERE, "", is_resolved_here=True)[1:], *on_undoing(True)[2:]):
        assert line.strip() in README
