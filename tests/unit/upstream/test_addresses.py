"""The addresses of a host in an answer: against dnspython, and against whatever bytes there are."""

from __future__ import annotations

import contextlib
import ipaddress

import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.errors import WireError
from smartdoh.model import Answer
from smartdoh.upstream.addresses import MOST_ADDRESSES, addresses_in
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import AAAA, A
from tests.unit.upstream.responders import HOST, query

NAMES = (HOST, "a.test", "b.test", "a.b.test", "test", ".")
names = st.sampled_from(NAMES)
cnames = st.tuples(names, st.just("CNAME"), names.map(lambda name: name.removesuffix(".") + "."))
v4 = st.tuples(names, st.just("A"), st.integers(1, 20).map(lambda number: f"192.0.2.{number}"))
v6 = st.tuples(names, st.just("AAAA"), st.integers(1, 20).map(lambda number: f"2001:db8::{number:x}"))
records = st.lists(st.tuples(st.one_of(cnames, v4, v6), st.integers(0, 100_000)), max_size=20)


def read(wire: bytes, qtype: int, age: int = 0) -> tuple[tuple[str, ...], int]:
    """The addresses that an answer in wire format gives for HOST, and their TTL."""
    asked = query(qtype=qtype)
    found = addresses_in(Answer(wire, scan_answer(wire, asked), "test", age), asked)
    return found.addresses, found.ttl


@given(records, st.sampled_from((A, AAAA)))
def test_dnspython_follows_the_chain_to_the_same_addresses(
    soup: list[tuple[tuple[str, str, str], int]], qtype: int
) -> None:
    """Whatever order, owners and TTLs, as long as a name has one alias at most."""
    message = dns.message.make_response(dns.message.from_wire(query(qtype=qtype).wire))
    aliased = set()
    for (owner, rtype, rdata), ttl in soup:
        name = dns.name.from_text(owner)
        if rtype == "CNAME":
            if owner in aliased:
                continue
            aliased.add(owner)
        message.answer.append(dns.rrset.from_text(name, ttl, "IN", rtype, rdata))
    wire = message.to_wire()
    addresses, ttl = read(wire, qtype)
    try:
        expected = dns.message.from_wire(wire, one_rr_per_rrset=False).resolve_chaining()  # type: ignore[attr-defined]
    except dns.message.ChainTooLong:
        expected = None
    if expected is None or expected.answer is None:
        assert addresses == ()
        return
    assert set(addresses) <= {rdata.address for rdata in expected.answer}
    assert len(addresses) == min(MOST_ADDRESSES, len(expected.answer))
    assert ttl == min([expected.answer.ttl, *(rrset.ttl for rrset in expected.cnames)])


@given(st.binary(max_size=200), st.integers(0, 5), st.sampled_from((A, AAAA)))
def test_arbitrary_records_raise_nothing_but_wire_errors(junk: bytes, count: int, qtype: int) -> None:
    """What is found can be connected to."""
    asked = query(qtype=qtype)
    wire = (
        asked.wire[:2] + b"\x81\x80" + asked.wire[4:6] + count.to_bytes(2) + bytes(4) + asked.wire[12:] + junk
    )
    with contextlib.suppress(WireError):
        for address in read(wire, qtype)[0]:
            assert not ipaddress.ip_address(address).is_multicast


@given(st.binary(max_size=24), st.integers(0, 0xFFFFFFFF))
def test_arbitrary_aliases_raise_nothing_but_wire_errors(rdata: bytes, ttl: int) -> None:
    """A CNAME record around any octets, which the scan of an answer does not look into."""
    asked = query()
    record = b"\xc0\x0c\0\x05\0\x01" + ttl.to_bytes(4) + len(rdata).to_bytes(2) + rdata
    wire = asked.wire[:2] + b"\x81\x80\0\1\0\1" + bytes(4) + asked.wire[12:] + record
    with contextlib.suppress(WireError):
        assert read(wire, A)[0] == ()


def test_a_pointer_in_an_alias_that_goes_nowhere_is_refused() -> None:
    """It would be walked for ever, or out of the message."""
    asked = query()
    for pointer in (b"\xc0\x00", b"\xc0\x28", b"\xff\xff", b"\x3fx"):
        record = b"\xc0\x0c\0\x05\0\x01" + bytes(4) + len(pointer).to_bytes(2) + pointer
        wire = asked.wire[:2] + b"\x81\x80\0\1\0\1" + bytes(4) + asked.wire[12:] + record
        with pytest.raises(WireError):
            read(wire, A)


def test_time_spent_in_http_caches_counts() -> None:
    """RFC 8484 section 5.1."""
    message = dns.message.make_response(dns.message.from_wire(query().wire))
    message.answer.append(dns.rrset.from_text(HOST + ".", 300, "IN", "A", "192.0.2.1"))
    assert read(message.to_wire(), A, age=100) == (("192.0.2.1",), 200)
    assert read(message.to_wire(), A, age=400) == (("192.0.2.1",), 0)
