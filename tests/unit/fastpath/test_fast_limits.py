"""How often one client may ask over UDP: what passes, what gets a truncated answer, whom it is about."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.fastpath import limits
from smartdoh.fastpath._python import FastPath
from smartdoh.fastpath.cookies import Cookies, Secrets
from smartdoh.fastpath.limits import BUCKETS, NEVER, Limits, Verdict, bucket_of
from smartdoh.model import Query
from tests.builds import BUILDS, fast_path
from tests.scenario.fast import Rig, rig
from tests.scenario.messages import question
from tests.scenario.world import Clock, Datagrams
from tests.servers.namespaces import Namespace

A = "www.example.com. 300 A 192.0.2.1"
CLIENT_COOKIE = b"8 octets"
COOKIES = Cookies(Secrets(b"k" * 16), lambda: 1_800_000_000.0)
HOME, OTHER = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        made.store(question(), A)
        yield made


def ask(fast: FastPath, wire: bytes, host: str = HOME) -> bytes | Query | None:
    """What one datagram from somewhere gets: an answer, a place among the misses, or nothing."""
    datagrams = Datagrams()
    datagrams.waiting.append((wire, (host, 5353)))
    misses = fast.drain(datagrams)
    found: list[bytes | Query] = [*(wire for wire, _ in datagrams.sent), *(query for query, _ in misses)]
    return found[0] if found else None


def fate(said: bytes | Query | None) -> str:
    """The same in a letter: answered, truncated, told a cookie, missed, nothing."""
    if isinstance(said, Query):
        return "m"
    if said is None:
        return "-"
    message = dns.message.from_wire(said)
    if message.rcode() == dns.rcode.BADCOOKIE:
        return "c"
    return "t" if message.flags & dns.flags.TC else "a"


def fates(fast: FastPath, count: int, host: str = HOME, wire: bytes | None = None) -> str:
    return "".join(fate(ask(fast, wire or question(), host)) for _ in range(count))


def test_without_a_limit_everything_passes(fast: Rig) -> None:
    assert fates(fast.fast, 200) == "a" * 200


def test_beyond_the_burst_every_second_gets_a_truncated_answer(fast: Rig) -> None:
    fast.fast.limit(2, 5)
    assert fates(fast.fast, 10) == "aaaaat-t-t"
    assert fast.fast.statistics().limited == 5
    assert fates(fast.fast, 2, OTHER) == "aa", "another client's bucket is full"


def test_tokens_come_back_with_time(fast: Rig) -> None:
    fast.fast.limit(2, 5)
    fates(fast.fast, 8)
    fast.clock.forward(1.0)
    assert fates(fast.fast, 3) == "aa-"
    fast.clock.forward(3600.0)
    assert fates(fast.fast, 7) == "aaaaat-", "never more than the burst"


def test_the_truncated_answer_is_the_question_and_nothing_else(fast: Rig) -> None:
    fast.fast.limit(1, 1)
    forms: tuple[dict[str, Any], ...] = ({}, {"edns": True}, {"do": True}, {"flags": "CD"})
    for number, form in enumerate(forms):
        wire = question("WwW.example.com.", id=77, **form)
        host = f"198.51.100.{number}"
        assert fates(fast.fast, 1, host) == "a"
        said = ask(fast.fast, wire, host)
        assert isinstance(said, bytes)
        assert said[12 : 12 + 21] == wire[12 : 12 + 21], "as the client spelled it"
        message, asked = dns.message.from_wire(said), dns.message.from_wire(wire)
        kept = dns.flags.RD | dns.flags.CD
        assert message.flags == dns.flags.QR | dns.flags.RA | dns.flags.TC | asked.flags & kept
        assert (message.id, message.rcode(), message.answer, message.edns) == (77, 0, [], asked.edns)
        assert message.ednsflags & 0x8000 == asked.ednsflags & 0x8000
        assert len(said) <= len(wire)


def test_misses_and_junk_count_too(fast: Rig) -> None:
    """What is no sound question gets nothing over the limit: there is nothing to truncate."""
    fast.fast.limit(1, 3)
    assert fates(fast.fast, 1, wire=question("m.example.com.")) == "m"
    assert fates(fast.fast, 1, wire=bytes(12)) == "a"
    assert fates(fast.fast, 1) == "a"
    assert fates(fast.fast, 3, wire=bytes(12)) == "---"
    assert fates(fast.fast, 4, wire=question("m.example.com.")) == "-t-t"
    assert fast.fast.statistics().malformed == 1


def test_what_gets_no_answer_anyway_costs_nothing(fast: Rig) -> None:
    fast.fast.limit(1, 1)
    assert fates(fast.fast, 5, wire=b"\0") == "-----"
    assert fates(fast.fast, 2) == "at"
    assert fast.fast.statistics().ignored == 5


def test_loopback_and_streams_are_not_limited(fast: Rig) -> None:
    fast.fast.limit(1, 1)
    for host in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert fates(fast.fast, 5, host) == "aaaaa"
    assert all(isinstance(fast.fast.ask(question(), HOME), bytes) for _ in range(5))
    assert len(fast.drain(*[question("m.example.com.")] * 5)) == 5, "over a real socket"


def test_a_change_begins_anew_and_the_same_again_does_not(fast: Rig) -> None:
    fast.fast.limit(1, 1)
    assert fates(fast.fast, 2) == "at"
    fast.fast.limit(1, 1)
    assert fates(fast.fast, 2) == "-t"
    fast.fast.limit(1, 2)
    assert fates(fast.fast, 3) == "aat"
    fast.fast.limit(0, 0)
    assert fates(fast.fast, 9) == "a" * 9


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:0:100::1", "2001:db8:0:1ff:ffff::9", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
    ],
)
def test_who_shares_a_bucket(fast: Rig, one: str, other: str, same: bool) -> None:
    assert (bucket_of(one) == bucket_of(other)) == same
    fast.fast.limit(1, 1)
    assert fates(fast.fast, 1, one) == "a"
    assert fates(fast.fast, 1, other) == ("t" if same else "a")


def test_memory_is_bounded() -> None:
    """The client that was heard of longest ago makes room."""
    found = Limits(1, 1)
    for number in range(BUCKETS + 1):
        assert found.verdict(f"10.0.{number >> 8}.{number & 255}", 0.0) is Verdict.PASS
    assert found.verdict("10.0.0.1", 0.0) is Verdict.SLIP
    assert found.verdict("10.0.0.0", 0.0) is Verdict.PASS


@pytest.mark.parametrize("build", BUILDS)
def test_more_clients_than_buckets(build: str) -> None:
    """Each has its burst, and most are still known: nothing but the number of clients decides who is forgotten."""
    made = fast_path(build)(entries=10, view_of=lambda host: 0, clock=Clock())
    made.limit(1, 1)
    datagrams = Datagrams()
    hosts = [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(BUCKETS // 2)]
    for expected in (0, len(hosts)):
        datagrams.waiting.extend((question(), (host, 53)) for host in hosts)
        while datagrams.waiting:
            made.drain(datagrams)
        assert expected * 0.9 <= made.statistics().limited <= expected


@given(st.ip_addresses(v=6))
def test_every_address_has_a_bucket(address: object) -> None:
    assert len(bucket_of(str(address))) == 8


def test_the_other_family_on_one_socket(build: type[FastPath]) -> None:
    """Over a real socket that speaks both: who asks from loopback is known as such."""
    made = build(entries=10, view_of=lambda host: 0, clock=Clock())
    made.limit(1, 1)
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::", 0))
        server.setblocking(False)
        for _ in range(3):
            client.sendto(question(), ("127.0.0.1", server.getsockname()[1]))
        assert len(made.drain(server)) == 3


def test_no_bucket_is_that_of_nobody() -> None:
    assert bucket_of("0.0.0.0") != NEVER
    assert bucket_of("::") != NEVER
    assert limits.BUCKETS == 8 * 2048, "the compiled build's sets"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Namespace]:
    """A network where clients come from other addresses than loopback's."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with Namespace("192.0.2.7/32", "2001:db8::7/128") as made:
        yield made


@pytest.mark.parametrize("server", ["192.0.2.7", "2001:db8::7", "::"])
def test_real_sockets_as_those_in_memory(build: type[FastPath], elsewhere: Namespace, server: str) -> None:
    """The addresses that the system gives are read as those in text are; in one turn, questions and junk mixed."""
    plain = question(id=4)
    odd = (
        plain[:11] + b"\1" + plain[12:] + bytes((0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)) + bytes(4)
    )  # and a record
    wires = [
        question(id=1),
        bytes(12),
        question("m.example.com.", id=2),
        question(id=3, edns=True),
        odd,
        b"\0",
    ]
    wires.insert(4, question(id=5, options=(with_cookie(CLIENT_COOKIE),)))
    clients = ["192.0.2.7"] if server == "192.0.2.7" else ["2001:db8::7"]
    if server == "::":
        clients.append("192.0.2.7")
    for client in clients:
        ours = question(id=6, options=(with_cookie(COOKIES.answer(CLIENT_COOKIE, client)[0]),))
        asked = [*wires, ours] * 4
        told = over_the_wire(build, elsewhere, server, client, asked)
        assert told == in_memory(build, client, asked)
        sent, misses, over = told
        # The junk among them gets nothing; a good cookie always gets an answer.
        assert "".join(map(fate, sent)) == "aaaca" + "ttca" * 3
        assert (misses, over) == (1, 20)


def with_cookie(cookie: bytes) -> dns.edns.Option:
    return dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie)


def limited(build: type[FastPath]) -> Rig:
    made = Rig(None, None)  # type: ignore[arg-type]  # sockets come later
    made.fast = build(entries=10, view_of=lambda host: 0, clock=made.clock)
    made.store(question(), A)
    made.fast.limit(1, 4)
    made.fast.use_cookies(COOKIES)
    return made


def in_memory(build: type[FastPath], client: str, wires: list[bytes]) -> tuple[list[bytes], int, int]:
    made, datagrams = limited(build), Datagrams()
    datagrams.waiting.extend((wire, (client, 5353)) for wire in wires)
    misses = made.fast.drain(datagrams)
    return [wire for wire, _ in datagrams.sent], len(misses), made.fast.statistics().limited


def over_the_wire(
    build: type[FastPath], network: Namespace, server: str, client: str, wires: list[bytes]
) -> tuple[list[bytes], int, int]:
    made = limited(build)
    kind = socket.AF_INET6 if ":" in server else socket.AF_INET
    ours = network.run(lambda: socket.socket(kind, socket.SOCK_DGRAM))
    theirs = network.run(
        lambda: socket.socket(socket.AF_INET6 if ":" in client else socket.AF_INET, socket.SOCK_DGRAM)
    )
    with ours, theirs:
        if server == "::":
            ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        ours.bind((server, 0))
        theirs.bind((client, 0))
        for sock in (ours, theirs):
            sock.setblocking(False)
        made.server, made.client = ours, theirs
        for wire in wires:
            theirs.sendto(wire, (client, ours.getsockname()[1]))
        misses = made.fast.drain(ours)
        return made.answers(), len(misses), made.fast.statistics().limited
