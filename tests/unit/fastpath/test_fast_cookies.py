"""DNS cookies (RFC 7873, RFC 9018): what a client gets back for its own, in both builds."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smartdoh.fastpath import _python
from smartdoh.fastpath.cookies import AHEAD, FRESH, GOOD, PERIOD, Cookies, Secrets
from smartdoh.model import Query
from smartdoh.wire import compose
from smartdoh.wire.edns import MAX_OPTIONS, MAX_OPTIONS_SIZE
from tests.builds import BUILDS, fast_path
from tests.scenario.fast import Rig, rig, udp_socket
from tests.scenario.messages import addresses, error_codes, question
from tests.scenario.world import Clock, Datagrams
from tests.unit.wire import messages

A = "www.example.com. 300 A 192.0.2.1"
LONG = "www.example.com. 300 TXT " + " ".join(["x" * 200] * 7)
HOME = "192.0.2.7"
CLIENT = b"8 octets"
START = 1_800_000_000.0
COOKIE, SERVER = 10, slice(8, None)


class Fixed(Secrets):
    """The secret of the RFC's examples, at all times."""

    def __init__(self, secret: str) -> None:
        super().__init__(bytes(16))
        self._secret = bytes.fromhex(secret)

    def secret(self, period: int) -> bytes:
        return self._secret


class Wall:
    """The time of day, which the test moves."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def fast(build: object, wall: Wall) -> Iterator[Rig]:
    with rig() as made:
        made.store(question(), A)
        made.store(question(do=True), A)
        made.fast.use_cookies(Cookies(Secrets(b"k" * 16), wall))
        yield made


def with_cookie(cookie: bytes, name: str = "www.example.com.", **form: object) -> bytes:
    return question(name, options=(dns.edns.GenericOption(COOKIE, cookie),), **form)  # type: ignore[arg-type]


def raw(message: bytes | dns.message.Message) -> bytes | None:
    """The whole cookie in an answer."""
    if isinstance(message, bytes):
        message = dns.message.from_wire(message)
    found = [option.to_wire() for option in message.options if option.otype == COOKIE]
    assert len(found) < 2
    return found[0] if found else None


def cookie_of(message: bytes | dns.message.Message) -> bytes:
    found = raw(message)
    assert found is not None
    assert found[:8] == CLIENT
    return found


def told(fast: _python.FastPath, wire: bytes, host: str = HOME) -> bytes | None:
    """The answer to a datagram from somewhere."""
    datagrams = Datagrams()
    datagrams.waiting.append((wire, (host, 5353)))
    assert fast.drain(datagrams) == []
    return datagrams.sent[0][0] if datagrams.sent else None


def test_who_sends_a_cookie_gets_ours_and_keeps_it(fast: Rig, wall: Wall) -> None:
    first = fast.ask(with_cookie(CLIENT))
    assert addresses(first) == ["192.0.2.1"]
    ours = cookie_of(first)
    assert len(ours) == 24
    assert ours[8:16] == b"\1\0\0\0" + int(START).to_bytes(4)
    wall.now += FRESH - 1
    assert cookie_of(fast.ask(with_cookie(ours))) == ours
    wall.now += 1
    fresh = cookie_of(fast.ask(with_cookie(ours)))
    assert fresh[12:16] == (int(START) + FRESH).to_bytes(4)
    assert cookie_of(fast.ask(with_cookie(fresh))) == fresh


def test_who_sends_none_gets_none(fast: Rig) -> None:
    for wire in (question(), question(edns=True), question(do=True)):
        message = fast.ask(wire)
        assert raw(message) is None
        assert len(message.options) == 0
    fast.fast.use_cookies(None)
    for _ in range(2):
        assert raw(fast.ask(with_cookie(CLIENT))) is None
    fast.fast.use_cookies(Cookies(Secrets(b"k" * 16), Wall()))
    assert raw(fast.ask(with_cookie(CLIENT))) is not None, "what was remembered before is forgotten"


def test_no_two_clients_get_the_same(fast: Rig) -> None:
    """Neither of the same address with other cookies of their own, nor the other way."""
    hosts = ("192.0.2.7", "192.0.2.8", "2001:db8::7", "2001:db8::8")
    found = {told(fast.fast, with_cookie(CLIENT), host) for host in hosts}
    assert len({cookie_of(wire) for wire in found if wire}) == 4
    other = told(fast.fast, with_cookie(b"another!"))
    assert other is not None
    assert raw(other) != told(fast.fast, with_cookie(CLIENT))
    assert told(fast.fast, with_cookie(CLIENT), "::ffff:192.0.2.7") == told(fast.fast, with_cookie(CLIENT))


@pytest.mark.parametrize("what", ["version", "reserved", "time", "hash", "client", "address", "length"])
def test_a_cookie_that_is_not_ours_counts_as_none(fast: Rig, wall: Wall, what: str) -> None:
    """RFC 7873 section 5.2.4: the answer comes all the same, with a good cookie."""
    ours = bytearray(cookie_of(fast.ask(with_cookie(CLIENT))))
    host = "127.0.0.1" if what != "address" else "127.0.0.2"
    at = {"version": 8, "reserved": 9, "time": 15, "hash": 23, "client": 0}.get(what)
    if at is not None:
        ours[at] ^= 2
    sent = bytes(ours) + (b"x" if what == "length" else b"")
    wall.now += 60
    wire = told(fast.fast, with_cookie(sent), host)
    assert wire is not None
    assert dns.message.from_wire(wire).rcode() == dns.rcode.NOERROR
    assert (raw(wire) or b"")[12:16] == int(START + 60).to_bytes(4)
    assert told(fast.fast, bare(sent), host) == bare_answer(rcode=23, cookie=raw(wire))


def bare(cookie: bytes) -> bytes:
    """A message that asks for a cookie and nothing else."""
    return messages.header((0, 0, 0, 1), messages.QUERY, 7) + messages.opt(messages.option(COOKIE, cookie))


def bare_answer(rcode: int, cookie: bytes | None) -> bytes:
    options = messages.option(COOKIE, cookie or b"")
    return messages.header((0, 0, 0, 1), messages.ANSWER | rcode & 15, 7) + messages.opt(
        options, upper=rcode >> 4
    )


def test_a_message_may_ask_for_a_cookie_alone(fast: Rig) -> None:
    """RFC 7873 section 5.4."""
    wire = told(fast.fast, bare(CLIENT))
    assert wire is not None
    ours = cookie_of(wire)
    assert wire == bare_answer(0, ours)
    assert told(fast.fast, bare(ours)) == wire
    assert fast.fast.ask(bare(ours), HOME) == wire
    versioned = bare(ours).replace(b"\0\0\x29\x04\xd0\0\0", b"\0\0\x29\x04\xd0\0\1")
    assert told(fast.fast, versioned) == bare_answer(16, ours)


def test_nothing_else_may_do_without_a_question(fast: Rig) -> None:
    no_question = messages.header((0, 0, 0, 1))[:2] + b"\1\0" + bytes(7) + b"\1"
    cookie = messages.option(COOKIE, CLIENT)
    wires = [
        no_question + messages.opt(),
        no_question + messages.opt(cookie[:-1] + b"\0"),
        no_question + messages.opt(messages.option(COOKIE, CLIENT[:-1])),
        no_question + messages.opt(cookie) + b"\0",
        no_question + messages.record(b"\0", 1, bytes(4)),
        bytes(12),
        bytes((0, 0, 1, 0, *bytes(7), 2)) + messages.opt(cookie) * 2,
        bytes((0, 0, 1, 0, *bytes(3), 1, *bytes(4))) + messages.opt(cookie),
    ]
    for number, wire in enumerate(wires):
        said = told(fast.fast, wire)
        assert said is not None
        message = dns.message.from_wire(said)
        assert (message.rcode() == dns.rcode.FORMERR) == (number != 1)
    fast.fast.use_cookies(None)
    said = told(fast.fast, bare(CLIENT))
    assert said is not None
    assert dns.message.from_wire(said).rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("length", range(43))
def test_a_broken_cookie_is_a_format_error(fast: Rig, length: int) -> None:
    """RFC 7873 section 5.2.2; it is one where cookies are not in use, too."""
    sound = length == 8 or 16 <= length <= 40
    for cookies in (Cookies(Secrets(b"k" * 16), Wall()), None):
        fast.fast.use_cookies(cookies)
        message = fast.ask(
            messages.query_wire(
                messages.opt(
                    messages.option(COOKIE, CLIENT * 6)[:2] + length.to_bytes(2) + (CLIENT * 6)[:length]
                )
            )
        )
        assert message.rcode() == (dns.rcode.NOERROR if sound else dns.rcode.FORMERR)
        assert (raw(message) is not None) == (sound and cookies is not None)
        assert message.edns == 0


def test_of_two_cookies_the_first_counts(fast: Rig) -> None:
    options = messages.option(COOKIE, CLIENT) + messages.option(COOKIE, b"x")
    assert cookie_of(fast.ask(messages.query_wire(messages.opt(options))))
    options = messages.option(COOKIE, b"x") + messages.option(COOKIE, CLIENT)
    assert fast.ask(messages.query_wire(messages.opt(options))).rcode() == dns.rcode.FORMERR


def test_as_many_options_as_there_may_be(fast: Rig) -> None:
    def rcode(options: bytes) -> int:
        said = fast.fast.ask(messages.query_wire(messages.opt(options)), HOME)
        assert isinstance(said, bytes)
        return int(dns.message.from_wire(said).rcode())

    cookie, empty = messages.option(COOKIE, CLIENT), messages.option(9)
    assert rcode(empty * (MAX_OPTIONS - 1) + cookie) == 0
    assert rcode(empty * MAX_OPTIONS + cookie) == 1
    assert rcode(cookie + messages.option(12, bytes(MAX_OPTIONS_SIZE - 16))) == 0
    assert rcode(cookie + messages.option(12, bytes(MAX_OPTIONS_SIZE - 15))) == 1
    assert rcode(b"") == 0
    two = messages.query_wire(messages.opt(cookie), messages.opt(cookie))
    assert fast.ask(two).rcode() == dns.rcode.FORMERR


def test_a_miss_takes_the_cookie_along(fast: Rig) -> None:
    """Whoever answers it later, with data or with an error."""
    ((query, _),) = fast.drain(with_cookie(CLIENT, "m.example.com."))
    ours = cookie_of(compose.error(query.wire, 2, query))
    assert not query.proven
    ((query, _),) = fast.drain(with_cookie(ours, "m.example.com."))
    assert query.proven
    entry = fast.store(query.wire, "m.example.com. 300 A 192.0.2.9")
    assert cookie_of(fast.fast.render(query, entry, udp=True)) == ours
    assert CLIENT not in compose.upstream_query(query)
    ((plain, _),) = fast.drain(question("n.example.com.", edns=True))
    assert (plain.own, plain.proven) == (b"", False)


def test_errors_have_it_too(fast: Rig) -> None:
    assert cookie_of(fast.ask(with_cookie(CLIENT, version=1)))
    notify = messages.query_wire(messages.opt(messages.option(COOKIE, CLIENT)), flags=0x2000)
    assert cookie_of(fast.ask(notify))


def test_who_may_not_ask_gets_it_with_the_refusal(build: type[_python.FastPath], wall: Wall) -> None:
    made = build(entries=10, view_of=lambda host: None, clock=Clock())
    made.use_cookies(Cookies(Secrets(b"k" * 16), wall))
    said = told(made, with_cookie(CLIENT))
    assert said is not None
    assert cookie_of(said)
    assert dns.message.from_wire(said).rcode() == dns.rcode.REFUSED


def test_a_cut_answer_keeps_it_and_loses_the_rest(fast: Rig) -> None:
    fast.store(question(rdtype="TXT"), LONG)
    message = fast.ask(with_cookie(CLIENT, rdtype="TXT"))
    assert message.flags & dns.flags.TC
    assert cookie_of(message)
    fast.store(question("s.example.com."), "s.example.com. 5 A 192.0.2.1")
    fast.clock.forward(6)
    stale = fast.ask(with_cookie(CLIENT, "s.example.com."))
    assert cookie_of(stale)
    assert error_codes(stale) == [3]


@pytest.mark.parametrize("size", range(1180, 1200))
def test_no_answer_is_too_long_with_it(fast: Rig, size: int) -> None:
    fast.store(
        question(rdtype="TXT"),
        "www.example.com. 300 TXT " + "x" * 250 + (" " + "x" * 250) * 3 + " " + "x" * (size - 1059),
    )
    fast.drain(with_cookie(CLIENT, rdtype="TXT"))
    (wire,) = fast.answers()
    assert len(wire) <= 1232
    assert cookie_of(wire)


def test_a_good_cookie_is_not_counted(fast: Rig) -> None:
    """It shows that the question is not forged; over a limit it is what helps (RFC 7873 section 5.2.5)."""
    fast.fast.limit(1, 2)
    ours = cookie_of(told(fast.fast, with_cookie(CLIENT)) or b"")
    for _ in range(9):
        assert addresses(dns.message.from_wire(told(fast.fast, with_cookie(ours)) or b"")) == ["192.0.2.1"]
    assert fast.fast.statistics().limited == 0
    assert told(fast.fast, question()) is not None, "the other one that the burst allows"
    assert dns.message.from_wire(told(fast.fast, question()) or b"").flags & dns.flags.TC
    assert addresses(dns.message.from_wire(told(fast.fast, with_cookie(ours)) or b"")) == ["192.0.2.1"]


def test_over_the_limit_a_cookie_is_what_helps(fast: Rig) -> None:
    """In place of the truncated answer; what would get nothing gets nothing, for its address may be forged."""
    fast.fast.limit(1, 1)
    said = [told(fast.fast, with_cookie(CLIENT, id=9, do=True)) for _ in range(4)]
    assert [wire is not None for wire in said] == [True, True, False, True]
    refused = dns.message.from_wire(said[1] or b"")
    assert (refused.rcode(), refused.id, refused.ednsflags & 0x8000) == (23, 9, 0x8000)
    assert refused.flags & ~15 == dns.flags.QR | dns.flags.RA | dns.flags.RD
    assert refused.question == dns.message.from_wire(with_cookie(CLIENT)).question
    assert refused.answer == []
    ours = cookie_of(refused)
    assert dns.message.from_wire(told(fast.fast, with_cookie(ours)) or b"").rcode() == 0
    forged = bytes((*ours[:-1], ours[-1] ^ 1))
    assert [told(fast.fast, with_cookie(forged)) is None for _ in range(2)] == [True, False]


def test_only_plain_questions_are_not_counted(fast: Rig) -> None:
    """What has other records is counted before it is read."""
    fast.fast.limit(1, 1)
    ours = cookie_of(told(fast.fast, with_cookie(CLIENT)) or b"")
    odd = messages.query_wire(
        messages.opt(messages.option(COOKIE, ours)), messages.record(b"\0", 1, bytes(4))
    )
    said = [told(fast.fast, odd) for _ in range(2)]
    assert dns.message.from_wire(said[0] or b"").flags & dns.flags.TC
    assert said[1] is None
    assert told(fast.fast, bare(ours)) is None


def test_over_streams(fast: Rig) -> None:
    wires = [with_cookie(CLIENT), with_cookie(CLIENT, "m.example.com.")]
    stream = b"".join(len(wire).to_bytes(2) + wire for wire in wires)
    out, (missed,), _ = fast.fast.ask_stream(bytearray(stream), HOME)
    ours = cookie_of(out[2:])
    assert missed.own == messages.option(COOKIE, ours)
    said = fast.fast.ask(with_cookie(ours), HOME)
    assert isinstance(said, bytes)
    assert cookie_of(said) == ours
    assert cookie_of(told(fast.fast, with_cookie(CLIENT)) or b"") == ours, "the same over UDP"


@pytest.mark.parametrize(
    ("listening", "asking"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")]
)
def test_over_real_sockets(build: type[_python.FastPath], wall: Wall, listening: str, asking: str) -> None:
    """The address that the system gives is the one that text has."""
    made = build(entries=10, view_of=lambda host: 0, clock=Clock())
    cookies = Cookies(Secrets(b"k" * 16), wall)
    made.use_cookies(cookies)
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    with udp_socket(asking) as client, socket.socket(family, socket.SOCK_DGRAM) as server:
        if listening == "::":
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((listening, 0))
        server.setblocking(False)
        client.sendto(with_cookie(CLIENT), (asking, server.getsockname()[1]))
        ((query, _),) = made.drain(server)
    assert query.own[4:] == cookies.answer(CLIENT, asking)[0]


VECTORS = [
    ("198.51.100.100", "2464c4abcf10c957", "010000005cf79f111f8130c3eee29480", 1559731985),
    ("198.51.100.100", "2464c4abcf10c957", "010000005cf7a871d4a564a1442aca77", 1559734385),
    ("203.0.113.203", "fc93fc62807ddb86", "010000005cf7a9acf73a7810aca2381e", 1559734700),
]
SECRET, OLD, NEW = (
    "e5e973e5a6b2a43f48e7dc849e37bfcf",
    "dd3bdf9344b678b185a6f5cb60fca715",
    "445536bcd2513298075a5d379663c962",
)


def said_in(build: type[_python.FastPath], secret: str, host: str, sent: str, at: float) -> tuple[str, bool]:
    """What a client gets back, and whether it had sent one of ours."""
    made = build(entries=10, view_of=lambda host: 0, clock=Clock())
    made.use_cookies(Cookies(Fixed(secret), Wall(at)))
    query = made.ask(with_cookie(bytes.fromhex(sent)), host)
    assert isinstance(query, Query)
    return query.own[4:].hex(), query.proven


@pytest.mark.parametrize(("host", "client", "server", "at"), VECTORS)
def test_the_examples_of_the_rfc(
    build: type[_python.FastPath], host: str, client: str, server: str, at: int
) -> None:
    """RFC 9018 appendix A.1 to A.3."""
    assert said_in(build, SECRET, host, client, at) == (client + server, False)
    assert said_in(build, SECRET, host, client + server, at + 9) == (client + server, True)


def test_the_rfcs_example_of_a_renewal(build: type[_python.FastPath]) -> None:
    """A.2: 40 minutes later."""
    (host, client, first, _), (_, _, second, at) = VECTORS[:2]
    assert said_in(build, SECRET, host, client + first, at) == (client + second, True)


def test_the_rfcs_example_of_reserved_octets(build: type[_python.FastPath]) -> None:
    """A.3: they are not zero and part of the hash. (What the RFC shows is answered when it is too old.)"""
    sent = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"
    assert said_in(build, SECRET, "203.0.113.203", sent, 1559727985)[1]
    assert said_in(build, SECRET, "203.0.113.203", sent, 1559734700) == (VECTORS[2][1] + VECTORS[2][2], False)


def test_the_rfcs_example_of_another_secret(build: type[_python.FastPath]) -> None:
    """A.4, with IPv6."""
    host, client = "2001:db8:220:1:59de:d0f4:8769:82b8", "22681ab97d52c298"
    sent, at = client + "010000005cf7c57926556bd0934c72f8", 1559741961
    assert said_in(build, OLD, host, sent, at)[1]
    assert said_in(build, NEW, host, sent, at) == (client + "010000005cf7c609a6bb79d16625507a", False)


@pytest.mark.parametrize(
    ("age", "good"), [(-AHEAD - 1, False), (-AHEAD, True), (GOOD, True), (GOOD + 1, False)]
)
@pytest.mark.parametrize("start", [START, 2.0**32 - 100, 2.0**31])
def test_how_long_a_cookie_is_good(build: type[_python.FastPath], age: int, good: bool, start: float) -> None:
    """Also where the time, of 32 bits, begins anew (RFC 1982)."""
    ours, _ = said_in(build, SECRET, HOME, CLIENT.hex(), start)
    assert said_in(build, SECRET, HOME, ours, start + age)[1] is good


def test_a_new_secret_each_day_and_the_last_one_is_known_still() -> None:
    secrets, wall = Secrets(b"k" * 16), Wall()
    change = (int(START) // PERIOD + 1) * PERIOD - secrets.offset
    cookies = Cookies(secrets, wall)
    wall.now = change - 1
    before, _ = cookies.answer(CLIENT, HOME)
    wall.now = change + FRESH
    after, was_ours = cookies.answer(before, HOME)
    assert was_ours
    assert after[SERVER] != before[SERVER]
    assert secrets.secret(1) != secrets.secret(2)
    assert Secrets(b"l" * 16).secret(1) != secrets.secret(1)
    assert Secrets(b"l" * 16).offset != secrets.offset


@given(
    st.binary(max_size=44),
    st.ip_addresses(),
    st.integers(0, 2**33),
    st.integers(-AHEAD - 2, GOOD + 2),
    st.binary(min_size=16, max_size=16),
)
@example(CLIENT, "192.0.2.7", 0, -2, b"k" * 16)
def test_both_builds_say_the_same(sent: bytes, host: object, at: int, later: int, key: bytes) -> None:
    """Of any cookie, and of what they said of it at any later time."""
    wall = Wall(float(at))
    paths = [fast_path(build)(entries=1, view_of=lambda host: 0, clock=Clock()) for build in BUILDS]
    for made in paths:
        made.use_cookies(Cookies(Secrets(key), wall))
    for _ in range(2):
        one, other = (made.ask(with_cookie(sent), str(host)) for made in paths)
        assert one == other
        if isinstance(one, Query):
            sent = one.own[4:]
        wall.now = float(at + later)
