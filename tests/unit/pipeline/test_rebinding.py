"""Public names have no private addresses, wherever in an answer they stand."""

import dns.message
import dns.rcode
import pytest

from smartdoh.model import Answer, Route
from smartdoh.pipeline.rebinding import refuses_rebinding
from smartdoh.rules.domains import Domains
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.edns import read_extended_error
from tests.scenario.messages import answer_to, query

ROUTE = Route("world", False, False, "")
WWW = "www.example.com."
SHAPE = refuses_rebinding({"office"}, Domains(["plex.direct"]))


def shaped(
    *records: str, name: str = WWW, rdtype: str = "A", route: Route = ROUTE, **how: tuple[str, ...]
) -> Answer:
    asked = query(name, rdtype)
    given = answer_to(asked, *records, **how)  # type: ignore[arg-type]
    made = SHAPE(asked, route, given)
    assert made.scan == scan_answer(made.wire, asked)._replace(
        flags=made.scan.flags, addresses=made.scan.addresses
    )
    return made


def said(answer: Answer) -> dns.message.Message:
    return dns.message.from_wire(answer.wire)


def is_untouched(*records: str, **how: object) -> bool:
    asked = query(str(how.pop("name", WWW)), str(how.pop("rdtype", "A")))
    route = how.pop("route", ROUTE)
    assert isinstance(route, Route)
    given = answer_to(asked, *records, **how)  # type: ignore[arg-type]
    return SHAPE(asked, route, given) is given


@pytest.mark.parametrize(
    ("rdtype", "address"),
    [("A", "192.168.1.1"), ("A", "0.0.0.0"), ("AAAA", "fd00::5"), ("AAAA", "::ffff:10.0.0.1")],
)
def test_the_name_does_not_exist(rdtype: str, address: str) -> None:
    made = shaped(f"{WWW} 60 {rdtype} {address}", rdtype=rdtype)
    assert said(made).rcode() == dns.rcode.NXDOMAIN
    assert not said(made).answer
    assert made.scan.negative_ttl == 60, "no longer than the answer that it stands for"
    code, text = read_extended_error(made.ede) or (0, "")
    assert (code, text.startswith("rebinding: ")) == (15, True)


def test_one_of_many_is_enough() -> None:
    made = shaped(*[f"{WWW} 60 A 203.0.113.{number}" for number in range(9)], f"{WWW} 60 A 10.0.0.1")
    assert said(made).rcode() == dns.rcode.NXDOMAIN


def test_at_the_end_of_a_chain() -> None:
    made = shaped(
        f"{WWW} 60 CNAME a.example.net.",
        "a.example.net. 60 CNAME b.example.net.",
        "b.example.net. 60 A 127.0.0.1",
    )
    assert said(made).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    "hint",
    [
        "ipv4hint=192.0.2.1,192.168.1.1",
        "ipv6hint=fe80::1",
        "ipv4hint=192.0.2.1 ipv6hint=::1",
        "alpn=h2 ipv4hint=0.0.0.0",
    ],
)
@pytest.mark.parametrize("rdtype", ["HTTPS", "SVCB"])
def test_in_a_hint(hint: str, rdtype: str) -> None:
    """No data, so that browsers ask for the addresses, which are judged by themselves."""
    made = shaped(f"{WWW} 60 {rdtype} 1 . {hint}", rdtype=rdtype)
    assert (said(made).rcode(), said(made).answer) == (dns.rcode.NOERROR, [])
    assert (read_extended_error(made.ede) or (0,))[0] == 15


def test_beside_an_answer_it_is_left_out() -> None:
    records = (f"{WWW} 60 SRV 1 1 443 host.example.com.", f"{WWW} 60 SRV 2 1 443 other.example.com.")
    beside = ("host.example.com. 60 A 192.168.1.1", "other.example.com. 60 A 203.0.113.1")
    made = shaped(*records, rdtype="SRV", additional=beside)
    assert len(said(made).answer[0]) + len(said(made).answer[1:]) == 2
    assert [str(rrset.name) for rrset in said(made).additional] == ["other.example.com."]


def test_public_addresses_are_left_alone() -> None:
    assert is_untouched(f"{WWW} 60 A 203.0.113.1", f"{WWW} 60 A 100.128.0.1")
    assert is_untouched(f"{WWW} 60 AAAA 2001:db8::1", rdtype="AAAA")
    assert is_untouched(
        f"{WWW} 60 HTTPS 1 . alpn=h2 ipv4hint=203.0.113.1 ipv6hint=2001:db8::1", rdtype="HTTPS"
    )
    assert is_untouched(f"{WWW} 60 HTTPS 0 host.example.net.", rdtype="HTTPS")
    assert is_untouched(f"{WWW} 60 TXT 10.0.0.1", rdtype="TXT")
    assert is_untouched(f"{WWW} 60 MX 1 {WWW}", rdtype="MX", additional=(f"{WWW} 60 A 203.0.113.1",))


def test_private_groups_and_names_that_are_allowed_may_have_them() -> None:
    private = f"{WWW} 60 A 10.0.0.1"
    assert is_untouched(private, route=ROUTE._replace(group="office"))
    name = "192-168-1-5.abc.plex.direct."
    assert is_untouched(f"{name} 60 A 192.168.1.5", name=name)
    assert not is_untouched("explex.direct. 60 A 192.168.1.5", name="explex.direct.")


def test_an_alias_of_a_name_that_is_allowed_is_not() -> None:
    """A page has the name that it was asked for by, and that is the attacker's."""
    target = "192-168-1-5.abc.plex.direct."
    assert not is_untouched(f"{WWW} 60 CNAME {target}", f"{target} 60 A 192.168.1.5")


def test_a_malformed_record_hides_nothing() -> None:
    """No client should use it (RFC 9460 section 2.2); some may."""
    asked = query(WWW, "HTTPS")
    given = answer_to(asked, f"{WWW} 60 HTTPS 1 . ipv4hint=10.0.0.1,192.0.2.1 key9=x")
    for old, new in ((b"\0\4\0\x08\x0a", b"\0\4\0\x09\x0a"), (b"\0\x09\0\1x", b"\0\3\0\1x")):
        wire = given.wire.replace(old, new)
        assert wire != given.wire
        broken = given._replace(wire=wire, scan=scan_answer(wire, asked))
        assert said(SHAPE(asked, ROUTE, broken)).answer == []
