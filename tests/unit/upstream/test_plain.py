"""Plain DNS to one server: what it takes for an answer, and that nothing else ends the wait."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import dns.flags
import dns.message
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smartdoh.errors import BadReply, NetworkDown, Timeout, UpstreamError
from smartdoh.upstream import plain
from smartdoh.upstream.plain import PlainServer, Question, Server, ask
from tests.servers.ports import has_ipv6
from tests.unit.upstream.conftest import MANY, Run, run_strictly
from tests.unit.upstream.responders import (
    HOST,
    LONG,
    Responder,
    Script,
    Transport,
    addresses,
    answer,
    bound_pair,
    closed_port,
    query,
    responder,
    silent,
    until,
)

GOOD = addresses("192.0.2.1", "2001:db8::1")
SHORT = 0.15  # seconds, where the end of the wait is what is tested
Change = Callable[[bytes], bytes]


async def put(server: Server, seconds: float = LONG) -> dns.message.Message:
    """Ask for HOST A and parse what is said."""
    deadline = asyncio.get_running_loop().time() + seconds
    return dns.message.from_wire(await ask(server, query(message_id=77).wire, deadline))


def said(message: dns.message.Message) -> set[str]:
    """The rdata of the answer section as text."""
    return {rdata.to_text() for rrset in message.answer for rdata in rrset}


def flip_id(wire: bytes) -> bytes:
    return bytes([wire[0] ^ 1]) + wire[1:]


def flip_case(wire: bytes) -> bytes:
    return wire[:13] + bytes([wire[13] ^ 0x20]) + wire[14:]


WRONG: dict[str, Change] = {
    "another id": flip_id,
    "another case": flip_case,
    "another name": lambda wire: wire.replace(wire[13:16], b"xyz"),
    "another type": lambda wire: wire[:23] + b"\x1c" + wire[24:],
    "a query": lambda wire: wire[:2] + bytes([wire[2] & 0x7F]) + wire[3:],
    "another opcode": lambda wire: wire[:2] + bytes([wire[2] | 0x20]) + wire[3:],
    "no question": lambda wire: wire[:4] + b"\0\0" + wire[6:],
    "a header alone": lambda wire: wire[:4] + bytes(8),
    "cut in the question": lambda wire: wire[:17],
    "an id alone": lambda wire: wire[:2],
    "an empty packet": lambda wire: b"",
}


@pytest.mark.parametrize("name", ["doh.test", "alias.test"])
def test_real_servers_answer(run: Run, plain_dns: Server, name: str) -> None:
    """The answer has the id and the spelling of the question, and all records."""

    async def go() -> dns.message.Message:
        deadline = asyncio.get_running_loop().time() + LONG
        return dns.message.from_wire(await ask(plain_dns, query(name, message_id=77).wire, deadline))

    message = run(go())
    assert message.id == 77
    assert message.question[0].name.to_text() == name + "."
    assert {"192.0.2.1", "192.0.2.2"} <= said(message)


def test_real_servers_are_asked_over_tcp_where_a_datagram_is_too_small(run: Run, plain_dns: Server) -> None:
    """60 addresses do not fit 512 octets: TC comes, then the whole answer."""

    async def go() -> int:
        deadline = asyncio.get_running_loop().time() + LONG
        whole = await PlainServer(plain_dns).exchange(query("many.test"), deadline)
        return whole.scan.answers

    assert run(go()) == MANY


def test_the_server_sees_a_new_port_id_and_spelling_each_time(run: Run) -> None:
    """What a forger has to guess does not repeat (RFC 5452)."""

    async def go() -> Responder:
        async with responder(GOOD) as server:
            for _ in range(12):
                await put(server.server)
            return server

    asked = run(go()).over("udp")
    assert len({one.port for one in asked}) > 6
    assert len({one.wire[:2] for one in asked}) > 6
    assert len({one.wire[12:22] for one in asked}) > 6
    assert {one.wire[12:22].lower() for one in asked} == {b"\x03doh\x04test\0"}


def test_ids_and_spellings_cover_what_they_can() -> None:
    """Every bit of the id and of the case is used: 7 letters have 128 spellings."""
    sent = [Question(query().wire).sent for _ in range(4000)]
    assert len({wire[12:22] for wire in sent}) == 128
    assert {wire[0] for wire in sent} == set(range(256)) == {wire[1] for wire in sent}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_a_wrong_packet_before_the_right_one_changes_nothing(run: Run, wrong: Change) -> None:
    """It is not taken, and TCP is asked and believed."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        if transport == "tcp":
            return [answer(wire, "A 192.0.2.80")]
        return [wrong(answer(wire, "A 203.0.113.66")), answer(wire, "A 192.0.2.1")]

    async def go() -> set[str]:
        async with responder(script) as server:
            return said(await put(server.server))

    assert run(go()) == {"192.0.2.80"}


@pytest.mark.parametrize("tcp", [True, False], ids=["closed early", "refused"])
def test_the_right_datagram_is_taken_where_tcp_fails(
    run: Run, tcp: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: somebody who sends a wrong packet cannot make a server without TCP slow or unusable."""
    monkeypatch.setattr(plain, "TCP_FIRST", 2 * LONG)
    monkeypatch.setattr(plain, "RESEND_AFTER", (2 * LONG,))

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        if transport == "tcp":
            return []
        return [flip_id(answer(wire, "A 203.0.113.66")), answer(wire, "A 192.0.2.1")]

    async def go() -> set[str]:
        async with responder(script, tcp=tcp) as server:
            return said(await put(server.server))

    assert run(go()) == {"192.0.2.1"}


def test_the_right_datagram_is_taken_where_tcp_hangs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP gets its time and no more."""
    monkeypatch.setattr(plain, "TCP_FIRST", 0.05)

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        return [flip_id(answer(wire, "A 203.0.113.66")), answer(wire, "A 192.0.2.1")]

    async def go() -> set[str]:
        async with responder(script, tcp=False) as server:
            with socket.create_server(server.server):  # takes connections, and never reads from them
                return said(await put(server.server))

    assert run(go()) == {"192.0.2.1"}


def test_a_flood_of_wrong_packets_leaves_only_tcp(run: Run) -> None:
    """So many guesses that one may be right by chance: a datagram is not believed any more."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        forged = [flip_id(answer(wire, "A 203.0.113.66"))] * (plain.MOST_WRONG + 1)
        return [*forged, answer(wire, "A 203.0.113.66")]

    async def go() -> None:
        async with responder(script, tcp=False) as server:
            await put(server.server, SHORT)

    with pytest.raises(BadReply, match="101 wrong packets"):
        run(go())


def test_only_wrong_packets_are_a_bad_reply(run: Run) -> None:
    """The error says how many came, and what TCP said."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        return [flip_id(answer(wire, "A 203.0.113.66"))]

    async def go() -> None:
        async with responder(script) as server:
            await put(server.server, SHORT)

    with pytest.raises(BadReply, match="2 wrong packets; TCP: an answer to another question"):
        run(go())


def test_a_server_that_folds_names_is_heard_over_tcp(run: Run) -> None:
    """0x20 must not shut out servers that do not keep the case."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        folded = answer(wire, "A 192.0.2.1")
        return [folded[:12] + folded[12:22].lower() + folded[22:]]

    async def go() -> tuple[set[str], int]:
        async with responder(script) as server:
            found = set()
            for _ in range(8):  # one of them has a capital, or chance is broken
                found |= said(await put(server.server))
            return found, len(server.over("tcp"))

    found, over_tcp = run(go())
    assert found == {"192.0.2.1"}
    assert over_tcp > 0


def test_a_cut_answer_is_asked_for_again_over_tcp(run: Run) -> None:
    """TC set: nothing of the datagram is used."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        if transport == "tcp":
            return [answer(wire, "A 192.0.2.80")]
        return [answer(wire, "A 192.0.2.1", flags=dns.flags.TC)]

    async def go() -> set[str]:
        async with responder(script) as server:
            return said(await put(server.server))

    assert run(go()) == {"192.0.2.80"}


def test_icmp_does_not_end_the_wait(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused over UDP and TCP at first, then the server is there and the question comes again."""
    monkeypatch.setattr(plain, "RESEND_AFTER", (0.1, 0.2, 0.2))
    port = closed_port()

    async def go() -> set[str]:
        asking = asyncio.create_task(put(("127.0.0.1", port)))
        await asyncio.sleep(0.05)
        assert not asking.done()
        async with responder(GOOD, port=port):
            return said(await asking)

    assert run(go()) == {"192.0.2.1"}


def test_refused_to_the_end_is_the_networks_fault(run: Run) -> None:
    """Both refusals are told."""
    with pytest.raises(NetworkDown, match=r"UDP: .*refused; TCP: .*refused"):
        run(put(("127.0.0.1", closed_port()), SHORT))


def test_an_unreachable_network_is_told_at_once(run: Run) -> None:
    """Where no packet can leave there is nothing to wait for; no socket connects to the broadcast address."""
    with pytest.raises(NetworkDown, match="UDP: "):
        run(put(("255.255.255.255", 53), LONG))


def test_silence_is_a_timeout(run: Run) -> None:
    """Nothing came over UDP, and the time was too short for TCP."""

    async def go() -> None:
        async with responder(silent) as server:
            await put(server.server, SHORT)

    with pytest.raises(Timeout, match="no answer in time") as caught:
        run(go())
    assert caught.value.upstream.startswith("127.0.0.1:")


def test_a_deadline_that_has_passed_is_a_timeout(run: Run) -> None:
    """It ends without waiting for anything."""

    async def go() -> None:
        async with responder(silent) as server:
            with pytest.raises(Timeout):
                await put(server.server, -1)
            await until(lambda: server.asked)
            await asyncio.sleep(0.01)
            with socket.socket(
                type=socket.SOCK_DGRAM
            ) as udp:  # the socket is closed, or its port would be taken
                udp.bind(("127.0.0.1", server.asked[0].port))

    run(go())


def test_a_lost_packet_is_sent_again_unchanged(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another id would double a forger's chance."""
    monkeypatch.setattr(plain, "RESEND_AFTER", (0.02, 10.0))

    async def go() -> tuple[set[str], Responder]:
        async with responder(silent) as server:

            def script(wire: bytes, transport: Transport) -> list[bytes]:
                return GOOD(wire, transport) if len(server.asked) > 1 else []

            server.script = script
            return said(await put(server.server)), server

    found, server = run(go())
    assert found == {"192.0.2.1"}
    assert len({one.wire for one in server.asked}) == 1
    assert len({one.port for one in server.asked}) == 1


def test_tcp_is_tried_where_udp_stays_silent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some networks let only TCP through."""
    monkeypatch.setattr(plain, "RESEND_AFTER", (0.01, 0.01))

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        return GOOD(wire, transport) if transport == "tcp" else []

    async def go() -> set[str]:
        async with responder(script) as server:
            return said(await put(server.server))

    assert run(go()) == {"192.0.2.1"}


def test_cancelling_leaves_nothing_behind(run: Run) -> None:
    """No task, and the socket is closed."""

    async def go() -> int:
        async with responder(silent) as server:
            asking = asyncio.create_task(put(server.server))
            await until(lambda: server.asked)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await asyncio.sleep(0.01)
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                udp.bind(("127.0.0.1", server.asked[0].port))
            return len(asyncio.all_tasks())

    assert run(go()) == 1


def test_the_system_resolver_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be ourselves."""

    def refuse(*what: object, **how: object) -> None:
        pytest.fail(f"getaddrinfo{what}")

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        return GOOD(wire, transport) if transport == "tcp" else [flip_id(wire)]

    async def go() -> set[str]:
        async with responder(script) as server:
            monkeypatch.setattr(socket, "getaddrinfo", refuse)
            return said(await put(server.server))

    assert run_strictly(go(), asyncio.new_event_loop) == {"192.0.2.1"}
    with pytest.raises(ValueError, match=r"dns\.test"):
        PlainServer(("dns.test", 53))


def test_ipv6_servers_are_asked(run: Run) -> None:
    """Over UDP and TCP."""
    if not has_ipv6():
        return

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        return GOOD(wire, transport) if transport == "tcp" else [flip_id(wire)]

    async def go() -> set[str]:
        async with responder(script, host="::1") as server:
            return said(await put(server.server))

    assert run(go()) == {"192.0.2.1"}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (lambda wire, _: [answer(wire, "A 192.0.2.1")[:-1]], "over the end|cut short"),
        (lambda wire, _: [answer(wire, "A 192.0.2.1") + b"\0"], "junk"),
        (
            lambda wire, _: [answer(wire, "A 192.0.2.1")[:7] + b"\xff" + answer(wire, "A 192.0.2.1")[8:]],
            "cut|without an end",
        ),
    ],
    ids=["cut", "junk", "count"],
)
def test_a_broken_answer_is_a_bad_reply(run: Run, script: Script, why: str) -> None:
    """Its header and question are right, its records are not."""

    async def go() -> None:
        async with responder(script) as server:
            await PlainServer(server.server).exchange(query(), asyncio.get_running_loop().time() + LONG)

    with pytest.raises(BadReply, match=why):
        run(go())


def test_an_upstream_answer_has_id_0_and_no_opt(run: Run) -> None:
    """What is asked is the bare question; what comes is an Answer like any other's."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        reply = bytearray(answer(wire, "A 192.0.2.1"))
        reply[11] += 1
        return [bytes(reply) + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"]

    async def go() -> tuple[str, bytes, object, bytes]:
        async with responder(script) as server:
            upstream = PlainServer(server.server)
            found = await upstream.exchange(query(message_id=9), asyncio.get_running_loop().time() + LONG)
            return found.source, found.wire, found.scan.opt, server.asked[0].wire

    source, wire, opt, asked = run(go())
    assert source.startswith("127.0.0.1:")
    assert wire[:2] == b"\0\0"
    assert opt is None
    assert said(dns.message.from_wire(wire)) == {"192.0.2.1"}
    assert dns.message.from_wire(asked).edns == -1
    assert dns.message.from_wire(asked).question[0].name.to_text().lower() == HOST + "."


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(("nothing", "id", "question")), junk=st.binary(max_size=80), over_tcp=st.booleans()
)
@example(head="question", junk=b"", over_tcp=False)
@example(head="id", junk=b"", over_tcp=False)
def test_whatever_a_server_sends_only_upstream_errors_are_raised(
    head: str, junk: bytes, over_tcp: bool
) -> None:
    """Arbitrary bytes, bare or behind a right id or a right question, over UDP and TCP."""

    def script(wire: bytes, transport: Transport) -> list[bytes]:
        right = answer(wire)
        kept = {"nothing": 0, "id": 2, "question": len(right)}[head]
        if over_tcp and transport == "udp":
            return [flip_id(right)]
        return [right[:6] + b"\0\1" + right[8:kept] + junk if kept > 8 else right[:kept] + junk]

    async def go() -> None:
        async with responder(script) as server:
            with contextlib.suppress(UpstreamError):
                await PlainServer(server.server).exchange(query(), asyncio.get_running_loop().time() + 0.02)

    run_strictly(go(), asyncio.new_event_loop)


def test_ports_of_the_tests_are_pairs() -> None:
    """The responder's own ground: a bound stream socket refuses until it listens."""
    with bound_pair() as (udp, stream):
        assert udp.getsockname() == stream.getsockname()
        with socket.socket() as caller, pytest.raises(ConnectionRefusedError):
            caller.connect(stream.getsockname())
