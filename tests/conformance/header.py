"""The header and the question: what is copied, what is fixed, what is refused, what is dropped."""

from tests.conformance.messages import (
    AA,
    AD,
    CD,
    FORMERR,
    NOERROR,
    NOTIMP,
    OPCODE,
    QR,
    RA,
    RCODE,
    RD,
    REFUSED,
    TC,
    Z,
    header,
    query,
    question,
)
from tests.conformance.world import World

HEADER = 12
UNKNOWN_OPCODES = (1, 3, 7, 15)  # IQUERY is no more (RFC 3425), the others never were
SERVERS_OPCODES = (
    2,
    4,
    5,
)  # STATUS, NOTIFY, UPDATE: nothing that a forwarder does; refused is also an answer


def header_bits(world: World) -> None:
    """Fresh and from the cache, with RD and without."""
    name = world.name()
    for flags in (RD, 0, RD):
        answer = world.ask_name(name, flags=flags, message_id=0xBEEF)
        assert answer.id == 0xBEEF, "another id"
        assert answer.flags & (QR | RA) == QR | RA, f"flags {answer.flags:#06x}"
        assert answer.flags & RD == flags, "RD is not the asker's"
        assert not answer.flags & (AA | Z | OPCODE | TC), f"flags {answer.flags:#06x}"


def question_echo(world: World) -> None:
    """Each spelling comes back as it was sent, from the cache too."""
    name = world.name()
    for spelling in (name, name.upper(), name.swapcase(), name.title()):
        asked = query(spelling)
        answer = world.ask(asked)
        assert answer.question == asked[HEADER:], f"{spelling} came back as {answer.question!r}"


def unknown_opcodes(world: World) -> None:
    """With a question and as a header alone."""
    for opcode in UNKNOWN_OPCODES:
        for wire in (header(opcode << 11) + question("example."), header(opcode << 11, (0, 0, 0, 0))):
            answer = world.ask(wire)
            assert answer.flags & OPCODE == opcode << 11, f"opcode {opcode} was not kept"
            assert answer.flags & RCODE == NOTIMP, f"opcode {opcode}: rcode {answer.flags & RCODE}"


def servers_opcodes(world: World) -> None:
    """What a forwarder is not asked: not implemented, or refused."""
    for opcode in SERVERS_OPCODES:
        answer = world.ask(header(opcode << 11) + question("example.", "SOA"))
        assert answer.flags & OPCODE == opcode << 11, f"opcode {opcode} was not kept"
        assert answer.flags & RCODE in (NOTIMP, REFUSED), f"opcode {opcode}: rcode {answer.flags & RCODE}"


def opcodes_stay_here(world: World) -> None:
    """NOTIFY, UPDATE and STATUS never reach the upstream."""
    name = world.name()
    for opcode in SERVERS_OPCODES:
        world.ask(header(opcode << 11) + question(name, "SOA"))
    assert not world.script.asked(name), "forwarded"


def question_count(world: World) -> None:
    """None, and two."""
    two = header(counts=(2, 0, 0, 0)) + question("one.example.") + question("two.example.")
    for wire in (header(counts=(0, 0, 0, 0)), two):
        answer = world.ask(wire)
        assert answer.flags & RCODE == FORMERR, f"rcode {answer.flags & RCODE}"


def answers_are_dropped(world: World) -> None:
    """An answer that somebody sends here, with a question and without."""
    world.assert_silent(header(QR | RD | RA) + question("example."))
    world.assert_silent(header(QR | RD | RA, (0, 0, 0, 0)))


def unknown_flags(world: World) -> None:
    """Z, by itself and beside others."""
    for bits in (Z, Z | AD, Z | CD):
        answer = world.ask_name(world.name(), flags=RD | bits)
        assert answer.rcode == NOERROR, f"rcode {answer.rcode} with {bits:#06x}"
        assert not answer.flags & (Z | AA | TC), f"{bits:#06x} came back as {answer.flags:#06x}"


def cd_is_copied(world: World) -> None:
    """Both ways, whatever was asked before."""
    name = world.name()
    for flags in (RD, RD | CD, RD, RD | CD):
        assert world.ask_name(name, flags=flags).flags & CD == flags & CD, "CD is not the asker's"


def cd_goes_upstream(world: World) -> None:
    """And what was answered to it is not given to those who did not set it."""
    name = world.name()
    world.ask_name(name, flags=RD | CD)
    assert world.script.asked(name)[-1].query.flags & CD, "CD was not passed on"
    before = len(world.script.asked(name))
    world.ask_name(name, flags=RD)
    assert len(world.script.asked(name)) > before, "one without CD was answered from what CD had brought"


def header_ad_is_no_error(world: World) -> None:
    """AD in a query is a wish (RFC 6840 section 5.7), no malformation."""
    assert world.ask_name(world.name(), flags=RD | AD).rcode == NOERROR


CHECKS = {
    "header-bits": (header_bits,),
    "question-echo": (question_echo,),
    "unknown-opcode": (unknown_opcodes, servers_opcodes, opcodes_stay_here),
    "question-count": (question_count,),
    "answers-dropped": (answers_are_dropped,),
    "unknown-flags": (unknown_flags, header_ad_is_no_error),
    "checking-disabled": (cd_is_copied, cd_goes_upstream),
}
