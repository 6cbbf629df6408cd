"""The zone smartdoh.: what is told in it, to whom it is about, and that nothing of it is ever asked elsewhere."""

from collections.abc import Iterable

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh import config
from smartdoh.model import Answer, Query, Route
from smartdoh.pipeline.inband import USAGE, in_band, question_in
from smartdoh.pipeline.order import stages
from smartdoh.wire.names import to_text
from smartdoh.wire.question import parse_query

FREE = Route("main", False, False, "")
BLOCKED = Route("main", True, True, "routing.rules[0]")
GROUP = '[groups.main]\nupstreams = ["https://192.0.2.1/dns-query"]\n'
LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=4).map(lambda labels: (*labels,))


def query(name: str, rdtype: str = "TXT", rdclass: str = "IN", view: int = 0) -> Query:
    return parse_query(dns.message.make_query(name, rdtype, rdclass).to_wire(), view, "192.0.2.7")


def told(asked: Query, lines: Iterable[str] = ("one", "two")) -> Answer | None:
    return in_band(lambda _: lines)(asked, FREE)


def strings(answer: Answer | None) -> list[str]:
    """The strings of the one TXT record of an answer that is never kept."""
    assert answer is not None
    ((record,),) = dns.message.from_wire(answer.wire).answer
    assert answer.scan.min_ttl == 0
    return [text.decode("ascii") for text in record.strings]


@pytest.mark.parametrize(
    ("name", "asked", "qtype"),
    [
        ("www.example.com.explain.smartdoh.", "www.example.com.", "A"),
        ("WWW.example.com._AAAA.Explain.SmartDoH.", "www.example.com.", "AAAA"),
        ("_443._tcp.example.com._type52.explain.smartdoh.", "_443._tcp.example.com.", "TLSA"),
        ("_aaaa.example.com.explain.smartdoh.", "_aaaa.example.com.", "A"),
        ("_ns.explain.smartdoh.", ".", "NS"),
        ("x.explain.smartdoh.explain.smartdoh.", "x.explain.smartdoh.", "A"),
    ],
)
def test_the_question_is_the_same_clients(name: str, asked: str, qtype: str) -> None:
    """The type's label stands behind the name, where no top-level domain begins with an underscore."""
    found = question_in(query(name, view=3))
    assert (to_text(found.name), found.qtype) == (asked, dns.rdatatype.from_text(qtype))
    assert (found.view, found.host, found.qclass) == (3, "192.0.2.7", 1)


def test_the_lines_are_the_strings() -> None:
    assert strings(told(query("x.explain.smartdoh."))) == ["one", "two"]


@pytest.mark.parametrize(
    "name", ["_zz.explain.smartdoh.", "x._.explain.smartdoh.", "x._type99999.explain.smartdoh."]
)
def test_a_type_that_is_none(name: str) -> None:
    problem, usage = strings(told(query(name)))
    assert problem.endswith("is no record type")
    assert usage == USAGE


def test_without_a_name_it_says_how_to_ask() -> None:
    assert strings(told(query("explain.smartdoh."))) == [USAGE]


def test_what_does_not_fit_is_left_out() -> None:
    """The whole answer stays below 1232 octets, and says that there is more."""
    answer = told(query("x.explain.smartdoh."), [f"{number} " + "x" * 300 for number in range(9)])
    said = strings(answer)
    assert said[-1] == "..."
    assert [line[:2] for line in said[:-1]] == ["0 ", "1 ", "2 ", "3 "]
    assert all(len(line) <= 255 for line in said)
    assert answer is not None
    assert len(answer.wire) <= 1232


@given(LABELS, st.lists(st.text()))
def test_whatever_is_asked_is_answered_in_plain_words(labels: tuple[bytes, ...], lines: list[str]) -> None:
    """Hostile names too: each octet that is no plain character comes out escaped."""
    name = dns.name.Name((*labels, b"explain", b"smartdoh", b""))
    asked = parse_query(dns.message.make_query(name, "TXT").to_wire(), 0, "192.0.2.7")
    answer = in_band(lambda inner: [to_text(inner.name), *lines])(asked, FREE)
    assert all(line.isprintable() for line in strings(answer))
    assert answer is not None
    assert len(answer.wire) <= 1232


@pytest.mark.parametrize("rdtype", ["A", "AAAA", "HTTPS", "SOA", "NS", "DS", "ANY", "TYPE65400"])
@pytest.mark.parametrize("name", ["explain.smartdoh.", "x.y.explain.smartdoh."])
def test_other_types_have_no_data(name: str, rdtype: str) -> None:
    answer = told(query(name, rdtype))
    assert answer is not None
    message = dns.message.from_wire(answer.wire)
    assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, [])
    assert [str(rrset.name) for rrset in message.authority] == ["smartdoh."]


@pytest.mark.parametrize("look", [None, lambda _: ["never"]])
@pytest.mark.parametrize(
    ("name", "rdtype", "rcode", "answers"),
    [
        ("smartdoh.", "SOA", "NOERROR", 1),
        ("smartdoh.", "NS", "NOERROR", 1),
        ("smartdoh.", "TXT", "NOERROR", 0),
        ("other.smartdoh.", "TXT", "NXDOMAIN", 0),
        ("xexplain.smartdoh.", "TXT", "NXDOMAIN", 0),
    ],
)
def test_the_zone_itself(look: None, name: str, rdtype: str, rcode: str, answers: int) -> None:
    answer = in_band(look)(query(name, rdtype), FREE)
    assert answer is not None
    message = dns.message.from_wire(answer.wire)
    assert (dns.rcode.to_text(message.rcode()), len(message.answer)) == (rcode, answers)
    assert answers or str(message.authority[0].name) == "smartdoh."


def test_turned_off_there_is_nothing_below_the_zone() -> None:
    answer = in_band(None)(query("x.explain.smartdoh."), FREE)
    assert answer is not None
    assert dns.message.from_wire(answer.wire).rcode() == dns.rcode.NXDOMAIN


def test_another_class_is_refused() -> None:
    answer = told(query("x.explain.smartdoh.", rdclass="HS"))
    assert answer is not None
    assert dns.message.from_wire(answer.wire).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    "labels", [(b"x\x08smartdoh", b""), (b"smartdohx", b""), (b"smartdoh", b"example", b"")]
)
def test_other_names_are_no_business_of_its(labels: tuple[bytes, ...]) -> None:
    asked = parse_query(dns.message.make_query(dns.name.Name(labels), "TXT").to_wire())
    assert told(asked) is None


def test_no_rule_has_a_say_in_it() -> None:
    """Not even one that blocks all names: who asks why it does shall be told."""
    found = (
        stage(query("x.explain.smartdoh."), BLOCKED)
        for stage in stages(config.parse(GROUP), None, lambda _: ["why"])
    )
    assert strings(next(answer for answer in found if answer is not None)) == ["why"]
