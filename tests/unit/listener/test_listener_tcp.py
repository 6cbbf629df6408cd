"""TCP (RFC 7766): segments, order, limits, slow and silent clients, on asyncio's loop and on uvloop."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from smartdoh.errors import Timeout
from smartdoh.fastpath import FastPath
from smartdoh.fastpath.surface import TURN
from smartdoh.listener.tcp import IN_FLIGHT, WRITE_BUFFER, TcpConnection
from smartdoh.model import Query
from tests.scenario.messages import addresses, error_text, question
from tests.scenario.serving import Peer, Serving, framed, serving
from tests.scenario.world import World, settle

WWW = "www.example.com."
A = f"{WWW} 300 A 192.0.2.1"
BIG = f"{WWW} 300 TXT " + " ".join(["x" * 250] * 60)
SOON = {"SWEEP": 0.02}


def named(number: int, **form: object) -> bytes:
    return question(f"n{number}.example.com.", id=number, **form)  # type: ignore[arg-type]


@serving()
async def test_a_question_and_its_answer(served: Serving) -> None:
    peer = await served.connect()
    for _ in range(2):
        await peer.send(question(WWW, id=7))
        if not served.world.upstream.asked:
            await served.asked(1)
            served.world.upstream.answer(A)
        answer = await peer.answer()
        assert answer.id == 7
        assert addresses(answer) == ["192.0.2.1"]
    assert len(served.world.upstream.asked) == 1


@serving()
async def test_an_octet_at_a_time(served: Serving) -> None:
    await served.world.know(A)
    peer = await served.connect()
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in framed(question(WWW)) * 2:
        await peer.send_raw(bytes([octet]))
        await settle()
    for _ in range(2):
        assert addresses(await peer.answer()) == ["192.0.2.1"]


@serving()
async def test_questions_cut_anywhere(served: Serving) -> None:
    await served.world.know(A)
    peer = await served.connect()
    octets = framed(question(WWW, id=1)) + framed(question(WWW, id=2)) + framed(question(WWW, id=3))
    for cut in range(1, len(octets)):
        await peer.send_raw(octets[:cut])
        await settle()
        await peer.send_raw(octets[cut:])
        assert [(await peer.answer()).id for _ in range(3)] == [1, 2, 3]


@serving()
async def test_answers_come_as_they_are_ready(served: Serving) -> None:
    """A hit behind a miss passes it (RFC 7766 section 6.2.1.1)."""
    await served.world.know(A)
    peer = await served.connect()
    await peer.send(named(1), named(2), question(WWW, id=3))
    assert (await peer.answer()).id == 3
    served.world.upstream.answer("n1.example.com. 300 A 192.0.2.1")
    assert (await peer.answer()).id == 1
    served.world.upstream.answer("n2.example.com. 300 A 192.0.2.2")
    assert (await peer.answer()).id == 2


@serving()
async def test_64_questions_wait_and_the_next_is_refused(served: Serving) -> None:
    """The new one, and no old one with it; when one is answered there is room again."""
    peer = await served.connect()
    await peer.send(*(named(number, edns=True) for number in range(IN_FLIGHT + 2)))
    for number in (IN_FLIGHT, IN_FLIGHT + 1):
        refused = await peer.answer()
        assert refused.id == number
        assert refused.rcode() == dns.rcode.REFUSED
        assert "64 questions" in error_text(refused)
    served.world.upstream.answer("n0.example.com. 300 A 192.0.2.1")
    assert (await peer.answer()).id == 0
    await peer.send(named(100))
    await served.asked(IN_FLIGHT + 1)
    for number in [*range(1, IN_FLIGHT), 100]:
        served.world.upstream.answer(f"n{number}.example.com. 300 A 192.0.2.1")
        assert (await peer.answer()).id == number


@serving()
async def test_one_client_s_64_are_not_another_s(served: Serving) -> None:
    greedy, modest = await served.connect(), await served.connect()
    await greedy.send(*(named(number) for number in range(IN_FLIGHT)))
    await served.asked(IN_FLIGHT)
    await modest.send(named(0))
    await served.until(lambda: served.world.resolver.flights.waiting == IN_FLIGHT + 1)
    served.world.upstream.answer("n0.example.com. 300 A 192.0.2.1")
    assert addresses(await modest.answer()) == ["192.0.2.1"]


# Closing


@serving()
async def test_a_client_that_has_closed_its_side_gets_all_its_answers(served: Serving) -> None:
    """RFC 7766 section 6.2.4."""
    await served.world.know(A)
    peer = await served.connect()
    await peer.send(named(1), question(WWW, id=2), named(3))
    peer.sock.shutdown(socket.SHUT_WR)
    assert (await peer.answer()).id == 2
    await served.asked(3)
    for number in (1, 3):
        served.world.upstream.answer(f"n{number}.example.com. 300 A 192.0.2.1")
        assert (await peer.answer()).id == number
    assert await peer.is_closed()


@serving()
async def test_more_questions_than_a_turn_before_closing_are_all_answered(served: Serving) -> None:
    await served.world.know(A)
    peer = await served.connect()
    await peer.send(*(question(WWW, id=number) for number in range(3 * TURN)))
    peer.sock.shutdown(socket.SHUT_WR)
    assert [(await peer.answer()).id for _ in range(3 * TURN)] == list(range(3 * TURN))
    assert await peer.is_closed()


@serving()
async def test_half_a_question_before_closing_gets_nothing(served: Serving) -> None:
    for octets in (b"", b"\0", b"\0\x20", framed(question(WWW))[:-1]):
        peer = await served.connect()
        await peer.send_raw(octets)
        peer.sock.shutdown(socket.SHUT_WR)
        assert await peer.is_closed()
    await served.until(lambda: len(served.connections) == 0)


@serving()
async def test_a_client_that_leaves_before_its_answer_breaks_nothing(served: Serving) -> None:
    """Others get theirs, and the answer that nobody took is kept."""
    leaver, stayer = await served.connect(), await served.connect()
    await leaver.send(question(WWW))
    await stayer.send(question(WWW))
    await served.until(lambda: served.world.resolver.flights.waiting == 2)
    leaver.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    leaver.sock.close()
    await served.until(lambda: len(served.connections) == 1)
    served.world.upstream.answer(A)
    assert addresses(await stayer.answer()) == ["192.0.2.1"]
    again = await served.connect()
    await again.send(question(WWW))
    assert addresses(await again.answer()) == ["192.0.2.1"]
    assert len(served.world.upstream.asked) == 1


# What is no question


@serving()
async def test_junk_ends_nothing(served: Serving) -> None:
    await served.world.know(A)
    peer = await served.connect()
    answerless = (b"", b"\0", b"x" * 11, bytes([0, 1, 0x80]) + bytes(9))
    await peer.send(*answerless, bytes(12), question(WWW, id=5))
    assert (await peer.answer()).rcode() == dns.rcode.FORMERR
    assert (await peer.answer()).id == 5


@serving()
async def test_a_message_of_64_kilobytes_is_read_whole(served: Serving) -> None:
    await served.world.know(A)
    peer = await served.connect()
    await peer.send(question(WWW) + bytes(65_535 - len(question(WWW))), question(WWW, id=6))
    assert (await peer.answer()).rcode() == dns.rcode.FORMERR
    assert (await peer.answer()).id == 6


def padded(number: int, count: int) -> bytes:
    """A question with so many octets of padding (RFC 7830)."""
    wire = bytearray(question(WWW, id=number))
    wire[11] = 1
    option = b"\0\x0c" + count.to_bytes(2) + bytes(count)
    return bytes(wire) + b"\0\0\x29\x04\xd0\0\0\0\0" + len(option).to_bytes(2) + option


@serving()
async def test_a_question_that_is_padded_without_need_is_not_kept_waiting(served: Serving) -> None:
    peer = await served.connect()
    await peer.send(padded(1, 4096), padded(2, 4000))
    assert (await peer.answer()).rcode() == dns.rcode.FORMERR
    await served.asked(1)
    served.world.upstream.answer(A)
    assert addresses(await peer.answer()) == ["192.0.2.1"]


# Limits


async def answered(served: Serving, peer: Peer, number: int = 0) -> bool:
    """Whether a question about what is known gets its answer there."""
    await peer.send(question(WWW, id=number))
    answer = await peer.read()
    return answer is not None and addresses(answer) == ["192.0.2.1"]


@serving(most=2)
async def test_a_new_connection_takes_the_place_of_the_longest_idle(served: Serving) -> None:
    """RFC 7766 section 6.2.3; who asked last is the last to go."""
    await served.world.know(A)
    first, second = await served.connect(), await served.connect()
    assert await answered(served, second)
    assert await answered(served, first)
    third = await served.connect()
    assert await answered(served, third)
    assert await second.is_closed()
    assert await answered(served, first)
    assert (served.connections.evicted, served.connections.refused) == (1, 0)


@serving(most=2)
async def test_where_none_is_idle_the_new_connection_goes(served: Serving) -> None:
    peers = [await served.connect() for _ in range(2)]
    for number, peer in enumerate(peers):
        await peer.send(named(number))
    await served.asked(2)
    assert await (await served.connect()).is_closed()
    assert served.connections.refused == 1
    for number, peer in enumerate(peers):
        served.world.upstream.answer(f"n{number}.example.com. 300 A 192.0.2.1")
        assert (await peer.answer()).id == number


@serving(most=8, each=2)
async def test_a_client_that_holds_its_share_replaces_its_own(served: Serving) -> None:
    await served.world.know(A)
    other = await served.connect(source="127.0.0.9")
    assert await answered(served, other)
    own = [await served.connect() for _ in range(2)]
    await served.until(lambda: len(served.connections) == 3)
    assert await answered(served, await served.connect())
    assert await own[0].is_closed()
    assert await answered(served, other), "though it was the longest idle of all"
    assert len(served.connections) == 3


@serving(most=8, each=2)
async def test_a_client_s_share_of_busy_ones_is_all_it_gets(served: Serving) -> None:
    for number in range(2):
        await (await served.connect()).send(named(number))
    await served.asked(2)
    assert await (await served.connect()).is_closed()
    await (await served.connect(source="127.0.0.9")).send(named(2))
    await served.asked(3)
    for _ in range(3):
        served.world.upstream.answer()


@serving()
async def test_where_descriptors_are_few_a_new_connection_replaces_one(served: Serving) -> None:
    await served.world.know(A)
    old = await served.connect()
    await served.until(lambda: len(served.connections) == 1)
    served.connections._last_descriptor = 0
    new = await served.connect()
    assert await answered(served, new)
    assert await old.is_closed()


@contextmanager
def one_descriptor_left() -> Iterator[None]:
    """This process can open one more file, and no other."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 20, before[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for descriptor in taken:
            os.close(descriptor)


@serving()
async def test_where_descriptors_have_run_out_it_rests_and_an_idle_connection_goes(served: Serving) -> None:
    """Who comes meanwhile waits in the kernel, and is served when one is free again."""
    await served.world.know(A)
    old = await served.connect()
    await old.send(named(1))
    await served.asked(2)
    accepting = served.listener._accepting
    assert accepting is not None
    rests, make_room = [0], accepting._none_left

    def none_left() -> None:
        rests[0] += 1
        make_room()

    accepting._none_left = none_left
    with one_descriptor_left():
        new = await served.connect()
        await served.until(lambda: rests[0] == 2)
        assert len(served.connections) == 1, "nobody is idle"
        served.world.upstream.answer("n1.example.com. 300 A 192.0.2.1")
        assert (await old.answer()).id == 1
        assert await answered(served, new)
        assert await old.is_closed()
        assert rests[0] <= 5, "it spins"


@serving(idle=0.3, constants=SOON)
async def test_idle_connections_are_closed(served: Serving) -> None:
    await served.world.know(A)
    silent, asker = await served.connect(), await served.connect()
    await asker.send(question(WWW))
    assert addresses(await asker.answer()) == ["192.0.2.1"]
    assert await silent.is_closed()
    assert await asker.is_closed()


@serving(idle=0.3, constants=SOON)
async def test_dribbling_is_idling(served: Serving) -> None:
    """Only a whole question counts (RFC 7766 section 6.2.3)."""
    peer = await served.connect()
    await served.until(lambda: len(served.connections) == 1)

    async def dribble() -> None:
        while True:
            await peer.send_raw(b"\x01")
            await asyncio.sleep(0.005)

    with pytest.raises(ConnectionError):
        await dribble()
    assert len(served.connections) == 0


@serving(idle=600.0, constants={**SOON, "MESSAGE": 0.1})
async def test_a_message_has_to_be_whole_soon_however_long_one_may_be_idle(served: Serving) -> None:
    await served.world.know(A)
    slow, idle = await served.connect(), await served.connect()
    await slow.send_raw(framed(question(WWW, id=1)) + b"\0\x20\1")
    assert (await slow.answer()).id == 1
    assert await slow.is_closed()
    assert await answered(served, idle)


@serving(idle=600.0, constants={**SOON, "LIFE": 0.1})
async def test_no_connection_stays_for_ever_but_each_gets_what_it_asked_for(served: Serving) -> None:
    busy, asker = await served.connect(), await served.connect()
    await busy.send(question(WWW, id=1))
    await served.asked(1)
    assert await asker.is_closed()
    served.world.upstream.answer(A)
    assert (await busy.answer()).id == 1
    assert await busy.is_closed()


@serving(idle=0.3, constants=SOON)
async def test_a_client_that_waits_for_its_answer_is_not_idle(served: Serving) -> None:
    waiter = await served.connect()
    await waiter.send(question(WWW))
    await served.asked(1)
    for _ in range(2):
        assert await (await served.connect()).is_closed()
    served.world.upstream.answer(A)
    assert addresses(await waiter.answer()) == ["192.0.2.1"]


# Clients that do not read


@serving()
async def test_a_client_that_never_reads_is_not_read_from(served: Serving) -> None:
    """What waits for it stays within the write buffer's bound and one turn, however much it asks in one piece."""
    await served.world.know(BIG, rdtype="TXT")
    peer = await served.connect(receive_buffer=4096)
    await served.until(lambda: len(served.connections) == 1)
    (connection,) = served.connections._open
    assert isinstance(connection, TcpConnection)
    transport = connection._transport
    assert transport is not None
    wires = [question(WWW, "TXT", id=number) for number in range(1500)]
    sender = asyncio.ensure_future(peer.send(*wires))
    await served.until(lambda: transport.get_write_buffer_size() > WRITE_BUFFER)
    for _ in range(50):
        await settle()
        await asyncio.sleep(0.001)
        assert transport.get_write_buffer_size() <= 2 * WRITE_BUFFER + 65_537
    other = await served.connect()
    await other.send(question(WWW, "TXT", id=9))
    assert (await other.answer()).id == 9
    ids = [(await peer.answer()).id for _ in wires]
    assert ids == list(range(1500)), "when it reads, it gets them all"
    await sender


@serving(idle=0.3, constants=SOON)
async def test_a_client_that_never_reads_is_idle_in_the_end(served: Serving) -> None:
    await served.world.know(BIG, rdtype="TXT")
    peer = await served.connect(receive_buffer=4096)
    await served.until(lambda: len(served.connections) == 1)
    await peer.send(*(question(WWW, "TXT") for _ in range(1000)))
    await served.until(lambda: len(served.connections) == 0)


@serving(constants={"MOST_UNREAD": 1})
async def test_of_too_many_that_never_read_the_first_goes(served: Serving) -> None:
    await served.world.know(BIG, rdtype="TXT")
    wires = [question(WWW, "TXT", id=number) for number in range(1500)]
    for _ in range(2):
        peer = await served.connect(receive_buffer=4096)
        sender = asyncio.ensure_future(peer.send(*wires))
        await served.until(lambda: len(served.connections._unread) == 1)
        sender.cancel()
        last = next(iter(served.connections._unread))
    await served.until(lambda: len(served.connections) == 1)
    assert list(served.connections._open) == [last]


# Fairness


@serving()
async def test_many_questions_in_one_segment_are_answered_in_bounded_turns(served: Serving) -> None:
    await served.world.know(A)
    turns, loop = [0], asyncio.get_running_loop()

    class Counting:
        """The fast path, with a count of what is asked in each turn of the loop."""

        take_due = served.world.fast.take_due

        def ask_stream(self, buffer: bytearray, host: str, timeout: int) -> tuple[bytes, list[Query], int]:
            answers, misses, read = served.world.fast.ask_stream(buffer, host, timeout)
            turns[-1] += read // len(one)
            return answers, misses, read

    def next_turn() -> None:
        turns.append(0)
        loop.call_soon(next_turn)

    one = b"\0\0" + question(WWW)
    served.listener.serve(Counting(), served.world.resolver)  # type: ignore[arg-type]
    peer = await served.connect()
    next_turn()
    count = 10 * TURN + 1
    await peer.send(*(question(WWW, id=number) for number in range(count)))
    assert [(await peer.answer()).id for _ in range(count)] == list(range(count))
    assert max(turns) <= 2 * TURN, "a turn in the loop's reading, and one that was left over"
    assert sum(turns) == count


@serving()
async def test_a_refresh_that_falls_due_over_tcp_is_made(served: Serving) -> None:
    await served.world.know(A)
    served.world.clock.forward(290)
    peer = await served.connect()
    await peer.send(question(WWW))
    assert addresses(await peer.answer()) == ["192.0.2.1"]
    await served.asked(2)


# Beside everything else


@serving()
async def test_strangers_are_refused(served: Serving) -> None:
    stranger = FastPath(entries=10, view_of=lambda host: None, clock=served.world.clock)
    served.listener.serve(stranger, served.world.resolver)
    peer = await served.connect()
    await peer.send(*(question(WWW, id=number) for number in range(40)))
    for number in range(40):
        answer = await peer.answer()
        assert (answer.id, answer.rcode()) == (number, dns.rcode.REFUSED)


@serving()
async def test_a_connection_outlives_a_reload(served: Serving) -> None:
    """What it asked before is answered from where it was asked, what it asks then from the new runtime."""
    peer = await served.connect()
    await peer.send(named(1))
    await served.asked(1)
    renewed = World()
    served.listener.serve(renewed.fast, renewed.resolver)
    await peer.send(named(2))
    await served.until(lambda: len(renewed.upstream.asked) == 1)
    renewed.upstream.answer("n2.example.com. 300 A 192.0.2.2")
    assert addresses(await peer.answer()) == ["192.0.2.2"]
    served.world.upstream.answer("n1.example.com. 300 A 192.0.2.1")
    assert addresses(await peer.answer()) == ["192.0.2.1"]
    await renewed.end()


@serving()
async def test_stopping_accepts_no_more_and_answers_what_is_there(served: Serving) -> None:
    peer = await served.connect()
    await peer.send(question(WWW))
    await served.asked(1)
    served.listener.stop()
    served.world.upstream.answer(A)
    assert addresses(await peer.answer()) == ["192.0.2.1"]
    served.listener.close()
    assert await peer.is_closed()


@serving()
async def test_large_answers_come_whole_over_tcp(served: Serving) -> None:
    await served.world.know(BIG, rdtype="TXT")
    peer = await served.connect()
    await peer.send(question(WWW, "TXT"))
    answer = await peer.answer()
    assert not answer.flags & dns.flags.TC
    assert len(answer.to_wire()) > 15_000


KEEPALIVE = dns.edns.OptionType(11)
ASKING = {"options": (dns.edns.GenericOption(KEEPALIVE, b""),)}


def told_timeout(message: dns.message.Message) -> int:
    """How long the client may be idle, in units of 100 ms (RFC 7828)."""
    (option,) = (option for option in message.options if option.otype == KEEPALIVE)
    return int.from_bytes(option.to_wire())


@serving(most=10, each=10, idle=2.5)
async def test_clients_are_told_how_long_they_may_be_idle(served: Serving) -> None:
    """With answers that are known and with those that come later; nearly full, that they had better end."""
    await served.world.know(A)
    peers = [await served.connect()]
    await peers[0].send(question(WWW, **ASKING), named(1, **ASKING))  # type: ignore[arg-type]
    await served.asked(2)
    served.world.upstream.fail(Timeout("too late", "upstream"))
    assert [told_timeout(await peers[0].answer()) for _ in range(2)] == [25, 25]
    while len(peers) < 9:
        peers.append(await served.connect())
        await peers[-1].send(question(WWW))
        await peers[-1].answer()
    await peers[0].send(question(WWW, **ASKING))  # type: ignore[arg-type]
    assert told_timeout(await peers[0].answer()) == 0
    served.connections.limit(most=20, each=20, idle=10_000.0)
    await peers[0].send(question(WWW, **ASKING))  # type: ignore[arg-type]
    assert told_timeout(await peers[0].answer()) == 0xFFFF
