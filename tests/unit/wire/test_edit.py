"""Edits of a message: TTLs, OPT taken out, truncation at the end of an RRset."""

import pytest

from smartdoh.errors import WireError
from smartdoh.wire import edit
from smartdoh.wire.answer import records, scan_answer
from smartdoh.wire.names import expand
from tests.unit.wire.messages import (
    AAAA,
    CNAME,
    MX,
    NS,
    QUESTION_END,
    SOA,
    SRV,
    TO_QUESTION,
    TXT,
    A,
    address,
    answer_wire,
    name,
    opt,
    option,
    pointer,
    query,
    record,
    soa,
)

ASKED = query()
OTHER = name("other.example.net")
OWNER_AT = QUESTION_END  # where the owner of the first record stands


def ttls(wire: bytes) -> list[int]:
    return [record.ttl for record in records(wire, QUESTION_END)]


def kept(wire: bytes) -> list[tuple[int, int, bytes]]:
    """(section, type, rdata) of each record."""
    return [(item.section, item.rtype, wire[item.rdata : item.end]) for item in records(wire, QUESTION_END)]


def with_ttls(*seconds: int) -> bytes:
    return answer_wire(tuple(address(number, ttl) for number, ttl in enumerate(seconds)))


@pytest.mark.parametrize(
    ("before", "seconds", "after"),
    [
        ((300, 5), 0, [300, 5]),
        ((300, 5), 1, [299, 4]),
        ((300, 5), 5, [295, 0]),
        ((300, 5), 6, [294, 0]),
        ((0xFFFFFFFF, 0), 1, [0xFFFFFFFE, 0]),
        ((300, 5), 2**31, [0, 0]),
    ],
)
def test_age(before: tuple[int, ...], seconds: int, after: list[int]) -> None:
    wire = with_ttls(*before)
    aged = edit.age_ttls(wire, scan_answer(wire, ASKED).ttl_offsets, seconds)
    assert ttls(aged) == after
    assert kept(aged) == kept(wire)


def test_set() -> None:
    wire = with_ttls(0, 30, 0xFFFFFFFF)
    assert ttls(edit.set_ttls(wire, scan_answer(wire, ASKED).ttl_offsets, 30)) == [30, 30, 30]


@pytest.mark.parametrize(
    ("before", "low", "high", "after"),
    [
        ((0, 60, 2**32 - 1), 0, 86400, [0, 60, 86400]),
        ((0, 60, 90), 60, 2**32 - 1, [60, 60, 90]),
        ((0, 60, 90), 70, 70, [70, 70, 70]),
    ],
)
def test_clamp(before: tuple[int, ...], low: int, high: int, after: list[int]) -> None:
    wire = with_ttls(*before)
    assert ttls(edit.clamp_ttls(wire, scan_answer(wire, ASKED).ttl_offsets, low, high)) == after


@pytest.mark.parametrize(
    ("owners", "after"),
    [
        pytest.param((TO_QUESTION,) * 3, [20] * 3, id="pointers alone"),
        pytest.param(
            (OTHER, pointer(OWNER_AT), pointer(OWNER_AT)), [20] * 3, id="spelled out, then pointers to it"
        ),
        pytest.param((OTHER,) * 3, [20] * 3, id="spelled out each time"),
        pytest.param((OTHER, OTHER.upper(), OTHER), [20] * 3, id="spelled in two cases"),
        pytest.param(
            (TO_QUESTION, name("www.example.com"), b"\3www" + pointer(16)), [20] * 3, id="three forms of one"
        ),
        pytest.param((TO_QUESTION, pointer(16), TO_QUESTION), [30, 40, 30], id="two names"),
    ],
)
def test_level_knows_an_rrset_however_its_owner_is_written(
    owners: tuple[bytes, ...], after: list[int]
) -> None:
    """RFC 2181 section 5.2. The first record of an RRset may spell out what the next ones point to."""
    before = (30, 40, 20) if len(set(after)) == 1 else (60, 40, 30)
    wire = answer_wire(tuple(address(0, ttl, owner) for ttl, owner in zip(before, owners, strict=True)))
    scan_answer(wire, ASKED)
    assert ttls(edit.level_ttls(wire, QUESTION_END)) == after


def test_level_tells_types_classes_and_sections_apart() -> None:
    a, aaaa, ch = address(1, 50), record(TO_QUESTION, AAAA, bytes(16), 40), record(TO_QUESTION, A, b"", 30, 3)
    wire = answer_wire((a, aaaa, ch), (address(1, 20),), (address(1, 10), opt()))
    assert edit.level_ttls(wire, QUESTION_END) == wire


LAST_OPT = answer_wire((address(1),), (address(2),), (address(3), opt(option(3, b"x"))))


def test_opt_at_the_end_is_cut_off() -> None:
    without = edit.remove_opt(LAST_OPT, scan_answer(LAST_OPT, ASKED))
    assert without == answer_wire((address(1),), (address(2),), (address(3),))
    assert scan_answer(without, ASKED).ttl_offsets == scan_answer(LAST_OPT, ASKED).ttl_offsets


def test_more_records_than_an_octet_counts() -> None:
    others = tuple(address(number % 256) for number in range(300))
    wire = answer_wire((), (), (*others, opt()))
    assert edit.remove_opt(wire, scan_answer(wire, ASKED)) == answer_wire((), (), others)
    cut_, _ = cut(answer_wire(others, (), others), QUESTION_END + 300 * SIZE)
    assert cut_ == answer_wire(others)


def test_without_opt_nothing_changes() -> None:
    wire = answer_wire((address(1),))
    assert edit.remove_opt(wire, scan_answer(wire, ASKED)) is wire


def test_opt_alone() -> None:
    wire = answer_wire((), (), (opt(),))
    assert edit.remove_opt(wire, scan_answer(wire, ASKED)) == answer_wire()


AFTER_OPT = QUESTION_END + len(opt())  # where the record behind an OPT stands that comes first
MOVES = {
    "a pointer to the question": (address(7), True),
    "the root": (record(b"\0", TXT, b"\1x"), True),
    "a name spelled out": (record(OTHER, TXT, b"\1x"), True),
    "labels and a pointer to the question": (record(b"\1a" + pointer(16), TXT, b"\1x"), True),
    "an unknown type": (record(TO_QUESTION, 65280, pointer(AFTER_OPT)), True),
    "a signature": (record(TO_QUESTION, 46, bytes(18) + b"\0" + b"x"), True),
    "rdata with a name": (record(TO_QUESTION, NS, b"\0"), False),
    "rdata with names": (record(TO_QUESTION, SOA, soa(1)), False),
    "an MX record": (record(TO_QUESTION, MX, b"\0\1\0"), False),
    "an SRV record": (record(TO_QUESTION, SRV, bytes(7)), False),
    "an NXT record": (record(TO_QUESTION, 30, b"\0\0"), False),
}


@pytest.mark.parametrize("what", MOVES)
def test_records_behind_opt_move_up_or_are_left_out(what: str) -> None:
    """What a move could break is left out, which the additional section allows (RFC 2181 section 9)."""
    moved, is_kept = MOVES[what]
    wire = answer_wire((), (), (opt(), moved, address(9)))
    without = edit.remove_opt(wire, scan_answer(wire, ASKED))
    assert without == answer_wire((), (), (moved, address(9)) if is_kept else (address(9),))
    assert scan_answer(without, ASKED).opt is None


def test_a_pointer_to_what_moved_is_left_out() -> None:
    first, second = record(OTHER, TXT, b"\1x"), address(8, owner=pointer(AFTER_OPT))
    third = address(9, owner=b"\1a" + pointer(AFTER_OPT + 6))
    wire = answer_wire((), (), (opt(), first, second, third))
    without = edit.remove_opt(wire, scan_answer(wire, ASKED))
    assert without == answer_wire((), (), (first,))


@pytest.mark.parametrize("rdata", [b"\x0c", b"\1a"])
def test_a_name_that_goes_on_in_opt_is_never_taken(rdata: bytes) -> None:
    """It crosses OPT, or ends with the root of OPT; the pointer would stay right, and the name become another."""
    before = record(TO_QUESTION, TXT, rdata)
    crossing = address(9, owner=pointer(QUESTION_END + 12))
    wire = answer_wire((), (), (before, opt(), record(OTHER, TXT, b"\0"), crossing))
    with pytest.raises(WireError):
        scan_answer(wire, ASKED)


def test_a_pointer_into_opt_is_left_out() -> None:
    """What was a root there is a label of the record that moves to that place."""
    moved = record(OTHER, TXT, b"\1x")
    wire = answer_wire((), (), (opt(), moved, address(9, owner=pointer(QUESTION_END + 6))))
    without = edit.remove_opt(wire, scan_answer(wire, ASKED))
    assert without == answer_wire((), (), (moved,))


def test_what_stands_before_opt_stays_as_it_is() -> None:
    mx = record(TO_QUESTION, MX, b"\0\1\2mx" + pointer(16))
    wire = answer_wire((mx,), (), (mx, opt(), address(3)))
    without = edit.remove_opt(wire, scan_answer(wire, ASKED))
    assert without == answer_wire((mx,), (), (mx, address(3)))


FIVE = tuple(address(number) for number in range(5))
QUESTION_ALONE = answer_wire()
SIZE = 16  # octets of each record of FIVE


def cut(wire: bytes, limit: int) -> tuple[bytes, bool]:
    shorter, again = edit.truncate(wire, QUESTION_END, limit)
    assert len(shorter) <= max(limit, QUESTION_END)
    scan_answer(shorter, ASKED)
    return shorter, again


def test_what_fits_is_not_touched() -> None:
    wire = answer_wire(FIVE)
    assert cut(wire, len(wire)) == (wire, False)


def test_an_rrset_is_never_cut_in_two() -> None:
    """RFC 2181 section 9: whole RRsets, and TC says that more were asked for."""
    assert cut(answer_wire(FIVE), QUESTION_END + 5 * SIZE - 1) == (QUESTION_ALONE, True)


CHAIN = record(TO_QUESTION, CNAME, OTHER)
TARGET_AT = QUESTION_END + 12


@pytest.mark.parametrize(
    ("owner", "others"),
    [
        pytest.param(pointer(TARGET_AT), pointer(TARGET_AT), id="pointers"),
        pytest.param(OTHER, OTHER, id="spelled out"),
        pytest.param(OTHER, pointer(QUESTION_END + len(CHAIN)), id="spelled out, then pointers to it"),
        pytest.param(OTHER, OTHER.upper(), id="in two cases"),
    ],
)
def test_an_rrset_is_one_however_its_owner_is_written(owner: bytes, others: bytes) -> None:
    wire = answer_wire((CHAIN, address(1, owner=owner), address(2, owner=others), address(3, owner=others)))
    for limit in range(QUESTION_END + len(CHAIN), len(wire)):
        assert cut(wire, limit) == (answer_wire((CHAIN,)), True)


def test_each_section_is_cut_at_its_rrsets() -> None:
    ns, glue = record(pointer(16), NS, OTHER), record(OTHER, AAAA, bytes(16))
    wire = answer_wire((CHAIN,), (ns, ns), (glue, address(1, owner=OTHER), address(2, owner=OTHER)))
    ends = [QUESTION_END + len(CHAIN)]
    for size in (2 * len(ns), len(glue), 2 * len(address(1, owner=OTHER))):
        ends.append(ends[-1] + size)
    wholes = [
        (QUESTION_ALONE, True),
        (answer_wire((CHAIN,)), True),
        (answer_wire((CHAIN,), (ns, ns)), False),
        (answer_wire((CHAIN,), (ns, ns), (glue,)), False),
    ]
    for limit in range(QUESTION_END, len(wire)):
        expected = wholes[sum(limit >= end for end in ends)]
        assert cut(wire, limit) == expected


def test_losing_additional_records_alone_is_no_truncation() -> None:
    """RFC 2181 section 9."""
    wire = answer_wire(FIVE[:1], (), FIVE[1:])
    assert cut(wire, len(wire) - 1) == (answer_wire(FIVE[:1]), False)


def test_less_room_than_the_question() -> None:
    assert edit.truncate(answer_wire(FIVE), QUESTION_END, 20) == (QUESTION_ALONE, True)


def test_one_record_larger_than_everything() -> None:
    big = record(TO_QUESTION, TXT, (b"\xff" + b"x" * 255) * 250)
    assert cut(answer_wire((big,)), 1232) == (QUESTION_ALONE, True)
    assert cut(answer_wire(FIVE, (), (big,)), 1232) == (answer_wire(FIVE), False)


@pytest.mark.parametrize(
    ("wire", "at", "expanded"),
    [
        (bytes(12) + name("a.bc"), 12, name("a.bc")),
        (bytes(12) + name("bc") + b"\1a" + pointer(12), 16, name("a.bc")),
        (bytes(12) + name("bc") + pointer(12) + b"\1a" + pointer(16), 18, name("a.bc")),
        (bytes(12) + b"\0" + pointer(12), 13, b"\0"),
    ],
)
def test_a_name_without_its_pointers(wire: bytes, at: int, expanded: bytes) -> None:
    assert expand(wire, at, {}) == expanded
