"""The shaper: addresses in order or alone, and everything else as it was."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.model import Answer, Query
from smartdoh.pipeline.fastest import Rank, addresses_of, shape
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import AD
from tests.scenario.messages import answer_to, query, soa

WWW = "www.example.com."
SIGNATURE = "A 8 3 300 20400101000000 20200101000000 12345 example.com. c2lnbmF0dXJl"


def by_list(*texts: str, alone: bool = True) -> Rank:
    """A ranking: these addresses in this order, then others as they come."""
    places = {ipaddress.ip_address(text).packed: number for number, text in enumerate(texts)}

    def rank(name: bytes, addresses: Sequence[bytes]) -> tuple[tuple[bytes, ...], bool]:
        found = tuple(sorted(addresses, key=lambda address: places.get(address, len(places))))
        return found, alone and found[0] in places

    return rank


def a(*numbers: int, owner: str = WWW, ttl: int = 300) -> list[str]:
    return [f"{owner} {ttl} A 192.0.2.{number}" for number in numbers]


def texts(answer: Answer) -> list[str]:
    """The answer section, a line for each record."""
    parsed = dns.message.from_wire(answer.wire, one_rr_per_rrset=True)
    return [
        f"{each.name} {each.ttl} {dns.rdatatype.to_text(each.rdtype)} {each[0]}" for each in parsed.answer
    ]


def shaped(asked: Query, lines: Iterable[str], rank: Rank, *, only: bool = False) -> list[str]:
    answer = shape(asked, answer_to(asked, *lines), rank, only=only)
    assert answer.scan == scan_answer(answer.wire, asked)
    return texts(answer)


CHAIN = [f"{WWW} 60 CNAME cdn.example.net.", "cdn.example.net. 90 CNAME edge.example.net."]


@pytest.mark.parametrize("only", [False, True])
def test_a_set_of_addresses(only: bool) -> None:
    found = shaped(query(), a(1, 2, 3), by_list("192.0.2.3", "192.0.2.1"), only=only)
    assert found == (a(3) if only else a(3, 1, 2))


@pytest.mark.parametrize("only", [False, True])
def test_a_chain_stays_before_its_addresses(only: bool) -> None:
    found = shaped(query(), [*CHAIN, *a(1, 2, owner="edge.example.net.")], by_list("192.0.2.2"), only=only)
    assert found == [*CHAIN, *a(*([2] if only else [2, 1]), owner="edge.example.net.")]


@pytest.mark.parametrize("only", [False, True])
def test_a_chain_behind_its_addresses(only: bool) -> None:
    """Some servers name the links in another order."""
    lines = [*a(1, 2, owner="cdn.example.net."), CHAIN[0]]
    found = shaped(query(), lines, by_list("192.0.2.2"), only=only)
    assert found == [*a(*([2] if only else [2, 1]), owner="cdn.example.net."), CHAIN[0]]


def test_sets_of_different_owners_are_not_mixed() -> None:
    lines = [*a(1, 2), *a(3, 4, owner="edge.example.net.")]
    rank = by_list("192.0.2.4", "192.0.2.3", "192.0.2.2", "192.0.2.1")
    assert shaped(query(), lines, rank) == [*a(2, 1), *a(4, 3, owner="edge.example.net.")]
    assert shaped(query(), lines, rank, only=True) == [*a(2), *a(4, owner="edge.example.net.")]


def test_an_owner_is_one_however_it_is_compressed() -> None:
    """The second record spells in full what the first has as a pointer."""
    asked = query()
    wire = answer_to(asked, *a(1, 2)).wire
    second = len(wire) - 16
    wire = wire[:second] + asked.name.upper() + wire[second + 2 :]
    answer = Answer(wire, scan_answer(wire, asked))
    assert texts(shape(asked, answer, by_list("192.0.2.2"), only=True)) == a(2)


def test_other_addresses_are_left_alone() -> None:
    """Addresses of another type, in another section, or of a question for something else."""
    asked = query()
    glue = "ns.example.com. 300 A 192.0.2.9", "ns.example.com. 300 A 192.0.2.8"
    answer = answer_to(asked, *a(1, 2), authority=("example.com. 60 NS ns.example.com.",), additional=glue)
    found = shape(asked, answer, by_list("192.0.2.8", "192.0.2.2"), only=True)
    parsed = dns.message.from_wire(found.wire, one_rr_per_rrset=True)
    assert [str(each[0]) for each in parsed.additional] == ["192.0.2.9", "192.0.2.8"]
    assert [str(each[0]) for each in parsed.authority] == ["ns.example.com."]
    assert texts(found) == a(2)
    for rdtype in ("AAAA", "ANY", "CNAME"):
        other = query(rdtype=rdtype)
        assert shaped(other, a(1, 2), by_list("192.0.2.2"), only=True) == a(1, 2)


def test_ipv6() -> None:
    lines = [f"{WWW} 300 AAAA 2001:db8::{number}" for number in (1, 2)]
    assert shaped(query(rdtype="AAAA"), lines, by_list("2001:db8::2"), only=True) == lines[1:]


@pytest.mark.parametrize("only", [False, True])
def test_nothing_known_changes_nothing(only: bool) -> None:
    asked = query()
    answer = answer_to(asked, *a(1, 2))
    assert shape(asked, answer, by_list(), only=only) is answer


def test_only_keeps_all_where_none_may_stand_alone() -> None:
    assert shaped(query(), a(1, 2), by_list("192.0.2.2", alone=False), only=True) == a(2, 1)


def test_only_never_drops_what_is_signed() -> None:
    """With DO, or with a signature in the answer, the order is all that changes."""
    rank, signature = by_list("192.0.2.2"), f"{WWW} 300 RRSIG {SIGNATURE}"
    assert shaped(query(do=True), a(1, 2), rank, only=True) == a(2, 1)
    assert shaped(query(), [*a(1, 2), signature], rank, only=True) == [*a(2, 1), signature]


def test_what_leans_on_a_dropped_record_keeps_it() -> None:
    """A name in the authority section points into the record that would go."""
    asked = query()
    wire = answer_to(asked, *a(1, 2)).wire
    second = len(wire) - 16
    spelled = wire[:second] + asked.name + wire[second + 2 :]
    authority = b"\xc0" + bytes([second + 4]) + b"\0\2\0\1\0\0\0\x3c\0\2\xc0\x0c"
    wire = spelled[:8] + b"\0\1" + spelled[10:] + authority
    answer = Answer(wire, scan_answer(wire, asked))
    assert texts(shape(asked, answer, by_list("192.0.2.2"), only=True)) == a(2, 1)


def test_a_cut_set_keeps_its_lowest_ttl() -> None:
    lines = [*a(1, ttl=300), *a(2, ttl=60), *a(3, ttl=900)]
    assert shaped(query(), lines, by_list("192.0.2.3"), only=True) == a(3, ttl=60)


def test_ad_stays() -> None:
    asked = query()
    answer = answer_to(asked, *a(1, 2), ad=True)
    answer = answer._replace(scan=answer.scan._replace(flags=answer.scan.flags & ~AD))
    found = shape(asked, answer, by_list("192.0.2.2"), only=True)
    assert not found.scan.flags & AD  # taken off where the upstream's word is not trusted


def test_too_many_records_are_left_alone() -> None:
    lines = a(*range(1, 120))
    assert shaped(query(), lines, by_list("192.0.2.9")) == lines


@pytest.mark.parametrize("only", [False, True])
def test_hints_are_ordered_and_never_cut(only: bool) -> None:
    line = f'{WWW} 300 HTTPS 1 . alpn="h2" ipv4hint="{{}}" ipv6hint="{{}}" key65400="x"'
    asked = query(rdtype="HTTPS")
    found = shaped(
        asked,
        [line.format("192.0.2.1,192.0.2.2", "2001:db8::1,2001:db8::2")],
        by_list("192.0.2.2", "2001:db8::2"),
        only=only,
    )
    assert found == [line.format("192.0.2.2,192.0.2.1", "2001:db8::2,2001:db8::1")]


@pytest.mark.parametrize(
    ("name", "rdata"),
    [
        pytest.param(WWW, "0 other.example.net.", id="alias"),
        pytest.param(WWW, '1 . port="8443" ipv4hint="192.0.2.1,192.0.2.2"', id="another port"),
        pytest.param("_8443._https." + WWW, '1 . ipv4hint="192.0.2.1,192.0.2.2"', id="name of another port"),
        pytest.param(WWW, '1 . ipv4hint="192.0.2.1"', id="one hint"),
    ],
)
def test_hints_that_stay(name: str, rdata: str) -> None:
    asked = query(name, rdtype="HTTPS")
    answer = answer_to(asked, f"{name} 300 HTTPS {rdata}")
    assert addresses_of(asked, answer) == ()
    assert shape(asked, answer, by_list("192.0.2.2"), only=True) is answer


def test_one_malformed_record_leaves_all_alone() -> None:
    """RFC 9460 section 2.2: clients reject the whole set, and it is not for us to hide that."""
    asked = query(rdtype="HTTPS")
    lines = [f'{WWW} 300 HTTPS {n} . ipv4hint="192.0.2.1,192.0.2.2"' for n in (1, 2)]
    wire = answer_to(asked, *lines).wire
    wire = wire[:-11] + b"\0\7" + wire[-9:]  # the length of the last hint
    answer = Answer(wire, scan_answer(wire, asked))
    assert shape(asked, answer, by_list("192.0.2.2"), only=False) is answer


def test_negative_answers() -> None:
    asked = query()
    answer = answer_to(asked, authority=(soa("example.com.", 60, 60),), rcode="NXDOMAIN")
    assert shape(asked, answer, by_list("192.0.2.1"), only=True) is answer


numbers = st.lists(st.integers(1, 12), min_size=1, max_size=8, unique=True)
extras = st.lists(
    st.sampled_from(
        [
            "example.com. 600 NS ns.example.com.",
            "example.com. 600 MX 10 mail.example.net.",
            "mail.example.net. 600 AAAA 2001:db8::9",
            "mail.example.net. 600 A 192.0.2.1",
            'edge.example.net. 600 TXT "edge.example.net."',
        ]
    ),
    unique=True,
)


@settings(deadline=None)
@given(numbers, st.permutations(range(1, 13)), extras, extras, st.booleans(), st.booleans(), st.booleans())
def test_nothing_but_addresses_changes(
    addresses: list[int],
    ranking: list[int],
    authority: list[str],
    additional: list[str],
    chained: bool,
    do: bool,
    only: bool,
) -> None:
    asked = query(do=do)
    owner = "edge.example.net." if chained else WWW
    lines = [*(CHAIN if chained else ()), *a(*addresses, owner=owner)]
    answer = answer_to(asked, *lines, authority=tuple(authority), additional=tuple(additional))
    rank = by_list(*(f"192.0.2.{number}" for number in ranking))
    found = shape(asked, answer, rank, only=only)
    in_order = sorted(addresses, key=ranking.index)
    wanted = a(*(in_order[:1] if only and not do else in_order), owner=owner)
    assert texts(found) == [*(CHAIN if chained else ()), *wanted]
    before, after = dns.message.from_wire(answer.wire), dns.message.from_wire(found.wire)
    assert (after.flags, after.question) == (before.flags, before.question)
    assert (after.authority, after.additional) == (before.authority, before.additional)
    assert found.scan == scan_answer(found.wire, asked)
    assert shape(asked, found, rank, only=only).wire == found.wire
