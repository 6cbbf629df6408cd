"""DNSSEC as one passes it on who does not validate: DO, CD, AD, signatures."""

import dns.flags

from tests.conformance.messages import AD, CD, DO, RD, opt
from tests.conformance.script import Asked, Said, records, reply_to
from tests.conformance.world import World

SIGNATURE = "@ 300 RRSIG A 13 3 300 20300101000000 20200101000000 12345 conformance.example. c2lnbmF0dXJl"
ADDRESS = "@ 300 A 203.0.113.7"


def signed(asked: Asked) -> Said:
    """An address, with its signature for those who set DO."""
    is_wanted = asked.query.ednsflags & dns.flags.DO
    return reply_to(asked, ADDRESS, SIGNATURE) if is_wanted else reply_to(asked, ADDRESS)


def authentic(asked: Asked) -> Said:
    """An upstream that has validated, and says so."""
    answer = reply_to(asked, ADDRESS)
    answer.flags |= dns.flags.AD
    return answer


def do_is_copied(world: World) -> None:
    """Both ways, fresh and from the cache."""
    name = world.name()
    for flags in (0, DO, 0, DO):
        assert world.ask_name(name, edns=opt(flags=flags)).message.ednsflags == flags, "DO is not the asker's"


def signatures_for_do_alone(world: World) -> None:
    """In whichever order they ask."""
    for order in ((DO, 0, DO, 0), (0, DO, 0, DO)):
        name = world.name("signed")
        world.script.says(name, signed)
        for flags in order:
            answer = world.ask_name(name, edns=opt(flags=flags))
            assert bool(answer.records("RRSIG")) == bool(flags), "RRSIG" if not flags else "no RRSIG"
        assert not world.ask_name(name).records("RRSIG"), "RRSIG to one without EDNS"


def signatures_by_type(world: World) -> None:
    """Who asks for them by type gets them without DO."""
    name = world.name("dnskey")
    world.script.says(name, records("@ 300 DS 12345 13 2 " + "ab" * 32))
    assert world.ask_name(name, "DS").records("DS"), "DS was taken out"


def ad_to_those_who_know_it(world: World) -> None:
    """AD or DO in the query, else no AD in the answer; a trusted upstream's word is passed on."""
    name = world.name("authentic")
    world.script.says(name, authentic)
    for flags, edns, is_told in (
        (0, b"", False),
        (AD, b"", True),
        (0, opt(flags=DO), True),
        (0, opt(), False),
    ):
        answer = world.ask_name(name, flags=RD | flags, edns=edns)
        if not is_told or world.kind == "smartdoh":
            assert bool(answer.flags & AD) == is_told, (
                f"AD={bool(answer.flags & AD)} to {flags:#x}, OPT {len(edns)}"
            )


def ad_of_the_untrusted(world: World) -> None:
    """Where the config says not to trust these servers, their AD is not passed on."""
    world = world.of("untrusted")
    name = world.name("authentic")
    world.script.says(name, authentic)
    answer = world.ask_name(name, flags=RD | AD, edns=opt(flags=DO))
    assert not answer.flags & AD, "AD came through"


def passed_through(world: World) -> None:
    """CD and DO go up, signatures come down as they are, from the cache too."""
    name = world.name("signed")
    world.script.says(name, signed)
    for _ in range(2):
        answer = world.ask_name(name, flags=RD | CD, edns=opt(flags=DO))
        assert answer.flags & CD, "CD was lost"
        [signature] = answer.records("RRSIG")
        assert signature[0].signature == b"signature", "the signature was changed"
    asked = world.script.asked(name)[0].query
    assert asked.flags & dns.flags.CD, "CD was not passed on"
    assert asked.ednsflags & dns.flags.DO, "DO was not passed on"


CHECKS = {
    "dnssec-ok": (do_is_copied, signatures_for_do_alone, signatures_by_type),
    "authentic-data": (ad_to_those_who_know_it, ad_of_the_untrusted),
    "pass-through": (passed_through,),
}
