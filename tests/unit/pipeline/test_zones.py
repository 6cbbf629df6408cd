"""Zones that are asked for names which do not exist: what a zone is, and when it has had enough."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.pipeline.zones import BURST, ZONES, Zones, zone_of

RATE = 10


def wire(text: str) -> bytes:
    found = dns.name.from_text(text).to_wire()
    assert found is not None
    return found


def number_charged(zones: Zones, now: float, zone: str = "example.com", most: int = 1000) -> int:
    """How many of so many questions, for a different name each, are let through."""
    names = (wire(f"r{number}.{zone}") for number in range(most))
    return sum(zones.charge(name, now) is not None for name in names)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        (".", "."),
        ("com", "com"),
        ("example.com", "example.com"),
        ("a.example.com", "example.com"),
        ("a.b.c.example.com", "example.com"),
        ("a.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("a.b.example.com.cn", "example.com.cn"),
        ("x.jd.hk", "jd.hk"),
        ("a.co.example", "co.example"),
        ("4.3.2.1.in-addr.arpa", "2.1.in-addr.arpa"),
        ("1.in-addr.arpa", "1.in-addr.arpa"),
        ("f." * 24 + "8.b.d.0.1.0.0.2.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_what_counts_as_a_zone(name: str, zone: str) -> None:
    assert zone_of(wire(name)) == wire(zone)


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=4))
def test_it_is_the_end_of_the_name_whatever_that_is_made_of(labels: list[bytes]) -> None:
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    assert name.endswith(zone_of(name))


def test_a_zone_has_its_budget_and_others_theirs() -> None:
    zones = Zones(RATE)
    assert number_charged(zones, 5.0) == 2 * RATE * BURST, "half of them before zones were looked at"
    assert zones.throttled == 1000 - 2 * RATE * BURST
    assert number_charged(zones, 5.0, "example.net", 50) == 50


def test_charges_are_paid_off_with_time() -> None:
    zones = Zones(RATE)
    number_charged(zones, 5.0)
    assert number_charged(zones, 6.01) == 2 * RATE
    assert number_charged(zones, 5.0 + 3 * BURST) == 2 * RATE * BURST


def test_what_is_given_back_was_never_charged() -> None:
    zones = Zones(RATE)
    for number in range(1000):
        zone = zones.charge(wire(f"good{number}.example.com"), 5.0)
        assert zone is not None
        zones.give_back(zone)
    assert number_charged(zones, 5.0) == RATE * BURST


def test_without_a_budget_nothing_is_counted() -> None:
    zones = Zones(0)
    assert number_charged(zones, 5.0) == 1000
    assert len(zones) == 0


def test_memory_is_bounded_and_a_flooded_zone_is_not_pushed_out() -> None:
    zones = Zones(RATE)
    number_charged(zones, 5.0)
    for number in range(5 * ZONES):
        zones.charge(wire(f"www.other{number}.com"), 5.0)
        if number % (ZONES // 4) == 0:
            assert zones.charge(wire(f"x{number}.example.com"), 5.0) is None
    assert len(zones) <= 2 * ZONES
