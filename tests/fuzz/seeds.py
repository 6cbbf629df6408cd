"""The inputs that the fuzzers start from, in words: `python -m tests.fuzz.seeds` writes them into corpus/."""

from __future__ import annotations

from tests.fuzz.harnesses import CORPUS
from tests.unit.wire.messages import (
    AAAA,
    CNAME,
    MX,
    NS,
    QUESTION_END,
    RRSIG,
    SOA,
    SRV,
    TO_QUESTION,
    TXT,
    address,
    answer_wire,
    header,
    name,
    opt,
    option,
    pointer,
    query_wire,
    question,
    record,
    soa,
)

COOKIE, SUBNET = option(10, b"8 octets"), option(8, b"\0\1\x18\0\xc0\0\2")
KEEPALIVE = option(11)
PADDING, ERROR = option(12, bytes(16)), option(15, b"\0\x16no answer")
OTHER = name("other.example.net")
PLAIN = bytes((0x01 | 0x08, 0, 0, 0))  # over UDP, RD
EDNS = bytes((0x01 | 0x02 | 0x04 | 0x08, 4, 0xD0, 1))  # over UDP, DO, payload 1232, two seconds old
SPELLED = bytes((0x02 | 0x40, 2, 0, 200))  # over TCP, in other letters, stale
ONLY = bytes((0x01 | 0x80, 0, 0, 0))  # over UDP, one address
CHAIN = record(TO_QUESTION, CNAME, OTHER)
TARGET = pointer(QUESTION_END + 12)

QUERIES = {
    "plain": query_wire(),
    "edns": query_wire(opt()),
    "edns-options": query_wire(opt(COOKIE + SUBNET + PADDING, flags=0x8000)),
    "edns-version": query_wire(opt(version=1)),
    "edns-twice": query_wire(opt(), opt()),
    "root": query_wire(asked=question(b"\0", 2)),
    "octets": query_wire(asked=question(b"\4A.\0\xff\1*\0", 65)),
    "longest": query_wire(asked=question(b"\1a" * 127 + b"\0")),
    "chaos": query_wire(asked=question(name("version.bind"), TXT, 3)),
    "notify": query_wire(flags=0x2400),
    "update": query_wire(asked=question(name("example.com"), SOA), flags=0x2800),
    "signed": query_wire(opt(), record(name("key"), 250, name("hmac-sha256") + bytes(16), 0, 255)),
    "pointers": query_wire(record(pointer(16), 1, bytes(4)), record(b"\1a" + pointer(QUESTION_END), 1, b"")),
    "answer": answer_wire((address(1),)),
    "cookie-server": query_wire(opt(option(10, bytes(24)))),
    "cookie-short": query_wire(opt(option(10, bytes(15)))),
    "cookie-twice": query_wire(opt(COOKIE + COOKIE)),
    "cookie-alone": header((0, 0, 0, 1), 0x0100) + opt(COOKIE),
    "keepalive": query_wire(opt(KEEPALIVE + COOKIE)),
    "options-many": query_wire(opt(option(3) * 33)),
    "options-long": query_wire(opt(option(12, bytes(4093)))),
}
ANSWERS = {
    "address": PLAIN + answer_wire((address(1), address(2, 60))),
    "chain": EDNS
    + answer_wire((CHAIN, address(1, 5, TARGET), record(TARGET, RRSIG, bytes(30))), (), (opt(),)),
    "no": EDNS + answer_wire((), (record(pointer(16), SOA, soa(60)),), (opt(ERROR, upper=1),), flags=0x8183),
    "opt-first": SPELLED + answer_wire((address(1),), (), (opt(), address(2), address(3, owner=OTHER))),
    "opt-between": EDNS
    + answer_wire((), (), (record(OTHER, AAAA, bytes(16)), opt(PADDING), record(TO_QUESTION, MX, b"\0\1\0"))),
    "many": PLAIN + answer_wire(tuple(address(number % 256) for number in range(60))),
    "large": PLAIN + answer_wire((address(1),), (), (record(TO_QUESTION, TXT, b"\x63" + bytes(499)),)),
    "services": SPELLED
    + answer_wire(
        (record(TO_QUESTION, SRV, b"\0\1\0\1\0\x35\2ns" + pointer(16)),),
        (record(pointer(16), NS, b"\2ns" + pointer(16)),),
        (record(b"\2ns" + pointer(16), AAAA, bytes(16)), record(b"\2ns" + pointer(16), 1, bytes(4))),
        asked=question(name("www.example.com"), SRV),
    ),
    "https": EDNS
    + answer_wire(
        (record(TO_QUESTION, 65, b"\0\1\0\0\1\0\3\2h2\0\4\0\4\xc0\0\2\1"),),
        asked=question(name("www.example.com"), 65),
    ),
    "unknown": PLAIN
    + answer_wire((record(TO_QUESTION, 65280, pointer(0x3FFF)),), asked=question(OTHER, 65280)),
    "addresses": ONLY
    + answer_wire(
        (CHAIN, *[address(number, owner=TARGET) for number in range(4)]), (), (address(9, owner=TARGET),)
    ),
    "hints": PLAIN
    + answer_wire(
        (record(TO_QUESTION, 65, b"\0\1\0\0\4\0\x08\xc0\0\2\1\xc0\0\2\2"),),
        asked=question(name("www.example.com"), 65),
    ),
    "name-in-address": PLAIN
    + answer_wire(
        (
            record(TO_QUESTION, 1, TO_QUESTION + pointer(QUESTION_END + 30)),
            record(TO_QUESTION, 1, pointer(QUESTION_END + 12) + bytes(2)),
        ),
        (),
        (record(pointer(QUESTION_END + 12), TXT, b"x"),),
    ),
    "failure": EDNS + answer_wire(flags=0x8182),
    "truncated": PLAIN + answer_wire(flags=0x8380),
    "overlap": PLAIN
    + answer_wire((record(TO_QUESTION, TXT, b"\x0c"), address(9, owner=pointer(QUESTION_END + 12)))),
}
OPTION_LISTS = {
    "cookie": COOKIE,
    "all": COOKIE + SUBNET + PADDING + ERROR,
    "error": option(15, b"\0\3\xff\0") + ERROR,
    "most": option(3) * 32,
    "longest": option(12, bytes(4092)),
    "too-long": option(12, bytes(4093)),
    "cookie-long": option(10, bytes(41)),
    "too-many": option(3) * 33,
    "overrun": ERROR + b"\0\3\0\5ab",
}


def framed(*messages: bytes) -> bytes:
    """Messages as TCP carries them."""
    return b"".join(len(message).to_bytes(2) + message for message in messages)


KNOWN = query_wire(opt(), asked=question(b"\1k\3com\0"))
STREAMS = {
    "one": b"\0" + framed(query_wire()),
    "pipelined": b"\2\x01\x11" + framed(KNOWN, query_wire(), KNOWN, query_wire(opt())),
    "junk": b"\1\3" + framed(b"", b"x", bytes(12), query_wire()[:-1], answer_wire(), KNOWN),
    "cut": b"\1\7" + framed(KNOWN, query_wire())[:-1],
    "many": b"\1\xff" + framed(*[KNOWN] * 70),
}


def story(*steps: tuple[int, bytes], switches: int = 0) -> bytes:
    """Steps as `fuzz_builds` reads them: what happens, and the message behind its length."""
    return bytes((switches,)) + b"".join(bytes((what,)) + framed(message) for what, message in steps)


ASK = query_wire(opt(), asked=question(name("a1.example.com")))
WITH_COOKIE = query_wire(opt(COOKIE + KEEPALIVE), asked=question(name("a1.example.com")))
STORIES = {
    "hit": story((0, ASK), (1, answer_wire((address(1),), asked=question(name("a1.example.com")))), (0, ASK)),
    "stale": story(
        (0, ASK), (1, answer_wire((address(1, 5),), asked=question(name("a1.example.com")))), (0x72, b"")
    ),
    "long": story(
        (0, ASK),
        (
            1,
            answer_wire(
                tuple(address(number) for number in range(55)), asked=question(name("a1.example.com"))
            ),
        ),
        (0x42, b""),
    ),
    "stranger": story((12, ASK), (12, bytes(12)), (15, framed(ASK))),
    "cookie": story(
        (0x10, WITH_COOKIE),
        (1, answer_wire((address(1),), asked=question(name("a1.example.com")))),
        (0x10, WITH_COOKIE),
        *[(0x32, b"")] * 7,
        (0x18, WITH_COOKIE),
        (0x13, framed(WITH_COOKIE, ASK)),
        (12, WITH_COOKIE),
        (0, QUERIES["cookie-alone"]),
        switches=0x50,
    ),
    "cookie-limit": story(
        *[(0x04, WITH_COOKIE), (0x14, ASK), (0x04, QUERIES["signed"]), (0x04, QUERIES["cookie-short"])] * 3,
        switches=0x11,
    ),
    "keepalive": story((0, QUERIES["keepalive"]), (3, framed(QUERIES["keepalive"], ASK)), switches=0x20),
    "generation": story(
        (0, ASK), (1, answer_wire((address(1),), asked=question(name("a1.example.com")))), (0x83, b"")
    ),
}
SEEDS = {"builds": STORIES, "query": QUERIES, "answer": ANSWERS, "edns": OPTION_LISTS, "tcp": STREAMS}


def main() -> None:
    """Write each seed to its file; what was found stays."""
    for harness, inputs in SEEDS.items():
        folder = CORPUS / harness
        folder.mkdir(parents=True, exist_ok=True)
        for what, data in inputs.items():
            (folder / what).write_bytes(data)


if __name__ == "__main__":
    main()
