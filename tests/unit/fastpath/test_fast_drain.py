"""Draining a socket: what is answered, what is left over, how much at a time, and what a broken socket costs."""

import socket
from collections.abc import Iterator

import dns.message
import dns.rcode
import pytest

from smartdoh.fastpath.surface import TURN
from tests.scenario.fast import Rig, rig, udp_socket
from tests.scenario.messages import addresses, question

pytestmark = pytest.mark.usefixtures("build")

A = "www.example.com. 300 A 192.0.2.1"


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        yield made


def test_hits_are_answered_and_misses_returned_with_their_sender(fast: Rig) -> None:
    fast.store(question(), A)
    other = question("mail.example.com.", id=7)
    ((query, address),) = fast.drain(question(id=1), other, question(id=2))
    assert query.wire == other
    assert query.host == "127.0.0.1"
    assert address == fast.client.getsockname()
    assert [dns.message.from_wire(wire).id for wire in fast.answers()] == [1, 2]


def test_an_empty_socket_is_no_error(fast: Rig) -> None:
    assert fast.fast.drain(fast.server) == []
    assert fast.fast.take_due() == []


def test_a_turn_takes_64_datagrams(fast: Rig) -> None:
    fast.store(question(), A)
    first = fast.drain(*(question(id=number) for number in range(TURN)), *([question("m.example.com.")] * 3))
    assert TURN == 64
    assert first == []
    assert len(fast.answers()) == TURN
    assert len(fast.fast.drain(fast.server)) == 3


def test_a_turn_counts_whatever_comes(fast: Rig) -> None:
    """Junk, misses and hits alike, so that no mix of them can hold the loop."""
    junk, miss, hit = b"\0", question("m.example.com."), question()
    fast.store(hit, A)
    fast.drain(*([junk, miss, hit] * 30))
    assert fast.fast.statistics().ignored == 22
    assert len(fast.answers()) == 21


def test_clients_get_their_own_answers(fast: Rig) -> None:
    fast.store(question(), A)
    with udp_socket() as second, udp_socket("127.0.0.2") as third:
        for number, client in enumerate((fast.client, second, third)):
            client.sendto(question(id=number), fast.server.getsockname())
        fast.fast.drain(fast.server)
        for number, client in enumerate((fast.client, second, third)):
            assert dns.message.from_wire(client.recv(4096)).id == number


class Unwilling:
    """A socket that reads and cannot send."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def recvfrom(self, size: int, /) -> tuple[bytes, tuple[object, ...]]:
        return self._sock.recvfrom(size)

    def sendto(self, wire: bytes, address: object, /) -> int:
        raise BlockingIOError


def test_an_answer_that_cannot_be_sent_is_counted_and_ends_nothing(fast: Rig) -> None:
    """Of the first answer, a remembered one, and an error; the miss behind them is still found."""
    fast.store(question(), A)
    for wire in (question(id=1), question(id=2), bytes(12), question("m.example.com.")):
        fast.client.sendto(wire, fast.server.getsockname())
    misses = fast.fast.drain(Unwilling(fast.server))
    assert len(misses) == 1
    assert fast.fast.statistics().unsent == 3


def test_a_report_about_an_earlier_answer_ends_the_turn_only(fast: Rig) -> None:
    """A client that closed its port makes the next read of a connected socket fail (ICMP, ECONNREFUSED)."""
    fast.store(question(), A)
    gone = udp_socket()
    fast.server.connect(gone.getsockname())
    gone.sendto(question(), fast.server.getsockname())
    port = gone.getsockname()
    gone.close()
    assert fast.fast.drain(fast.server) == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
        back.bind(port)
        back.sendto(question("m.example.com."), fast.server.getsockname())
        found = fast.fast.drain(fast.server) + fast.fast.drain(fast.server)
    assert len(found) == 1


def test_a_closed_socket_is_no_error() -> None:
    with rig() as made:
        made.server.close()
        assert made.fast.drain(made.server) == []


def test_counters(fast: Rig) -> None:
    fast.store(question(), A)
    fast.drain(
        question(id=1),
        question(id=2),
        question("WWW.example.com."),
        question("m.example.com."),
        b"",
        b"x" * 12,
    )
    found = fast.fast.statistics()
    assert (found.hits, found.misses, found.malformed, found.entries) == (3, 1, 1, 1)
    assert found.ignored == 1
    assert found.octets > 0
    fast.answers()
    fast.clock.forward(301)
    fast.ask(question())
    assert fast.fast.statistics().stale == 1
    assert found.stale == 0, "a snapshot is a copy"


def test_a_datagram_longer_than_any_question_is_junk(fast: Rig) -> None:
    answer = fast.ask(question() + bytes(5000))
    assert answer.rcode() == dns.rcode.FORMERR


def test_ipv6_clients_are_answered() -> None:
    with udp_socket("::1") as server, udp_socket("::1") as client:
        made = Rig(server, client)
        made.store(question(), A)
        assert addresses(made.ask(question())) == ["192.0.2.1"]
