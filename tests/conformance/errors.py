"""Extended DNS Errors, and ANY."""

import dns.edns

from tests.conformance.messages import EDE, SERVFAIL, frame, opt, query
from tests.conformance.script import Asked, Said, failing, records, reply_to
from tests.conformance.world import World, read_frame

BLOCKED, PROHIBITED, CACHED_ERROR = 15, 18, 13
LONG_TEXT = 300  # octets that nobody wants in a datagram
ANY_SIZE = 512  # octets over UDP


def failures_have_a_reason(world: World) -> None:
    """To those with EDNS, and no OPT record to others."""
    name = world.name("fails")
    world.script.says(name, failing())
    answer = world.ask_name(name, edns=opt())
    assert answer.rcode == SERVFAIL
    assert answer.errors, "no Extended DNS Error"
    assert all(len(data) <= LONG_TEXT for data in answer.options(EDE)), "a long text"
    assert not world.ask_name(name).has_opt, "an OPT record to one without EDNS"


def cached_failures_say_so(world: World) -> None:
    """13: this is not asked anew."""
    name = world.name("fails")
    world.script.says(name, failing())
    world.ask_name(name, edns=opt())
    assert CACHED_ERROR in world.ask_name(name, edns=opt()).errors


def upstream_errors(world: World) -> None:
    """Passed on with the name of who said it, or dropped: not as our own."""
    name = world.name("fails")

    def say(asked: Asked) -> Said:
        answer = reply_to(asked, rcode="SERVFAIL")
        answer.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(dns.edns.EDECode(7), "signature expired")])
        return answer

    world.script.says(name, say)
    texts = [data[2:] for data in world.ask_name(name, edns=opt()).options(EDE) if data[:2] == b"\0\7"]
    assert all(text and not text.startswith(b"signature expired") for text in texts), f"unattributed: {texts}"


def blocked_names(world: World) -> None:
    """15: the user's list has it."""
    world = world.of("blocking")
    answer = world.ask_name("ads.blocked.example.", edns=opt())
    assert answer.errors & {BLOCKED}, f"Extended DNS Errors {answer.errors}"
    assert not world.ask_name("ads.blocked.example.").has_opt


def strangers(world: World) -> None:
    """18: this client may not ask here."""
    world = world.of("private")
    with world.tcp("127.0.0.9") as client:
        client.sendall(frame(query("localhost.", edns=opt())))
        answer = read_frame(client)
    assert answer is not None, "closed without an answer"
    assert PROHIBITED in answer.errors, f"Extended DNS Errors {answer.errors}"


def any_is_small(world: World) -> None:
    """ANY over UDP is no lever, whatever there is of the name."""
    name = world.name("any")
    world.script.says(
        name, records("@ 300 A 203.0.113.7", "@ 300 TXT " + " | ".join(f'"{n}{"x" * 180}"' for n in range(8)))
    )
    for edns in (b"", opt(), opt(4096)):
        answer = world.ask_name(name, "ANY", edns=edns)
        assert len(answer.wire) <= ANY_SIZE, f"{len(answer.wire)} octets"


CHECKS = {
    "extended-errors": (
        failures_have_a_reason,
        cached_failures_say_so,
        upstream_errors,
        blocked_names,
        strangers,
    ),
    "any": (any_is_small,),
}
