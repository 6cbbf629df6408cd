"""The stages about the protocol, the one that blocks, and their order."""

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from smartdoh import __version__, config
from smartdoh.model import Answer, Query, Route, Stage
from smartdoh.pipeline.block import blocks
from smartdoh.pipeline.order import stages
from smartdoh.pipeline.protocol import answer_any, chaos, refuse_meta, refuse_transfer
from smartdoh.wire.edns import read_extended_error
from tests.scenario.messages import query

FREE = Route("main", False, False, "")
BLOCKED = Route("main", True, True, "routing.rules[0]")
GROUP = '[groups.main]\nupstreams = ["https://192.0.2.1/dns-query"]\n'


def said(answer: Answer | None) -> dns.message.Message:
    assert answer is not None
    return dns.message.from_wire(answer.wire)


def first(text: str, asked: Query, route: Route) -> Answer | None:
    """What the stages of a config say, in their order."""
    found = (stage(asked, route) for stage in stages(config.parse(text + GROUP)))
    return next((answer for answer in found if answer is not None), None)


@pytest.mark.parametrize("rdtype", ["AXFR", "IXFR"])
@pytest.mark.parametrize("name", ["example.com.", "localhost.", ".", "home.arpa."])
def test_transfers_are_refused(rdtype: str, name: str) -> None:
    answer = refuse_transfer(query(name, rdtype), FREE)
    assert said(answer).rcode() == dns.rcode.REFUSED
    assert answer is not None
    assert read_extended_error(answer.ede) == (21, "no zone transfers here")
    assert refuse_transfer(query(name, "A"), FREE) is None


@pytest.mark.parametrize("rdtype", ["OPT", "TSIG", "TKEY", "MAILA", "MAILB", "TYPE128", "TYPE248"])
def test_types_that_no_data_has_are_asked_of_nobody(rdtype: str) -> None:
    answer = refuse_meta(query("example.com.", rdtype), FREE)
    assert said(answer).rcode() == dns.rcode.FORMERR
    assert answer is not None
    assert read_extended_error(answer.ede) == (21, "no data has this type")


@pytest.mark.parametrize("rdtype", ["A", "TYPE127", "AXFR", "IXFR", "ANY", "URI", "TYPE65400"])
def test_other_types_are_no_meta_types(rdtype: str) -> None:
    assert refuse_meta(query("example.com.", rdtype), FREE) is None


@pytest.mark.parametrize("name", ["example.com.", "WWW.example.com.", ".", "localhost.", "printer."])
def test_any_gets_one_small_record(name: str) -> None:
    """RFC 8482 section 4.2."""
    answer = said(answer_any(query(name, "ANY"), FREE))
    ((hinfo,),) = answer.answer
    assert hinfo.rdtype == dns.rdatatype.HINFO
    assert hinfo.cpu == b"RFC8482"
    assert len(answer.to_wire()) < 120
    assert answer_any(query(name, "A"), FREE) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("version.bind.", f"smartdoh {__version__}"),
        ("VERSION.BIND.", f"smartdoh {__version__}"),
        ("version.server.", f"smartdoh {__version__}"),
        ("id.server.", "smartdoh"),
        ("hostname.bind.", "smartdoh"),
    ],
)
@pytest.mark.parametrize("rdtype", ["TXT", "ANY"])
def test_class_ch_says_what_we_are(name: str, text: str, rdtype: str) -> None:
    asked = query(name, rdtype, rdclass="CH")
    ((record,),) = said(chaos(hide_version=False)(asked, FREE)).answer
    assert record.strings == (text.encode(),)
    assert said(chaos(hide_version=True)(asked, FREE)).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    ("name", "rdtype"), [("example.com.", "TXT"), ("version.bind.", "A"), ("authors.bind.", "TXT")]
)
def test_all_else_of_class_ch_is_refused_and_never_sent_on(name: str, rdtype: str) -> None:
    answer = said(chaos(hide_version=False)(query(name, rdtype, rdclass="CH"), FREE))
    assert answer.rcode() == dns.rcode.REFUSED


def test_class_in_is_not_chaos() -> None:
    assert chaos(hide_version=False)(query("version.bind.", "TXT"), FREE) is None


# Blocks


@pytest.mark.parametrize(
    ("form", "rdtype", "rcode", "address"),
    [
        ("null", "A", "NOERROR", "0.0.0.0"),
        ("null", "AAAA", "NOERROR", "::"),
        ("null", "TXT", "NOERROR", ""),
        ("null", "HTTPS", "NOERROR", ""),
        ("null", "PTR", "NOERROR", ""),
        ("nxdomain", "A", "NXDOMAIN", ""),
        ("nxdomain", "TXT", "NXDOMAIN", ""),
        ("refused", "A", "REFUSED", ""),
        ("refused", "TXT", "REFUSED", ""),
    ],
)
def test_a_blocked_name_gets_what_the_config_says(form: str, rdtype: str, rcode: str, address: str) -> None:
    stage: Stage = blocks(form, 300)  # type: ignore[arg-type]
    answer = stage(query("ads.example.", rdtype), BLOCKED)
    message = said(answer)
    assert answer is not None
    assert message.rcode() == dns.rcode.from_text(rcode)
    assert [item.address for rrset in message.answer for item in rrset] == ([address] if address else [])
    assert read_extended_error(answer.ede) == (15, "blocked by routing.rules[0]")
    if rcode != "REFUSED":
        assert {rrset.ttl for rrset in (*message.answer, *message.authority)} == {300}
    assert stage(query("ads.example.", rdtype), FREE) is None


def test_a_block_in_another_class_is_none() -> None:
    assert blocks("null", 300)(query("ads.example.", "TXT", rdclass="CH"), BLOCKED) is None


# Their order


def test_a_block_comes_before_local_names() -> None:
    answer = first('[block]\nanswer = "nxdomain"\n', query("localhost."), BLOCKED)
    assert said(answer).rcode() == dns.rcode.NXDOMAIN


def test_any_and_transfers_come_before_blocks_and_local_names() -> None:
    for name in ("ads.example.", "localhost."):
        assert said(first("", query(name, "ANY"), BLOCKED)).answer[0].rdtype == dns.rdatatype.HINFO
        assert said(first("", query(name, "AXFR"), BLOCKED)).rcode() == dns.rcode.REFUSED


def test_class_ch_comes_before_all_names() -> None:
    assert said(first("", query("localhost.", "A", rdclass="CH"), BLOCKED)).rcode() == dns.rcode.REFUSED
    hidden = first("[listen]\nhide_version = true\n", query("version.bind.", "TXT", rdclass="CH"), FREE)
    assert said(hidden).rcode() == dns.rcode.REFUSED


def test_all_else_goes_on() -> None:
    for rdtype in ("A", "AAAA", "HTTPS", "TYPE65280", "DNSKEY"):
        assert first("", query("www.example.com.", rdtype), FREE) is None
