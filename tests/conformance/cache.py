"""What is kept, under which key, for how long, and how it is forgotten."""

import dns.flags

from tests.conformance.dnssec import signed
from tests.conformance.messages import (
    CD,
    COOKIE,
    DO,
    NOERROR,
    NXDOMAIN,
    PADDING,
    RCODE,
    RD,
    REFUSED,
    header,
    opt,
    option,
    query,
    question,
)
from tests.conformance.script import Asked, Said, failing, negative, records, reply_to, usual
from tests.conformance.world import World

ENTRIES = 16  # of the server with a small cache
CLIENT_COOKIE = b"\1\2\3\4\5\6\7\x08"
LARGE = "@ 300 TXT " + " | ".join(f'"{number:03d}{"x" * 240}"' for number in range(240))  # some 60,000 octets


def own_id_and_case(world: World) -> None:
    """What differs from client to client is not in the key, and is the client's own in the answer."""
    name = world.name("hit")
    forms = [
        query(name),
        query(name.upper()),
        query(name.title(), edns=opt()),
        query(name, edns=opt(options=option(PADDING, bytes(30)))),
        query(name, edns=opt(options=option(COOKIE, CLIENT_COOKIE))),
    ]
    for wire in forms:
        answer = world.ask(wire)
        assert answer.wire[:2] == wire[:2], "another's id"
        assert answer.question == wire[12 : 12 + len(answer.question)], "another's letters"
    assert len(world.script.asked(name)) == 1, f"asked {len(world.script.asked(name))} times"


def kinds_are_apart(world: World) -> None:
    """Type, class and CD are; DO, where what it brings is another answer."""
    name = world.name("key")
    world.ask_name(name)
    kinds = {
        "another type": query(name, "AAAA"),
        "another class": query(name, rclass=65280),
        "CD": query(name, flags=RD | CD),
    }
    for kind, wire in kinds.items():
        before = len(world.script.asked(name))
        answer = world.ask(wire)
        is_asked = len(world.script.asked(name)) == before + 1
        assert is_asked or not answer.message.answer, f"{kind}: answered from what was asked without it"


def signatures_are_apart(world: World) -> None:
    """One with DO is not answered from what one without it brought."""
    name = world.name("signed")
    world.script.says(name, signed)
    for flags in (0, DO, 0, DO):
        answer = world.ask_name(name, edns=opt(flags=flags))
        assert bool(answer.records("RRSIG")) == bool(flags), "answered from another's"


def types_alike(world: World) -> None:
    """Folding letters touches the name alone: type 0xFF41 is not type 0xFF61, though `A` is `a`."""
    name = world.name("alike")
    for number in (0xFF41, 0xFF61):
        world.script.says(name, records(rf"@ 300 TYPE{number} \# 2 {number:04x}"))
        texts = world.ask_name(name, number).texts
        assert texts == [rf"\# 2 {number:04x}"], f"type {number:#x} has {texts}"


def transfers(world: World) -> None:
    """Refused or passed on, never kept."""
    for rtype in ("AXFR", "IXFR"):
        name = world.name("transfer")
        world.script.says(name, failing("REFUSED"))
        answers = [world.ask_tcp(query(name, rtype)).rcode for _ in range(2)]
        assert answers[0] == answers[1] != NOERROR, f"{rtype}: rcodes {answers}"


def other_opcodes(world: World) -> None:
    """What is said to a NOTIFY is not said to a query."""
    name = world.name("notify")
    world.ask(header(4 << 11) + question(name))
    assert world.ask_name(name).rcode == NOERROR


def truncated(world: World) -> None:
    """A cut answer is for nobody, and not kept."""
    name = world.name("cut")

    def say(asked: Asked) -> Said:
        answer = reply_to(asked)
        answer.flags |= dns.flags.TC
        return answer

    world.needs_doh()
    world.script.says(name, say)
    world.ask_name(name)
    world.script.says(name, usual)
    world.pass_time(10)  # the failure may be
    assert world.ask_name(name).texts == ["203.0.113.7"]


def zero_is_not_kept(world: World) -> None:
    """TTL 0 asks not to be."""
    name = world.name("zero")
    world.script.says(name, records("@ 0 A 203.0.113.7"))
    world.ask_name(name)
    world.ask_name(name)
    assert len(world.script.asked(name)) == 2


def least_of_all_records(world: World) -> None:
    """Those of the authority section, too: the answer is kept whole."""
    name = world.name("least")
    world.script.says(
        name,
        records("@ 3000 A 203.0.113.7", authority=["conformance.example. 50 NS ns.conformance.example."]),
    )
    world.ask_name(name)
    world.pass_time(60)
    world.ask_name(name)
    world.script.wait_for(name, 2)


def negatives(world: World) -> None:
    """By their SOA record, and both kinds."""
    for rcode in ("NXDOMAIN", "NOERROR"):
        name = world.name("no")
        world.script.says(name, negative(rcode))
        for _ in range(3):
            assert not world.ask_name(name).message.answer
        assert len(world.script.asked(name)) == 1, f"{rcode} was not cached"


def refusals(world: World) -> None:
    """Kept for a little while; then it is asked again."""
    name = world.name("refused")
    world.script.says(name, failing("REFUSED"))
    for _ in range(3):
        assert world.ask_name(name).flags & RCODE, "taken for data"
    before = len(world.script.asked(name))
    world.script.says(name, usual)
    world.pass_time(301)
    assert world.ask_name(name).rcode == NOERROR, f"still, asked {before} times"


def header_only_refusal(world: World) -> None:
    """REFUSED without its question: the client hears that there is no answer."""
    name = world.name("bare")
    world.script.says(name, lambda asked: asked.wire[:2] + b"\x81\x85" + bytes(8))
    heard = world.ask_all([query(name)])[0]
    assert heard is not None, "silence"
    assert heard.flags & RCODE, "taken for data"
    assert heard.question, "without its question"


def rd_of_this_query(world: World) -> None:
    """From the cache, both ways."""
    name = world.name("rd")
    for flags in (RD, 0, RD, 0):
        assert world.ask_name(name, flags=flags).flags & RD == flags


def full_cache(world: World) -> None:
    """More names than there is room for: all are answered, and the last ones are there."""
    world = world.of("small")
    names = [world.name("full") for _ in range(ENTRIES * 4)]
    for name in names:
        assert world.ask_name(name).rcode == NOERROR, "refused service"
    before = len(world.script.asked(names[-1]))
    assert world.ask_name(names[-1]).rcode == NOERROR
    assert len(world.script.asked(names[-1])) == before, "the newest was not kept"
    for name in names:
        world.ask_name(name)
    assert sum(len(world.script.asked(name)) > 1 for name in names) >= ENTRIES, "not bounded"


def large_answers(world: World) -> None:
    """60,000 octets, over TCP, cold and kept."""
    name = world.name("large")
    world.script.says(name, records(LARGE))
    for _ in range(2):
        assert len(world.ask_tcp(query(name, "TXT")).texts) == 240
    assert len(world.script.asked(name, "TXT")) <= 2, "asked again"
    before = len(world.script.asked(name))
    world.ask_tcp(query(name, "TXT"))
    assert len(world.script.asked(name)) == before, "not kept"


def flushes(world: World) -> None:
    """All, one name, one name's type, a name and all below; at once."""
    top = world.name("flush")
    below, other = f"a.{top}", world.name("stays")

    def asked_again(*words: str) -> list[bool]:
        for name in (top, below, other):
            world.ask_name(name)
        before = [len(world.script.asked(name)) for name in (top, below, other)]
        world.command("cache", "flush", *words)
        for name in (top, below, other):
            world.ask_name(name)
        return [
            len(world.script.asked(name)) > n for name, n in zip((top, below, other), before, strict=True)
        ]

    assert asked_again(top) == [True, False, False], "by name"
    assert asked_again(top, "--below") == [True, True, False], "by suffix"
    assert asked_again() == [True, True, True], "all"


def flush_of_a_type(world: World) -> None:
    """And its other types stay."""
    name = world.name("types")
    for rtype in ("A", "AAAA"):
        world.ask_name(name, rtype)
    world.command("cache", "flush", name, "--type", "A")
    for rtype in ("A", "AAAA"):
        world.ask_name(name, rtype)
    assert [len(world.script.asked(name, rtype)) for rtype in ("A", "AAAA")] == [2, 1]


def nxdomain_rcode_is_kept(world: World) -> None:
    """From the cache it is still the same no."""
    name = world.name("no")
    world.script.says(name, negative())
    assert {world.ask_name(name).rcode for _ in range(3)} == {NXDOMAIN}


def refused_is_no_data(world: World) -> None:
    """What cannot be answered never has the rcode of what can."""
    name = world.name("refused")
    world.script.says(name, failing("REFUSED"))
    assert world.ask_name(name).rcode in (REFUSED, 2)


CHECKS = {
    "cache-hit-own": (own_id_and_case,),
    "cache-key": (kinds_are_apart, signatures_are_apart, types_alike),
    "cache-not": (transfers, other_opcodes, truncated, zero_is_not_kept),
    "cache-min-ttl": (least_of_all_records,),
    "cache-negatives": (negatives, nxdomain_rcode_is_kept, refusals, refused_is_no_data, header_only_refusal),
    "cache-rd": (rd_of_this_query,),
    "cache-full": (full_cache, large_answers),
    "cache-flush": (flushes, flush_of_a_type),
}
