"""Queries octet by octet, and answers as they came."""

import itertools
import struct
from dataclasses import dataclass
from functools import cached_property

import dns.edns
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
OPCODE, RCODE = 0x7800, 0x000F
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
DO = 0x8000
HEADER = 12
COOKIE, ECS, KEEPALIVE, PADDING, EDE = 10, 8, 11, 12, 15

_ids = itertools.count(0x1111)


def wire_name(name: str | bytes) -> bytes:
    """A name in wire format, in the letters in which it is written."""
    return name if isinstance(name, bytes) else dns.name.from_text(name).to_wire() or b""


def header(
    flags: int = RD, counts: tuple[int, int, int, int] = (1, 0, 0, 0), message_id: int | None = None
) -> bytes:
    """A header, under an id of its own if none is given."""
    return struct.pack("!6H", next(_ids) & 0xFFFF if message_id is None else message_id, flags, *counts)


def option(code: int, data: bytes = b"") -> bytes:
    """One EDNS option."""
    return struct.pack("!HH", code, len(data)) + data


def opt(
    payload: int = 1232, *, version: int = 0, flags: int = 0, options: bytes = b"", owner: bytes = b"\0"
) -> bytes:
    """An OPT record."""
    return owner + struct.pack("!HHBBHH", 41, payload, 0, version, flags, len(options)) + options


def question(name: str | bytes, rtype: str | int = "A", rclass: int = 1) -> bytes:
    """The question section."""
    number = rtype if isinstance(rtype, int) else dns.rdatatype.from_text(rtype)
    return wire_name(name) + struct.pack("!HH", number, rclass)


def query(
    name: str | bytes,
    rtype: str | int = "A",
    *,
    flags: int = RD,
    rclass: int = 1,
    edns: bytes = b"",
    message_id: int | None = None,
) -> bytes:
    """A whole query; `edns` is its OPT record, if it has one."""
    counts = (1, 0, 0, 1 if edns else 0)
    return header(flags, counts, message_id) + question(name, rtype, rclass) + edns


def frame(wire: bytes) -> bytes:
    """A message with its length before it."""
    return len(wire).to_bytes(2) + wire


@dataclass(frozen=True)
class Answer:
    """A message that came back."""

    wire: bytes

    @property
    def id(self) -> int:
        return int.from_bytes(self.wire[:2])

    @property
    def flags(self) -> int:
        return int.from_bytes(self.wire[2:4])

    @cached_property
    def message(self) -> dns.message.Message:
        """The message, parsed; trailing octets and broken records are errors."""
        return dns.message.from_wire(self.wire)

    @property
    def rcode(self) -> int:
        return int(self.message.rcode())

    @property
    def is_failure(self) -> bool:
        """Whether it says that there is no answer, and has none."""
        return bool(self.flags & RCODE) and not self.message.answer

    @property
    def question(self) -> bytes:
        """The octets of the question as they were sent; empty where there is none."""
        if self.wire[4:6] == b"\0\0":
            return b""
        at = HEADER
        while self.wire[at]:
            at += 1 + self.wire[at]
        return self.wire[HEADER : at + 5]

    @property
    def has_opt(self) -> bool:
        return self.message.edns >= 0

    def options(self, code: int) -> list[bytes]:
        """What the OPT record holds under this code."""
        return [item.to_wire() or b"" for item in self.message.options if int(item.otype) == code]

    @property
    def errors(self) -> set[int]:
        """The codes of its Extended DNS Errors."""
        return {int.from_bytes(data[:2]) for data in self.options(EDE)}

    def records(self, rtype: str) -> list[dns.rrset.RRset]:
        """The RRsets of a type in the answer section."""
        return [rrset for rrset in self.message.answer if rrset.rdtype == dns.rdatatype.from_text(rtype)]

    @property
    def ttls(self) -> list[int]:
        """Of every record in answer and authority."""
        return [rrset.ttl for rrset in (*self.message.answer, *self.message.authority)]

    @property
    def texts(self) -> list[str]:
        """The rdata of the answer section as text, sorted."""
        return sorted(item.to_text() for rrset in self.message.answer for item in rrset)
