"""Records of what the table answers: who asked what, and what came of it; only when wanted, and bounded."""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Iterator

import pytest

from smartdoh.fastpath._python import FastPath
from smartdoh.fastpath.log import Logged
from smartdoh.wire.names import from_text
from tests.scenario.fast import Rig, rig, udp_socket
from tests.scenario.messages import CLIENT, question, soa
from tests.scenario.world import Datagrams
from tests.servers.namespaces import Namespace, add_address

A = "www.example.com. 300 A 192.0.2.1"
WWW = from_text("www.example.com.")


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        made.store(question(), A)
        yield made


def framed(wire: bytes) -> bytearray:
    return bytearray(len(wire).to_bytes(2) + wire)


def test_nothing_is_kept_unless_it_is_wanted(fast: Rig) -> None:
    fast.ask(question())
    assert fast.fast.take_log() == ([], 0)


def test_what_the_table_answers_is_kept_as_it_was_asked(fast: Rig) -> None:
    """Over each way in: a datagram, a message of a stream, a stream; what was remembered before included."""
    asked = fast.clock.now
    fast.ask(question())
    fast.fast.log(100)
    fast.ask(question("WWW.example.com."))
    fast.ask(question())
    fast.clock.forward(1.5)
    fast.fast.ask(question(), "2001:db8::7")
    fast.fast.ask_stream(framed(question(do=False)), "192.0.2.7")
    found, lost = fast.fast.take_log()
    assert found == [
        Logged(asked, "udp", CLIENT, WWW, 1, 1, 0, "hit", 0),
        Logged(asked, "udp", CLIENT, WWW, 1, 1, 0, "hit", 0),
        Logged(asked + 1.5, "tcp", "2001:db8::7", WWW, 1, 1, 0, "hit", 0),
        Logged(asked + 1.5, "tcp", "192.0.2.7", WWW, 1, 1, 0, "hit", 0),
    ]
    assert lost == 0
    assert fast.fast.take_log() == ([], 0)


def test_type_class_rcode_and_outcome(fast: Rig) -> None:
    fast.fast.log(100)
    fast.store(question("no.example.", "CAA"), rcode="NXDOMAIN", authority=(soa("example.", 300, 300),))
    fast.ask(question("no.example.", "CAA"))
    fast.clock.forward(400)
    fast.ask(question())
    found, _ = fast.fast.take_log()
    assert [(one.qtype, one.rcode, one.outcome) for one in found] == [(257, 3, "hit"), (1, 0, "stale")]


@pytest.mark.parametrize("build_view", [0, 5, 70_000])
def test_the_view(build: object, build_view: int) -> None:
    with rig(view_of=lambda host: build_view) as made:
        made.fast.log(10)
        made.store(question(do=True, flags="RD CD"), A, view=build_view)
        made.ask(question(do=True, flags="RD CD"))
        assert [one.view for one in made.fast.take_log()[0]] == [build_view]


def test_what_is_not_answered_from_the_table_is_not_kept(fast: Rig) -> None:
    fast.fast.log(10)
    fast.drain(question("m.example.com."), bytes(12), b"\0")
    assert fast.fast.take_log() == ([], 0)


def test_what_finds_no_room_is_counted(fast: Rig) -> None:
    fast.fast.log(3)
    wires = [question(id=number) for number in range(5)]
    fast.drain(*wires)
    fast.fast.ask(question(), CLIENT)
    fast.fast.ask_stream(framed(question()), CLIENT)
    assert len(fast.answers()) == 5, "every answer left all the same"
    found, lost = fast.fast.take_log()
    assert (len(found), lost) == (3, 4)
    fast.drain(*wires[:2])
    found, lost = fast.fast.take_log()
    assert (len(found), lost) == (2, 0)


def test_switched_off_and_on(fast: Rig) -> None:
    fast.fast.log(3)
    fast.ask(question())
    fast.fast.log(3)
    assert len(fast.fast.take_log()[0]) == 1, "the same again changes nothing"
    fast.ask(question())
    fast.fast.log(0)
    fast.ask(question())
    assert fast.fast.take_log() == ([], 0)


def test_records_that_nobody_takes_hold_nothing(fast: Rig) -> None:
    host = "".join(("192.0", ".2.77"))
    before = sys.getrefcount(host)
    fast.fast.log(10)
    fast.fast.ask(question(), host)
    fast.fast.ask_stream(framed(question()), host)
    fast.fast.log(0)
    fast.fast.next_generation()  # forgets the views of clients, too
    assert sys.getrefcount(host) == before


def test_the_longest_name(fast: Rig) -> None:
    name = ".".join(["a" * 63] * 3 + ["b" * 61]) + "."
    fast.store(question(name), f"{name} 300 A 192.0.2.1")
    fast.fast.log(10)
    fast.ask(question(name))
    assert [one.name for one in fast.fast.take_log()[0]] == [from_text(name)]


def test_names_of_clients_as_python_has_them(build: type[FastPath]) -> None:
    """IPv4 on a socket of both families, IPv6, and link-local with its zone."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with Namespace("192.0.2.7/32", "2001:db8::7/128") as network:
        network.run(lambda: add_address("fe80::7/64", "lo"))
        for address in (("192.0.2.7", 0), ("2001:db8::7", 0), ("fe80::7", 0, 0, 1)):
            kind = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            with (
                network.run(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as ours,
                network.run(lambda kind=kind: socket.socket(kind, socket.SOCK_DGRAM)) as theirs,  # type: ignore[misc]
            ):
                ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                ours.bind(("::", 0))
                ours.setblocking(False)
                theirs.bind(address)
                made = Rig(ours, theirs)
                made.fast = build(entries=10, view_of=lambda host: 0, clock=made.clock)
                made.store(question(), A)
                made.fast.log(10)
                target = (address[0], ours.getsockname()[1], *address[2:])
                theirs.sendto(question(), target)
                while not select.select([ours], [], [], 0.2)[0]:  # the way to a new address takes its time
                    theirs.sendto(question(), target)
                _, (host, *_) = ours.recvfrom(4096, socket.MSG_PEEK)
                assert made.fast.drain(ours) == []
            assert {one.host for one in made.fast.take_log()[0]} == {host}


def test_what_is_no_socket_is_logged_too(fast: Rig) -> None:
    fast.fast.log(10)
    datagrams = Datagrams()
    datagrams.waiting.append((question(), ("198.51.100.1", 9)))
    fast.fast.drain(datagrams)
    assert [(one.transport, one.host) for one in fast.fast.take_log()[0]] == [("udp", "198.51.100.1")]


def test_another_address_of_loopback(fast: Rig) -> None:
    fast.fast.log(10)
    with udp_socket("127.0.0.9") as client:
        fast.drain(question(), client=client)
    assert [one.host for one in fast.fast.take_log()[0]] == ["127.0.0.9"]
