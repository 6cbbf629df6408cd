"""Any datagram: it is ignored, answered or a question that is sound in every part, and nothing is raised."""

from __future__ import annotations

import dns.message
import dns.name
import dns.opcode

from smartdoh.errors import WireError
from smartdoh.fastpath import FastPath
from smartdoh.model import Query
from smartdoh.wire import compose, names
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query
from tests.fuzz.harnesses import run_file

HOST = "127.0.0.1"


def check(data: bytes) -> None:
    """What holds for any datagram."""
    fast = FastPath(entries=16, view_of=lambda host: 0, clock=lambda: 0.0)
    got = fast.ask(data, HOST)
    if len(data) < 12 or data[2] & 0x80:
        assert got is None
        return
    if isinstance(got, bytes):
        assert got[:2] == data[:2]
        assert got[2] == data[2] & 0x79 | 0x80  # QR, and the opcode and RD as sent; AA and TC clear
        assert len(got) <= len(data)  # the sender's address may be forged
        _read(got)
    query = _parsed(data, got)
    if query is None:
        return
    if isinstance(got, Query):
        assert got == query
    _check_query(query)
    _check_answers_to(query)
    _compare(query)


def _parsed(data: bytes, got: object) -> Query | None:
    """The question in `data`; where there is none, its sender was told what is wrong."""
    try:
        return parse_query(data, 0, HOST)
    except WireError as error:
        rcode = 4 if data[2] & 0x78 else error.rcode
    if got != compose.error(data, rcode):
        raise AssertionError("not an error, or another")
    return None


def _check_query(query: Query) -> None:
    name = dns.name.from_wire(query.wire, 12)[0].canonicalize()
    assert name.to_wire() == query.name
    assert dns.name.from_text(names.to_text(query.name)) == name
    assert [dns.name.from_wire(parent, 0)[0] for parent in names.parents(query.name)][-1] == dns.name.root
    assert len(query.key) == len(query.name) + 7
    sent = compose.upstream_query(query)
    assert len(sent) % 128 == 0
    assert parse_query(sent).key == query.key


def _check_answers_to(query: Query) -> None:
    made = compose.negative(query, b"\0", 60, exists=False, source="")
    assert scan_answer(made.wire, query) == made.scan
    for rcode in (1, 5, 16):
        _read(compose.error(query.wire, rcode, query))


def _read(wire: bytes) -> None:
    """What we write can be read by others, whatever the opcode makes of the sections."""
    if wire[2] & 0x78 == 0:
        dns.message.from_wire(wire)


def _compare(query: Query) -> None:
    """Where dnspython reads the query too, it reads the same."""
    if query.wire[2] & 0x78:
        return
    try:
        message = dns.message.from_wire(query.wire)
    except Exception:  # rdata that it knows and does not like
        return
    (asked,) = message.question
    assert (asked.rdtype, asked.rdclass) == (query.qtype, query.qclass)
    assert (message.opt is None) == (query.edns is None)
    if query.edns is not None:
        assert query.edns.payload == max(512, message.payload)
        assert query.edns.version == message.edns
        assert query.edns.do == bool(message.ednsflags & 0x8000)


if __name__ == "__main__":
    run_file(__file__)
