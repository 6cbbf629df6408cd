"""The questions: every header bit, opcode, type, class, EDNS form and case, by lot but always the same."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import dns.name

from tests.servers.zone import full_name

OWNERS = (
    *(
        "one",
        "several",
        "six",
        "both",
        "alias",
        "middle",
        "dangling",
        "mail",
        "mx1",
        "text",
        "long",
        "service",
    ),
    *("binding", "odd", "case", "@", "ns1", "some-name.wild", "deep.er.wild", "wild", "missing", "below.one"),
)
TYPES = (
    *(1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 43, 46, 47, 48, 50, 52, 64, 65, 99, 257, 65_400),
    *(13, 17, 18, 29, 37, 44, 59, 61, 62, 108, 256, 258, 32_769, 65_280, 65_534),
)
"""Those that are data; META are the others."""
META = (0, 41, 249, 250, 251, 252, 253, 254, 255, 128, 65_535)
CLASSES = (1, 1, 1, 3, 4, 254, 255, 0, 2, 65_280)

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
BITS = {"QR": QR, "AA": AA, "TC": TC, "RD": RD, "RA": RA, "Z": Z, "AD": AD, "CD": CD}
DO = 0x8000

OPTIONS = {
    "NSID": (3, b""),
    "ECS": (8, struct.pack("!HBB", 1, 24, 0) + bytes((192, 0, 2))),
    "ECS off": (8, struct.pack("!HBB", 1, 0, 0)),
    "EXPIRE": (9, b""),
    "keepalive": (11, b""),
    "padding": (12, bytes(40)),
    "chain": (13, b"\0"),
    "unknown": (65_001, b"anything"),
    "many unknown": (65_002, bytes(300)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, as it is sent, and what is to be known of it where answers are compared."""

    wire: bytes
    name: str  # as in the message
    rdtype: int
    rdclass: int
    opcode: int
    bits: frozenset[str]  # of BITS
    edns: str  # none, or what is particular about the OPT record
    counts: str  # one question alone, or what else there is
    over_tcp: bool
    question_size: int  # octets of the question section

    @property
    def question(self) -> bytes:
        """The question section."""
        return self.wire[12 : 12 + self.question_size]

    def said(self, key: str) -> str:
        """One of its features in words, as explanations name them."""
        if key == "bits":
            return " ".join(sorted(self.bits))
        if key == "over":
            return "TCP" if self.over_tcp else "UDP"
        if key == "type":
            return str(self.rdtype)
        if key == "class":
            return str(self.rdclass)
        if key == "owner":
            return self.name.lower().removesuffix("smartdoh.example.").removesuffix(".") or "@"
        return str({"opcode": self.opcode, "edns": self.edns, "counts": self.counts}[key])

    def __str__(self) -> str:
        bits = "+".join(sorted(self.bits)) or "no bits"
        way = "TCP" if self.over_tcp else "UDP"
        return (
            f"{self.name} type {self.rdtype} class {self.rdclass}, opcode {self.opcode}, {bits}, "
            f"EDNS: {self.edns}, {self.counts}, {way}"
        )


def questions(count: int, seed: int = 1) -> Iterator[Asked]:
    """So many, each with an id of its own; most are as clients ask, with one or two things that are not."""
    lots = random.Random(seed)
    for number in range(count):
        yield _question(number, lots)


def _question(number: int, lots: random.Random) -> Asked:
    odd = lots.choices(
        ("nothing", "header", "opcode", "type", "class", "EDNS", "counts", "all"), (6, 6, 2, 4, 1, 6, 2, 2)
    )[0]
    name = _cased(full_name(lots.choice(OWNERS)), lots)
    rdtype = lots.choice(META) if odd in {"type", "all"} and lots.random() < 0.4 else lots.choice(TYPES)
    rdclass = lots.choice(CLASSES) if odd in {"class", "all"} else 1
    opcode = lots.randrange(1, 16) if odd in {"opcode", "all"} and lots.random() < 0.8 else 0
    bits = {"RD"} if odd not in {"header", "all"} else {bit for bit in BITS if lots.random() < _chance(bit)}
    edns, opt = _opt(odd in {"EDNS", "all"}, lots)
    counts, sections = _sections(name, rdtype, rdclass, odd in {"counts", "all"}, lots)
    flags = opcode << 11 | sum(BITS[bit] for bit in bits)
    records = [*sections[1:3], sections[3] + opt]
    head = struct.pack("!HH", number, flags) + struct.pack(
        "!HHHH", *(len(part) for part in (sections[0], *records))
    )
    wire = head + b"".join(item for part in (sections[0], *records) for item in part)
    return Asked(
        wire,
        name,
        rdtype,
        rdclass,
        opcode,
        frozenset(bits),
        edns,
        counts,
        over_tcp=lots.random() < 0.1,
        question_size=len(b"".join(sections[0])),
    )


def _chance(bit: str) -> float:
    return {"RD": 0.6, "QR": 0.03}.get(bit, 0.3)


def _cased(name: str, lots: random.Random) -> str:
    return "".join(lots.choice((letter.lower(), letter.upper())) for letter in name)


def _opt(is_odd: bool, lots: random.Random) -> tuple[str, list[bytes]]:
    """What is particular about the OPT records, and the records (RFC 6891 section 6.1.2)."""
    if not is_odd:
        do = lots.random() < 0.3
        return ("none", []) if lots.random() < 0.5 else ("DO" if do else "plain", [_record(1232, 0, DO * do)])
    kind = lots.choice(("version", "flags", "payload", "two", "owner", "option", "options"))
    payload = lots.choice((0, 1, 511, 512, 513, 65_535))
    simple = {
        "version": ("version 1", [_record(1232, 1, 0)]),
        "flags": ("unknown flags", [_record(4096, 0, lots.randrange(1, DO))]),
        "payload": (f"payload {payload}", [_record(payload, 0, 0)]),
        "two": ("two records", [_record(1232, 0, 0)] * 2),
        "owner": ("an owner", [b"\1x" + _record(1232, 0, 0)]),
    }
    if kind in simple:
        return simple[kind]
    chosen = [lots.choice(list(OPTIONS)) for _ in range(1 if kind == "option" else 3)]
    data = b"".join(
        struct.pack("!HH", OPTIONS[each][0], len(OPTIONS[each][1])) + OPTIONS[each][1] for each in chosen
    )
    return f"options {'+'.join(sorted(set(chosen)))}", [_record(1232, 0, 0, data)]


def _record(payload: int, version: int, flags: int, data: bytes = b"") -> bytes:
    return struct.pack("!BHHBBHH", 0, 41, payload, 0, version, flags, len(data)) + data


def _sections(
    name: str, rdtype: int, rdclass: int, is_odd: bool, lots: random.Random
) -> tuple[str, list[list[bytes]]]:
    """What there is beside one question, and the four sections."""
    owner = dns.name.from_text(name).to_wire()
    assert owner is not None
    question = owner + struct.pack("!HH", rdtype, rdclass)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 300, 4) + bytes((192, 0, 2, 66))
    kind = lots.choice(("none", "two", "answer", "authority", "additional")) if is_odd else "one"
    sections: list[list[bytes]] = [[question], [], [], []]
    if kind == "none":
        sections[0] = []
    elif kind == "two":
        sections[0] = [question, question]
    elif kind != "one":
        sections[("answer", "authority", "additional").index(kind) + 1] = [record]
    words = {"none": "no question", "two": "two questions", "one": "one question"}
    return words.get(kind, f"a record in {kind}"), sections
