"""A question as a dnstap message: what it says of clients, times and outcomes, and what it leaves out."""

from __future__ import annotations

import ipaddress
from typing import Any

import dns.message
import dns.rcode
import pytest

from smartdoh.app.dnstap.messages import Encoder
from smartdoh.app.dnstap.schema import dnstap_class
from smartdoh.app.questions.log.privacy import Excluded, Privacy
from smartdoh.app.questions.seen import Decided, to_text
from smartdoh.fastpath.packed import OUTCOMES, WAY, Packed, packed_client
from smartdoh.wire.names import from_text

NXDOMAIN, BADVERS = 3, 16
DNSTAP = dnstap_class()


def record(
    name: str = "www.example",
    client: str = "192.0.2.77",
    rcode: int = 0,
    outcome: str = "hit",
    seconds: float = -1.0,
    who: Decided | None = None,
) -> Packed:
    way = WAY.pack(1, OUTCOMES.index(outcome), 28, 1, rcode)
    text = to_text(who) if who is not None else b""
    return Packed(100.5, seconds, way, packed_client(client)[1], from_text(name), text)


def read(one: Packed, privacy: Privacy = "whole") -> Any:
    payload = Encoder("me", "smartdoh 1", privacy, Excluded(["private.example"])).payload(one, 1.7e9)
    assert payload is not None
    return DNSTAP.FromString(payload)


def test_who_asked_what_and_when() -> None:
    who = Decided("main", "dns.example", "routing.rules[0]", "far", 7)
    found = read(record(rcode=NXDOMAIN, outcome="miss", seconds=0.25, who=who))
    assert (found.identity, found.version, found.type) == (b"me", b"smartdoh 1", 1)
    assert found.extra == b"outcome=miss group=main upstream=dns.example list=far line=7"
    message = found.message
    assert (message.type, message.socket_family, message.socket_protocol) == (6, 1, 2)
    assert ipaddress.ip_address(message.query_address) == ipaddress.ip_address("192.0.2.77")
    assert (message.query_time_sec, message.query_time_nsec) == (1_700_000_100, 250_000_000)
    assert (message.response_time_sec, message.response_time_nsec) == (1_700_000_100, 500_000_000)
    response = dns.message.from_wire(message.response_message)
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert [str(rrset) for rrset in response.question] == ["www.example. IN AAAA"]


def test_what_was_answered_at_once_was_asked_then() -> None:
    message = read(record()).message
    assert (message.query_time_sec, message.query_time_nsec) == (
        message.response_time_sec,
        message.response_time_nsec,
    )


@pytest.mark.parametrize(
    ("client", "privacy", "expected"),
    [
        ("192.0.2.77", "short", "192.0.2.0"),
        ("2001:db8:1:2345:6::7", "whole", "2001:db8:1:2345:6::7"),
        ("2001:db8:1:2345:6::7", "short", "2001:db8:1:2300::"),
        ("192.0.2.77", "none", None),
    ],
)
def test_how_much_is_told_of_the_client(client: str, privacy: Privacy, expected: str | None) -> None:
    message = read(record(client=client), privacy).message
    if expected is None:
        assert not message.HasField("query_address")
        assert not message.HasField("socket_family")
    else:
        assert str(ipaddress.ip_address(message.query_address)) == expected
        assert message.socket_family == (2 if ":" in expected else 1)


def test_names_that_are_left_out() -> None:
    encoder = Encoder("me", "smartdoh 1", "whole", Excluded(["private.example"]))
    assert encoder.payload(record("a.private.example"), 0.0) is None
    assert encoder.payload(record("notprivate.example"), 0.0) is not None


def test_a_long_rcode_is_cut() -> None:
    """Its upper part stands in OPT, which a message does not have."""
    assert dns.message.from_wire(read(record(rcode=BADVERS)).message.response_message).rcode() == 0
