"""Records of what the table answers: who asked what, and what came of it; only when wanted, and bounded."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.fastpath._python import FastPath
from smartdoh.fastpath.log import NOTHING_TAKEN
from smartdoh.fastpath.packed import OUTCOMES, TRANSPORTS, WAY, client_text, pack, read
from smartdoh.outcome import BLOCKED
from smartdoh.wire.names import from_text
from smartdoh.wire.question import parse_query
from tests.scenario.fast import Rig, rig, udp_socket
from tests.scenario.messages import CLIENT, answer_to, question, soa
from tests.scenario.world import Datagrams
from tests.servers.namespaces import Namespace, add_address

A = "www.example.com. 300 A 192.0.2.1"
WWW = from_text("www.example.com.")


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        made.store(question(), A)
        yield made


class Logged(NamedTuple):
    """A record, in words."""

    at: float
    transport: str
    host: str
    name: bytes
    qtype: int
    qclass: int
    rcode: int
    outcome: str


def taken(fast: FastPath) -> tuple[list[Logged], int]:
    """What there is, and how many were lost."""
    packed, count, lost = fast.take_log()
    found = []
    for record in read(packed):
        transport, outcome, qtype, qclass, rcode = WAY.unpack(record.way)
        assert record.seconds < 0
        host = client_text(record.client)
        found.append(
            Logged(
                record.at, TRANSPORTS[transport], host, record.name, qtype, qclass, rcode, OUTCOMES[outcome]
            )
        )
    assert len(found) == count
    return found, lost


def framed(wire: bytes) -> bytearray:
    return bytearray(len(wire).to_bytes(2) + wire)


def test_nothing_is_kept_unless_it_is_wanted(fast: Rig) -> None:
    fast.ask(question())
    assert fast.fast.take_log() == NOTHING_TAKEN


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
    found, lost = taken(fast.fast)
    assert found == [
        Logged(asked, "udp", CLIENT, WWW, 1, 1, 0, "hit"),
        Logged(asked, "udp", CLIENT, WWW, 1, 1, 0, "hit"),
        Logged(asked + 1.5, "tcp", "2001:db8::7", WWW, 1, 1, 0, "hit"),
        Logged(asked + 1.5, "tcp", "192.0.2.7", WWW, 1, 1, 0, "hit"),
    ]
    assert lost == 0
    assert fast.fast.take_log() == NOTHING_TAKEN


def test_type_class_rcode_and_outcome(fast: Rig) -> None:
    fast.fast.log(100)
    fast.store(question("no.example.", "CAA"), rcode="NXDOMAIN", authority=(soa("example.", 300, 300),))
    fast.ask(question("no.example.", "CAA"))
    fast.clock.forward(400)
    fast.ask(question())
    found, _ = taken(fast.fast)
    assert [(one.qtype, one.rcode, one.outcome) for one in found] == [(257, 3, "hit"), (1, 0, "stale")]


def test_what_is_not_answered_from_the_table_is_not_kept(fast: Rig) -> None:
    fast.fast.log(10)
    fast.drain(question("m.example.com."), bytes(12), b"\0")
    assert fast.fast.take_log() == NOTHING_TAKEN


def test_what_finds_no_room_is_counted(fast: Rig) -> None:
    fast.fast.log(3)
    wires = [question(id=number) for number in range(5)]
    fast.drain(*wires)
    fast.fast.ask(question(), CLIENT)
    fast.fast.ask_stream(framed(question()), CLIENT)
    assert len(fast.answers()) == 5, "every answer left all the same"
    found, lost = taken(fast.fast)
    assert (len(found), lost) == (3, 4)
    fast.drain(*wires[:2])
    found, lost = taken(fast.fast)
    assert (len(found), lost) == (2, 0)


def test_switched_off_and_on(fast: Rig) -> None:
    fast.fast.log(3)
    fast.ask(question())
    fast.fast.log(3)
    assert len(taken(fast.fast)[0]) == 1, "the same again changes nothing"
    fast.ask(question())
    fast.fast.log(0)
    fast.ask(question())
    assert fast.fast.take_log() == NOTHING_TAKEN


def test_one_of_some(fast: Rig) -> None:
    """The others are counted, and none is left out once all are wanted again."""
    wires = [question(id=number) for number in range(7)]
    fast.fast.log(10, 3)
    fast.drain(*wires)
    found, lost = taken(fast.fast)
    assert (len(found), lost) == (3, 4)
    fast.fast.log(10)
    fast.drain(*wires)
    found, lost = taken(fast.fast)
    assert len(found) + lost == 7
    assert lost <= 2, "the pause that had begun"


def test_a_blocked_name_is_told_with_its_rule(build: object) -> None:
    """However often it is asked: what the table keeps of it is as blocked as the first time, fresh or not."""
    with rig() as made:
        asked = parse_query(question(), 0, CLIENT)
        answer = answer_to(asked, A)._replace(source="routing.rules[0]: ads line 17", outcome=BLOCKED)
        made.fast.store(asked.key, entry_of(asked, answer, Bounds(), made.clock())[0])
        made.fast.log(10)
        made.ask(question())
        made.clock.forward(400)
        made.ask(question())
        records = list(read(made.fast.take_log().packed))
        assert [record.text for record in records] == [b"routing.rules[0]: ads line 17"] * 2
        assert {OUTCOMES[WAY.unpack(record.way)[1]] for record in records} == {"blocked"}
        assert [one.outcome for one in made.fast.statistics().answered] == ["blocked"]
        assert made.fast.statistics().hits == 2


def test_what_is_packed_is_read_again() -> None:
    way = WAY.pack(1, 3, 65, 1, 2)
    clients = ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.9", "no address")
    packed = b"".join(pack(7.5, host, WWW, way, 0.25, b"text") for host in clients)
    found = list(read(packed))
    assert [client_text(one.client) for one in found] == [
        "192.0.2.1",
        "2001:db8::1",
        "192.0.2.9",
        "no address",
    ]
    assert {(one.at, one.seconds, one.way, one.name, one.text) for one in found} == {
        (7.5, 0.25, way, WWW, b"text")
    }
    assert list(read(packed, 3)) == found[::3]
    with pytest.raises(ValueError, match="whole"):
        list(read(packed[:-1]))


def test_the_longest_name(fast: Rig) -> None:
    name = ".".join(["a" * 63] * 3 + ["b" * 61]) + "."
    fast.store(question(name), f"{name} 300 A 192.0.2.1")
    fast.fast.log(10)
    fast.ask(question(name))
    assert [one.name for one in taken(fast.fast)[0]] == [from_text(name)]


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
            mapped = host.removeprefix("::ffff:")
            assert {one.host for one in taken(made.fast)[0]} == {mapped}


def test_what_is_no_socket_is_logged_too(fast: Rig) -> None:
    fast.fast.log(10)
    datagrams = Datagrams()
    datagrams.waiting.append((question(), ("198.51.100.1", 9)))
    fast.fast.drain(datagrams)
    assert [(one.transport, one.host) for one in taken(fast.fast)[0]] == [("udp", "198.51.100.1")]


def test_another_address_of_loopback(fast: Rig) -> None:
    fast.fast.log(10)
    with udp_socket("127.0.0.9") as client:
        fast.drain(question(), client=client)
    assert [one.host for one in taken(fast.fast)[0]] == ["127.0.0.9"]
