"""Questions and answers in the words of dnspython, and back into the values that smartdoh works on."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from smartdoh.model import Answer, Query
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.question import parse_query

CLIENT = "127.0.0.1"


def question(
    name: str = "www.example.com.",
    rdtype: str = "A",
    *,
    id: int = 0x1234,  # noqa: A002 - the word of RFC 1035
    flags: str = "RD",
    edns: bool = False,
    do: bool = False,
    payload: int = 1232,
    version: int = 0,
    options: tuple[dns.edns.Option, ...] = (),
    rdclass: str = "IN",
) -> bytes:
    """A question as a client sends it; `flags` in dnspython's words, such as "RD CD AD"."""
    message = dns.message.make_query(name, rdtype, rdclass)
    message.id = id
    message.flags = dns.flags.from_text(flags)
    if edns or do or version or options:
        message.use_edns(version, dns.flags.DO if do else 0, payload, options=list(options))
    return message.to_wire()


def query(name: str = "www.example.com.", rdtype: str = "A", *, view: int = 0, **form: object) -> Query:
    """The same, parsed."""
    return parse_query(question(name, rdtype, **form), view, CLIENT)  # type: ignore[arg-type]


def answer_to(
    asked: Query,
    *records: str,
    rcode: str = "NOERROR",
    authority: tuple[str, ...] = (),
    additional: tuple[str, ...] = (),
    ad: bool = False,
    age: int = 0,
    source: str = "upstream",
) -> Answer:
    """What an upstream says to `asked`; a record is "name TTL type rdata"."""
    message = dns.message.make_response(dns.message.from_wire(asked.wire), recursion_available=True)
    message.use_edns(False)
    message.id = 0
    message.flags &= ~(dns.flags.CD | dns.flags.AD)
    message.flags |= dns.flags.AD if ad else 0
    message.set_rcode(dns.rcode.from_text(rcode))
    message.answer = [rrset(record) for record in records]
    message.authority = [rrset(record) for record in authority]
    message.additional = [rrset(record) for record in additional]
    wire = message.to_wire()
    return Answer(wire, scan_answer(wire, asked), source, age)


def rrset(record: str) -> dns.rrset.RRset:
    """The record that a line says, high TTLs as they are."""
    name, ttl, rdtype, rdata = record.split(maxsplit=3)
    made = dns.rrset.from_text(name, 0, "IN", rdtype, rdata)
    made.ttl = int(ttl)
    return made


def soa(zone: str, ttl: int, minimum: int) -> str:
    """The line of an SOA record."""
    return f"{zone} {ttl} SOA ns.{zone} hostmaster.{zone} 1 7200 900 1209600 {minimum}"


def addresses(message: dns.message.Message) -> list[str]:
    """The addresses in an answer, in its order."""
    wanted = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return [item.address for section in message.answer if section.rdtype in wanted for item in section]


def ttls(message: dns.message.Message) -> list[int]:
    """The TTLs of an answer's records, in the order of the message."""
    sections = (*message.answer, *message.authority, *message.additional)
    return [section.ttl for section in sections]


def error_codes(message: dns.message.Message) -> list[int]:
    """The codes of the Extended DNS Errors in an answer (RFC 8914)."""
    return [int(option.code) for option in message.options if isinstance(option, dns.edns.EDEOption)]


def error_text(message: dns.message.Message) -> str:
    """Their words."""
    found = [option.text for option in message.options if isinstance(option, dns.edns.EDEOption)]
    return " ".join(text for text in found if text)
