"""Every question that dnspython can write is read as dnspython reads it."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.wire import compose
from smartdoh.wire.edns import split_options
from smartdoh.wire.question import parse_query
from tests.property.wire_messages import NAMES, OPTIONS, generic, rrsets

TYPES = st.one_of(
    st.sampled_from((1, 28, 65, 97, 255)), st.integers(0, 65_535).filter(lambda rtype: rtype != 41)
)
CLASSES = st.one_of(st.just(1), st.integers(0, 65_535))
FLAGS = st.integers(0, 0x7FFF)
EDNS = st.one_of(
    st.none(),
    st.tuples(st.sampled_from((0, 0, 0, 1, 255)), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), OPTIONS),
)

many = settings(deadline=None, max_examples=200)


@st.composite
def questions(
    draw: st.DrawFn,
    names: st.SearchStrategy[dns.name.Name] = NAMES,
    types: st.SearchStrategy[int] = TYPES,
    classes: st.SearchStrategy[int] = CLASSES,
) -> dns.message.QueryMessage:
    """A query of any opcode-0 kind, with up to two records beside its OPT."""
    message = dns.message.QueryMessage(draw(st.integers(0, 65_535)))
    message.flags = dns.flags.Flag(draw(FLAGS) & ~0x7800)
    rdclass, rdtype = (
        dns.rdataclass.from_text(f"CLASS{draw(classes)}"),
        dns.rdatatype.RdataType.make(draw(types)),
    )
    message.question = [dns.rrset.RRset(draw(names), rdclass, rdtype)]
    others = draw(st.lists(rrsets(NAMES), max_size=2, unique_by=lambda it: (it.name, it.rdtype)))
    message.additional = [rrset.records()[0] for rrset in others]
    edns = draw(EDNS)
    if edns is not None:
        version, ednsflags, payload, options = edns
        message.use_edns(version, version << 16 | ednsflags, payload, options=generic(options))
    return message


@many
@given(questions(), st.integers(0, 2**20))
def test_read_as_dnspython_reads_it(message: dns.message.QueryMessage, view: int) -> None:
    wire = message.to_wire()
    query, seen = parse_query(wire, view, "host"), dns.message.from_wire(wire)
    (asked,) = seen.question
    assert query.name == asked.name.canonicalize().to_wire()
    assert (query.qtype, query.qclass) == (asked.rdtype, asked.rdclass)
    assert wire[12 : query.end] == (asked.name.to_wire() or b"") + wire[query.end - 4 : query.end]
    assert query.flags == seen.flags
    assert (query.edns is None) == (seen.opt is None)
    assert (query.wire, query.view, query.host) == (wire, view, "host")
    if query.edns is not None:
        assert query.edns.payload == max(512, seen.payload)
        assert query.edns.version == seen.edns
        assert query.edns.do == bool(seen.ednsflags & dns.flags.DO)
        options = [(int(option.otype), option.to_wire()) for option in seen.options]
        assert list(split_options(query.edns.options)) == options


FEW = questions(
    st.sampled_from(("a.b.", "A.b.", "ab.", ".")).map(dns.name.from_text),
    st.sampled_from((1, 65, 97)),
    st.sampled_from((1, 3)),
)


@many
@given(FEW, FEW)
def test_the_key_is_what_may_be_shared(
    one: dns.message.QueryMessage, other: dns.message.QueryMessage
) -> None:
    """Two questions share an answer where dnspython calls them equal and DO and CD are."""

    def shared(message: dns.message.Message) -> tuple[object, ...]:
        seen = dns.message.from_wire(message.to_wire())
        (asked,) = seen.question
        do, cd = seen.ednsflags & dns.flags.DO, seen.flags & dns.flags.CD
        return asked.name, asked.rdtype, asked.rdclass, bool(do), bool(cd)

    keys = [parse_query(message.to_wire()).key for message in (one, other)]
    assert (keys[0] == keys[1]) == (shared(one) == shared(other))


@many
@given(questions())
def test_what_goes_upstream_asks_the_same(message: dns.message.QueryMessage) -> None:
    query = parse_query(message.to_wire())
    sent = compose.upstream_query(query)
    again = parse_query(sent)
    assert again.key == query.key
    assert len(sent) % 128 == 0
    assert sent[12 : again.end] == query.key[:-3]


@many
@given(questions(), st.sampled_from((1, 2, 4, 5, 16)))
def test_an_error_is_an_answer_to_it(message: dns.message.QueryMessage, rcode: int) -> None:
    wire = message.to_wire()
    query = parse_query(wire)
    said = dns.message.from_wire(compose.error(wire, rcode, query))
    if rcode != 16 or query.edns is not None:
        assert said.rcode() == rcode
    assert said.id == message.id
    assert said.question == message.question
    assert said.opcode() == dns.opcode.QUERY
    assert (said.opt is None) == (query.edns is None)
    assert said.flags & ~0xF == 0x8080 | message.flags & 0x0110
