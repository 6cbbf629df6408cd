"""Names and records on the wire: their limits, pointers, lengths, and what is opaque."""

from tests.conformance.messages import (
    FORMERR,
    NOERROR,
    RCODE,
    Answer,
    header,
    opt,
    query,
    question,
    wire_name,
)
from tests.conformance.script import ZONE, Asked, Say, reply_to
from tests.conformance.world import MOST, World

A_IN = b"\0\1\0\1"
SUFFIX = wire_name(ZONE)

BAD_NAMES = {
    "a label over 63 octets": b"\x40" + b"a" * 64 + b"\0",
    "a name over 255 octets": (b"\x3f" + b"a" * 63) * 4 + b"\0",
    "a name of 256 octets": (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0",
    "a label of type 0x80": b"\x83abc\0",
}
BAD_POINTERS = {
    "to itself": b"\xc0\x0c",
    "forwards": b"\xc0\x20",
    "into the header": b"\xc0\x00",
    "out of the packet": b"\xff\xff",
    "behind a label, to that label": b"\x01a\xc0\x0c",
}
BAD_TARGETS = {"out of the packet": 0x3FFF, "into the header": 4, "to itself": 0, "ahead": -4}
BAD_LENGTHS = {
    "a question that is not there": header(),
    "a question cut short": header() + wire_name("one.example.") + b"\0",
    "a label past the end": header() + b"\x3fabc",
    "a record that is not there": header(counts=(1, 0, 0, 1)) + question("one.example."),
    "RDLENGTH past the end": header(counts=(1, 0, 0, 1)) + question("one.example.") + opt()[:-2] + b"\0\x40",
    "an option past its record": header(counts=(1, 0, 0, 1))
    + question("one.example.")
    + opt(options=b"\0\x0a\0\x40"),
    "half an option": header(counts=(1, 0, 0, 1)) + question("one.example.") + opt(options=b"\0\x0a\0"),
}


def _assert_not_taken(world: World, cases: dict[str, bytes]) -> None:
    """An error of any kind, or silence: what is broken has no answer."""
    for kind, answer in zip(cases, world.ask_all(list(cases.values())), strict=True):
        assert answer is None or answer.flags & RCODE, f"{kind}: taken for a question"


def _assert_formerr(world: World, kind: str, wire: bytes) -> Answer:
    answer = world.ask(wire)
    assert answer.flags & RCODE == FORMERR, f"{kind}: rcode {answer.flags & RCODE}"
    return answer


def longest_names(world: World) -> None:
    """63 octets in a label and 255 in a name are allowed."""
    long_label = b"\x3f" + b"l" * 63
    left = 255 - len(SUFFIX) - 3 * 64
    rest = bytes([left - 1]) + b"r" * (left - 1)
    for name in (long_label + SUFFIX, long_label * 3 + rest + SUFFIX):
        _ = world.script
        assert world.ask_name(name).rcode == NOERROR, f"a name of {len(name)} octets was refused"


def names_too_long(world: World) -> None:
    """One octet more is none."""
    _assert_not_taken(world, {kind: header() + name + A_IN for kind, name in BAD_NAMES.items()})


def any_octet(world: World) -> None:
    """Labels are octets: zero, spaces, dots, 0xff pass through and come back."""
    _ = world.script
    for label in (b"\0", b"a b", b"a.b", b"\xff\xfe", b"_x", b"\\", b"*"):
        name = bytes([len(label)]) + label + SUFFIX
        asked = query(name)
        answer = world.ask(asked)
        assert answer.rcode == NOERROR, f"{label!r}: rcode {answer.rcode}"
        assert answer.question == asked[12:], f"{label!r} came back otherwise"


def ascii_case_alone(world: World) -> None:
    """Letters of ASCII are the same in both cases; no other octets are."""
    script = world.script
    tail = wire_name(world.name("case"))
    small, large = b"\x02\xe4a" + tail, b"\x02\xc4A" + tail
    for name in (small, small.replace(b"a", b"A"), large):
        assert world.ask_name(name).rcode == NOERROR
    names = {one.query.question[0].name.canonicalize() for one in script.asked_below(tail)}
    assert len(names) == 2, f"{len(names)} names were asked for, not two"


def pointers_in_questions(world: World) -> None:
    """There is nothing before a question's name that a pointer could lead to."""
    _assert_not_taken(world, {kind: header() + name + A_IN for kind, name in BAD_POINTERS.items()})


def pointers_in_answers(world: World) -> None:
    """An answer with a pointer that loops, leads ahead, or leaves the packet or its records is none."""
    names = {kind: world.name("pointer") for kind in BAD_TARGETS}
    for kind, name in names.items():
        world.script.says(name, _with_owner(BAD_TARGETS[kind]))
    for kind, answer in zip(names, world.ask_all([query(name) for name in names.values()]), strict=True):
        assert answer is None or not answer.message.answer, f"followed: {kind}"


def _with_owner(target: int) -> Say:
    """An address whose owner is a pointer to `target`, or so far behind itself where that is not above 0."""

    def say(asked: Asked) -> bytes:
        head = reply_to(asked).to_wire()
        end = 12 + len(wire_name(asked.name.to_text())) + 4
        pointer = 0xC000 | (target if target > 0 else end - target)
        record = pointer.to_bytes(2) + b"\0\1\0\1\0\0\1\x2c\0\4\xcb\0\x71\7"
        return head[:6] + b"\0\1\0\0\0\0" + head[12:end] + record

    return say


def lengths(world: World) -> None:
    """What counts and lengths announce has to be there."""
    _assert_not_taken(world, BAD_LENGTHS)


def lengths_in_answers(world: World) -> None:
    """An answer that announces more records than it has is none."""
    name = world.name("counts")

    def say(asked: Asked) -> bytes:
        wire = reply_to(asked, "@ 300 A 203.0.113.7").to_wire()
        return wire[:6] + b"\0\7" + wire[8:]

    world.script.says(name, say)
    answer = world.ask(query(name))
    assert answer.is_failure, "a broken answer was taken"


def unparseable(world: World) -> None:
    """FORMERR, and never more octets than came."""
    names = {**BAD_NAMES, **BAD_POINTERS}
    cases = {**BAD_LENGTHS, **{kind: header() + name + A_IN for kind, name in names.items()}}
    for kind, wire in cases.items():
        answer = _assert_formerr(world, kind, wire)
        assert len(answer.wire) <= max(len(wire), 12), f"{kind}: {len(answer.wire)} octets for {len(wire)}"
        assert answer.id == int.from_bytes(wire[:2]), f"{kind}: another id"


def source_address(world: World) -> None:
    """Asked at 127.0.0.2 it answers from there: a connected socket hears nobody else."""
    wide = world.of("wildcard")
    asked = query("localhost.")
    with wide.udp("127.0.0.2") as client:
        client.send(asked)
        try:
            heard = client.recv(MOST)
        except TimeoutError:
            raise AssertionError("nothing came from the address that was asked") from None
    assert heard[:2] == asked[:2]


def unknown_types(world: World) -> None:
    """Rdata that looks like a compression pointer stays what it is, cold and from the cache."""
    opaque = r"@ 300 TYPE65400 \# 6 c00cc00c0001"
    name = world.name("opaque")
    world.script.says(name, lambda asked: reply_to(asked, opaque))
    for _ in range(2):
        answer = world.ask_name(name, 65400)
        assert answer.texts == [r"\# 6 c00cc00c0001"], f"got {answer.texts}"


def unknown_classes(world: World) -> None:
    """A class nobody knows is asked for, or refused; it is not mixed up with IN."""
    name = world.name("class")
    world.ask_name(name)
    answer = world.ask_name(name, rclass=65280)
    assert not answer.message.answer, "another class's records"
    assert answer.flags & RCODE != FORMERR, "FORMERR"


def names_in_new_rdata(world: World) -> None:
    """Names in rdata of types from after RFC 3597 are not compressed: their octets stay (here HTTPS)."""
    name = world.name("target")
    world.script.says(name, lambda asked: reply_to(asked, f"@ 300 HTTPS 1 {name} alpn=h2"))
    for _ in range(2):
        answer = world.ask_name(name, "HTTPS")
        at = answer.wire.rfind(wire_name(name))
        assert at > 12 + len(wire_name(name)), "the name in the rdata was compressed"


CHECKS = {
    "unknown-types": (unknown_types, unknown_classes, names_in_new_rdata),
    "name-limits": (longest_names, names_too_long, any_octet, ascii_case_alone),
    "compression": (pointers_in_questions, pointers_in_answers),
    "lengths": (lengths, lengths_in_answers),
    "unparseable": (unparseable,),
    "source-address": (source_address,),
}
