"""What fits into a datagram, and what is cut where it does not."""

import dns.edns
import dns.flags

from tests.conformance.messages import EDE, NOERROR, RCODE, TC, opt, query
from tests.conformance.script import Asked, Said, records, reply_to
from tests.conformance.world import World

LEAST, MOST = 512, 1232
LONG = "@ 300 TXT " + " | ".join(f'"{number:03d}{"x" * 200}"' for number in range(12))  # some 2,600 octets
CHAIN = "@ 300 CNAME long.conformance.example."
SPARE = 100  # octets that a header, a question and an OPT record may leave unused


def _long_name(world: World) -> str:
    name = world.name("long")
    world.script.says(name, records(LONG))
    return name


def small_payloads(world: World) -> None:
    """Below 512 it is 512; without EDNS it is 512, too."""
    name = _long_name(world)
    fits = world.name("fits")
    world.script.says(fits, records('@ 300 TXT "' + "y" * 200 + '" "' + "z" * 150 + '"'))
    for payload in (0, 1, 100, 511):
        answer = world.ask_name(fits, "TXT", edns=opt(payload))
        assert answer.records("TXT"), f"payload {payload}: cut, though it fits into 512"
        assert len(world.ask_name(name, "TXT", edns=opt(payload)).wire) <= LEAST
    assert len(world.ask_name(name, "TXT").wire) <= LEAST


def sizes_are_not_cached(world: World) -> None:
    """Each client gets what it can take, whatever those before it could."""
    name = world.name("middle")
    world.script.says(name, records("@ 300 TXT " + " | ".join(f'"{n}{"x" * 180}"' for n in range(4))))
    for payload, is_cut in ((512, True), (1232, False), (512, True), (1232, False)):
        answer = world.ask_name(name, "TXT", edns=opt(payload))
        assert bool(answer.flags & TC) == is_cut, f"payload {payload}: TC={bool(answer.flags & TC)}"


def largest_datagram(world: World) -> None:
    """However large a payload the client announces; and that is what is announced to it."""
    name = _long_name(world)
    for payload in (1232, 1400, 4096, 65_535):
        answer = world.ask_name(name, "TXT", edns=opt(payload))
        assert len(answer.wire) <= MOST, f"{len(answer.wire)} octets for a payload of {payload}"
        assert answer.message.payload <= MOST, f"it announces {answer.message.payload}"


def what_is_cut(world: World) -> None:
    """TC, the question and the OPT record stay, RRsets are whole or gone, and over TCP it is all there."""
    name = _long_name(world)
    asked = query(name, "TXT", edns=opt(512, flags=0x8000))
    for _ in range(2):
        answer = world.ask(asked)
        assert answer.flags & TC, "no TC"
        assert answer.question, "no question"
        assert answer.has_opt, "no OPT"
        assert not answer.records("TXT"), "part of an RRset"
    assert len(world.ask_tcp(asked).texts) == 12, "not all of it over TCP"


def whole_rrsets_stay(world: World) -> None:
    """No RRset in the answer is there in part."""
    name = world.name("chain")
    target = name.replace("chain", "target")
    texts = " | ".join(f'"{number}{"x" * 150}"' for number in range(6))
    world.script.says(name, records(f"@ 300 CNAME {target}", f"{target} 300 TXT {texts}"))
    world.script.says(target, records(f"@ 300 TXT {texts}"))
    answer = world.ask_name(name, "TXT", edns=opt(512))
    assert answer.flags & TC, "no TC"
    assert [len(rrset) for rrset in answer.records("TXT")] in ([], [6]), "part of an RRset"


def errors_go_first(world: World) -> None:
    """A long Extended DNS Error never costs data or brings TC (RFC 8914 section 3)."""
    name = world.name("error")
    filling = '@ 300 TXT "' + "f" * 200 + '" "' + "g" * 180 + '"'

    def say(asked: Asked) -> Said:
        answer = reply_to(asked, filling)
        answer.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(dns.edns.EDECode(0), "e" * 200)])
        return answer

    world.script.says(name, say)
    answer = world.ask_name(name, "TXT", edns=opt(512))
    assert answer.rcode == NOERROR
    assert not answer.flags & TC, "cut for the sake of an Extended DNS Error"
    assert answer.records("TXT")
    assert len(answer.wire) <= LEAST
    assert not answer.options(EDE) or len(answer.options(EDE)[0]) < LEAST


def truncated_over_doh(world: World) -> None:
    """A cut answer over HTTPS is no answer; it is not asked for without end."""
    name = world.name("cut")

    def say(asked: Asked) -> Said:
        answer = reply_to(asked, "@ 300 A 203.0.113.7")
        answer.flags |= dns.flags.TC
        return answer

    world.needs_doh()
    world.script.says(name, say)
    answer = world.ask_name(name)
    assert answer.flags & RCODE, "given to the client"
    assert not answer.message.answer
    assert len(world.script.asked(name)) <= 3, f"asked {len(world.script.asked(name))} times"


CHECKS = {
    "payload-size": (small_payloads, sizes_are_not_cached),
    "largest-datagram": (largest_datagram,),
    "truncation": (what_is_cut, whole_rrsets_stay, errors_go_first),
    "truncated-upstream": (truncated_over_doh,),
}
