"""How long data lives: TTLs as they come, as they are given on, as they run down."""

import dns.message

from tests.conformance.messages import NOERROR, Answer
from tests.conformance.script import records
from tests.conformance.world import World

WEEK = 7 * 86_400  # seconds, RFC 8767 section 4
HIGH_BIT = 0x8000_0000


def raw_ttls(answer: Answer) -> list[int]:
    """Of each record by itself."""
    message = dns.message.from_wire(answer.wire, one_rr_per_rrset=True)
    return [rrset.ttl for rrset in (*message.answer, *message.authority)]


def large_ttls(world: World) -> None:
    """32 bits without a sign; what has the high bit is large and not none, and nothing lives over 7 days."""
    for ttl in (0x7FFF_FFFF, HIGH_BIT, 0xFFFF_FFFF, WEEK + 1):
        name = world.name("large")
        world.script.says(name, records(f"@ {ttl} A 203.0.113.7"))
        for _ in range(2):
            [seen] = raw_ttls(world.ask_name(name))
            assert 3600 <= seen <= WEEK, f"{ttl} became {seen}"
        assert len(world.script.asked(name)) == 1, f"a TTL of {ttl} was not cached"


def ttl_zero(world: World) -> None:
    """For those who wait, and nobody else."""
    name = world.name("zero")
    world.script.says(name, records("@ 0 A 203.0.113.7"))
    for count in (1, 2, 3):
        assert raw_ttls(world.ask_name(name)) == [0], "another TTL"
        assert len(world.script.asked(name)) == count, "given from the cache"


def uneven_rrset(world: World) -> None:
    """All members get the least."""
    name = world.name("uneven")
    world.script.says(name, records("@ 300 A 203.0.113.1", "@ 60 A 203.0.113.2", "@ 200 A 203.0.113.3"))
    for _ in range(2):
        ttls = raw_ttls(world.ask_name(name))
        assert len(ttls) == 3
        assert ttls == [min(ttls)] * 3, f"TTLs {ttls}"
        assert ttls[0] <= 60


def counts_down(world: World) -> None:
    """The longer it was kept, the less is left."""
    name = world.name("down")
    world.script.says(name, records("@ 300 A 203.0.113.7"))
    assert world.ask_name(name).ttls == [300]
    world.pass_time(100)
    [left] = world.ask_name(name).ttls
    assert 190 <= left <= 200, f"{left} s after 100 of 300"
    assert len(world.script.asked(name)) == 1, "asked again"


def shortest_rules(world: World) -> None:
    """A chain lives as long as its shortest-lived link."""
    name = world.name("chain")
    target = name.replace("chain", "link")
    world.script.says(name, records(f"@ 50 CNAME {target}", f"{target} 3000 A 203.0.113.7"))
    world.script.says(target, records("@ 3000 A 203.0.113.7"))
    world.ask_name(name)
    world.pass_time(40)
    world.ask_name(name)
    before = len(world.script.asked(name))
    assert before == 1, "asked again within its life"
    world.pass_time(30)
    world.ask_name(name)
    world.script.wait_for(name, before + 1)


def no_tail_of_zero(world: World) -> None:
    """At the end of its life nobody is given a TTL of 0 again and again: that would be asked for at once."""
    name = world.name("tail")
    world.script.says(name, records("@ 20 A 203.0.113.7"))
    world.ask_name(name)
    for _ in range(4):
        world.pass_time(5.5)
        answer = world.ask_name(name)
        assert answer.rcode == NOERROR
        assert answer.ttls[0] > 0, "a TTL of 0"


CHECKS = {
    "ttl-bounds": (large_ttls, ttl_zero),
    "rrset-ttl": (uneven_rrset,),
    "lifetime": (counts_down, shortest_rules, no_tail_of_zero),
}
