"""The DoH transport against a server that does what it is told: what is sent, what is taken, what is done on faults."""

import asyncio
import contextlib
import ctypes
import dataclasses
import email.utils
import os
import resource
import socket
import struct
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import dns.message
import pycurl
import pytest
import uvloop

from smartdoh.errors import BadCertificate, BadReply, Limited, NetworkDown, Timeout, UpstreamError
from smartdoh.upstream import doh, line
from smartdoh.upstream.doh import DohTransport
from smartdoh.upstream.line import Origin
from smartdoh.upstream.lines import MOST_CONNECTIONS
from smartdoh.upstream.reply import MAX_RETRY_AFTER, Reply
from smartdoh.upstream.trust import TrustStore
from smartdoh.wire import compose
from smartdoh.wire.question import parse_query
from tests.conftest import StartScripted
from tests.servers.certificates import Authority
from tests.servers.ports import black_hole, refusing_port
from tests.servers.proxies import ViaProxy, microsocks, tinyproxy
from tests.servers.scripted import Handshake, ScriptedServer, replies
from tests.servers.scripted.replies import Behaviour, Ending, GoAway
from tests.servers.scripted.replies import Request as Seen
from tests.servers.zone import full_name

Outcome = Reply | UpstreamError
Story = Callable[[DohTransport], Coroutine[Any, Any, None]]
Tell = Callable[..., None]

SO_ATTACH_FILTER = 26  # socket(7); Python has no name for it
LONG = 15.0  # seconds; more than any single step may take


def message(owner: str = "one", rdtype: str = "A") -> bytes:
    """What goes upstream for a client's question."""
    return compose.upstream_query(parse_query(dns.message.make_query(full_name(owner), rdtype).to_wire()))


def ask(transport: DohTransport, owner: str = "one") -> asyncio.Future[Outcome]:
    """One request; the future fails where `done` is called twice."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    transport.ask(message(owner), future.set_result)
    return future


async def ask_together(transport: DohTransport, count: int) -> list[Outcome]:
    return list(await asyncio.gather(*(ask(transport, f"n{number}.wild") for number in range(count))))


def is_good(outcome: Outcome) -> bool:
    """Whether it is the zone's answer; shown where it is not."""
    assert isinstance(outcome, Reply), repr(outcome)
    return bool(dns.message.from_wire(outcome.wire).answer)


@pytest.fixture
def trust(authority: Authority) -> Iterator[TrustStore]:
    store = TrustStore(authority.ca_file)
    yield store
    store.close()


@pytest.fixture
def tell(trust: TrustStore) -> Tell:
    """Runs a story with a transport to a server or URL, closes it, and sees that nothing is left behind."""

    def run(story: Story, at: ScriptedServer | str, host: str = "127.0.0.1", **options: Any) -> None:
        if isinstance(at, str):
            url, port = at, int(at.rpartition(":")[2].partition("/")[0])
        else:
            url, port = at.url_at(host), at.port
        complaints: list[dict[str, Any]] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: complaints.append(context))
            origin = dataclasses.replace(Origin(url, host, port), **options)
            transport = DohTransport(origin, trust, loop)
            async with asyncio.timeout(60):
                await story(transport)
                await transport.aclose()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            if isinstance(at, ScriptedServer):
                await asyncio.to_thread(at.wait_for, lambda: at.open_connections == 0)

        uvloop.run(main())
        assert not complaints

    return run


# What is sent


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_the_request_is_as_rfc_8484_wants_it_and_tells_nothing_else(
    scripted: StartScripted, tell: Tell, protocol: str
) -> None:
    server = scripted(protocols=(protocol,))
    server.behave(
        lambda request, answer: dataclasses.replace(
            replies.right(request, answer), headers=(("set-cookie", "id=1; Max-Age=1000"),)
        )
    )

    async def story(transport: DohTransport) -> None:
        for _ in range(2):
            assert is_good(await ask(transport))

    tell(story, server)
    for request in server.requests:
        assert (request.method, request.path) == ("POST", "/dns-query")
        headers = dict(request.headers)
        headers.pop("host", None)
        assert headers == {
            "accept": "application/dns-message",
            "content-type": "application/dns-message",
            "content-length": str(len(request.wire)),
        }
        assert request.query.id == 0
        assert len(request.wire) % 128 == 0
        assert [option.otype for option in request.query.options] == [12]


def test_one_connection_at_cold_start_too(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.delayed(0.05))
        assert all(is_good(outcome) for outcome in await ask_together(transport, 200))
        assert transport.connections == 1

    tell(story, upstream)
    assert upstream.connections == 1
    assert {request.protocol for request in upstream.requests} == {"HTTP/2"}


def test_more_than_the_server_takes_at_a_time_wait_for_their_turn(
    scripted: StartScripted, tell: Tell
) -> None:
    server = scripted(max_streams=100)
    server.behave(replies.delayed(0.01))

    async def story(transport: DohTransport) -> None:
        for _ in range(2):
            assert all(is_good(outcome) for outcome in await ask_together(transport, 500))

    tell(story, server)
    assert server.connections == 5, "as many as the streams that were wanted"


def test_http_1_is_the_fallback_with_a_few_connections(scripted: StartScripted, tell: Tell) -> None:
    server = scripted(protocols=("http/1.1",))
    server.behave(replies.delayed(0.01))

    async def story(transport: DohTransport) -> None:
        for _ in range(2):
            assert all(is_good(outcome) for outcome in await ask_together(transport, 60))

    tell(story, server)
    assert 1 < server.connections <= line.HTTP1_CONNECTIONS
    assert {request.protocol for request in server.requests} == {"HTTP/1.1"}


def test_handles_are_used_again(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doh, "SPARE_HANDLES", 200)

    async def story(transport: DohTransport) -> None:
        for _ in range(50):
            await ask(transport)
        assert len(transport._spare) == 1
        await ask_together(transport, 300)
        assert len(transport._spare) == 200
        assert not transport._running

    tell(story, upstream)


def test_environment_proxies_are_ignored(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing_port() as port:
        for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")

        async def story(transport: DohTransport) -> None:
            assert is_good(await ask(transport))

        tell(story, upstream)


# What is taken


def outcome_of(tell: Tell, server: ScriptedServer, behaviour: Behaviour, **options: Any) -> Outcome:
    """What comes of one request that is treated like this, after which the next has to work."""
    found: list[Outcome] = []

    async def story(transport: DohTransport) -> None:
        server.behave(behaviour)
        found.append(await ask(transport))
        server.behave(replies.right)
        assert is_good(await ask(transport, "several"))

    tell(story, server, **options)
    return found[0]


@pytest.mark.parametrize("code", [201, 204, 206, 400, 401, 403, 404, 413, 415, 500, 502, 504])
def test_only_status_200_holds_a_message(upstream: ScriptedServer, tell: Tell, code: int) -> None:
    outcome = outcome_of(tell, upstream, replies.status(code))
    assert isinstance(outcome, BadReply)
    assert outcome.why == f"HTTP {code}"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(scripted: StartScripted, tell: Tell, code: int) -> None:
    server, other = scripted(), scripted()
    assert isinstance(outcome_of(tell, server, replies.status(code, ("location", other.url))), BadReply)
    assert (len(server.requests), other.connections) == (2, 0)


@pytest.mark.parametrize(
    ("media_type", "is_taken"),
    [
        ("application/dns-message", True),
        ("Application/DNS-Message", True),
        ("application/dns-message; charset=binary", True),
        ("application/dns-message ;x=y", True),
        ("application/dns-message-not", False),
        ("application/dns-json", False),
        ("text/html", False),
        ("", False),
        (None, False),
    ],
)
def test_the_media_type_is_judged(
    upstream: ScriptedServer, tell: Tell, media_type: str | None, is_taken: bool
) -> None:
    outcome = outcome_of(tell, upstream, replies.media_type(media_type))
    assert isinstance(outcome, Reply if is_taken else BadReply)


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
@pytest.mark.parametrize("size", [0, 1, 65_535])
def test_bodies_up_to_65535_octets_are_whole(
    scripted: StartScripted, tell: Tell, protocol: str, size: int
) -> None:
    content = bytes(number % 251 for number in range(size))
    outcome = outcome_of(tell, scripted(protocols=(protocol,)), replies.body(content))
    assert isinstance(outcome, Reply)
    assert outcome.wire == content


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
@pytest.mark.parametrize(
    "behaviour",
    [replies.body(bytes(65_536)), replies.body(bytes(8 << 20)), replies.ending(Ending.ENDLESS)],
    ids=["one too many", "8 MiB", "without an end"],
)
def test_a_larger_body_is_not_read(
    scripted: StartScripted, tell: Tell, protocol: str, behaviour: Behaviour
) -> None:
    outcome = outcome_of(tell, scripted(protocols=(protocol,)), behaviour, timeout=LONG)
    assert isinstance(outcome, BadReply), repr(outcome)


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
@pytest.mark.parametrize("count", [5, 20, 200])
def test_more_headers_than_any_server_sends_are_not_kept(
    scripted: StartScripted, tell: Tell, protocol: str, count: int
) -> None:
    """16 KiB of them at most; a few kilobytes of cookies are nothing that a server does wrong."""
    many = tuple((f"x-{number}", "v" * 1000) for number in range(count))

    def behaviour(_request: Seen, answer: dns.message.Message) -> replies.Reply:
        return replies.Reply(body=replies.wire_of(answer), headers=many)

    outcome = outcome_of(tell, scripted(protocols=(protocol,)), behaviour)
    assert isinstance(outcome, Reply if count == 5 else BadReply), repr(outcome)


@pytest.mark.parametrize("behaviour", [replies.gzipped, replies.gzip_bomb])
def test_nothing_is_unpacked(upstream: ScriptedServer, tell: Tell, behaviour: Behaviour) -> None:
    outcome = outcome_of(tell, upstream, behaviour)
    assert isinstance(outcome, BadReply) or outcome.wire.startswith(b"\x1f\x8b")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "age"),
    [("0", 0), ("7", 7), ("86400", 86400), ("-7", 0), ("7s", 0), ("", 0), ("9" * 40, 0), ("\u00b2", 0)],
)
def test_age_is_a_number_or_nothing(upstream: ScriptedServer, tell: Tell, value: str, age: int) -> None:
    def behave(request: Seen, answer: dns.message.Message) -> replies.Reply:
        return dataclasses.replace(replies.right(request, answer), headers=(("age", value),))

    outcome = outcome_of(tell, upstream, behave)
    assert isinstance(outcome, Reply)
    assert outcome.age == age


def in_seconds(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (lambda: "7", 7, 7),
        (lambda: "0", 0, 0),
        (lambda: "3600", MAX_RETRY_AFTER, MAX_RETRY_AFTER),
        (lambda: "soon", 0, 0),
        (lambda: "-5", 0, 0),
        (lambda: in_seconds(30), 20, 30),
        (lambda: in_seconds(7200), MAX_RETRY_AFTER, MAX_RETRY_AFTER),
        (lambda: in_seconds(-30), 0, 0),
        (lambda: "Tue, 99 Foo 2026 99:99:99 GMT", 0, 0),
        (None, 0, 0),
    ],
)
def test_too_many_requests(
    upstream: ScriptedServer,
    tell: Tell,
    code: int,
    value: Callable[[], str] | None,
    least: float,
    most: float,
) -> None:
    headers = () if value is None else (("retry-after", value()),)
    outcome = outcome_of(tell, upstream, replies.status(code, *headers))
    assert isinstance(outcome, Limited)
    assert least <= outcome.retry_after <= most
    assert upstream.connections == 1, "a refusal is no reason to connect again"


# What is done when a connection dies

DIED = {
    "closed without an answer": replies.ending(Ending.DROP),
    "stream reset": replies.ending(Ending.RESET),
    "stream refused": replies.ending(Ending.REFUSED),
    "GOAWAY before it": replies.going_away(GoAway.BEFORE),
}


@pytest.mark.parametrize("kind", list(DIED))
@pytest.mark.parametrize("is_cold", [True, False])
def test_one_silent_retry(upstream: ScriptedServer, tell: Tell, kind: str, is_cold: bool) -> None:
    async def story(transport: DohTransport) -> None:
        if not is_cold:
            assert is_good(await ask(transport, "several"))
        upstream.behave(replies.sequence(DIED[kind], replies.right))
        assert is_good(await ask(transport))

    tell(story, upstream)
    assert upstream.asked(full_name("one")) == 2


@pytest.mark.parametrize("kind", ["closed without an answer", "stream reset"])
def test_only_one(upstream: ScriptedServer, tell: Tell, kind: str) -> None:
    async def story(transport: DohTransport) -> None:
        assert is_good(await ask(transport, "several"))
        upstream.behave(DIED[kind])
        assert isinstance(await ask(transport), NetworkDown)

    tell(story, upstream)
    assert upstream.asked(full_name("one")) <= 3, (
        "libcurl itself may ask once more on a connection it had kept"
    )


def test_a_retry_has_only_the_time_that_is_left(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(
            replies.sequence(replies.delayed(0.8, replies.ending(Ending.RESET)), replies.ending(Ending.STALL))
        )
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert isinstance(await ask(transport), Timeout)
        assert loop.time() - start < 1.6
        upstream.behave(replies.delayed(0.6))
        assert is_good(await ask(transport)), "the handle has its whole time limit again"

    tell(story, upstream, timeout=1.0)


def test_goaway_under_load_loses_nothing(upstream: ScriptedServer, tell: Tell) -> None:
    seen = 0

    def behave(request: Seen, answer: dns.message.Message) -> replies.Reply:
        nonlocal seen
        seen += 1
        how = [GoAway.BEFORE, GoAway.HERE, GoAway.AFTER][seen // 40 % 3] if seen % 40 == 39 else None
        return dataclasses.replace(replies.right(request, answer), goaway=how, delay=0.005)

    async def story(transport: DohTransport) -> None:
        upstream.behave(behave)
        outcomes = []
        for _ in range(20):
            outcomes += await ask_together(transport, 20)
        assert all(is_good(outcome) for outcome in outcomes)

    tell(story, upstream)
    assert upstream.connections > 3


def test_after_goaway_new_requests_need_not_wait_for_the_old(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.delayed(3.0), name=full_name("slow.wild"))
        upstream.behave(replies.going_away(GoAway.AFTER), name=full_name("last.wild"))
        slow = ask(transport, "slow.wild")
        assert is_good(await ask(transport, "last.wild"))
        assert is_good(await ask(transport, "one"))
        assert not slow.done(), "the new request waited until the old connection was empty"
        assert is_good(await slow)

    tell(story, upstream)


def test_a_connection_closed_while_idle_is_no_failure(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        for _ in range(5):
            assert is_good(await ask(transport))
            upstream.drop_all()

    tell(story, upstream)


# More than one connection


def of_few_streams(scripted: StartScripted, delay: float = 0.1) -> ScriptedServer:
    """A server that takes ten requests at a time on a connection."""
    server = scripted(max_streams=10)
    server.behave(replies.delayed(delay))
    return server


def most_at_once(server: ScriptedServer) -> int:
    """The number of connections that requests came by."""
    return len({request.connection for request in server.requests})


def test_connections_are_as_many_as_the_streams_that_are_wanted(scripted: StartScripted, tell: Tell) -> None:
    server = of_few_streams(scripted)

    async def story(transport: DohTransport) -> None:
        for count, connections in ((1, 1), (10, 1), (10, 1), (11, 2), (35, 4), (35, 4)):
            assert all(is_good(outcome) for outcome in await ask_together(transport, count))
            assert (transport.connections, server.connections) == (connections, connections)

    tell(story, server)
    assert len(server.requests) == 102, "nothing was asked twice"


def test_a_hundred_at_once_use_every_stream_and_the_rest_wait_for_their_turn(
    scripted: StartScripted, tell: Tell
) -> None:
    server = of_few_streams(scripted, 0.5)

    async def story(transport: DohTransport) -> None:
        assert is_good(await ask(transport))
        futures = [ask(transport, f"n{number}.wild") for number in range(100)]
        assert transport.has_room, "it is not known yet how few streams there are"
        await asyncio.sleep(0.3)
        assert not transport.has_room
        assert all(is_good(outcome) for outcome in await asyncio.gather(*futures))
        await asyncio.sleep(0)
        assert transport.has_room

    tell(story, server)
    assert server.connections == most_at_once(server) == MOST_CONNECTIONS
    assert len(server.requests) == 101


def test_those_that_are_not_needed_any_more_are_closed(scripted: StartScripted, tell: Tell) -> None:
    server = of_few_streams(scripted, 0.05)

    async def story(transport: DohTransport) -> None:
        await ask_together(transport, 1)
        await ask_together(transport, 40)
        assert server.open_connections == 4
        while server.open_connections > 1:
            assert is_good(await ask(transport))
        assert server.requests[-1].connection == 1, "the oldest stays"

    tell(story, server, idle=0.4)
    assert server.connections == 4


def test_going_away_is_no_limit(scripted: StartScripted, tell: Tell) -> None:
    """One of several connections takes no more; what it has it answers, and another takes its place."""
    server = of_few_streams(scripted, 0.3)
    server.behave(replies.delayed(0.3, replies.going_away(GoAway.AFTER)), name=full_name("last.wild"))

    async def story(transport: DohTransport) -> None:
        await ask_together(transport, 1)
        await ask_together(transport, 20)
        last = ask(transport, "last.wild")
        assert all(is_good(outcome) for outcome in await ask_together(transport, 19))
        assert is_good(await last)
        for _ in range(3):
            assert all(is_good(outcome) for outcome in await ask_together(transport, 20))
        assert transport._lines.capacity >= 8 * 10

    tell(story, server)
    assert server.connections <= 4
    assert len(server.requests) == 101


def test_going_away_with_little_under_way_leaves_no_low_limit(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.delayed(0.3), name=full_name("slow.wild"))
        for count in (3, 20):
            upstream.behave(replies.going_away(GoAway.AFTER), name=full_name("last.wild"))
            await ask(transport)
            slow = [ask(transport, "slow.wild") for _ in range(count)]
            assert is_good(await ask(transport, "last.wild"))
            for _ in range(count):
                assert is_good(await ask(transport))
            assert all(is_good(outcome) for outcome in await asyncio.gather(*slow))
        upstream.behave(replies.delayed(0.1))
        await ask(transport)
        before = transport.connections
        assert all(is_good(outcome) for outcome in await ask_together(transport, 200))
        assert transport.connections == before, "one is enough for so many"

    tell(story, upstream)
    assert upstream.connections <= 6


def test_what_a_silent_one_has_is_asked_again_and_nothing_else(
    scripted: StartScripted, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doh, "SILENT", 0.6)
    server = of_few_streams(scripted)

    async def story(transport: DohTransport) -> None:
        await ask_together(transport, 1)
        await ask_together(transport, 30)
        server.behave(
            lambda request, answer: (
                replies.ending(Ending.STALL) if request.connection == 2 else replies.delayed(0.1)
            )(request, answer)
        )
        assert all(is_good(outcome) for outcome in await ask_together(transport, 30))

    tell(story, server, timeout=LONG)
    assert len(server.requests) == 61 + 10
    assert server.connections == 3


def test_what_waits_for_a_stream_has_its_time_limit(scripted: StartScripted, tell: Tell) -> None:
    server = of_few_streams(scripted)

    async def story(transport: DohTransport) -> None:
        await ask_together(transport, 1)
        server.behave(replies.ending(Ending.STALL))
        outcomes = await ask_together(transport, 100)
        assert all(isinstance(outcome, Timeout) for outcome in outcomes)
        server.behave(replies.right)
        assert all(is_good(outcome) for outcome in await ask_together(transport, 100))

    tell(story, server, timeout=2.0)


def test_closing_while_some_wait_for_a_stream(scripted: StartScripted, tell: Tell) -> None:
    server = of_few_streams(scripted)
    heard: list[Outcome] = []

    async def story(transport: DohTransport) -> None:
        await ask_together(transport, 1)
        server.behave(replies.ending(Ending.STALL))
        for number in range(100):
            transport.ask(message(f"n{number}.wild"), heard.append)
        await asyncio.to_thread(server.wait_for_requests, 81)
        await transport.aclose()
        assert (len(transport._running), len(transport._waiting), len(transport._spare)) == (0, 0, 0)

    tell(story, server)
    assert heard == []


# How long connections live


def test_an_idle_connection_is_closed(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        for _ in range(2):
            assert is_good(await ask(transport))
            assert upstream.open_connections == 1
            await asyncio.to_thread(upstream.wait_for, lambda: upstream.open_connections == 0)

    tell(story, upstream, idle=0.2)
    assert upstream.connections == 2


def test_a_connection_in_use_is_not_idle(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.delayed(0.5))
        assert is_good(await ask(transport))

    tell(story, upstream, idle=0.05)
    assert upstream.connections == 1


def test_a_dropped_connection_is_drained(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.delayed(0.3), name=full_name("slow.wild"))
        slow = ask(transport, "slow.wild")
        await asyncio.to_thread(upstream.wait_for_requests, 1)
        transport.drop_connection()
        assert is_good(await ask(transport))
        assert not slow.done()
        assert upstream.connections == 2
        assert is_good(await slow)
        await asyncio.to_thread(upstream.wait_for, lambda: upstream.open_connections == 1)

    tell(story, upstream)


def silent_from(connection: int) -> Behaviour:
    """Nothing is ever said on this connection, except about the name `several`."""

    def behave(request: Seen, answer: dns.message.Message) -> replies.Reply:
        is_silent = request.connection == connection and request.name.to_text() != full_name("several")
        return (replies.ending(Ending.STALL) if is_silent else replies.right)(request, answer)

    return behave


def test_a_silent_connection_is_replaced(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one is tried beside it; when that answers, what waited moves over."""
    monkeypatch.setattr(doh, "SILENT", 0.2)

    async def story(transport: DohTransport) -> None:
        upstream.behave(silent_from(1))
        assert is_good(await ask(transport, "several"))
        waiting = [ask(transport, f"n{number}.wild") for number in range(5)]
        await asyncio.sleep(0.3)
        assert is_good(await ask(transport))
        for future in waiting:
            assert is_good(await future)

    tell(story, upstream, timeout=LONG)
    assert upstream.connections == 2


def test_a_server_that_is_only_slow_is_not_asked_in_vain(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old connection is silent for long, but has the answer; the new one never does."""
    monkeypatch.setattr(doh, "SILENT", 0.2)

    def slow(request: Seen, answer: dns.message.Message) -> replies.Reply:
        is_first = request.connection == 1
        return (replies.delayed(1.0) if is_first else replies.ending(Ending.STALL))(request, answer)

    async def story(transport: DohTransport) -> None:
        assert is_good(await ask(transport))
        upstream.behave(slow)
        assert all(is_good(outcome) for outcome in await ask_together(transport, 3))
        assert len(transport._running) == 0

    tell(story, upstream, timeout=LONG)
    assert upstream.connections == 2


def test_without_descriptors_a_question_fails_in_its_time(upstream: ScriptedServer, tell: Tell) -> None:
    """That later ones do not shows where the server is another process, which has its own: tests/faults."""

    async def story(transport: DohTransport) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
        try:
            assert isinstance(await ask(transport), Timeout)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    tell(story, upstream, timeout=0.6)


def test_what_hangs_on_the_new_connection_too_is_asked_no_third_time(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doh, "SILENT", 0.1)

    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.ending(Ending.STALL), name=full_name("hangs.wild"))
        hangs = ask(transport, "hangs.wild")
        for _ in range(5):
            await asyncio.sleep(0.15)
            assert is_good(await ask(transport))
        assert isinstance(await hangs, Timeout)

    tell(story, upstream, timeout=1.5)
    assert upstream.asked(full_name("hangs.wild")) == 2


def test_a_name_that_hangs_condemns_no_others(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doh, "SILENT", 0.6)

    async def story(transport: DohTransport) -> None:
        upstream.behave(replies.ending(Ending.STALL), name=full_name("hangs.wild"))
        hangs = ask(transport, "hangs.wild")
        for _ in range(12):
            assert is_good(await ask(transport))
            await asyncio.sleep(0.1)
        assert isinstance(await hangs, Timeout)
        assert is_good(await ask(transport))

    tell(story, upstream, timeout=1.0)
    assert upstream.connections == 1


def test_after_a_timeout_in_silence_there_is_a_new_connection(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.behave(silent_from(1))
        assert is_good(await ask(transport, "several"))
        assert isinstance(await ask(transport), Timeout)
        assert is_good(await ask(transport))

    tell(story, upstream, timeout=0.3)
    assert upstream.connections == 2


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has this option")
def test_a_dead_way_is_noticed_by_the_kernel(
    upstream: ScriptedServer, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing arrives at the other end any more, as after a NAT has forgotten the connection."""
    monkeypatch.setattr(doh, "UNACKNOWLEDGED", 0.5)

    async def story(transport: DohTransport) -> None:
        assert is_good(await ask(transport))
        deafen(upstream.port)
        assert all(is_good(outcome) for outcome in await ask_together(transport, 20))
        assert upstream.connections == 2
        upstream.drop_all()

    tell(story, upstream, timeout=LONG)


def deafen(port: int) -> None:
    """Have the kernel drop whatever comes for the accepted connections of this port, without a word to the sender."""
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0 octets
    program = struct.pack("HP", 1, ctypes.addressof(drop_all))
    for entry in Path("/proc/self/fd").iterdir():
        try:
            candidate = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            continue
        with candidate, contextlib.suppress(OSError, IndexError):
            if candidate.getsockname()[1] == port and candidate.getpeername():
                candidate.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


@pytest.mark.parametrize("count", [1, 20])
def test_a_black_hole_is_given_up_soon(tell: Tell, count: int) -> None:
    async def story(transport: DohTransport) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        outcomes = await ask_together(transport, count)
        assert all(isinstance(outcome, Timeout) for outcome in outcomes)
        assert loop.time() - start < 2 * line.CONNECT_TIMEOUT, "one after the other"

    with black_hole() as port:
        tell(story, f"https://127.0.0.1:{port}/dns-query", timeout=30.0)


def test_a_hanging_handshake_is_given_up_soon(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        upstream.handshake = Handshake.HANG
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert all(isinstance(outcome, Timeout) for outcome in await ask_together(transport, 20))
        assert loop.time() - start < 2 * line.CONNECT_TIMEOUT
        upstream.handshake = Handshake.NORMAL
        upstream.drop_all()
        assert is_good(await ask(transport))

    tell(story, upstream, timeout=30.0)


def test_a_refused_connection(tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        assert all(isinstance(outcome, NetworkDown) for outcome in await ask_together(transport, 20))

    with refusing_port() as port:
        tell(story, f"https://127.0.0.1:{port}/dns-query")


# Whom it trusts


def test_certificates_that_prove_nothing(
    authority: Authority, scripted: StartScripted, tell: Tell, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    bad = {
        "another address": authority.issue("u-address", "127.0.0.9"),
        "a name where an address is wanted": authority.issue("u-name", "localhost", "doh.test"),
        "expired": authority.issue("u-expired", "127.0.0.1", expired=True),
        "unknown authority": stranger.good,
    }
    for kind, certificate in bad.items():
        server = scripted(certificate=certificate)

        async def story(transport: DohTransport, kind: str = kind) -> None:
            for outcome in await ask_together(transport, 3):
                assert isinstance(outcome, BadCertificate), kind
                assert outcome.why

        tell(story, server)
        assert server.requests == []


def test_a_name_needs_that_name_in_the_certificate(
    authority: Authority, scripted: StartScripted, tell: Tell
) -> None:
    async def story(transport: DohTransport) -> None:
        transport.addresses = ("127.0.0.1",)
        assert isinstance(await ask(transport), BadCertificate)

    tell(story, scripted(certificate=authority.issue("u-only-ip", "127.0.0.1")), host="doh.test")


# Where it connects to


def test_addresses_are_tried_in_turn_and_names_never_looked_up(upstream: ScriptedServer, tell: Tell) -> None:
    """127.0.0.2 refuses; `doh.test` exists nowhere. New connections know the addresses as well as the first."""

    async def story(transport: DohTransport) -> None:
        transport.addresses = ("127.0.0.2", "127.0.0.1")
        for _ in range(3):
            assert all(is_good(outcome) for outcome in await ask_together(transport, 5))
            transport.drop_connection()

    tell(story, upstream, host="doh.test")
    assert upstream.connections == 3


def test_a_connection_that_ended_is_followed_by_another_at_whichever_address(
    upstream: ScriptedServer, tell: Tell
) -> None:
    """libcurl tries each address of the host, and for each asks whether the connection may be."""

    async def story(transport: DohTransport) -> None:
        transport.addresses = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
        for _ in range(3):
            assert all(is_good(outcome) for outcome in await ask_together(transport, 5))
            upstream.drop_all()
            await asyncio.to_thread(upstream.wait_for, lambda: upstream.open_connections == 0)

    tell(story, upstream, host="doh.test", timeout=2.0)
    assert upstream.connections == 3


def test_new_addresses_are_for_new_connections(scripted: StartScripted, tell: Tell) -> None:
    first = scripted(host="127.0.0.1")
    second = scripted(host="127.0.0.3", port=first.port)

    async def story(transport: DohTransport) -> None:
        for server in (first, second, first):
            transport.addresses = (server._host,)
            transport.drop_connection()
            before = len(server.requests)
            assert is_good(await ask(transport))
            assert len(server.requests) == before + 1

    tell(story, first, host="doh.test")


@pytest.fixture(scope="module")
def http_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViaProxy]:
    with tinyproxy(tmp_path_factory.mktemp("tinyproxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def socks_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViaProxy]:
    with microsocks(tmp_path_factory.mktemp("microsocks")) as proxy:
        yield proxy


@pytest.mark.parametrize("kind", ["http_proxy", "socks_proxy"])
def test_a_proxy_resolves_the_name(
    upstream: ScriptedServer, tell: Tell, kind: str, request: pytest.FixtureRequest
) -> None:
    proxy: ViaProxy = request.getfixturevalue(kind)

    async def story(transport: DohTransport) -> None:
        assert all(is_good(outcome) for outcome in await ask_together(transport, 20))

    tell(story, upstream, host="localhost", via=proxy.url)
    assert upstream.connections == 1
    assert proxy.connected_to("localhost", upstream.port) == 1


def test_a_socks5_proxy_gets_the_address_found_here(
    upstream: ScriptedServer, tell: Tell, socks_proxy: ViaProxy
) -> None:
    async def story(transport: DohTransport) -> None:
        transport.addresses = ("127.0.0.1",)
        assert is_good(await ask(transport))

    tell(story, upstream, host="doh.test", via=socks_proxy.url_as("socks5"))
    assert socks_proxy.connected_to("127.0.0.1", upstream.port) == 1


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_without_its_proxy_nothing_goes(upstream: ScriptedServer, tell: Tell, scheme: str) -> None:
    async def story(transport: DohTransport) -> None:
        assert isinstance(await ask(transport), NetworkDown)

    with refusing_port() as port:
        tell(story, upstream, via=f"{scheme}://127.0.0.1:{port}")
    assert upstream.connections == 0


def test_a_proxy_learns_where_to_and_nothing_else(upstream: ScriptedServer, tell: Tell) -> None:
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 no\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:

        async def story(transport: DohTransport) -> None:
            server = await asyncio.start_server(refuse, sock=listening.dup())
            assert isinstance(await ask(transport), NetworkDown)
            server.close()
            await server.wait_closed()

        tell(story, upstream, via=f"http://127.0.0.1:{listening.getsockname()[1]}")
    first, *headers = heads[0].decode().strip().split("\r\n")
    assert first == f"CONNECT 127.0.0.1:{upstream.port} HTTP/1.1"
    assert {header.partition(":")[0].lower() for header in headers} <= {"host", "proxy-connection"}


# How it ends


def test_closing_leaves_nothing_behind(upstream: ScriptedServer, tell: Tell) -> None:
    """With requests under way, on two connections, and descriptors counted."""
    heard: list[Outcome] = []

    async def story(transport: DohTransport) -> None:
        assert is_good(await ask(transport))
        upstream.behave(replies.ending(Ending.STALL))
        for number in range(10):
            transport.ask(message(f"n{number}.wild"), heard.append)
        await asyncio.to_thread(upstream.wait_for_requests, 11)
        transport.drop_connection()
        for number in range(10):
            transport.ask(message(f"m{number}.wild"), heard.append)
        await asyncio.to_thread(upstream.wait_for_requests, 21)
        handles = [exchange.handle for exchange in transport._running] + transport._spare
        await transport.aclose()
        assert (len(transport._running), len(transport._spare)) == (0, 0)
        assert all(is_closed(handle.curl) for handle in handles)

    descriptors = len(os.listdir("/proc/self/fd"))
    tell(story, upstream)
    assert heard == []
    assert len(os.listdir("/proc/self/fd")) == descriptors


def is_closed(curl: Any) -> bool:
    """Whether libcurl has freed this handle."""
    try:
        curl.setopt(pycurl.URL, "https://127.0.0.1/")
    except pycurl.error:
        return True
    return False


def test_closing_what_was_never_used(upstream: ScriptedServer, tell: Tell) -> None:
    async def story(_: DohTransport) -> None:
        pass

    tell(story, upstream)


def test_closing_while_connecting(tell: Tell) -> None:
    async def story(transport: DohTransport) -> None:
        for _ in range(5):
            transport.ask(message(), lambda _: None)
        await asyncio.sleep(0.05)

    with black_hole() as port:
        tell(story, f"https://127.0.0.1:{port}/dns-query")


def test_another_way_takes_what_is_under_way_along(upstream: ScriptedServer, tell: Tell) -> None:
    """Once for each time that the way changed, whatever broke before; nobody waits for the old connection."""
    upstream.behave(replies.sequence(*[replies.ending(Ending.STALL)] * 6, replies.right))

    async def story(transport: DohTransport) -> None:
        asked = [ask(transport, "one"), ask(transport, "several")]
        for count in (2, 4, 6):
            await asyncio.to_thread(upstream.wait_for_requests, count)
            transport.start_over()
        for outcome in asked:
            assert is_good(await outcome)

    tell(story, upstream)
    assert upstream.connections == 4
    assert len(upstream.requests) == 8


def test_what_has_no_time_left_is_not_asked_again(upstream: ScriptedServer, tell: Tell) -> None:
    """The process was stopped for long: who asked has given up."""
    upstream.behave(replies.ending(Ending.STALL))

    async def story(transport: DohTransport) -> None:
        asked = ask(transport)
        await asyncio.to_thread(upstream.wait_for_requests, 1)
        for exchange in transport._running:
            exchange._started -= LONG
        transport.start_over()
        assert isinstance(await asked, Timeout)

    tell(story, upstream, timeout=0.5)
    assert len(upstream.requests) == 1
