"""TCP from the client's side (RFC 7766, RFC 9210): segments, order, limits, and clients that leave."""

import contextlib
import socket
import time
from contextlib import ExitStack

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.conftest import StartProxy
from tests.e2e.messages import addresses, frame, is_closed, question, read_frame
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.scripted.replies import Ending
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import full_name

IN_FLIGHT = 64  # questions on one connection
CONNECTIONS = 512
MEBIBYTE = 1 << 20


def framed(*queries: dns.message.Message) -> bytes:
    return b"".join(frame(query.to_wire()) for query in queries)


def numbered(count: int, rdtype: str = "A") -> list[dns.message.Message]:
    """Queries for different names, with their places as ids."""
    return [question(f"n{number}.wild", rdtype, id=number) for number in range(count)]


def read_all(client: socket.socket, count: int) -> dict[int, dns.message.Message]:
    """So many answers by their ids."""
    found: dict[int, dns.message.Message] = {}
    for _ in range(count):
        answer = read_frame(client)
        assert answer is not None, f"closed after {len(found)} of {count} answers"
        assert answer.id not in found
        found[answer.id] = answer
    return found


@pytest.fixture
def proxy(upstream: ScriptedServer, smartdoh: StartProxy) -> RunningProxy:
    """A proxy with its defaults."""
    return smartdoh(upstream.url)


def test_a_byte_at_a_time(proxy: RunningProxy) -> None:
    with proxy.tcp_socket() as client:
        for _ in range(2):
            for byte in framed(question("one")):
                client.send(bytes([byte]))
            answer = read_frame(client)
            assert answer is not None
            assert addresses(answer) == ["203.0.113.1"]


@pytest.mark.parametrize("cut", [1, 2, 3, 14, 40, 60])
def test_cut_anywhere(proxy: RunningProxy, cut: int) -> None:
    wire = framed(question("one"), question("several"))
    with proxy.tcp_socket() as client:
        client.sendall(wire[:cut])
        assert proxy.udp(question("one")).rcode() == dns.rcode.NOERROR  # the first part has been read by now
        client.sendall(wire[cut:])
        assert len(read_all(client, 2)) == 2


def test_pipelined_in_one_segment(proxy: RunningProxy) -> None:
    queries = numbered(50)
    with proxy.tcp_socket() as client:
        client.sendall(framed(*queries))
        found = read_all(client, len(queries))
    for query in queries:
        assert found[query.id].question == query.question
        assert found[query.id].rcode() == dns.rcode.NOERROR


def test_answers_come_out_of_order(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    upstream.behave(replies.delayed(1.0), name=full_name("slow.wild"))
    with proxy.tcp_socket() as client:
        client.sendall(framed(question("slow.wild", id=1), question("fast.wild", id=2)))
        first, second = read_frame(client), read_frame(client)
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == (2, 1)


def test_too_many_in_flight_are_refused(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    """The new ones are refused, the old ones are answered, and the connection goes on."""
    upstream.behave(replies.delayed(1.0))
    with proxy.tcp_socket() as client:
        client.sendall(framed(*numbered(IN_FLIGHT + 20)))
        found = read_all(client, IN_FLIGHT + 20)
        client.sendall(framed(question("localhost.", id=9999)))
        after = read_frame(client)
    refused = [number for number, answer in found.items() if answer.rcode() == dns.rcode.REFUSED]
    answered = [number for number, answer in found.items() if answer.rcode() == dns.rcode.NOERROR]
    assert sorted(refused) == list(range(IN_FLIGHT, IN_FLIGHT + 20))
    assert sorted(answered) == list(range(IN_FLIGHT))
    assert after is not None
    assert after.id == 9999


def test_one_clients_limit_is_not_anothers(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    upstream.behave(replies.delayed(1.0))
    upstream.behave(replies.right, name=full_name("one"))
    with proxy.tcp_socket() as greedy:
        greedy.sendall(framed(*numbered(IN_FLIGHT + 1)))
        assert addresses(proxy.tcp(question("one"))) == ["203.0.113.1"]
        assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
        read_all(greedy, IN_FLIGHT + 1)


@pytest.mark.parametrize("limit", [20, None])
def test_a_client_with_its_share_of_connections_replaces_its_own(
    upstream: ScriptedServer, smartdoh: StartProxy, limit: int | None
) -> None:
    sections = {"listen": {"tcp_connections": limit}} if limit else {}
    proxy = smartdoh(upstream.url, sections=sections)
    share = (limit or CONNECTIONS) // 4
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.tcp_socket()) for _ in range(share)]
        assert works(clients[-1])  # so that all have been accepted
        assert works(clients[0])
        assert works(stack.enter_context(proxy.tcp_socket()))
        assert is_closed(clients[1])
        assert works(clients[0]), "who has asked stays"
        assert works(clients[-1])
        assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]


def works(client: socket.socket) -> bool:
    """Whether this connection gets an answer."""
    with contextlib.suppress(ConnectionError):
        client.sendall(framed(question("one")))
        return read_frame(client) is not None
    return False


def test_idle_connection_is_closed(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    proxy = smartdoh(upstream.url, sections={"listen": {"tcp_idle": "300ms"}})
    with proxy.tcp_socket() as silent, proxy.tcp_socket() as asked_once:
        asked_once.sendall(framed(question("one")))
        assert read_frame(asked_once) is not None
        assert is_closed(silent)
        assert is_closed(asked_once)


def test_only_a_whole_message_keeps_a_connection(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """RFC 7766 section 6.2.3: a byte now and then does not."""
    proxy = smartdoh(upstream.url, sections={"listen": {"tcp_idle": "300ms"}})
    with proxy.tcp_socket() as client:
        client.settimeout(0.05)
        ended = time.monotonic() + 10
        for byte in bytes([255, 255]) + bytes(10_000):
            assert time.monotonic() < ended, "kept open by single bytes"
            try:
                client.send(bytes([byte]))
                assert client.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                pass
            break


def test_waiting_is_not_idling(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.delayed(1.0))
    proxy = smartdoh(upstream.url, sections={"listen": {"tcp_idle": "300ms"}})
    assert addresses(proxy.tcp(question("one"))) == ["203.0.113.1"]


def test_half_closed_client_is_served(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    upstream.behave(replies.delayed(0.3))
    with proxy.tcp_socket() as client:
        client.sendall(framed(*numbered(3)))
        client.shutdown(socket.SHUT_WR)
        assert set(read_all(client, 3)) == {0, 1, 2}
        assert is_closed(client)


def test_client_that_leaves_before_its_answer(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    upstream.behave(replies.delayed(0.3))
    assert addresses(proxy.tcp(question("one"))) == ["203.0.113.1"]
    descriptors = proxy.descriptors
    for number in range(10):
        with proxy.tcp_socket() as client:
            client.sendall(framed(question(f"left{number}.wild")))
            if number % 2:  # a reset instead of a FIN
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            upstream.wait_for_requests(number + 2)
    assert addresses(proxy.udp(question("left9.wild"))) == ["203.0.113.77"]
    assert upstream.asked(full_name("left9.wild")) == 1, "its answer was worth keeping"
    assert proxy.descriptors <= descriptors + 1


def test_client_that_never_reads(proxy: RunningProxy) -> None:
    """It may be cut off; it takes neither memory nor the others' time."""
    assert proxy.tcp(question("long", "TXT")).answer
    before = proxy.rss
    one = framed(question("long", "TXT"))
    with proxy.tcp_socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(0.5)
        with contextlib.suppress(TimeoutError, ConnectionError):
            for _ in range(200):
                client.sendall(one * 100)  # in all, 40 MiB of answers
        assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]
        assert addresses(proxy.tcp(question("several"))) == ["203.0.113.11", "203.0.113.12", "203.0.113.13"]
        assert proxy.rss - before < 16 * MEBIBYTE


@pytest.mark.parametrize(
    "junk", [b"\0\0", b"\0\x01x", b"\xff\xff" + b"\xff" * 65_535, b"GET / HTTP/1.1\r\n\r\n", b"\0\x0c" + b"\xff" * 12]
)  # fmt: skip
def test_junk_hurts_nobody_else(proxy: RunningProxy, junk: bytes) -> None:
    with proxy.tcp_socket() as other, proxy.tcp_socket() as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(junk * 3)
        assert works(other)
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]


def test_large_answer(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    text = " ".join('"' + "x" * 255 + '"' for _ in range(250))
    rrset = dns.rrset.from_text(full_name("huge"), 300, "IN", "TXT", text)
    upstream.answers.put(rrset)
    with proxy.tcp_socket() as client:
        client.sendall(framed(*(question("huge", "TXT", id=number) for number in range(20))))
        assert all(answer.answer == [rrset] for answer in read_all(client, 20).values())


def test_truncated_over_udp_then_whole_over_tcp(proxy: RunningProxy, upstream: ScriptedServer) -> None:
    first = proxy.udp(question("long", "TXT"))
    assert first.flags & dns.flags.TC
    whole = proxy.tcp(question("long", "TXT"))
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == 1
    assert upstream.asked(full_name("long"), "TXT") == 1


def test_upstream_stall_ends_in_an_answer(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    upstream.behave(replies.ending(Ending.STALL))
    proxy = smartdoh(upstream.url, group={"timeout": "500ms"})
    with proxy.tcp_socket() as client:
        client.sendall(framed(*numbered(10)))
        assert {answer.rcode() for answer in read_all(client, 10).values()} == {dns.rcode.SERVFAIL}
