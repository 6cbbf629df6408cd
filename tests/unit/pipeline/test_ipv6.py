"""Answers without IPv6 addresses, and whole but for that."""

from collections.abc import Callable

import dns.message
import dns.rcode
import pytest

from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.config.settings import Ipv6
from smartdoh.fastpath import Entry
from smartdoh.model import Answer, Query, Route
from smartdoh.pipeline.ipv6 import drops_ipv6, ipv4_question
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.edns import read_extended_error
from tests.scenario.messages import addresses, answer_to, query

WWW = "www.example.com."
AAAA = (f"{WWW} 60 CNAME a.example.net.", "a.example.net. 60 AAAA 2001:db8::1")


def shaped(asked: Query, mode: Ipv6, *records: str, known: Entry | None = None, **how: object) -> Answer:
    given = answer_to(asked, *records, **how)  # type: ignore[arg-type]
    peek: Callable[[bytes], Entry | None] = {ipv4_question(asked).key: known}.get
    return drops_ipv6({"main": mode}, peek)(asked, Route("main", False, False, ""), given)


def said(answer: Answer) -> dns.message.Message:
    return dns.message.from_wire(answer.wire)


def entry(*records: str, **how: object) -> Entry:
    asked = query()
    return entry_of(asked, answer_to(asked, *records, **how), Bounds(), 0.0)[0]  # type: ignore[arg-type]


def test_aaaa_has_no_data() -> None:
    made = shaped(query(rdtype="AAAA"), "drop", *AAAA)
    assert (said(made).rcode(), said(made).answer) == (dns.rcode.NOERROR, [])
    assert made.scan.negative_ttl == 60
    assert read_extended_error(made.ede) == (17, "ipv6 = drop")


def test_or_only_where_there_is_ipv4() -> None:
    known = entry(f"{WWW} 60 CNAME a.example.net.", "a.example.net. 60 A 203.0.113.1")
    asked = query(rdtype="AAAA")
    assert said(shaped(asked, "drop_if_ipv4", *AAAA, known=known)).answer == []
    for other in (None, entry(f"{WWW} 60 CNAME a.example.net."), entry(rcode="NXDOMAIN")):
        assert addresses(said(shaped(asked, "drop_if_ipv4", *AAAA, known=other))) == ["2001:db8::1"]


def test_all_else_stays() -> None:
    assert addresses(said(shaped(query(), "drop", f"{WWW} 60 A 203.0.113.1"))) == ["203.0.113.1"]
    assert said(shaped(query(rdtype="AAAA"), "drop", rcode="NXDOMAIN")).rcode() == dns.rcode.NXDOMAIN
    assert addresses(said(shaped(query(rdtype="AAAA"), "keep", *AAAA))) == ["2001:db8::1"]


@pytest.mark.parametrize("rdtype", ["HTTPS", "SVCB"])
def test_hints_go_and_nothing_else(rdtype: str) -> None:
    records = (
        f"{WWW} 60 CNAME svc.example.net.",
        f"svc.example.net. 60 {rdtype} 1 h1.example.net. alpn=h2,h3 port=8443 ipv4hint=203.0.113.1 "
        "ipv6hint=2001:db8::1,2001:db8::2",
        f"svc.example.net. 60 {rdtype} 2 . ipv6hint=2001:db8::3 key65000=later",
        f"svc.example.net. 60 {rdtype} 3 .",
    )
    asked = query(rdtype=rdtype)
    made = shaped(
        asked,
        "drop",
        *records,
        additional=("svc.example.net. 60 A 203.0.113.1", "h1.example.net. 60 A 203.0.113.2"),
    )
    assert made.scan == scan_answer(made.wire, asked)
    texts = sorted(item.to_text() for rrset in said(made).answer[1:] for item in rrset)
    assert texts == [
        '1 h1.example.net. alpn="h2,h3" port="8443" ipv4hint="203.0.113.1"',
        '2 . key65000="later"',
        "3 .",
    ]
    assert [str(rrset.name) for rrset in said(made).additional] == ["svc.example.net.", "h1.example.net."]


def test_hints_go_only_beside_ipv4_ones() -> None:
    records = (
        f"{WWW} 60 HTTPS 1 . ipv4hint=203.0.113.1 ipv6hint=2001:db8::1",
        f"{WWW} 60 HTTPS 2 . ipv6hint=2001:db8::3",
    )
    made = shaped(query(rdtype="HTTPS"), "drop_if_ipv4", *records)
    texts = sorted(item.to_text() for rrset in said(made).answer for item in rrset)
    assert texts == ['1 . ipv4hint="203.0.113.1"', '2 . ipv6hint="2001:db8::3"']


@pytest.mark.parametrize(
    "record",
    [
        f"{WWW} 60 HTTPS 0 host.example.net.",
        f"{WWW} 60 HTTPS 1 . mandatory=ipv6hint ipv6hint=2001:db8::1",
    ],
)
def test_what_cannot_go_stays(record: str) -> None:
    asked = query(rdtype="HTTPS")
    given = answer_to(asked, record)
    shape = drops_ipv6({"main": "drop"}, lambda key: None)
    assert shape(asked, Route("main", False, False, ""), given) is given


def test_signed_records_stay_whole() -> None:
    signature = f"{WWW} 60 RRSIG HTTPS 13 3 60 20300101000000 20200101000000 1 example.com. AAAA"
    asked = query(rdtype="HTTPS", do=True)
    given = answer_to(asked, f"{WWW} 60 HTTPS 1 . ipv6hint=2001:db8::1", signature)
    shape = drops_ipv6({"main": "drop"}, lambda key: None)
    assert shape(asked, Route("main", False, False, ""), given) is given


def test_the_question_for_ipv4_is_the_same_clients() -> None:
    asked = query(WWW, "AAAA", view=3, do=True, flags="RD CD")
    other = ipv4_question(asked)
    assert other.key == query(WWW, "A", view=3, do=True, flags="RD CD").key
    assert other.host == asked.host
