"""Messages of our own, read by dnspython and by our own scan: upstream queries, errors, small answers."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from smartdoh.model import Answer, Query
from smartdoh.wire import compose, edns
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query
from tests.unit.wire.messages import (
    AAAA,
    SOA,
    WWW,
    A,
    header,
    name,
    opt,
    option,
    query,
    query_wire,
    question,
)

DO = 0x8000
PADDING = 12
OPT = edns.render()
SPELLED = question(name("wWw.Example.com"))


# What goes upstream


@pytest.mark.parametrize("labels", range(1, 128, 9))
def test_an_upstream_query_has_a_length_that_says_nothing(labels: int) -> None:
    """RFC 8467 section 4.1."""
    asked = query(asked=question(b"\x01a" * labels + b"\0"))
    assert len(compose.upstream_query(asked)) % 128 == 0


def test_an_upstream_query_is_the_question_and_nothing_of_the_client() -> None:
    """Id 0 (RFC 8484 section 4.1), AD (RFC 6840 section 5.7); no cookie, no client subnet, no spelling."""
    options = option(10, b"8 octets") + option(8, b"\0\x01\x18\0\xc0\0\x02")
    wire = compose.upstream_query(query(opt(options, payload=512), asked=SPELLED))
    sent = dns.message.from_wire(wire)
    assert (sent.id, sent.opcode(), sent.flags) == (0, dns.opcode.QUERY, dns.flags.RD | dns.flags.AD)
    assert wire[12 : 12 + len(WWW)] == WWW
    assert (sent.edns, sent.ednsflags, [item.otype for item in sent.options]) == (0, 0, [PADDING])


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("cd", [False, True])
@pytest.mark.parametrize("rd", [False, True])
def test_do_and_cd_go_along(do: bool, cd: bool, rd: bool) -> None:
    """RFC 4035 section 3.2.2 and 3225 section 3; RD is always set, it is we who ask."""
    asked = query(opt(flags=DO if do else 0), flags=cd << 4 | rd << 8)
    sent = dns.message.from_wire(compose.upstream_query(asked))
    assert bool(sent.flags & dns.flags.CD) == cd
    assert bool(sent.ednsflags & dns.flags.DO) == do
    assert sent.flags & dns.flags.RD


def test_a_client_without_edns_is_asked_for_with_it() -> None:
    sent = dns.message.from_wire(compose.upstream_query(query()))
    assert (sent.edns, sent.ednsflags) == (0, 0)


# Errors


@pytest.mark.parametrize("rcode", [1, 2, 4, 5])
@pytest.mark.parametrize("flags", [0x0000, 0x0100, 0x0110, 0x2900, 0x7FFF])
def test_an_error_for_what_was_not_understood(rcode: int, flags: int) -> None:
    """A bare header: id, opcode, RD and CD are the asker's, QR and RA ours, AA, TC, Z and AD clear."""
    made = compose.error(query_wire(flags=flags)[:12], rcode)
    assert made == header((0, 0, 0, 0), 0x8080 | flags & 0x7910 | rcode, 0x1234)


@pytest.mark.parametrize("rcode", [2, 4, 5])
def test_an_error_with_the_question_as_it_was_spelled(rcode: int) -> None:
    asked = query(asked=SPELLED)
    assert compose.error(asked.wire, rcode, asked) == header((1, 0, 0, 0), 0x8180 | rcode, 0x1234) + SPELLED


@pytest.mark.parametrize("do", [False, True])
def test_opt_goes_to_clients_that_sent_one(do: bool) -> None:
    """RFC 6891 section 7; DO is copied (RFC 3225 section 3)."""
    said = edns.extended_error(22, "x")
    asked = query(opt(option(10, b"8 octets"), flags=DO if do else 0))
    made = dns.message.from_wire(compose.error(asked.wire, 2, asked, said))
    assert (made.edns, bool(made.ednsflags & dns.flags.DO), made.payload) == (0, do, 1232)
    (error,) = made.options
    assert isinstance(error, dns.edns.EDEOption)
    assert (error.code, error.text) == (22, "x")
    asked = query()
    assert dns.message.from_wire(compose.error(asked.wire, 2, asked, said)).opt is None


def test_badvers_says_which_version_we_have() -> None:
    """RFC 6891 section 6.1.3: the rcode is in both halves, the version is 0, there is no data."""
    asked = query(opt(version=1))
    made = dns.message.from_wire(compose.error(asked.wire, 16, asked))
    assert (made.rcode(), made.edns, made.answer) == (dns.rcode.BADVERS, 0, [])


@pytest.mark.parametrize(
    "wire",
    [
        query_wire(),
        query_wire(asked=question(b"\0")),
        query_wire(opt()),
        query_wire(opt(option(12, bytes(99)))),
    ],
)
def test_an_error_is_no_amplifier(wire: bytes) -> None:
    """Never longer than what it answers, which may come from a forged address."""
    assert len(compose.error(wire, 1)) <= len(wire)
    assert len(compose.error(wire, 5, parse_query(wire))) <= len(wire)


# Answers


def scanned(answer: Answer) -> None:
    """An answer of ours is as whole as one that was scanned."""
    asked = query(asked=answer.wire[12 : answer.scan.question_end])
    scan = scan_answer(answer.wire, asked)
    assert answer.scan == scan._replace(addresses=())


def test_an_answer_with_records() -> None:
    ours = compose.Rr(WWW, A, 300, bytes((127, 0, 0, 1))), compose.Rr(WWW, A, 60, bytes((127, 0, 0, 2)))
    made = compose.answer(query(asked=SPELLED), 0, ours, source="local", ede=b"ede")
    assert (made.source, made.ede, made.age) == ("local", b"ede", 0)
    scanned(made)
    message = dns.message.from_wire(made.wire)
    assert [item.address for item in message.answer[0]] == ["127.0.0.1", "127.0.0.2"]
    assert (message.id, message.rcode(), message.opt) == (0, dns.rcode.NOERROR, None)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("asked", [query(asked=question(WWW, AAAA)), query(opt(), asked=question(b"\0"))])
def test_a_no_can_be_kept(exists: bool, asked: Query) -> None:
    """RFC 2308 section 3: the SOA record is there, and its MINIMUM is its TTL."""
    made = compose.negative(asked, name("com"), 120, exists=exists, source="zone")
    scanned(made)
    assert (made.scan.negative_ttl, made.scan.min_ttl) == (120, 120)
    message = dns.message.from_wire(made.wire)
    assert message.rcode() == (dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
    (soa,) = message.authority
    assert (soa.rdtype, soa.name, soa.ttl, soa[0].minimum) == (
        dns.rdatatype.SOA,
        dns.name.from_text("com."),
        120,
        120,
    )


def test_an_answer_of_nothing() -> None:
    made = compose.answer(query(), 2, source="x")
    scanned(made)
    assert (made.scan.rcode, made.scan.min_ttl, made.scan.last_type) == (2, 0, 0)


def test_a_record_of_any_class_and_type() -> None:
    ours = compose.Rr(b"\0", 65280, 2**32 - 1, b"x" * 300, 3)
    made = compose.answer(query(), 0, [ours], [compose.soa(b"\0", 5)], source="x")
    scanned(made)
    assert (made.scan.last_type, made.scan.negative_ttl, made.scan.ttl_offsets) == (
        65280,
        5,
        (made.scan.question_end + 5, made.scan.question_end + 5 + 10 + 300 + 1),
    )
    assert dns.message.from_wire(made.wire).authority[0].rdtype == SOA


@pytest.mark.parametrize(
    ("questions", "additional", "has_opt"),
    [
        (0, [OPT], True),  # a query of EDNS alone
        (2, [OPT], True),
        (0, [], False),
        (0, [OPT, OPT], False),  # the OPT itself is what is wrong
        (0, [OPT[:-1]], False),
    ],
)
def test_a_refusal_has_opt_where_a_sound_one_came(
    questions: int, additional: list[bytes], has_opt: bool
) -> None:
    """RFC 6891 section 6.1.1; without it, it looks like that of a server from before EDNS."""
    head = struct.pack("!HHHHHH", 7, 0x0100, questions, 0, 0, len(additional))
    wire = head + b"\x01a\0\0\1\0\1" * questions + b"".join(additional)
    refusal = compose.error(wire, 1)
    assert refusal[10:12] == (b"\0\1" if has_opt else b"\0\0")
    assert len(refusal) == (12 + 11 if has_opt else 12)
