"""Messages of every kind of record, as dnspython writes and compresses them, and as dnspython reads them back."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass, field
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.renderer
import dns.rrset
from dns.message import MessageSection
from hypothesis import strategies as st

from smartdoh.model import Query
from smartdoh.wire.question import parse_query

SECTIONS = (dns.renderer.ANSWER, dns.renderer.AUTHORITY, dns.renderer.ADDITIONAL)
_RENDERER: Any = dns.renderer.Renderer  # has no types
HIGHEST_TTL = 0x7FFFFFFF  # dnspython reads a higher one as 0 (RFC 2181 section 8)

# Few labels, so that names share suffixes and are compressed; some with octets that text has to escape.
_LABELS = st.sampled_from((b"a", b"b", b"www", b"example", b"com", b"Example", b"\0.\xff", b"x" * 63))
NAMES = st.lists(_LABELS, max_size=3).map(lambda labels: dns.name.Name((*labels, b"")))
TTLS = st.one_of(st.integers(0, 600), st.sampled_from((86_400, HIGHEST_TTL, HIGHEST_TTL + 1, 0xFFFFFFFF)))
_NAME = NAMES.map(str)
_SMALL = st.integers(0, 65_535)
_STRINGS = st.lists(st.binary(max_size=40), min_size=1, max_size=3)
_DATA = st.binary(min_size=1, max_size=40)


def _quoted(strings: list[bytes]) -> str:
    return " ".join('"' + "".join(f"\\{octet:03d}" for octet in string) + '"' for string in strings)


def _signature(covers: str, signer: str, data: bytes) -> str:
    return f"{covers} 13 2 300 20300101000000 20200101000000 1 {signer} {base64.b64encode(data).decode()}"


_IPV4 = st.ip_addresses(v=4).map(str)
_IPV6 = st.ip_addresses(v=6).map(str)
_RDATA: dict[str, st.SearchStrategy[str]] = {
    "A": _IPV4,
    "AAAA": _IPV6,
    "CNAME": _NAME,
    "NS": _NAME,
    "DNAME": _NAME,
    "PTR": _NAME,
    "MX": st.builds("{} {}".format, _SMALL, _NAME),
    "SOA": st.builds("{} {} 1 7200 900 1209600 {}".format, _NAME, _NAME, TTLS),
    "TXT": _STRINGS.map(_quoted),
    "SRV": st.builds("{} 1 53 {}".format, _SMALL, _NAME),
    "NAPTR": st.builds('{} 10 "s" "SIP+D2U" "" {}'.format, _SMALL, _NAME),
    "HTTPS": st.builds("1 {} alpn=h2 ipv4hint={} key65000=x".format, _NAME, _IPV4),
    "SVCB": st.builds("0 {}".format, _NAME),
    "CAA": st.just('0 issue "ca.example"'),
    "RRSIG": st.builds(_signature, st.sampled_from(("A", "CNAME", "SOA")), _NAME, _DATA),
    "NSEC": st.builds("{} A RRSIG NSEC".format, _NAME),
    "DS": st.binary(min_size=32, max_size=32).map(lambda data: f"1 13 2 {data.hex()}"),
    "TYPE65280": _DATA.map(lambda data: rf"\# {len(data)} {data.hex()}"),
}


@dataclass(frozen=True)
class Rrset:
    """Records of one name and type that stand together; each has a TTL of its own."""

    name: dns.name.Name
    rdtype: str
    rdatas: tuple[tuple[str, int], ...]

    def records(self) -> list[dns.rrset.RRset]:
        """One RRset a record, which is how dnspython can be made to write different TTLs."""
        made = []
        for text, ttl in self.rdatas:
            record = dns.rrset.from_text(self.name, 0, "IN", self.rdtype, text)
            record.ttl = ttl
            made.append(record)
        return made


@dataclass(frozen=True)
class Opt:
    """An OPT record and how many RRsets of the additional section stand before it."""

    place: int
    payload: int
    version: int
    flags: int
    options: tuple[tuple[int, bytes], ...]

    @property
    def encoded(self) -> bytes:
        """The option list in wire format."""
        return b"".join(struct.pack("!HH", code, len(data)) + data for code, data in self.options)


@dataclass(frozen=True)
class Reply:
    """What an upstream may say, before it is written."""

    name: dns.name.Name
    rdtype: str
    flags: int
    sections: tuple[tuple[Rrset, ...], tuple[Rrset, ...], tuple[Rrset, ...]]
    opt: Opt | None
    wire: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wire", self._written())

    @property
    def query(self) -> Query:
        """The question that it answers, as a client asked it."""
        return parse_query(dns.message.make_query(self.name, self.rdtype).to_wire())

    @property
    def is_opt_last(self) -> bool:
        """Whether OPT stands where servers put it."""
        return self.opt is None or self.opt.place >= len(self.sections[2])

    def _written(self) -> bytes:
        renderer = _RENDERER(0, self.flags, 65_535)
        renderer.add_question(self.name, dns.rdatatype.from_text(self.rdtype))
        for section, rrsets in zip(SECTIONS, self.sections, strict=True):
            for number, rrset in enumerate(rrsets):
                if section == dns.renderer.ADDITIONAL:
                    self._write_opt_before(renderer, number)
                for record in rrset.records():
                    renderer.add_rrset(section, record)
        if self.is_opt_last:
            self._write_opt_before(renderer, self.opt.place if self.opt else 0)
        renderer.write_header()
        return bytes(renderer.get_wire())

    def _write_opt_before(self, renderer: Any, number: int) -> None:
        if self.opt is None or self.opt.place != number:
            return
        options = generic(self.opt.options)
        ednsflags = self.opt.version << 16 | self.opt.flags
        renderer.add_edns(self.opt.version, ednsflags, self.opt.payload, options)


_OPTION = st.one_of(
    st.tuples(st.sampled_from((3, 12, 65_001)), st.binary(max_size=20)),
    st.sampled_from(
        ((8, b"\0\1\x18\0\xc0\0\2"), (10, b"8 octets"), (15, b"\0\x16text"))
    ),  # dnspython reads these
)
OPTIONS = st.lists(_OPTION, max_size=4).map(tuple)
OPTS = st.builds(
    Opt,
    place=st.integers(0, 4),
    payload=_SMALL,
    version=st.just(0),
    flags=st.sampled_from((0, 0x8000, 0x7FFF)),
    options=OPTIONS,
)


@st.composite
def rrsets(draw: st.DrawFn, owners: st.SearchStrategy[dns.name.Name]) -> Rrset:
    """One RRset of any kind."""
    rdtype = draw(st.sampled_from(sorted(_RDATA)))
    rdatas = draw(st.lists(st.tuples(_RDATA[rdtype], TTLS), min_size=1, max_size=4))
    return Rrset(draw(owners), rdtype, tuple(rdatas))


@st.composite
def replies(draw: st.DrawFn, most: int = 4, *, with_opt: bool | None = None) -> Reply:
    """An answer with up to `most` RRsets a section; half of the records belong to the name that was asked for."""
    name = draw(NAMES)
    owners = st.one_of(st.just(name), NAMES)
    section = st.lists(rrsets(owners), max_size=most, unique_by=lambda rrset: (rrset.name, rrset.rdtype)).map(
        tuple
    )
    opts = {None: st.one_of(st.none(), OPTS), True: OPTS, False: st.none()}[with_opt]
    sections = (draw(section), draw(section), draw(section))
    opt = draw(opts)
    if opt is not None and opt.place > len(sections[2]):
        opt = Opt(len(sections[2]), opt.payload, opt.version, opt.flags, opt.options)
    flags = 0x8180 | draw(st.sampled_from((0, 0x20, 0x400))) | draw(st.sampled_from((0, 0, 3, 2)))
    return Reply(name, draw(st.sampled_from(sorted(_RDATA))), flags, sections, opt)


def generic(options: tuple[tuple[int, bytes], ...]) -> list[dns.edns.Option]:
    """EDNS options for dnspython, their data as it is."""
    return [dns.edns.GenericOption(dns.edns.OptionType.make(code), data) for code, data in options]


def read(wire: bytes) -> dns.message.Message:
    """What dnspython makes of a message, each record by itself and in its place."""
    return dns.message.from_wire(wire, one_rr_per_rrset=True)


def records_of(message: dns.message.Message) -> list[list[dns.rrset.RRset]]:
    """The records of the three sections; OPT is in none of them."""
    names = (MessageSection.ANSWER, MessageSection.AUTHORITY, MessageSection.ADDITIONAL)
    return [message.section_from_number(name) for name in names]


def ttls_of(message: dns.message.Message) -> list[int]:
    """The TTLs of all records, in the order of the message."""
    return [record.ttl for section in records_of(message) for record in section]


def without_ttls(
    message: dns.message.Message, *, folded: bool = False
) -> list[list[tuple[dns.name.Name, int, int, bytes]]]:
    """All that the records say but for their TTLs; `folded` also where names in rdata point to a spelled question."""
    return [
        [
            (
                it.name,
                int(it.rdtype),
                int(it.rdclass),
                it[0].to_digestable() if folded else it[0].to_wire() or b"",
            )
            for it in section
        ]
        for section in records_of(message)
    ]


def seen(ttl: int) -> int:
    """A TTL as dnspython shows it."""
    return ttl if ttl <= HIGHEST_TTL else 0
