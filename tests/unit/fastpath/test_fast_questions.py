"""What each question gets from the fast path: the table of what is sound, what is refused, what is ignored."""

import struct
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest

from smartdoh.fastpath._python import FastPath
from smartdoh.model import Query
from tests.scenario.fast import Rig, rig
from tests.scenario.messages import CLIENT, addresses, error_codes, question
from tests.scenario.world import Clock

pytestmark = pytest.mark.usefixtures("build")

A = "www.example.com. 300 A 192.0.2.1"
NAME = b"\x03www\x07example\x03com\0"
OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def header(flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return struct.pack("!HHHHHH", 0xABCD, flags, *counts)


def plain(name: bytes = NAME, flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return header(flags, counts) + name + struct.pack("!HH", 1, 1)


LONG_NAME = (b"\x3f" + b"a" * 63) * 4 + b"\0"

IGNORED = {
    "nothing at all": b"",
    "one octet": b"\0",
    "11 octets": header()[:11],
    "an answer": plain(flags=0x8180),
    "an answer that is junk as well": header(flags=0x8000, counts=(9, 9, 9, 9)),
    "an answer with an opcode": plain(flags=0xA800),
}

FORMERR = {
    "no question": header(counts=(0, 0, 0, 0)),
    "no question, with OPT": header(counts=(0, 0, 0, 1)) + OPT,
    "two questions": plain(counts=(2, 0, 0, 0)) + NAME + struct.pack("!HH", 1, 1),
    "a question that is missing": header(),
    "a name that is cut": header() + NAME[:6],
    "no type": header() + NAME,
    "half a class": plain()[:-1],
    "a label of 64": plain(b"\x40" + b"a" * 64 + b"\0"),
    "a name of 257": plain(LONG_NAME),
    "a compressed name": header() + b"\xc0\x0c" + struct.pack("!HH", 1, 1),
    "junk behind it": plain() + b"\0",
    "two OPT": plain(counts=(1, 0, 0, 2)) + OPT + OPT,
    "OPT with an owner": plain(counts=(1, 0, 0, 1)) + b"\x01a" + OPT,
    "OPT in the answer section": plain(counts=(1, 1, 0, 0)) + OPT,
    "OPT that is missing": plain(counts=(1, 0, 0, 1)),
    "OPT that is cut": plain(counts=(1, 0, 0, 1)) + OPT[:-3],
    "OPT longer than the packet": plain(counts=(1, 0, 0, 1)) + OPT[:-2] + b"\0\x09",
    "an option longer than OPT": plain(counts=(1, 0, 0, 1)) + OPT[:-2] + b"\0\x04\0\x0a\0\x09",
    "half an option": plain(counts=(1, 0, 0, 1)) + OPT[:-2] + b"\0\x03\0\x0a\0",
    "33 options": plain(counts=(1, 0, 0, 1)) + OPT[:-2] + struct.pack("!H", 33 * 4) + b"\0\x0a\0\0" * 33,
    "a record that is cut": plain(counts=(1, 0, 0, 1)) + NAME + struct.pack("!HHIH", 1, 1, 0, 4) + b"\0",
}


@pytest.fixture
def fast(build: object) -> Iterator[Rig]:
    with rig() as made:
        made.store(question(), A)
        yield made


@pytest.mark.parametrize("wire", IGNORED.values(), ids=IGNORED.keys())
def test_what_gets_nothing(fast: Rig, wire: bytes) -> None:
    assert fast.drain(wire) == []
    assert fast.answers() == []
    assert fast.fast.ask(wire, CLIENT) is None
    assert fast.fast.statistics().ignored == 2


@pytest.mark.parametrize("wire", FORMERR.values(), ids=FORMERR.keys())
def test_what_gets_formerr(fast: Rig, wire: bytes) -> None:
    """With the asker's id, and no larger than what it answers (RFC 1035 section 4.1.1)."""
    for _ in range(2):
        assert fast.drain(wire) == []
        (answer,) = fast.answers()
        assert answer[:2] == wire[:2]
        assert dns.message.from_wire(answer).rcode() == dns.rcode.FORMERR
        assert len(answer) <= len(wire)
        assert fast.fast.ask(wire, CLIENT) == answer


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
@pytest.mark.parametrize("form", ["a question", "a header", "junk"])
def test_another_opcode_gets_notimp(fast: Rig, opcode: int, form: str) -> None:
    flags = opcode << 11 | 0x0100
    wire = {
        "a question": plain(flags=flags),
        "a header": header(flags, (0, 0, 0, 0)),
        "junk": header(flags) + b"?",
    }[form]
    assert fast.drain(wire) == []
    (answer,) = fast.answers()
    told = int.from_bytes(answer[2:4])
    assert told & 15 == dns.rcode.NOTIMP
    assert told >> 11 == 16 | opcode, "QR, and the opcode as it came"
    assert answer[:2] == wire[:2]
    assert answer[12:] == (wire[12:] if form == "a question" else b"")


@pytest.mark.parametrize("version", [1, 2, 255])
def test_an_edns_version_from_the_future_gets_badvers(fast: Rig, version: int) -> None:
    answer = fast.ask(question(version=version))
    assert answer.rcode() == dns.rcode.BADVERS
    assert answer.edns == 0
    assert answer.answer == []
    assert answer.id == 0x1234


@pytest.mark.parametrize("flags", [0x0140, 0x0500, 0x0180, 0x0103, 0x0300])
def test_header_bits_without_meaning_in_a_question_are_ignored_and_not_echoed(fast: Rig, flags: int) -> None:
    """Z, AA, RA, an rcode, TC (RFC 5625 section 4.1, RFC 8906 section 8.1.3)."""
    answer = fast.ask(plain(flags=flags))
    assert addresses(answer) == ["192.0.2.1"]
    assert answer.flags == dns.flags.QR | dns.flags.RD | dns.flags.RA


def test_records_behind_a_question_are_no_harm(fast: Rig) -> None:
    wire = plain(counts=(1, 0, 0, 2)) + NAME + struct.pack("!HHIH", 1, 1, 0, 4) + bytes(4) + OPT
    answer = fast.ask(wire)
    assert addresses(answer) == ["192.0.2.1"]
    assert answer.edns == 0


def test_unknown_options_and_flags_are_ignored(fast: Rig) -> None:
    wire = (
        plain(counts=(1, 0, 0, 1)) + b"\0" + struct.pack("!HHIH", 41, 4096, 0x7FFF, 8) + b"\xff\xee\0\x04abcd"
    )
    answer = fast.ask(wire)
    assert addresses(answer) == ["192.0.2.1"]
    assert answer.ednsflags & 0x7FFF == 0
    assert answer.options == ()


def test_the_root_and_odd_octets_are_names(fast: Rig) -> None:
    assert fast.misses(plain(b"\0"))
    assert fast.misses(plain(b"\x04\x00.\xff \0"))
    assert fast.misses(plain(LONG_NAME[:-4].replace(b"\x3f", b"\x3f", 1)[:192] + b"\x3d" + b"a" * 61 + b"\0"))


# Clients that may not ask


@pytest.fixture
def stranger(build: type[FastPath]) -> FastPath:
    """A fast path that nobody may ask."""
    return build(entries=10, view_of=lambda host: None, clock=Clock())


def test_a_client_that_may_not_ask_gets_refused_over_udp_at_a_bounded_rate() -> None:
    with rig(view_of=lambda host: None) as made:
        answered = 0
        for _ in range(10):
            made.drain(*([question(edns=True)] * 20))
            answers = made.answers()
            answered += len(answers)
            for wire in answers:
                answer = dns.message.from_wire(wire)
                assert answer.rcode() == dns.rcode.REFUSED
                assert error_codes(answer) == [18]
        assert answered == 20
        made.clock.forward(0.5)
        made.drain(*([question()] * 60))
        assert len(made.answers()) == 10
        made.clock.forward(3600)
        made.drain(*([question()] * 64))
        assert len(made.answers()) == 20, "what was not used does not pile up"
        assert made.fast.statistics().refused == 200 + 60 + 64


def test_over_tcp_it_always_gets_refused(stranger: FastPath) -> None:
    for _ in range(100):
        wire = stranger.ask(question(), "192.0.2.9")
        assert isinstance(wire, bytes)
        assert dns.message.from_wire(wire).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("wire", FORMERR.values(), ids=FORMERR.keys())
def test_its_junk_is_refused_too(stranger: FastPath, wire: bytes) -> None:
    answer = stranger.ask(wire, "192.0.2.9")
    assert isinstance(answer, bytes)
    assert answer[:2] == wire[:2]
    assert answer[3] & 15 == dns.rcode.REFUSED
    assert len(answer) in (12, 12 + 11)
    assert len(answer) <= len(wire)


@pytest.mark.parametrize("wire", IGNORED.values(), ids=IGNORED.keys())
def test_its_answers_are_ignored_too(stranger: FastPath, wire: bytes) -> None:
    assert stranger.ask(wire, "192.0.2.9") is None


def test_what_is_known_is_not_told_to_a_stranger() -> None:
    with rig(view_of=lambda host: 0 if host == CLIENT else None) as made:
        made.store(question(), A)
        assert addresses(made.ask(question())) == ["192.0.2.1"]
        answer = made.fast.ask(question(), "192.0.2.9")
        assert isinstance(answer, bytes)
        assert dns.message.from_wire(answer).rcode() == dns.rcode.REFUSED


def test_who_may_ask_is_looked_up_once_a_generation(build: type[FastPath]) -> None:
    looked: list[str] = []

    def view_of(host: str) -> int | None:
        looked.append(host)
        return 0

    fast = build(entries=10, view_of=view_of, clock=Clock())
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        assert isinstance(fast.ask(question(), host), Query)
    assert looked == ["127.0.0.1", "127.0.0.2"]
    fast.next_generation()
    fast.ask(question(), "127.0.0.1")
    assert looked == ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
