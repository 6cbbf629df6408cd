"""UDP: hits and misses through a socket of the loop, and answers that leave from the address that was asked."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import dns.message
import pytest

from smartdoh.between import Between
from smartdoh.config import Endpoint
from smartdoh.listener import udp
from smartdoh.listener.anyaddress import AnyAddressSocket, is_wildcard
from smartdoh.listener.sockets import open_sockets
from smartdoh.listener.udp import UdpListener
from tests.scenario.messages import addresses, error_text, question
from tests.scenario.serving import LONG, LOOPS
from tests.scenario.world import World, settle

A = "www.example.com. 300 A 192.0.2.1"


class Served:
    """A UDP listener on one address, and the World behind it."""

    def __init__(self, host: str) -> None:
        self.time = 0.0
        self.between = Between(lambda: self.time)
        self.world = World('[listen]\nallow = ["0.0.0.0/0", "::/0"]')
        sockets = open_sockets([Endpoint(host, 0)])
        for unused in sockets.tcp:
            unused.close()
        (self.sock,) = sockets.udp
        self.port: int = self.sock.getsockname()[1]
        self.listener = UdpListener(self.sock, self.world.fast, self.world.resolver, self.between)
        self.listener.start()

    async def end(self) -> None:
        await self.world.end()
        self.listener.stop()
        self.listener.close()


@asynccontextmanager
async def served_on(host: str) -> AsyncIterator[Served]:
    served = Served(host)
    try:
        yield served
    finally:
        await served.end()


@asynccontextmanager
async def client(host: str) -> AsyncIterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((host, 0))
        yield sock


async def receive(sock: socket.socket) -> tuple[dns.message.Message, str]:
    """The next answer, and the address it came from."""
    ready = asyncio.Event()
    asyncio.get_running_loop().add_reader(sock.fileno(), ready.set)
    await ready.wait()
    asyncio.get_running_loop().remove_reader(sock.fileno())
    wire, sender = sock.recvfrom(65_535)
    return dns.message.from_wire(wire), sender[0]


def on_both_loops(tell: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(tell(), LONG)

    for factory in LOOPS.values():
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(limited())


def test_a_miss_and_then_hits() -> None:
    async def tell() -> None:
        async with served_on("127.0.0.1") as served, client("127.0.0.1") as sock:
            sock.sendto(question(id=1), ("127.0.0.1", served.port))
            await settled_until(lambda: served.world.upstream.waiting == 1)
            served.world.upstream.answer(A)
            assert (await receive(sock))[0].id == 1
            for number in range(2, 5):
                sock.sendto(question(id=number), ("127.0.0.1", served.port))
                answer, _ = await receive(sock)
                assert answer.id == number
                assert addresses(answer) == ["192.0.2.1"]
            assert len(served.world.upstream.asked) == 1

    on_both_loops(tell)


def test_hits_need_not_wait_for_the_end_of_other_work() -> None:
    """They are answered in the middle of a turn of the loop; a miss that is seen there is resolved in the next one."""

    async def tell() -> None:
        async with served_on("127.0.0.1") as served, client("127.0.0.1") as sock:
            await served.world.know(A)
            sock.sendto(question(id=1), ("127.0.0.1", served.port))
            sock.sendto(question("new.example.com", id=2), ("127.0.0.1", served.port))
            served.time += 1.0
            served.between()
            assert sock.recv(512)[:2] == b"\0\1"
            assert len(served.world.upstream.asked) == 1
            await settled_until(lambda: served.world.upstream.waiting == 1)
            served.world.upstream.answer("new.example.com. 300 A 192.0.2.2")
            assert (await receive(sock))[0].id == 2

    on_both_loops(tell)


def test_of_what_is_read_in_the_middle_of_work_a_bounded_part_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has asked most hears at once that it is too much, who has asked little is served."""
    monkeypatch.setattr(udp, "IN_LINE", 4)

    async def tell() -> None:
        async with (
            served_on("127.0.0.1") as served,
            client("127.0.0.1") as greedy,
            client("127.0.0.2") as modest,
        ):
            for number in range(6):
                greedy.sendto(
                    question(f"n{number}.example.com.", id=number, edns=True), ("127.0.0.1", served.port)
                )
            modest.sendto(question("modest.example.com.", id=9), ("127.0.0.1", served.port))
            served.between()
            shed = [dns.message.from_wire(greedy.recv(512)) for _ in range(3)]
            assert [answer.id for answer in shed] == [4, 5, 3]
            assert error_text(shed[0]) == "too many questions are waiting"
            await settled_until(lambda: served.world.upstream.waiting == 4)
            assert served.world.upstream.asked[1].name == b"\x06modest\x07example\x03com\0", "turns go round"

    on_both_loops(tell)


def test_more_than_a_turn_is_read_in_more_turns() -> None:
    async def tell() -> None:
        async with served_on("127.0.0.1") as served, client("127.0.0.1") as sock:
            await served.world.know(A)
            for number in range(200):
                sock.sendto(question(id=number), ("127.0.0.1", served.port))
            assert [(await receive(sock))[0].id for _ in range(200)] == list(range(200))

    on_both_loops(tell)


def test_a_refresh_that_falls_due_is_made() -> None:
    async def tell() -> None:
        async with served_on("127.0.0.1") as served, client("127.0.0.1") as sock:
            await served.world.know(A)
            served.world.clock.forward(290)
            sock.sendto(question(), ("127.0.0.1", served.port))
            await receive(sock)
            await settled_until(lambda: served.world.upstream.waiting == 1)

    on_both_loops(tell)


def test_a_reload_takes_the_next_question() -> None:
    async def tell() -> None:
        async with served_on("127.0.0.1") as served, client("127.0.0.1") as sock:
            sock.sendto(question("n1.example.com.", id=1), ("127.0.0.1", served.port))
            await settled_until(lambda: served.world.upstream.waiting == 1)
            renewed = World()
            served.listener.serve(renewed.fast, renewed.resolver)
            sock.sendto(question("n2.example.com.", id=2), ("127.0.0.1", served.port))
            await settled_until(lambda: renewed.upstream.waiting == 1)
            renewed.upstream.answer("n2.example.com. 300 A 192.0.2.2")
            assert (await receive(sock))[0].id == 2
            served.world.upstream.answer("n1.example.com. 300 A 192.0.2.1")
            assert (await receive(sock))[0].id == 1, "what the old one had taken it still answers"
            await renewed.end()

    on_both_loops(tell)


def test_an_answer_after_the_end_is_counted_and_no_error() -> None:
    async def tell() -> None:
        async with client("127.0.0.1") as sock:
            served = Served("127.0.0.1")
            sock.sendto(question(), ("127.0.0.1", served.port))
            await settled_until(lambda: served.world.upstream.waiting == 1)
            served.listener.stop()
            served.listener.close()
            served.world.upstream.answer(A)
            await settle()
            assert served.listener.unsent == 1
            await served.world.end()

    on_both_loops(tell)


@pytest.mark.parametrize(
    ("listening", "from_host", "asked"),
    [
        ("0.0.0.0", "127.0.0.1", "127.0.0.5"),
        ("0.0.0.0", "127.0.0.9", "127.1.2.3"),
        ("0.0.0.0", "127.0.0.1", "127.0.0.1"),
        ("::", "::1", "::1"),
        ("::1", "::1", "::1"),
        ("127.0.0.7", "127.0.0.1", "127.0.0.7"),
    ],
)
def test_answers_leave_from_the_address_that_was_asked(listening: str, from_host: str, asked: str) -> None:
    """A miss, which is answered later, and a hit, which is answered in the turn (RFC 2181 section 4)."""

    async def tell() -> None:
        async with served_on(listening) as served, client(from_host) as sock:
            sock.sendto(question(id=1), (asked, served.port))
            await settled_until(lambda: served.world.upstream.waiting == 1)
            served.world.upstream.answer(A)
            assert served.world.upstream.asked[0].host == from_host
            for number in (1, 2, 3):
                answer, sender = await receive(sock)
                assert answer.id == number
                assert sender == asked
                sock.sendto(question(id=number + 1), (asked, served.port))

    on_both_loops(tell)


def test_what_is_a_wildcard() -> None:
    for host, is_one in (("0.0.0.0", True), ("::", True), ("127.0.0.1", False), ("::1", False)):
        sockets = open_sockets([Endpoint(host, 0)])
        assert is_wildcard(sockets.udp[0]) is is_one
        sockets.close()


def test_a_socket_without_anything_to_read_says_so_as_any_other() -> None:
    sockets = open_sockets([Endpoint("0.0.0.0", 0)])
    with pytest.raises(BlockingIOError):
        AnyAddressSocket(sockets.udp[0]).recvfrom(512)
    sockets.close()


async def settled_until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.001)
