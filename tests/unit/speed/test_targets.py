"""Which addresses are probed."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.speed.targets import MOST_ADDRESSES, is_public, targets


def packed(*texts: str) -> list[bytes]:
    return [ipaddress.ip_address(text).packed for text in texts]


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.2.1"),
        *("192.168.1.1", "198.18.0.1", "203.0.113.7", "224.0.0.251", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fd00::1", "ff02::fb", "2001:db8::1", "100::1", "2001::1"),
        *("::ffff:127.0.0.1", "::ffff:192.168.1.1", "64:ff9b::10.0.0.1", "2002:7f00:1::1"),
    ],
)
def test_special_addresses_are_never_probed(text: str) -> None:
    assert not is_public(packed(text)[0])


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.8.8", "45.10.0.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_are(text: str) -> None:
    assert is_public(packed(text)[0])


@settings(deadline=None)
@given(st.ip_addresses(v=4).filter(lambda ip: not ip.is_global))
def test_nothing_that_is_not_global(ip: ipaddress.IPv4Address) -> None:
    assert not is_public(ip.packed)
    assert not is_public(ipaddress.IPv6Address(f"::ffff:{ip}").packed)


@settings(deadline=None)
@given(st.lists(st.ip_addresses().map(lambda ip: ip.packed), max_size=40))
def test_at_most_eight_of_a_family_in_their_order(addresses: list[bytes]) -> None:
    found = targets(addresses, is_public)
    for size in (4, 16):
        family = [address for address in found if len(address) == size]
        allowed = [each for each in dict.fromkeys(addresses) if len(each) == size and is_public(each)]
        assert family == allowed[:MOST_ADDRESSES]


def test_policy_decides() -> None:
    loopback = packed("127.0.0.1", "127.0.0.1", "::1")
    assert targets(loopback, lambda _: True) == (loopback[0], loopback[2])
    assert targets(loopback, is_public) == ()
