"""Every answer that dnspython can write: what is found in it, and what each edit leaves of it."""

from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rdatatype
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.fastpath.entry import Entry, render
from smartdoh.model import Answer, Query
from smartdoh.wire import edit
from smartdoh.wire.answer import records, scan_answer
from smartdoh.wire.question import parse_query
from tests.property.wire_messages import (
    Reply,
    read,
    records_of,
    replies,
    seen,
    ttls_of,
    without_ttls,
)

ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)
COMPRESSED = {"CNAME", "NS", "DNAME", "PTR", "MX", "SOA", "SRV", "NAPTR"}  # of those that replies are made of
ADDITIONAL = 2

many = settings(deadline=None, max_examples=100)


@many
@given(replies())
def test_scan_finds_what_dnspython_finds(reply: Reply) -> None:
    scan, message = scan_answer(reply.wire, reply.query), read(reply.wire)
    answers, authority, _ = records_of(message)
    ttls = [int.from_bytes(reply.wire[at : at + 4]) for at in scan.ttl_offsets]
    assert [seen(ttl) for ttl in ttls] == ttls_of(message)
    assert scan.min_ttl == min(ttls, default=0)
    found = [record[0].to_wire() for record in answers if record.rdtype in ADDRESSES]
    assert [reply.wire[at : at + size] for at, size in scan.addresses] == found
    assert scan.answers == len(answers)
    assert scan.last_type == (answers[-1].rdtype if answers else 0)
    assert scan.rcode == message.rcode()
    assert scan.flags == message.flags
    assert (scan.negative_ttl is None) == (dns.rdatatype.SOA not in [record.rdtype for record in authority])


@many
@given(replies())
def test_scan_finds_how_long_a_no_lives(reply: Reply) -> None:
    """As written, since dnspython does not read high TTLs."""
    bounds = [
        min(ttl, int(rdata.split()[-1]))
        for rrset in reply.sections[1]
        if rrset.rdtype == "SOA"
        for rdata, ttl in rrset.rdatas
    ]
    assert scan_answer(reply.wire, reply.query).negative_ttl == min(bounds, default=None)


@many
@given(replies(with_opt=True))
def test_scan_reads_opt(reply: Reply) -> None:
    scan, message = scan_answer(reply.wire, reply.query), read(reply.wire)
    assert reply.opt is not None
    assert scan.edns is not None
    assert scan.edns.payload == max(512, message.payload)
    assert scan.edns.do == bool(message.ednsflags & dns.flags.DO)
    assert scan.edns.version == message.edns
    assert scan.edns.options == reply.opt.encoded
    assert scan.opt is not None
    start, end = scan.opt
    assert reply.wire[start:end].startswith(b"\0\0\x29" + reply.opt.payload.to_bytes(2))
    assert end - start == 11 + len(reply.opt.encoded)


@many
@given(replies())
def test_without_opt_the_rest_stays(reply: Reply) -> None:
    query = reply.query
    scan = scan_answer(reply.wire, query)
    without = edit.remove_opt(reply.wire, scan)
    before, after = without_ttls(read(reply.wire)), without_ttls(read(without))
    again = scan_answer(without, query)
    assert read(without).opt is None
    assert again.opt is None
    assert after[:ADDITIONAL] == before[:ADDITIONAL]
    if reply.is_opt_last:
        assert after == before
        assert again == scan._replace(opt=None, edns=None)
        return
    assert reply.opt is not None
    ahead = sum(len(rrset.rdatas) for rrset in reply.sections[ADDITIONAL][: reply.opt.place])
    assert after[ADDITIONAL][:ahead] == before[ADDITIONAL][:ahead]
    behind = [
        rrset for rrset in reply.sections[ADDITIONAL][reply.opt.place :] if rrset.rdtype not in COMPRESSED
    ]
    may_stay = [
        it
        for it in before[ADDITIONAL][ahead:]
        if dns.rdatatype.to_text(dns.rdatatype.RdataType.make(it[1])) not in COMPRESSED
    ]
    stayed = iter(may_stay)
    assert all(record in stayed for record in after[ADDITIONAL][ahead:]), "not in order, or something else"
    if all(rrset.name == reply.name for rrset in behind):
        assert after[ADDITIONAL][ahead:] == may_stay


@many
@given(replies(), st.one_of(st.integers(0, 700), st.integers(0, 2**31)))
def test_ages(reply: Reply, seconds: int) -> None:
    scan = scan_answer(reply.wire, reply.query)
    aged = edit.age_ttls(reply.wire, scan.ttl_offsets, seconds)
    raw = [int.from_bytes(reply.wire[at : at + 4]) for at in scan.ttl_offsets]
    assert ttls_of(read(aged)) == [seen(max(0, ttl - seconds)) for ttl in raw]
    assert without_ttls(read(aged)) == without_ttls(read(reply.wire))


@many
@given(replies(), st.integers(0, 100), st.integers(0, 86_400))
def test_clamps_and_sets(reply: Reply, low: int, more: int) -> None:
    offsets = scan_answer(reply.wire, reply.query).ttl_offsets
    high = low + more
    clamped = edit.clamp_ttls(reply.wire, offsets, low, high)
    raw = [int.from_bytes(reply.wire[at : at + 4]) for at in offsets]
    assert ttls_of(read(clamped)) == [min(max(ttl, low), high) for ttl in raw]
    assert ttls_of(read(edit.set_ttls(reply.wire, offsets, 30))) == [30] * len(offsets)


@many
@given(replies())
def test_levels_each_rrset(reply: Reply) -> None:
    """RFC 2181 section 5.2: the lowest TTL of an RRset is everybody's, and nothing else changes."""
    scan = scan_answer(reply.wire, reply.query)
    levelled = edit.level_ttls(reply.wire, scan.question_end)
    lowest = [
        seen(min(ttl for _, ttl in rrset.rdatas))
        for section in reply.sections
        for rrset in section
        for _ in rrset.rdatas
    ]
    assert ttls_of(read(levelled)) == lowest
    assert without_ttls(read(levelled)) == without_ttls(read(reply.wire))
    assert len(levelled) == len(reply.wire)


@many
@given(replies(with_opt=False), st.floats(0, 1))
def test_truncates_at_the_end_of_an_rrset(reply: Reply, part: float) -> None:
    query = reply.query
    limit = query.end + int(part * (len(reply.wire) - query.end))
    cut, again = edit.truncate(reply.wire, query.end, limit)
    assert query.end <= len(cut) <= limit
    scan_answer(cut, query)
    whole, left = without_ttls(read(reply.wire)), without_ttls(read(cut))
    wanted, end = _rrsets_that_fit(reply, limit)
    assert len(cut) == end
    assert [len(section) for section in left] == wanted
    assert left == [section[:count] for section, count in zip(whole, wanted, strict=True)]
    assert again == any(len(mine) < len(all_) for mine, all_ in zip(left[:2], whole[:2], strict=True))


def _rrsets_that_fit(reply: Reply, limit: int) -> tuple[list[int], int]:
    """How many records of each section stand before the first RRset that ends behind `limit`, and where that is."""
    ends = [record.end for record in records(reply.wire, reply.query.end)]
    counts, kept = [0, 0, 0], reply.query.end
    for number, section in enumerate(reply.sections):
        for rrset in section:
            end = ends[sum(counts) + len(rrset.rdatas) - 1]
            if end > limit:
                return counts, kept
            counts[number] += len(rrset.rdatas)
            kept = end
    return counts, kept


@dataclass(frozen=True)
class Client:
    """Someone who asks for what is kept."""

    udp: bool
    payload: int | None  # None: no EDNS
    flags: int
    spelling: int  # which letters of the name are swapped

    def query(self, reply: Reply) -> Query:
        """Its question, which `reply` answers."""
        edns = None if self.payload is None else 0
        asked = dns.message.make_query(reply.name, reply.rdtype, use_edns=edns, payload=self.payload)
        asked.flags = dns.flags.Flag(self.flags)
        wire = bytearray(asked.to_wire())
        for at in range(12, reply.query.end - 4):  # no length octet is a letter
            if wire[at : at + 1].isalpha() and self.spelling >> at % 64 & 1:
                wire[at] ^= 0x20
        return parse_query(bytes(wire))

    @property
    def limit(self) -> int:
        """The longest answer it takes."""
        if not self.udp:
            return 65_535
        return 512 if self.payload is None else min(max(self.payload, 512), 1232)


CLIENTS = st.builds(
    Client,
    udp=st.booleans(),
    payload=st.sampled_from((None, 0, 512, 700, 1232, 4096)),
    flags=st.sampled_from((0x0100, 0x0110, 0x0130, 0x0000)),
    spelling=st.integers(0, 2**64 - 1),
)


@many
@given(replies(with_opt=False), CLIENTS, st.integers(0, 400))
def test_a_client_sees_its_question_and_what_is_kept(reply: Reply, client: Client, age: int) -> None:
    """Whoever asks gets the same records, as many as it takes, under its own spelling of the name."""
    kept = Answer(reply.wire, scan_answer(reply.wire, reply.query), ede=b"\0\x0f\0\2\0\x16")
    query = client.query(reply)
    made = query.wire[:2] + render(query, Entry(kept, 0.0, 300.0, 3600.0, 300.0), float(age), udp=client.udp)
    message = read(made)
    assert len(made) <= client.limit
    assert made[:2] == query.wire[:2]
    assert made[12 : query.end] == query.wire[12 : query.end]
    assert (message.opt is None) == (client.payload is None)
    assert message.rcode() == reply.flags & 0xF
    copied = client.flags & 0x0110 | reply.flags & client.flags & 0x20
    assert message.flags & ~0xF & ~dns.flags.TC == 0x8080 | copied
    whole, left = without_ttls(read(reply.wire), folded=True), without_ttls(message, folded=True)
    assert left == [section[: len(mine)] for section, mine in zip(whole, left, strict=True)]
    assert bool(message.flags & dns.flags.TC) == (left[:2] != whole[:2])
    if age >= 300:
        assert set(ttls_of(message)) <= {30}
