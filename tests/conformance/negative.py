"""How long a no lives, for which questions, and what a failure holds off."""

from tests.conformance.messages import NOERROR, NXDOMAIN, SERVFAIL
from tests.conformance.script import Script, failing, in_turn, negative, records, soa, usual
from tests.conformance.world import World

LONGEST_GOOD = 3 * 3600  # seconds, RFC 2308 section 5
LONGEST_FAILURE = 300.0  # seconds, RFC 9520 section 3.2 and RFC 2308 section 7.2
TRIES = 3  # RFC 9520 section 3.1


def minimum_rules(world: World) -> None:
    """The lesser of the SOA's own TTL and its last field, in the answer and for the cache."""
    for ttl, minimum in ((3000, 60), (60, 3000)):
        name = world.name("no")
        world.script.says(name, negative(ttl=ttl, minimum=minimum))
        first = world.ask_name(name)
        assert first.rcode == NXDOMAIN
        world.pass_time(30)
        [left] = world.ask_name(name).ttls
        assert left <= 30, f"{left} s left of 60 after 30"
        assert len(world.script.asked(name)) == 1, "asked again within its life"
        world.pass_time(40)
        world.ask_name(name)
        world.script.wait_for(name, 2)


def capped(world: World) -> None:
    """A no of a week is none."""
    name = world.name("no")
    world.script.says(name, negative(ttl=604_800, minimum=604_800))
    world.ask_name(name)
    [ttl] = world.ask_name(name).ttls
    assert ttl <= 86_400, f"{ttl} s"
    world.pass_time(86_401)
    world.ask_name(name)
    world.script.wait_for(name, 2)


def good_cap(world: World) -> None:
    """Three hours are enough (RFC 2308 section 5)."""
    name = world.name("no")
    world.script.says(name, negative(ttl=604_800, minimum=604_800))
    world.ask_name(name)
    assert world.ask_name(name).ttls[0] <= LONGEST_GOOD, f"{world.ask_name(name).ttls[0]} s"


def nodata_is_of_its_type(world: World) -> None:
    """That there is no AAAA says nothing of A."""
    name = world.name("nodata")
    world.script.says(name, in_turn(negative("NOERROR"), usual))
    assert not world.ask_name(name, "AAAA").message.answer
    assert world.ask_name(name, "A").message.answer, "NODATA of AAAA was given for A"


def nxdomain_is_of_all_types(world: World) -> None:
    """A name that is not there has no other types."""
    name = world.name("no")
    world.script.says(name, negative())
    assert world.ask_name(name, "A").rcode == NXDOMAIN
    for rtype in ("AAAA", "MX"):
        assert world.ask_name(name, rtype).rcode == NXDOMAIN
    assert len(world.script.asked(name)) == 1, "asked again for another type"


def without_soa(world: World) -> None:
    """Nobody says for how long."""
    for rcode in ("NXDOMAIN", "NOERROR"):
        name = world.name("no")
        world.script.says(name, failing(rcode))
        world.ask_name(name)
        world.pass_time(6)  # a few seconds against floods are allowed
        world.ask_name(name)
        assert len(world.script.asked(name)) == 2, f"{rcode} without SOA was cached"


def names_below(world: World) -> None:
    """What is below a name that is not there is asked for: routes may split the tree."""
    name = world.name("no")
    below = f"below.{name}"
    world.script.says(name, negative())
    assert world.ask_name(name).rcode == NXDOMAIN
    assert world.ask_name(below).rcode == NOERROR, "NXDOMAIN was taken to hold for names below"


def broken_chain(world: World) -> None:
    """The chain is there, the rcode is that of its end; from the cache, too."""
    name = world.name("chain")
    target = name.replace("chain", "gone")
    world.script.says(name, records(f"@ 300 CNAME {target}", authority=[soa()], rcode="NXDOMAIN"))
    world.script.says(target, negative())
    for _ in range(2):
        answer = world.ask_name(name)
        assert answer.rcode == NXDOMAIN, f"rcode {answer.rcode}"
        assert answer.records("CNAME"), "the chain was lost"


def failures_are_kept(world: World) -> None:
    """Who asks again at once is told again; nobody is asked."""
    name = world.name("fails")
    world.script.says(name, failing())
    assert world.ask_name(name).rcode == SERVFAIL
    before = len(world.script.asked(name))
    for _ in range(5):
        assert world.ask_name(name).rcode == SERVFAIL
    assert len(world.script.asked(name)) == before, "asked again"


def failures_end(world: World) -> None:
    """Within five minutes at the latest."""
    name = world.name("fails")
    world.script.says(name, failing())
    world.ask_name(name)
    world.script.says(name, usual)
    world.pass_time(LONGEST_FAILURE + 1)
    assert world.ask_name(name).rcode == NOERROR, "still SERVFAIL"


def _held_off(world: World, name: str, seconds: float) -> bool:
    before = len(world.script.asked(name))
    world.pass_time(seconds)
    world.ask_name(name)
    return len(world.script.asked(name)) == before


def failures_grow(world: World) -> None:
    """A second failure is kept longer than the first."""
    name = world.name("fails")
    world.script.says(name, failing())
    world.ask_name(name)
    first = next((seconds for seconds in range(1, 301) if not _held_off(world, name, 1.05)), 300)
    second = next((seconds for seconds in range(1, 301) if not _held_off(world, name, 1.05)), 300)
    assert second > 1.5 * first, f"{first} s, then {second} s"


def few_tries(world: World) -> None:
    """A question is put to one server over one transport three times at most."""
    name = world.name("fails")
    world.script.says(name, failing())
    world.ask_name(name)
    for face in ("doh", "udp", "tcp"):
        count = sum(one.face == face for one in world.script.asked(name))
        assert count <= TRIES, f"{count} times over {face}"


def dead_servers_are_tried_again(world: World) -> None:
    """However long it was dead."""
    script: Script = world.script
    for _ in range(12):
        name = world.name("dead")
        script.says(name, failing())
        world.ask_name(name)
        world.pass_time(10)
    world.pass_time(LONGEST_FAILURE + 1)
    assert world.ask_name(world.name("alive")).rcode == NOERROR, "still taken for dead"


CHECKS = {
    "negative-ttl": (minimum_rules, capped, good_cap),
    "negative-types": (nodata_is_of_its_type, nxdomain_is_of_all_types),
    "negative-without-soa": (without_soa,),
    "nxdomain-cut": (names_below,),
    "cname-nxdomain": (broken_chain,),
    "failure-cache": (failures_are_kept, failures_end, failures_grow),
    "tries": (few_tries,),
    "dead-servers": (dead_servers_are_tried_again,),
}
