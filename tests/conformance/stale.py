"""Answers past their life: when they are given, in which form, and what ends them."""

from tests.conformance.messages import NOERROR, NXDOMAIN, RD, SERVFAIL, opt
from tests.conformance.script import Say, after, failing, in_turn, negative, records, usual
from tests.conformance.world import World

TTL = 60  # seconds, of what goes stale here
HOUR = 3600.0
RECHECK = 30.0  # seconds, RFC 8767 section 5 "failure recheck timer"
RECOMMENDED_TTL = 30  # seconds, RFC 8767 section 5
STALE, STALE_NXDOMAIN = 3, 19
LIVES = records(f"@ {TTL} A 203.0.113.7")
MOVED = records(f"@ {TTL} A 203.0.113.8")


def expired(world: World, then: Say, first: Say = LIVES) -> str:
    """A name whose answer has just ended, and what the upstream says of it from now on."""
    name = world.name("stale")
    world.script.says(name, first)
    world.ask_name(name)
    world.script.says(name, then)
    world.pass_time(TTL + 5)
    return name


def stale_form(world: World) -> None:
    """TTL above 0, and the reason for those who can read it."""
    name = expired(world, failing())
    answer = world.ask_name(name, edns=opt())
    assert answer.rcode == NOERROR, f"rcode {answer.rcode}"
    assert answer.message.answer, "no stale answer"
    assert 0 < answer.ttls[0] <= RECOMMENDED_TTL, f"TTL {answer.ttls[0]}"
    assert STALE in answer.errors, f"Extended DNS Errors {answer.errors}"
    assert not world.ask_name(name).has_opt, "an OPT record to one without EDNS"


def stale_nxdomain(world: World) -> None:
    """A no goes stale as well, under a code of its own."""
    name = expired(world, failing(), negative(ttl=TTL, minimum=TTL))
    answer = world.ask_name(name, edns=opt())
    assert answer.rcode == NXDOMAIN, f"rcode {answer.rcode}"
    assert STALE_NXDOMAIN in answer.errors, f"Extended DNS Errors {answer.errors}"


def fresh_before_the_timer(world: World) -> None:
    """With a client response timer, a fresh answer that comes in time is given."""
    world = world.of("patient")
    world.needs_doh()
    name = expired(world, after(0.5, MOVED))
    answer = world.ask_name(name, edns=opt())
    assert answer.texts == ["203.0.113.8"], "the stale one, though a fresh one came"
    assert STALE not in answer.errors


def stale_after_the_timer(world: World) -> None:
    """And the stale one where none comes: before the client gives up."""
    world = world.of("patient")
    name = expired(world, lambda _asked: None)
    answer = world.ask_name(name, edns=opt())
    assert answer.texts == ["203.0.113.7"], f"rcode {answer.rcode}"
    assert STALE in answer.errors


def recheck_waits(world: World) -> None:
    """After a try that failed the next comes 30 s later, not with the next client."""
    name = expired(world, failing())
    world.ask_name(name)
    world.script.wait_for(name, 2)
    world.settle()
    before = len(world.script.asked(name))
    for _ in range(5):
        assert world.ask_name(name).rcode == NOERROR
        world.pass_time(4)
    assert len(world.script.asked(name)) == before, "asked again within 30 s"
    world.pass_time(RECHECK)
    world.ask_name(name)
    world.script.wait_for(name, before + 1)


def window_ends(world: World) -> None:
    """Kept for a day, and not for four."""
    name = expired(world, failing())
    world.pass_time(23 * HOUR)
    assert world.ask_name(name).rcode == NOERROR, "gone within a day"
    world.pass_time(3 * 24 * HOUR)
    assert world.ask_name(name).rcode == SERVFAIL, "given after four days"


def noerror_refreshes(world: World) -> None:
    """What came behind the stale answer is given next."""
    name = expired(world, MOVED)
    world.ask_name(name)
    world.script.wait_for(name, 2)
    answer = world.ask_until(name, lambda found: found.texts == ["203.0.113.8"])
    assert answer.ttls[0] > RECOMMENDED_TTL, "fresh data with a stale TTL"


def nxdomain_refreshes(world: World) -> None:
    """A name that is gone is gone."""
    name = expired(world, negative())
    world.ask_name(name)
    world.script.wait_for(name, 2)
    world.ask_until(name, lambda found: found.rcode == NXDOMAIN)


def others_leave_it(world: World) -> None:
    """SERVFAIL and REFUSED say nothing about the name."""
    for rcode in ("SERVFAIL", "REFUSED"):
        name = expired(world, failing(rcode))
        for _ in range(3):
            answer = world.ask_name(name)
            assert answer.rcode == NOERROR, f"{rcode} took its place"
            assert answer.message.answer, f"{rcode} took its place"
        world.script.wait_for(name, 2)
        world.settle()
        assert world.ask_name(name).message.answer, f"{rcode} took its place"


def never_without_rd(world: World) -> None:
    """Who does not ask for recursion asks for what is known to hold."""
    name = expired(world, failing())
    answer = world.ask_name(name, flags=0)
    assert not answer.message.answer, "stale data to a query without RD"
    assert world.ask_name(name, flags=RD).message.answer, "and now none to one with RD"


def negative_does_not_mask(world: World) -> None:
    """A no that has ended gives way to data at the first refresh."""
    name = expired(world, usual, negative(ttl=TTL, minimum=TTL))
    world.ask_name(name)
    world.script.wait_for(name, 2)
    world.ask_until(name, lambda found: found.rcode == NOERROR and bool(found.message.answer))


def failure_does_not_shadow(world: World) -> None:
    """A failure never takes the place of data, fresh or stale."""
    name = world.name("shadow")
    world.script.says(name, in_turn(LIVES, failing()))
    world.ask_name(name)
    world.pass_time(TTL * 0.95)  # its refresh is due, and fails
    for _ in range(2):
        assert world.ask_name(name).texts == ["203.0.113.7"], "SERVFAIL shadows fresh data"
    world.pass_time(TTL)
    assert world.ask_name(name).texts == ["203.0.113.7"], "SERVFAIL shadows stale data"


def one_refresh(world: World) -> None:
    """However many ask."""
    world.needs_doh()
    name = expired(world, after(0.3, MOVED))
    for _ in range(20):
        world.ask_name(name)
    world.ask_until(name, lambda found: found.texts == ["203.0.113.8"])
    assert len(world.script.asked(name)) == 2, f"asked {len(world.script.asked(name)) - 1} times"


CHECKS = {
    "stale-form": (stale_form, stale_nxdomain),
    "stale-timers": (fresh_before_the_timer, stale_after_the_timer, recheck_waits, window_ends),
    "stale-refresh": (noerror_refreshes, nxdomain_refreshes, others_leave_it, never_without_rd),
    "cache-shadow": (failure_does_not_shadow, negative_does_not_mask),
    "cache-refresh": (one_refresh, recheck_waits, window_ends, nxdomain_refreshes),
}
