"""What an upstream may say, row by row: matching the question, counts, lengths, TTLs, addresses, SOA, OPT."""

import pytest

from smartdoh.errors import WireError
from smartdoh.model import Edns
from smartdoh.wire.answer import ADDITIONAL, ANSWER, AUTHORITY, records, scan_answer
from tests.unit.wire import messages
from tests.unit.wire.messages import (
    AAAA,
    CNAME,
    MX,
    NS,
    PTR,
    QUESTION,
    QUESTION_END,
    RRSIG,
    SOA,
    SRV,
    TO_QUESTION,
    TXT,
    WWW,
    A,
    address,
    answer_wire,
    header,
    name,
    opt,
    option,
    pointer,
    query,
    question,
    record,
    soa,
)

ASKED = query()
OTHER = name("other.example.net")
WHOLE = answer_wire(
    (record(TO_QUESTION, CNAME, b"\1a" + pointer(16), 60), address(1, 300, pointer(QUESTION_END + 12))),
    (record(pointer(16), NS, b"\2ns" + pointer(16), 86400),),
    (address(9, 5, b"\1b\0"), opt(option(15, b"\0\x03"))),
)


def test_one_pass_finds_everything() -> None:
    scan = scan_answer(WHOLE, ASKED)
    assert scan.flags == 0x8180
    assert scan.rcode == 0
    assert scan.question_end == QUESTION_END
    assert [int.from_bytes(WHOLE[at : at + 4]) for at in scan.ttl_offsets] == [60, 300, 86400, 5]
    assert scan.min_ttl == 5
    assert scan.negative_ttl is None
    assert [WHOLE[at : at + size] for at, size in scan.addresses] == [bytes((192, 0, 2, 1))]
    assert (scan.answers, scan.last_type) == (2, messages.A)
    assert scan.opt == (len(WHOLE) - 17, len(WHOLE))
    assert scan.edns == Edns(1232, 0, False, option(15, b"\0\x03"))


def test_cut_anywhere_it_is_refused() -> None:
    for end in range(len(WHOLE)):
        with pytest.raises(WireError):
            scan_answer(WHOLE[:end], ASKED)


def test_junk_behind_it_is_refused() -> None:
    with pytest.raises(WireError):
        scan_answer(WHOLE + b"\0", ASKED)


@pytest.mark.parametrize("rcode", range(16))
def test_an_answer_without_records(rcode: int) -> None:
    """Any rcode; what it means is judged elsewhere."""
    scan = scan_answer(answer_wire(flags=0x8180 | rcode), ASKED)
    assert (scan.rcode, scan.ttl_offsets, scan.min_ttl, scan.negative_ttl, scan.answers) == (
        rcode,
        (),
        0,
        None,
        0,
    )
    assert (scan.addresses, scan.last_type, scan.opt, scan.edns) == ((), 0, None, None)


@pytest.mark.parametrize(
    ("flags", "id_", "counts"),
    [
        pytest.param(0x8180, 1, (1, 0, 0, 0), id="an id"),  # RFC 8484 section 4.1: it was asked with 0
        pytest.param(0x0180, 0, (1, 0, 0, 0), id="a query"),
        pytest.param(0xA180, 0, (1, 0, 0, 0), id="opcode NOTIFY"),
        pytest.param(0xF980, 0, (1, 0, 0, 0), id="opcode 15"),
        pytest.param(0x8380, 0, (1, 0, 0, 0), id="TC"),  # RFC 7766 section 5
        pytest.param(0x8180, 0, (0, 0, 0, 0), id="no question counted"),
        pytest.param(0x8180, 0, (2, 0, 0, 0), id="two questions counted"),
    ],
)
def test_a_header_that_is_no_answer(flags: int, id_: int, counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(WireError):
        scan_answer(header(counts, flags, id_) + QUESTION, ASKED)


@pytest.mark.parametrize("flags", [0x8000, 0x8580, 0x81F0, 0x85F3])
def test_header_bits_that_do_not_matter(flags: int) -> None:
    """AA, RD, RA, Z, AD, CD as the server likes (RFC 5625 section 4.1)."""
    assert scan_answer(answer_wire(flags=flags), ASKED).flags == flags


@pytest.mark.parametrize(
    "asked",
    [
        question(name("wwx.example.com")),
        question(name("www.example.co")),
        question(name("www.example.com.a")),
        question(name("ww.wexample.com")),
        question(WWW, AAAA),
        question(WWW, A, 3),
        question(b"\0"),
        b"",
    ],
)
def test_an_answer_to_another_question(asked: bytes) -> None:
    with pytest.raises(WireError):
        scan_answer(answer_wire((address(1),), asked=asked), ASKED)


def test_types_are_compared_unfolded() -> None:
    """65 (HTTPS) and 97 are an upper and a lower case letter."""
    with pytest.raises(WireError):
        scan_answer(answer_wire(asked=question(WWW, 97)), query(asked=question(WWW, 65)))


def test_the_question_may_be_spelled_anyhow() -> None:
    upstream, client = question(name("wWw.example.COM")), question(name("Www.EXAMPLE.com"))
    assert scan_answer(answer_wire((address(1),), asked=upstream), query(asked=client)).answers == 1


def test_the_question_may_not_be_compressed() -> None:
    """RFC 1035 section 4.1.4 has no prior name it could point to."""
    with pytest.raises(WireError):
        scan_answer(header((1, 0, 0, 0)) + b"\xc0\x04" + QUESTION[-4:], ASKED)


@pytest.mark.parametrize("section", range(3))
@pytest.mark.parametrize("change", [-1, 1, 65535])
def test_counts_are_what_is_there(section: int, change: int) -> None:
    """RFC 9267 section 6."""
    records_: list[tuple[bytes, ...]] = [(address(1),), (address(2),), (address(3),)]
    wire = bytearray(answer_wire(*records_))
    at = 6 + 2 * section
    wire[at : at + 2] = min(65535, 1 + change).to_bytes(2)
    with pytest.raises(WireError):
        scan_answer(bytes(wire), ASKED)


@pytest.mark.parametrize("length", [17, 0x0FFF, 0xFFFF])
def test_rdata_stays_inside_the_message(length: int) -> None:
    """RFC 9267 section 5."""
    wire = bytearray(answer_wire((record(TO_QUESTION, TXT, bytes(16)),)))
    wire[QUESTION_END + 10 : QUESTION_END + 12] = length.to_bytes(2)
    with pytest.raises(WireError):
        scan_answer(bytes(wire), ASKED)


@pytest.mark.parametrize(
    "owner",
    [
        pointer(QUESTION_END),
        pointer(QUESTION_END + 2),
        pointer(0),
        pointer(11),
        pointer(0x3FFF),
        b"\x3f" + b"a" * 62 + b"\0",
        b"\x40" + b"a" * 64 + b"\0",
        b"\1a" + pointer(QUESTION_END),
        pointer(13),  # into a label: its first letter is no length
    ],
)
def test_unsound_owners(owner: bytes) -> None:
    with pytest.raises(WireError):
        scan_answer(answer_wire((record(owner, TXT, b""),)), ASKED)


def test_a_name_may_not_reach_into_what_follows_it() -> None:
    """A label that begins before its pointer and ends in OPT would lose its end with OPT."""
    first = record(TO_QUESTION, TXT, b"\x3f")
    second = record(pointer(QUESTION_END + len(first) - 1), TXT, b"a" * 50)
    wire = answer_wire((first, second), (), (opt(bytes(4)),))
    with pytest.raises(WireError):
        scan_answer(wire, ASKED)


# Where a name may lie that a pointer leads to: nothing that is done to an answer may make another name of it.

TTL_AT = QUESTION_END + 6  # of the first record, where its owner is a pointer
RDATA_AT = QUESTION_END + 12
HTTPS_DATA = b"\0\1" + OTHER + b"\0\4\0\4" + bytes((192, 0, 2, 1))
PLACES = {
    "the question": ((), 12),
    "a label of the question": ((), 16),
    "the root of the question": ((), 28),
    "an owner that is a pointer": ((record(TO_QUESTION, TXT, b""),), QUESTION_END),
    "an owner": ((record(OTHER, TXT, b""),), QUESTION_END + 6),
    "a name in rdata": ((record(TO_QUESTION, CNAME, OTHER),), RDATA_AT),
    "the second name in rdata": ((record(TO_QUESTION, SOA, soa(1)),), RDATA_AT + 4),
    "a signer": ((record(TO_QUESTION, RRSIG, bytes(18) + OTHER + b"s"),), RDATA_AT + 18),
    "a TargetName": ((record(TO_QUESTION, 65, HTTPS_DATA),), RDATA_AT + 2),
    "a TargetName's label": ((record(TO_QUESTION, 64, HTTPS_DATA),), RDATA_AT + 8),
    "rdata that nobody reads": ((record(TO_QUESTION, TXT, b"\1a\0"),), RDATA_AT),
}
NO_PLACES = {
    "the question's type": ((), QUESTION_END - 4),
    "the question's class": ((), QUESTION_END - 2),
    "a type": ((record(TO_QUESTION, 12, b"\0"),), QUESTION_END + 2),
    "a type that it goes on behind": ((record(TO_QUESTION, 0x0300, b"\0"),), QUESTION_END + 2),
    "a class": ((record(TO_QUESTION, TXT, b"", rclass=0x0100),), QUESTION_END + 4),
    "a class that is a pointer": ((record(TO_QUESTION, TXT, b"", rclass=0xC00C),), QUESTION_END + 4),
    "a class from which it crosses the TTL": ((record(TO_QUESTION, TXT, b"", rclass=5),), QUESTION_END + 5),
    "a TTL": ((record(TO_QUESTION, TXT, b"", 0),), TTL_AT),
    "a TTL that is a pointer": ((record(TO_QUESTION, TXT, b"", 0xC00C),), TTL_AT + 2),
    "a TTL's last octet": ((record(TO_QUESTION, TXT, b"", 1),), TTL_AT + 3),
    "a length": ((record(TO_QUESTION, TXT, b""),), TTL_AT + 4),
    "a length that is a label": ((record(TO_QUESTION, TXT, b"a\0"),), TTL_AT + 5),
    "an address": ((record(TO_QUESTION, A, bytes(4)),), RDATA_AT),
    "an address that is a pointer": ((record(TO_QUESTION, A, TO_QUESTION * 2),), RDATA_AT + 2),
    "a long address": ((record(TO_QUESTION, AAAA, bytes(16)),), RDATA_AT + 5),
    "an address of another class": ((record(TO_QUESTION, A, bytes(4), rclass=3),), RDATA_AT),
    "a hint": ((record(TO_QUESTION, 65, HTTPS_DATA[:-4] + bytes(4)),), RDATA_AT + len(HTTPS_DATA) - 4),
    "a priority": ((record(TO_QUESTION, 65, HTTPS_DATA),), RDATA_AT),
    "a number of an SOA record": ((record(TO_QUESTION, SOA, soa(0)),), RDATA_AT + 26),
    "the middle of a label": ((record(TO_QUESTION, CNAME, b"\4\1a\0a\0"),), RDATA_AT + 1),
    "a pointer where none is": ((record(TO_QUESTION, TXT, b"\1a" + TO_QUESTION),), RDATA_AT),
    "rdata that it leaves": ((record(TO_QUESTION, TXT, b"\1a"), record(b"\0", TXT, b"")), RDATA_AT),
    "rdata that its label leaves": ((record(TO_QUESTION, TXT, b"\1"), record(b"\0", TXT, b"")), RDATA_AT),
    "a TargetName that it leaves": ((record(TO_QUESTION, 65, b"\0\1\0\0\4\0\1x"),), RDATA_AT + 3),
}


def pointed_at(records_: tuple[bytes, ...], to: int) -> bytes:
    return answer_wire((), (), (*records_, record(pointer(to), TXT, b"")))


@pytest.mark.parametrize("what", PLACES)
def test_places_for_names(what: str) -> None:
    records_, to = PLACES[what]
    wire = pointed_at(records_, to)
    assert len(scan_answer(wire, ASKED).ttl_offsets) == len(records_) + 1
    assert list(records(wire, QUESTION_END))[-1].end == len(wire)


@pytest.mark.parametrize("what", NO_PLACES)
def test_no_places_for_names(what: str) -> None:
    """TTLs age, addresses change places, records are left out, and names must stay what they are."""
    records_, to = NO_PLACES[what]
    scan_answer(pointed_at(records_, 12), ASKED)
    with pytest.raises(WireError):
        scan_answer(pointed_at(records_, to), ASKED)


@pytest.mark.parametrize(
    ("ttls", "lowest"),
    [
        ((300,), 300),
        ((0,), 0),
        ((300, 5, 60), 5),
        ((0x80000000, 0xFFFFFFFF), 0x80000000),
        ((2**32 - 1,), 2**32 - 1),
    ],
)
def test_ttls_have_32_bits(ttls: tuple[int, ...], lowest: int) -> None:
    """RFC 8767 section 4: the high bit means a large number."""
    scan = scan_answer(answer_wire(tuple(address(1, ttl) for ttl in ttls)), ASKED)
    assert scan.min_ttl == lowest


@pytest.mark.parametrize(
    ("rtype", "size", "is_sound"),
    [
        (A, 4, True),
        (A, 0, False),
        (A, 3, False),
        (A, 5, False),
        (AAAA, 16, True),
        (AAAA, 4, False),
        (AAAA, 17, False),
    ],
)
def test_addresses_have_their_size(rtype: int, size: int, is_sound: bool) -> None:
    wire = answer_wire((record(TO_QUESTION, rtype, bytes(size)),))
    if is_sound:
        assert scan_answer(wire, ASKED).addresses == ((QUESTION_END + 12, size),)
    else:
        with pytest.raises(WireError):
            scan_answer(wire, ASKED)


def test_addresses_of_another_class_are_opaque() -> None:
    """A record of class CH is no IPv4 address (RFC 1035 section 3.4.1)."""
    wire = answer_wire((record(TO_QUESTION, A, bytes(7), rclass=3),))
    assert scan_answer(wire, ASKED).addresses == ()


def test_addresses_of_other_sections_are_not_taken() -> None:
    assert scan_answer(answer_wire((), (address(1),), (address(2),)), ASKED).addresses == ()


@pytest.mark.parametrize("rtype", [0, 16, 47, 65, 99, 65280, 65535, RRSIG])
def test_rdata_is_opaque(rtype: int) -> None:
    """RFC 3597 section 4: nothing is looked for in it, a pointer least of all. No reader may follow one there."""
    scan = scan_answer(answer_wire((record(TO_QUESTION, rtype, pointer(0x3FFF)),)), ASKED)
    assert scan.last_type == rtype


RDATA_NAME = {
    NS: b"%b",
    CNAME: b"%b",
    PTR: b"%b",
    39: b"%b",
    MX: b"\0\1%b",
    **dict.fromkeys((3, 4, 7, 8, 9), b"%b"),
    **dict.fromkeys((18, 21, 36), b"\0\1%b"),
    SRV: b"\0\1\0\1\0\x35%b",
    35: b"\0\1\0\1\1s\0\0%b",
    17: b"\2me\0%b",
    14: b"%b\2me\0",
    26: b"\0\1\2me\0%b",
    24: bytes(18) + b"%bsignature",
    30: b"%b@",
}


@pytest.mark.parametrize("rtype", RDATA_NAME)
@pytest.mark.parametrize("section", range(3))
def test_names_in_rdata_are_checked_where_readers_follow_their_pointers(rtype: int, section: int) -> None:
    """A pointer into the header or to a TTL would lead elsewhere in each client's answer."""

    def wire(target: bytes) -> bytes:
        rdata = RDATA_NAME[rtype].replace(b"%b", target)
        sections: list[tuple[bytes, ...]] = [(), (), ()]
        sections[section] = (record(TO_QUESTION, rtype, rdata),)
        return answer_wire(*sections)

    for sound in (b"\0", WWW, TO_QUESTION, b"\2ns" + pointer(16)):
        scan_answer(wire(sound), ASKED)
    for unsound in (pointer(0), pointer(0x3FFF), pointer(QUESTION_END + 6), b"\x40" + bytes(70), b"\3n", b""):
        with pytest.raises(WireError):
            scan_answer(wire(unsound), ASKED)


@pytest.mark.parametrize("rtype", [rtype for rtype in RDATA_NAME if rtype not in (24, 30)])
def test_rdata_of_names_is_filled_by_them(rtype: int) -> None:
    rdata = RDATA_NAME[rtype].replace(b"%b", b"\0") + b"\0"
    with pytest.raises(WireError):
        scan_answer(answer_wire((record(TO_QUESTION, rtype, rdata), address(1))), ASKED)


@pytest.mark.parametrize("rtype", RDATA_NAME)
def test_rdata_of_names_ends_where_it_says(rtype: int) -> None:
    """The name goes on in the next record."""
    rdata = RDATA_NAME[rtype].partition(b"%b")[0]
    with pytest.raises(WireError):
        scan_answer(answer_wire((record(TO_QUESTION, rtype, rdata), record(b"\0", TXT, bytes(40)))), ASKED)


@pytest.mark.parametrize(
    ("ttl", "minimum", "negative"),
    [(900, 60, 60), (60, 900, 60), (0, 900, 0), (900, 0, 0), (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)],
)
@pytest.mark.parametrize(
    ("server", "person"),
    [(b"\0", b"\0"), (b"\2ns" + pointer(16), b"\2me" + pointer(16)), (pointer(16), pointer(12))],
)
def test_a_no_lives_for_the_lower_of_ttl_and_minimum(
    ttl: int, minimum: int, negative: int, server: bytes, person: bytes
) -> None:
    """RFC 2308 section 5."""
    wire = answer_wire((), (record(pointer(16), SOA, soa(minimum, server, person), ttl),), flags=0x8183)
    assert scan_answer(wire, ASKED).negative_ttl == negative


def test_the_lowest_of_several_soa_records_counts() -> None:
    low, high = (record(pointer(16), SOA, soa(minimum), 900) for minimum in (10, 600))
    for authority in ((low, high), (high, low)):
        assert scan_answer(answer_wire((), authority), ASKED).negative_ttl == 10


def test_a_soa_record_of_the_answer_section_says_nothing_about_a_no() -> None:
    assert scan_answer(answer_wire((record(pointer(16), SOA, soa(60)),)), ASKED).negative_ttl is None


@pytest.mark.parametrize(
    "rdata",
    [
        b"",
        soa(60)[:-1],
        soa(60) + b"\0",
        soa(60, b"\x40" + b"a" * 64 + b"\0"),
        soa(60, pointer(0)),
        soa(60, pointer(0x3FFF)),
        soa(60, b"\x3fa"),
    ],
)
def test_an_unsound_soa_record(rdata: bytes) -> None:
    with pytest.raises(WireError):
        scan_answer(answer_wire((), (record(pointer(16), SOA, rdata),)), ASKED)


@pytest.mark.parametrize("place", range(3))
def test_opt_anywhere_in_the_additional_section(place: int) -> None:
    """RFC 6891 section 6.1.1. Its TTL field is no TTL."""
    others = [address(1, 60), address(2, 90)]
    others.insert(place, opt(option(3, b"x"), upper=1))
    wire = answer_wire((), (), tuple(others), flags=0x8187)
    scan = scan_answer(wire, ASKED)
    assert scan.opt is not None
    assert wire[slice(*scan.opt)] == opt(option(3, b"x"), upper=1)
    assert [int.from_bytes(wire[at : at + 4]) for at in scan.ttl_offsets] == [60, 90]
    assert (scan.min_ttl, scan.rcode) == (60, 0x17)


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param(((opt(),), (), ()), id="in the answer section"),
        pytest.param(((), (opt(),), ()), id="in the authority section"),
        pytest.param(((), (), (opt(), opt())), id="twice"),
        pytest.param(((), (), (opt(), address(1), opt())), id="twice with a record between"),
        pytest.param(((), (), (record(b"\1a\0", 41, b""),)), id="with another owner"),
        pytest.param(((), (), (record(TO_QUESTION, 41, b""),)), id="with a pointer as owner"),
        pytest.param(((), (), (opt(b"\0\3\0"),)), id="with half an option"),
        pytest.param(((), (), (opt(b"\0\3\0\1"),)), id="with an option that overruns"),
        pytest.param(((), (), (opt(option(3) * 33),)), id="with 33 options"),
    ],
)
def test_broken_edns(sections: tuple[tuple[bytes, ...], ...]) -> None:
    with pytest.raises(WireError):
        scan_answer(answer_wire(*sections), ASKED)


def test_records_lists_them_in_order() -> None:
    found = list(records(WHOLE, QUESTION_END))
    assert [record.section for record in found] == [ANSWER, ANSWER, AUTHORITY, ADDITIONAL, ADDITIONAL]
    assert [record.rtype for record in found] == [CNAME, A, NS, A, 41]
    assert [record.ttl for record in found[:-1]] == [60, 300, 86400, 5]
    assert found[0].start == QUESTION_END
    assert [record.end for record in found[:-1]] == [record.start for record in found[1:]]
    assert found[-1].end == len(WHOLE)
    assert WHOLE[found[1].rdata : found[1].end] == bytes((192, 0, 2, 1))


def test_a_message_of_64_kibibytes() -> None:
    """As large as one can be, and each record found."""
    most = (65_535 - QUESTION_END) // 16
    assert scan_answer(answer_wire((address(1),) * most), ASKED).answers == most
