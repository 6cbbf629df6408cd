"""What a client may send, row by row: RFC 1035, 2181, 3597, 4343, 5625, 6891, 9267 and 9619."""

import pytest

from smartdoh.errors import WireError
from smartdoh.model import Edns
from smartdoh.wire.codes import FORMERR
from smartdoh.wire.question import parse_query
from tests.unit.wire.messages import (
    QUESTION,
    QUESTION_END,
    WWW,
    A,
    address,
    header,
    name,
    opt,
    option,
    pointer,
    query_wire,
    question,
    record,
)

LABEL = b"\x3f" + b"a" * 63
NAME_255 = LABEL * 3 + b"\x3d" + b"a" * 61 + b"\0"
NAME_256 = LABEL * 3 + b"\x3e" + b"a" * 62 + b"\0"
DO = 0x8000
ROOT_A = record(b"\0", A, b"\0" * 4)


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(b"\0", id="the root"),
        pytest.param(WWW, id="a usual name"),
        pytest.param(LABEL + b"\0", id="a label of 63 octets"),
        pytest.param(NAME_255, id="255 octets in four labels"),
        pytest.param(b"\x01a" * 127 + b"\0", id="255 octets in 127 labels"),
        pytest.param(b"\x04a.\0\xff\0", id="any octet in a label"),  # RFC 2181 section 11
    ],
)
def test_every_sound_name_is_read(owner: bytes) -> None:
    query = parse_query(query_wire(asked=question(owner)))
    assert (query.name, query.qtype, query.qclass, query.end) == (owner, 1, 1, 12 + len(owner) + 4)


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(NAME_256, id="256 octets in four labels"),
        pytest.param(b"\x01a" * 128 + b"\0", id="257 octets in 128 labels"),
        pytest.param(b"\x40" + b"a" * 64 + b"\0", id="a label of 64 octets"),
        pytest.param(b"\x80\0", id="a label of kind 10"),
        pytest.param(b"\x41\x01\x80\0", id="a bit string label"),
        pytest.param(pointer(12), id="a pointer to itself"),
        pytest.param(pointer(0), id="a pointer into the header"),
        pytest.param(b"\x01a" + pointer(12), id="a pointer to its own start"),
        pytest.param(pointer(14), id="a pointer forward"),
    ],
)
def test_every_unsound_name_is_refused(owner: bytes) -> None:
    with pytest.raises(WireError) as refused:
        parse_query(query_wire(asked=question(owner)))
    assert refused.value.rcode == FORMERR


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (2, 0, 0, 0), (0xFFFF, 0, 0, 0), (0, 0, 0, 1)])
def test_exactly_one_question(counts: tuple[int, int, int, int]) -> None:
    """RFC 9619 section 4."""
    with pytest.raises(WireError) as refused:
        parse_query(header(counts, 0x0100) + QUESTION + QUESTION)
    assert refused.value.rcode == FORMERR


@pytest.mark.parametrize("count", [0, 2, 256, 257, 65535])
def test_one_question_and_another_count(count: int) -> None:
    with pytest.raises(WireError):
        parse_query(header((count, 0, 0, 0), 0x0100) + QUESTION)
    with pytest.raises(WireError):
        parse_query(header((count, 0, 0, 1), 0x0100) + QUESTION + opt())


def test_a_bare_header_with_a_count_of_one() -> None:
    with pytest.raises(WireError):
        parse_query(header((1, 0, 0, 0), 0x0100))


@pytest.mark.parametrize(
    "whole", [query_wire(), query_wire(opt(option(10, b"8 octets"))), query_wire(ROOT_A, opt())]
)
def test_cut_anywhere_it_is_refused(whole: bytes) -> None:
    parse_query(whole)
    for end in range(12, len(whole)):
        with pytest.raises(WireError):
            parse_query(whole[:end])


@pytest.mark.parametrize("whole", [query_wire(), query_wire(opt()), query_wire(ROOT_A, opt())])
def test_junk_behind_it_is_refused(whole: bytes) -> None:
    with pytest.raises(WireError):
        parse_query(whole + b"\0")


def test_the_name_is_folded_and_nothing_else() -> None:
    """RFC 4343: ASCII letters alone. Type 65 must not become type 97, nor an octet over 127 another."""
    owner = b"\x05Aa\xc4@[\x03COM\0"
    query = parse_query(query_wire(asked=question(owner, 65, 65)))
    assert query.name == b"\x05aa\xc4@[\x03com\0"
    assert (query.qtype, query.qclass) == (65, 65)
    assert query.key == query.name + b"\0A\0A" + b"\0\0\0"


@pytest.mark.parametrize(
    ("rtype", "rclass"), [(0, 1), (65535, 1), (1, 65535), (255, 255), (41, 1), (65280, 3)]
)
def test_unknown_types_and_classes_are_questions_too(rtype: int, rclass: int) -> None:
    """RFC 3597 section 3, RFC 5625 section 4.3."""
    query = parse_query(query_wire(asked=question(WWW, rtype, rclass)))
    assert (query.qtype, query.qclass) == (rtype, rclass)


@pytest.mark.parametrize("flags", [0x0000, 0x0100, 0x0110, 0x0140, 0x0670, 0x2800, 0x7FFF])
def test_header_bits_are_kept_and_not_judged(flags: int) -> None:
    """RFC 5625 section 4.1: Z, AA, TC, RA and rcode of a query mean nothing; the opcode is judged elsewhere."""
    assert parse_query(query_wire(flags=flags)).flags == flags


KEY_PARTS = {
    "a question": query_wire(),
    "another type": query_wire(asked=question(WWW, 28)),
    "another class": query_wire(asked=question(WWW, A, 3)),
    "another name": query_wire(asked=question(name("ww.wexample.com"))),
    "CD": query_wire(flags=0x0110),
    "DO": query_wire(opt(flags=DO)),
    "DO and CD": query_wire(opt(flags=DO), flags=0x0110),
}


def test_each_part_of_the_key_tells_questions_apart() -> None:
    keys = {what: parse_query(wire).key for what, wire in KEY_PARTS.items()}
    keys["another view"] = parse_query(query_wire(), 1).key
    keys["a view that looks like DO"] = parse_query(query_wire(), 2).key
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize(
    "wire",
    [
        query_wire(id=1),
        query_wire(asked=question(name("WwW.eXample.COM"))),
        query_wire(flags=0x0000),
        query_wire(flags=0x0120),
        query_wire(opt()),
        query_wire(opt(payload=4096)),
        query_wire(opt(option(12, bytes(100)))),
        query_wire(opt(option(8, b"\0\x01\x18\0\xc0\0\x02"))),
        query_wire(opt(option(10, b"8 octets"))),
        query_wire(opt(flags=0x7FFF)),
        query_wire(ROOT_A),
    ],
)
def test_what_is_no_part_of_the_key(wire: bytes) -> None:
    """Id, case, RD, AD, EDNS but for DO, options, other records."""
    assert parse_query(wire).key == parse_query(query_wire()).key


@pytest.mark.parametrize(
    ("record_", "edns"),
    [
        (opt(), Edns(1232, 0, False, b"")),
        (opt(payload=0), Edns(512, 0, False, b"")),  # RFC 6891 section 6.2.3
        (opt(payload=511), Edns(512, 0, False, b"")),
        (opt(payload=512), Edns(512, 0, False, b"")),
        (opt(payload=513), Edns(513, 0, False, b"")),
        (opt(payload=65535), Edns(65535, 0, False, b"")),
        (opt(flags=DO), Edns(1232, 0, True, b"")),
        (opt(flags=0x7FFF), Edns(1232, 0, False, b"")),  # unknown flags: RFC 6891 section 6.1.4
        (opt(version=1), Edns(1232, 1, False, b"")),  # its rcode is BADVERS, which is no matter of parsing
        (opt(version=255, flags=0xFFFF), Edns(1232, 255, True, b"")),
        (opt(option(65001, b"x")), Edns(1232, 0, False, option(65001, b"x"))),  # unknown: section 6.1.2
        (opt(option(12, bytes(600))), Edns(1232, 0, False, option(12, bytes(600)))),
        (opt(option(3) * 32), Edns(1232, 0, False, option(3) * 32)),
    ],
)
@pytest.mark.parametrize("others", [(), (ROOT_A,)])
def test_edns_is_read(record_: bytes, edns: Edns, others: tuple[bytes, ...]) -> None:
    """Alone, and beside another record, which is another path through the parser."""
    assert parse_query(query_wire(*others, record_)).edns == edns
    assert parse_query(query_wire(record_, *others)).edns == edns


@pytest.mark.parametrize(
    "additional",
    [
        pytest.param((opt(), opt()), id="two OPT records"),
        pytest.param((opt(), ROOT_A, opt()), id="two OPT records with one between"),
        pytest.param((record(name("a"), 41, b"", 0, 1232),), id="OPT with another owner"),
        pytest.param(
            (record(pointer(12 + len(WWW) - 1), 41, b"", 0, 1232),), id="OPT with a pointer as owner"
        ),
        pytest.param((opt(b"\0"),), id="an option of one octet"),
        pytest.param((opt(b"\0\x0c\0"),), id="an option without a whole head"),
        pytest.param((opt(b"\0\x0c\0\x01"),), id="an option that overruns"),
        pytest.param((opt(option(3) + b"\0\x0c\xff\xff"),), id="a second option that overruns"),
        pytest.param((opt(option(3) * 33),), id="33 options"),
    ],
)
@pytest.mark.parametrize("others", [(), (ROOT_A,)])
def test_broken_edns_is_refused(additional: tuple[bytes, ...], others: tuple[bytes, ...]) -> None:
    """RFC 6891 section 6.1.1: FORMERR. An option list has to fill its record exactly."""
    with pytest.raises(WireError) as refused:
        parse_query(query_wire(*others, *additional))
    assert refused.value.rcode == FORMERR


@pytest.mark.parametrize("counts", [(1, 1, 0, 0), (1, 0, 1, 0)])
def test_opt_stands_in_the_additional_section(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(WireError):
        parse_query(header(counts, 0x0100) + QUESTION + opt())


def test_records_of_every_section_are_stepped_over() -> None:
    """An IXFR has its SOA in the authority section; a signature may follow in the additional one."""
    parts = (address(1), address(2, owner=name("a")), address(3, owner=b"\x01b" + pointer(12)), opt())
    assert parse_query(header((1, 1, 1, 2), 0x0100) + QUESTION + b"".join(parts)).edns == Edns(
        1232, 0, False, b""
    )


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(record(pointer(QUESTION_END), A, b""), id="an owner that points to itself"),
        pytest.param(record(pointer(0xFFF), A, b""), id="an owner that points behind the end"),
        pytest.param(record(pointer(2), A, b""), id="an owner that points into the header"),
        pytest.param(b"\0\0\x01\0\x01\0\0\0\0\0\x01", id="rdata that overruns"),
        pytest.param(b"\0\0\x29\0\x01\0\0\0\0\0\x01", id="options that overrun"),
        pytest.param(b"\0\0\x29\0\x01\0\0\0\0\xff\xff", id="options that overrun by far"),
    ],
)
def test_unsound_records_are_refused(rest: bytes) -> None:
    """RFC 9267: lengths and pointers are checked against the message, in records that nobody reads too."""
    with pytest.raises(WireError):
        parse_query(header((1, 0, 0, 1), 0x0100) + QUESTION + rest)


@pytest.mark.parametrize(
    "counts", [(1, 65535, 0, 0), (1, 0, 65535, 0), (1, 0, 0, 65535), (1, 65535, 65535, 65535)]
)
def test_counts_that_promise_more_than_there_is(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(WireError):
        parse_query(header(counts, 0x0100) + QUESTION + opt())


def test_where_it_came_from_stays_with_it() -> None:
    wire = query_wire()
    query = parse_query(wire, 7, "192.0.2.9")
    assert (query.wire, query.view, query.host) == (wire, 7, "192.0.2.9")
