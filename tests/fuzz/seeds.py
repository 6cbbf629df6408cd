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
    "private": PLAIN + answer_wire((CHAIN, record(TARGET, 1, b"\xc0\xa8\1\1"))),
    "private-beside": PLAIN
    + answer_wire(
        (record(TO_QUESTION, SRV, b"\0\1\0\1\0\x35" + OTHER),),
        (),
        (record(OTHER, 1, b"\x0a\0\0\1"),),
        asked=question(name("www.example.com"), SRV),
    ),
    "hints-6": PLAIN
    + answer_wire(
        (
            record(TO_QUESTION, 65, b"\0\1\0\0\1\0\3\2h2\0\6\0\x10\x20\1" + bytes(13) + b"\1\0\7\0\1x"),
            address(1, owner=OTHER),
        ),
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
FILES = {  # the number of the format, and a list
    "autoproxy": b"\0[AutoProxy 0.2.9]\n||example.com\n@@||www.example.com\n|http://a.example/x\n/^https?:\\/\\/b\\./\n!c\n",
    "adblock": b"\1||ads.example^\n@@||ok.example^$important\n||x.example^$dnsrewrite=192.0.2.1\n-ads.\n*.y.example^\n"
    b"||z.example^$badfilter\n||t.example^$dnstype=AAAA\n||c.example##.x\n",
    "hosts": b"\x020.0.0.0 ads.example b.example # c\n::1 localhost\n192.0.2.9 c.example\n",
    "dnsmasq": b"\3server=/a.example/b.example/#\naddress=/c.example/192.0.2.1\n"
    b"local=/*d.example/\nbogus-nxdomain=1.2.3.4\n",
    "domains": b"\4full:a.example\n+.b.example\nkeyword:ads\nregexp:^c[0-9]+\\.\n*.d.example\ne.example @cn\n",
    "addresses": b"\5bogus-nxdomain=198.51.100.7\n2001:db8::/32\n198.51.100.64/26 # c\nserver=/x/\n",
    "base64": b"\0W0F1dG9Qcm94eV0KfHxleGFtcGxlLmNvbQo=",
}
OVERRIDES = {
    "all": b'{"a.example":"block","=b.example":"allow","c.example":["192.0.2.1","2001:db8::1"],"d.example":"proxy",'
    b'"e.example":[{"is":"allow","until":"2026-12-01T20:00:00Z","clients":["192.168.1.0/24"]},"block"]}',
    "twice": b'{"a.example":"block","A.example.":"allow"}',
    "broken": b'{"a.example":',
    "no": b"[]",
}
CONFIGS = {
    "small": b'[groups.a]\nupstreams = ["https://1.1.1.1"]\n',
    "large": b'[listen]\ndns = ["127.0.0.1:53"]\nallow = ["10.0.0.0/8"]\n[bootstrap]\nservers = ["1.1.1.1"]\n'
    b'[groups.a]\nupstreams = ["https://dns.example"]\nvia = "socks5h://u:p@192.0.2.1:1"\nipv6 = "drop"\n'
    b'bogus_nxdomain = "b"\n[routing]\nrules = [{ domains = ["x.example"], types = ["AAAA"], action = "block" }]\n'
    b'[lists.b]\nfile = "b"\nformat = "addresses"\n[cache]\ndir = "none"\nstale = "1h"\n'
    b'[local]\nrebind_allow = ["y"]\n',
    "wrong": b'[groups.a]\nupstreams = ["http://1.1.1.1", 3]\nunknown = 1\n',
}


def _kept(wire: bytes, marks: int = 1, source: bytes = b"dns.example", error: bytes = ERROR) -> bytes:
    """A record as it lies on disk, under no key."""
    head = (900).to_bytes(4) + (300).to_bytes(4) + bytes((marks, len(source))) + len(error).to_bytes(2)
    return b"\0" + head + source + error + wire


RECORDS = {
    "address": _kept(answer_wire((address(1), address(2, 60)))),
    "asked": _kept(answer_wire((), (record(pointer(16), SOA, soa(60)),), flags=0x8183), 3, b"", b""),
    "marks": _kept(answer_wire((address(1),)), 4),
    "key": b"\x1b\3com\7example\3www\0\0\1\0\1\0" + b"8 octets" + b"\0" * 12,
}
REPLIES = {
    "good": b"\0\xc8application/dns-message\nage: 17\n\n" + answer_wire((address(1),)),
    "busy": b"\1\xadtext/plain\nretry-after: 120\n\nlater",
    "date": b"\1\xf7text/html\nRetry-After: Wed, 21 Oct 2065 07:28:00 GMT\n\n",
    "page": b"\0\xc8text/html; charset=utf-8\n\n<html>",
    "aged": b"\0\xc8Application/DNS-Message; x=1\nAge: 99999999999\nHTTP/1.1 200\nage: -1\n\n",
}
REQUESTS = {
    "status": b"GET /status",
    "explain": b"GET /explain?name=www.example.com&type=AAAA&client=10.0.0.1",
    "kept": b"GET /cache/www.example.com?below=1",
    "flush": b"DELETE /cache/example.com",
    "list": b"POST /lists/ads\ncontent-length: 2\n\n{}",
    "override": b'PUT /overrides/%3Dads.example.com\n\n{"value": ["192.0.2.1", {"is": "block"}]}',
    "lift": b"DELETE /overrides/ads.example.com",
    "rest": b"POST /groups/main/rest?upstream=127.0.0.1:1&seconds=600",
    "look": b"GET /query?name=www.example.com&group=main",
    "settings": b"GET /settings",
    "large": b"POST /reload\ncontent-length: 99999999\n\n",
    "odd": b"GET /explain?name=%00%ff..&type=TYPE99999&client=x",
}
SEEDS = {
    "lists": FILES,
    "overrides": OVERRIDES,
    "config": CONFIGS,
    "records": RECORDS,
    "reply": REPLIES,
    "control": REQUESTS,
    "builds": STORIES,
    "query": QUERIES,
    "answer": ANSWERS,
    "edns": OPTION_LISTS,
    "tcp": STREAMS,
}


def main() -> None:
    """Write each seed to its file; what was found stays."""
    for harness, inputs in SEEDS.items():
        folder = CORPUS / harness
        folder.mkdir(parents=True, exist_ok=True)
        for what, data in inputs.items():
            (folder / what).write_bytes(data)


if __name__ == "__main__":
    main()
