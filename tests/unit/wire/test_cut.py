"""Taking records out of a message: what is left says what it said before."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.wire.answer import records, scan_answer
from smartdoh.wire.cut import without
from tests.scenario.messages import query, rrset

QUESTION_END = 12 + len("www.example.com.") + 1 + 4
ADDRESSES = [f"www.example.com. 300 A 192.0.2.{number}" for number in range(1, 5)]
BEHIND = [
    "example.com. 600 NS ns1.example.com.",
    "example.com. 600 NS ns.other.net.",
    "example.com. 600 MX 10 mail.other.net.",
    "example.com. 600 SOA ns.other.net. hostmaster.example.com. 1 2 3 4 5",
    "ns.other.net. 600 A 192.0.2.53",
    "_sip._udp.example.com. 600 SRV 1 2 3 ns.other.net.",
    'www.example.com. 600 TXT "www.example.com."',
    "ns.other.net. 600 RP mbox.other.net. text.other.net.",
    'ns.other.net. 600 CAA 0 issue "ca.example"',
]


def message(answer: list[str], authority: list[str] = [], additional: list[str] = []) -> bytes:  # noqa: B006
    made = dns.message.make_response(dns.message.make_query("www.example.com.", "A"))
    made.id = 0
    for section, lines in zip(
        (made.answer, made.authority, made.additional), (answer, authority, additional), strict=True
    ):
        section += [rrset(line) for line in lines]
    return made.to_wire()


def said(wire: bytes) -> list[list[tuple[str, ...]]]:
    """Every record of a message, by section, as text; order counts."""
    parsed = dns.message.from_wire(wire, one_rr_per_rrset=True)
    sections = (parsed.answer, parsed.authority, parsed.additional)
    return [[(str(each.name), str(each.ttl), str(each[0])) for each in section] for section in sections]


def starts(wire: bytes) -> list[int]:
    return [record.start for record in records(wire, QUESTION_END)]


def test_nothing_to_cut() -> None:
    wire = message(ADDRESSES, BEHIND[:2])
    assert without(wire, QUESTION_END, ()) == wire


def test_pointers_behind_the_cut_are_put_right() -> None:
    """Names behind the cut lean on names before it, on each other, and on names in rdata."""
    wire = message(ADDRESSES, BEHIND[:4], BEHIND[4:])
    shorter = without(wire, QUESTION_END, starts(wire)[1:4])
    assert shorter is not None
    assert said(shorter) == said(message(ADDRESSES[:1], BEHIND[:4], BEHIND[4:]))
    assert len(shorter) == len(wire) - 3 * 16
    scan_answer(shorter, query())


def test_what_leans_on_the_cut_prevents_it() -> None:
    """The first that spells a name is gone, and another points to it."""
    wire = message(["other.example. 1 A 192.0.2.1", "other.example. 1 A 192.0.2.2"])
    assert without(wire, QUESTION_END, starts(wire)[:1]) is None
    shorter = without(wire, QUESTION_END, starts(wire)[1:])
    assert shorter is not None
    assert said(shorter)[0] == [("other.example.", "1", "192.0.2.1")]


@pytest.mark.parametrize("text", ['example.com. 1 NAPTR 1 1 "u" "x" "!a!b!" .'])
def test_what_cannot_be_read_behind_the_cut_prevents_it(text: str) -> None:
    wire = message(ADDRESSES, [text])
    assert without(wire, QUESTION_END, starts(wire)[1:2]) is None


def test_a_name_of_a_type_that_ends_early_is_left() -> None:
    """Rdata is never checked by the scan: an empty one where a name should be does no harm."""
    wire = bytearray(message(ADDRESSES))
    wire[9] = 1  # one record in the authority section
    wire += b"\0" + b"\0\2\0\1" + bytes(4) + b"\0\0"  # . NS, without rdata
    shorter = without(bytes(wire), QUESTION_END, starts(bytes(wire))[1:2])
    assert shorter is not None
    assert len(shorter) == len(wire) - 16


@settings(deadline=None)
@given(st.lists(st.sampled_from([*ADDRESSES, *BEHIND]), max_size=12, unique=True), st.data())
def test_what_stays_says_the_same(lines: list[str], data: st.DataObject) -> None:
    where = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=len(lines), max_size=len(lines)))
    wire = message(*([line for line, at in zip(lines, where, strict=True) if at == n] for n in range(3)))
    cut = data.draw(st.sets(st.sampled_from(range(len(lines))))) if lines else set()
    places = starts(wire)
    shorter = without(wire, QUESTION_END, [places[number] for number in cut])
    if shorter is None:
        assert cut
        return
    before, number = said(wire), 0
    for section in before:
        for record in list(section):
            if number in cut:
                section.remove(record)
            number += 1
    assert said(shorter) == before
    assert len(starts(shorter)) == len(lines) - len(cut)


def test_counts_of_each_section() -> None:
    wire = message(ADDRESSES[:2], BEHIND[:2], BEHIND[4:6])
    places = starts(wire)
    shorter = without(wire, QUESTION_END, [places[1], places[2], places[5]])
    assert shorter is not None
    assert [len(section) for section in said(shorter)] == [1, 1, 1]
