"""Names that are answered here: every zone of the RFCs, each type, and labels that only look alike."""

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from smartdoh.model import Answer, Route
from smartdoh.pipeline.local import EMPTY_ZONES, SPECIAL_NAMES, local_names
from tests.scenario.messages import query

FREE = Route("main", False, False, "")
EXPLICIT = Route("main", False, True, "")
STAGE = local_names()
TYPES = ("A", "AAAA", "PTR", "SOA", "NS", "SVCB", "HTTPS", "TXT", "DS", "ANY")

ZEROS = "0." * 31 + "ip6.arpa."
ZONES = (  # each as its RFC names it
    *("invalid.", "test.", "local.", "onion.", "home.arpa.", "resolver.arpa."),
    "10.in-addr.arpa.",
    *(f"{number}.172.in-addr.arpa." for number in range(16, 32)),
    *("168.192.in-addr.arpa.", "0.in-addr.arpa.", "127.in-addr.arpa.", "254.169.in-addr.arpa."),
    *("2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.", "113.0.203.in-addr.arpa."),
    "255.255.255.255.in-addr.arpa.",
    *("0." + ZEROS, "1." + ZEROS, "d.f.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."),
    *("8.e.f.ip6.arpa.", "9.e.f.ip6.arpa.", "a.e.f.ip6.arpa.", "b.e.f.ip6.arpa."),
    *(f"{number}.100.in-addr.arpa." for number in range(64, 128)),
)

ALIKE = (
    *(
        "x.notlocalhost.",
        "localhost.example.",
        "x.localhosts.",
        "x.invalid.example.",
        "x.tests.",
        "x.contest.",
    ),
    *("mylocal.example.", "x.locals.", "x.onions.", "home.arpa.example.", "xhome.arpa.", "myhome.arpa."),
    *("resolver.example.", "xresolver.arpa.", "arpa.example.", "in-addr.arpa.", "ip6.arpa.", "example.com."),
    *(
        "110.in-addr.arpa.",
        "1.10.example.",
        "15.172.in-addr.arpa.",
        "32.172.in-addr.arpa.",
        "172.in-addr.arpa.",
    ),
    *(
        "167.192.in-addr.arpa.",
        "192.in-addr.arpa.",
        "1.in-addr.arpa.",
        "128.in-addr.arpa.",
        "100.in-addr.arpa.",
    ),
    *("63.100.in-addr.arpa.", "128.100.in-addr.arpa.", "253.169.in-addr.arpa.", "3.0.192.in-addr.arpa."),
    *("255.255.255.in-addr.arpa.", "254.255.255.255.in-addr.arpa.", "2." + ZEROS, "7.e.f.ip6.arpa."),
    *("c.e.f.ip6.arpa.", "c.f.ip6.arpa.", "9.b.d.0.1.0.0.2.ip6.arpa.", "e.f.ip6.arpa."),
    "b.a\\004test.",  # a label that ends in the octets of a zone
    "a\\.test.example.",
)


def said(answer: Answer) -> dns.message.Message:
    return dns.message.from_wire(answer.wire)


def asked(name: str, rdtype: str = "A", route: Route = FREE) -> dns.message.Message | None:
    answer = STAGE(query(name, rdtype), route)
    return None if answer is None else said(answer)


def test_the_tables_name_the_same_zones() -> None:
    ours = {dns.name.from_text(zone) for zone in (*SPECIAL_NAMES, *EMPTY_ZONES)}
    assert ours == {dns.name.from_text(zone) for zone in ("localhost.", *ZONES)}


@pytest.mark.parametrize("rdtype", TYPES)
def test_every_zone_is_answered_here_for_every_type(rdtype: str) -> None:
    for zone in ZONES:
        answer = asked(zone, rdtype)
        if (
            rdtype == "DS" and zone.count(".") > 1
        ):  # the zone above has it, with its proof: RFC 8375 section 4
            assert answer is None, zone
            continue
        assert answer is not None, zone
        if rdtype in ("SOA", "NS") or (zone == "1." + ZEROS and rdtype == "PTR"):
            assert answer.rcode() == dns.rcode.NOERROR
            (rrset,) = answer.answer
            assert rrset.rdtype == dns.rdatatype.from_text(rdtype)
            assert rrset.name == dns.name.from_text(zone)
        else:
            assert_no(answer, zone, dns.rcode.NOERROR)


@pytest.mark.parametrize("rdtype", TYPES)
@pytest.mark.parametrize("label", ["x", "a.b.c", "_dns", "X", "1.2"])
def test_nothing_is_below_them(rdtype: str, label: str) -> None:
    for zone in ZONES:
        answer = asked(f"{label}.{zone}", rdtype)
        assert answer is not None, zone
        exists = zone == "resolver.arpa."  # RFC 9462 section 6.4 wants NODATA for what is not designated
        assert_no(answer, zone, dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)


def assert_no(answer: dns.message.Message, zone: str, rcode: int) -> None:
    """A negative answer that clients can keep: the zone's SOA record is with it (RFC 2308)."""
    assert answer.rcode() == rcode, zone
    assert answer.answer == []
    (soa,) = answer.authority
    assert soa.rdtype == dns.rdatatype.SOA
    assert soa.name == dns.name.from_text(zone)
    assert min(soa.ttl, soa[0].minimum) > 0


@pytest.mark.parametrize("name", ["localhost.", "LOCALHOST.", "x.localhost.", "a.b.localhost."])
@pytest.mark.parametrize(("rdtype", "address"), [("A", "127.0.0.1"), ("AAAA", "::1")])
def test_localhost_is_this_host(name: str, rdtype: str, address: str) -> None:
    """RFC 6761 section 6.3, for it and every name below it."""
    answer = asked(name, rdtype)
    assert answer is not None
    assert [item.address for item in answer.answer[0]] == [address]
    assert answer.answer[0].name == dns.name.from_text(name)


@pytest.mark.parametrize("rdtype", sorted({*TYPES} - {"A", "AAAA"}))
def test_localhost_has_nothing_else(rdtype: str) -> None:
    answer = asked("localhost.", rdtype)
    assert answer is not None
    assert_no(answer, "localhost.", dns.rcode.NOERROR)


@pytest.mark.parametrize("name", ["1.0.0.127.in-addr.arpa.", "1." + ZEROS])
def test_loopback_addresses_have_a_name(name: str) -> None:
    answer = asked(name, "PTR")
    assert answer is not None
    assert str(answer.answer[0][0].target) == "localhost."
    for rdtype in ("A", "TXT"):
        other = asked(name, rdtype)
        assert other is not None
        assert other.rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.parametrize("rdtype", ["A", "PTR", "SOA"])
def test_names_that_look_alike_are_not_answered_here(name: str, rdtype: str) -> None:
    assert asked(name, rdtype) is None


@pytest.mark.parametrize("name", ["printer.", "notlocalhost.", "com.", "homearpa.", "xn--p1ai.", "a\\.b."])
@pytest.mark.parametrize("rdtype", ["A", "AAAA", "PTR", "SVCB", "HTTPS", "TXT", "MX"])
def test_a_name_without_a_dot_is_not_there(name: str, rdtype: str) -> None:
    answer = asked(name, rdtype)
    assert answer is not None
    assert_no(answer, ".", dns.rcode.NXDOMAIN)


@pytest.mark.parametrize("name", [".", "com.", "net."])
@pytest.mark.parametrize("rdtype", ["NS", "SOA", "DS", "DNSKEY"])
def test_what_validators_ask_of_the_top_is_resolved(name: str, rdtype: str) -> None:
    assert asked(name, rdtype) is None


@pytest.mark.parametrize("rdtype", ["A", "NS", "TXT"])
def test_the_root_is_resolved(rdtype: str) -> None:
    assert asked(".", rdtype) is None


@pytest.mark.parametrize(
    "name", ["localhost.", "x.home.arpa.", "1.0.0.10.in-addr.arpa.", "printer.", "x.onion."]
)
def test_an_explicit_rule_comes_first(name: str) -> None:
    assert asked(name, route=EXPLICIT) is None
    assert asked(name) is not None


def test_a_zone_can_be_left_to_the_upstreams() -> None:
    stage = local_names(["home.arpa", "10.in-addr.arpa."])
    for name in ("home.arpa.", "nas.home.arpa.", "1.0.0.10.in-addr.arpa."):
        assert stage(query(name), FREE) is None
    assert stage(query("16.172.in-addr.arpa."), FREE) is not None


def test_other_classes_know_none_of_them() -> None:
    assert STAGE(query("localhost.", rdclass="CH"), FREE) is None


def test_the_question_comes_back_as_it_was_spelled() -> None:
    answer = asked("LocalHost.")
    assert answer is not None
    assert str(answer.question[0].name) == "LocalHost."
