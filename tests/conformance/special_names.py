"""Names that mean this host, this network or nobody; and what has to go on though nobody here knows it."""

import dns.rdatatype
import dns.reversename

from tests.conformance.messages import NOERROR, NXDOMAIN, REFUSED
from tests.conformance.script import ZONE, records, reply_to
from tests.conformance.world import World

PRIVATE = (
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.1",
    "192.168.1.1",
    "169.254.1.1",
    "127.0.0.2",
    "0.1.2.3",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "255.255.255.255",
    "100.64.0.1",
    "100.127.255.1",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "2001:db8::1",
)
CHAOS = 3
NOT_HERE = ("a.invalid.", "a.test.", "printer.local.", "hidden.onion.")


def _is_forwarded(world: World, name: str, rtype: str = "A", rclass: int = 1) -> bool:
    """Ask; whether the upstream has heard of it. Other servers may have asked it before."""
    before = len(world.script.asked(name))
    world.ask_name(name, rtype, rclass=rclass)
    return len(world.script.asked(name)) > before


def localhost(world: World) -> None:
    """Loopback, and everything below it."""
    for name in ("localhost.", "www.localhost."):
        assert world.ask_name(name, "A").texts == ["127.0.0.1"], f"{name} A"
        assert world.ask_name(name, "AAAA").texts == ["::1"], f"{name} AAAA"
        assert world.ask_name(name, "MX").rcode == NOERROR


def not_to_be_resolved(world: World) -> None:
    """No such names, and nobody else is asked."""
    for name in NOT_HERE:
        assert world.ask_name(name).rcode == NXDOMAIN, f"{name} rcode {world.ask_name(name).rcode}"


def stay_here(world: World) -> None:
    """Neither these nor home.arpa go upstream."""
    for name in (*NOT_HERE, "localhost.", "nas.home.arpa."):
        assert not _is_forwarded(world, name), f"{name} was forwarded"


def no_designation(world: World) -> None:
    """`_dns.resolver.arpa` has no data where no encrypted DNS is served."""
    answer = world.ask_name("_dns.resolver.arpa.", "SVCB")
    assert answer.rcode in (NOERROR, NXDOMAIN), f"rcode {answer.rcode}"
    assert not answer.message.answer, "designated"


def resolver_arpa_stays_here(world: World) -> None:
    """Whatever is asked below it."""
    for name, rtype in (("_dns.resolver.arpa.", "SVCB"), ("resolver.arpa.", "A"), ("x.resolver.arpa.", "A")):
        assert not _is_forwarded(world, name, rtype), f"{name} {rtype} was forwarded"


def private_zones(world: World) -> None:
    """Each is answered."""
    for address in PRIVATE:
        name = dns.reversename.from_address(address).to_text()
        answer = world.ask_name(name, "PTR")
        assert answer.rcode in (NXDOMAIN, NOERROR), f"{address}: rcode {answer.rcode}"


def private_zones_stay_here(world: World) -> None:
    """None of it is forwarded."""
    for address in PRIVATE:
        name = dns.reversename.from_address(address).to_text()
        assert not _is_forwarded(world, name, "PTR"), f"{address} was forwarded"


def public_zones(world: World) -> None:
    """Their neighbours are asked for as any name."""
    for address in ("9.9.9.9", "172.32.0.1", "100.63.255.1", "2001:db9::1"):
        name = dns.reversename.from_address(address).to_text()
        assert _is_forwarded(world, name, "PTR"), f"{address} was not forwarded"


def switched_off(world: World) -> None:
    """A zone that the config names goes upstream, its neighbours stay."""
    world = world.of("open zone")
    for address, is_open in (("10.1.2.3", True), ("192.168.1.1", False)):
        name = dns.reversename.from_address(address).to_text()
        assert _is_forwarded(world, name, "PTR") == is_open, address


def chaos(world: World) -> None:
    """What this server is, or a refusal; never what another one is."""
    for name in ("version.bind.", "id.server.", "hostname.bind.", "authors.bind."):
        answer = world.ask_name(name, "TXT", rclass=CHAOS)
        is_told = answer.rcode == NOERROR and answer.message.answer
        assert is_told or answer.rcode in (REFUSED, NXDOMAIN, NOERROR, 4), f"{name}: rcode {answer.rcode}"


def chaos_stays_here(world: World) -> None:
    """None of it goes upstream."""
    for name in ("version.bind.", "id.server.", "hostname.bind.", "authors.bind."):
        assert not _is_forwarded(world, name, "TXT", CHAOS), f"{name} was forwarded"


def unknown_things_go_through(world: World) -> None:
    """Types, classes and records in all sections."""
    name = world.name("through")
    world.script.says(name, lambda asked: reply_to(asked, r"@ 300 TYPE65280 \# 3 010203"))
    assert world.ask_name(name, 65280).texts == [r"\# 3 010203"]
    world.ask_name(name, "A", rclass=65280)
    classes = {int(one.query.question[0].rdclass) for one in world.script.asked(name)}
    assert 65280 in classes, "a class that nobody knows was not passed on"


def all_sections_go_through(world: World) -> None:
    """Authority records come with the answer."""
    name = world.name("sections")
    say = records("@ 300 A 203.0.113.7", authority=[f"{ZONE} 300 NS ns.{ZONE}"])
    world.script.says(name, say)
    kinds = [rrset.rdtype for rrset in world.ask_name(name).message.authority]
    assert kinds == [dns.rdatatype.NS], "the authority section was taken out"


# Whether a question is forwarded shows only when it is asked for the first time.
CHECKS = {
    "designated-resolver": (resolver_arpa_stays_here, no_designation),
    "special-names": (stay_here, localhost, not_to_be_resolved),
    "private-reverse": (private_zones_stay_here, private_zones, public_zones, switched_off),
    "chaos": (chaos_stays_here, chaos),
    "proxy-transparency": (unknown_things_go_through, all_sections_go_through),
}
