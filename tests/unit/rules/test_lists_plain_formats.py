"""The formats hosts, dnsmasq and domains: which names each kind of line stands for."""

from __future__ import annotations

import pytest

from smartdoh.config.settings import ListFormat
from smartdoh.model import Rewrite
from smartdoh.rules.lists import Reason
from smartdoh.rules.lists.dialects import DIALECTS
from smartdoh.wire.codes import AAAA, NOERROR, A
from tests.lists import DATA, is_listed, lookup, name_set

LINES: list[tuple[ListFormat, str, str, str]] = [
    ("hosts", "0.0.0.0 ads.example", "ads.example", "www.ads.example example"),
    ("hosts", "127.0.0.1\tads.example  a.example #b.example", "ads.example a.example", "b.example"),
    ("hosts", ":: ads.example", "ads.example", "example"),
    ("hosts", "::1 Ads.Example", "ads.example", "example"),
    ("hosts", "fe80::1%lo0 ads.example", "ads.example", "lo0"),
    ("hosts", "0.0.0.0 bücher.example", "xn--bcher-kva.example", "bcher.example"),
    ("hosts", "192.0.2.1 nas.example", "nas.example", "example"),
    ("hosts", "0.0.0.0 localhost ads.example", "ads.example", "localhost"),
    ("dnsmasq", "server=/example.com/192.0.2.1", "example.com www.example.com", "evilexample.com com"),
    ("dnsmasq", "server=/example.com/192.0.2.1#5353", "example.com", "com"),
    ("dnsmasq", "server=/example.com/2001:db8::1", "example.com", "com"),
    ("dnsmasq", "server=/example.com/192.0.2.1@eth0", "example.com", "com"),
    ("dnsmasq", "server=/a.example/b.example/192.0.2.1", "a.example x.b.example", "c.example"),
    ("dnsmasq", "server = /example.com/192.0.2.1 # why", "example.com", "com"),
    ("dnsmasq", "server=/.example.com/192.0.2.1", "example.com www.example.com", "evilexample.com"),
    ("dnsmasq", "local=/example.com/", "example.com www.example.com", "evilexample.com"),
    ("dnsmasq", "address=/example.com/", "example.com www.example.com", "evilexample.com"),
    ("dnsmasq", "address=/example.com/#", "example.com www.example.com", "evilexample.com"),
    ("dnsmasq", "address=/example.com/0.0.0.0", "example.com www.example.com", "evilexample.com"),
    ("dnsmasq", "address=/#/192.0.2.1", "example.com com", ""),
    ("dnsmasq", "server=/*.example.com/192.0.2.1", "www.example.com", "example.com evilexample.com"),
    ("dnsmasq", "server=/*example.com/192.0.2.1", "example.com evilexample.com x.example.com", "example.org"),
    ("dnsmasq", "server=/bücher.example/192.0.2.1", "xn--bcher-kva.example", "bcher.example"),
    ("domains", "example.com", "example.com www.example.com", "evilexample.com com"),
    ("domains", "EXAMPLE.com.", "example.com", "com"),
    ("domains", "domain:example.com @cn @!ads", "example.com www.example.com", "cn ads"),
    ("domains", "domain:example.com:@cn,@ads", "example.com www.example.com", "cn ads"),
    ("domains", "full:example.com", "example.com", "www.example.com"),
    ("domains", "full:example.com @ads # why", "example.com", "www.example.com"),
    ("domains", "keyword:ample", "example.com www.samples.test", "amp.le"),
    (r"domains", r"regexp:^ad[0-9]\.example\.com$ @ads", "ad1.example.com", "x.ad1.example.com ad.example.com"),
    ("domains", r"regexp:(^|\.)x{2,3}\.example$", "xx.example a.xxx.example", "x.example"),
    ("domains", "+.example.com", "example.com www.example.com", "evilexample.com"),
    ("domains", "*.example.com", "www.example.com a.b.example.com", "example.com evilexample.com"),
    ("domains", ".example.com", "example.com www.example.com", "evilexample.com"),
    ("domains", "ads*.example.com", "ads1.example.com ads.example.com", "x.ads1.example.com example.com"),
    ("domains", "bücher.example", "xn--bcher-kva.example", "bcher.example"),
    ("domains", "bücher。example", "xn--bcher-kva.example", "bcher.example"),
    ("domains", "xn--bcher-kva.example", "bücher.example", "bcher.example"),
    ("domains", "example.com # why", "example.com", "why"),
    ("domains", "example", "example www.example", "evilexample"),
]  # fmt: skip


@pytest.mark.parametrize(("list_format", "line", "must", "must_not"), LINES, ids=[case[1] for case in LINES])
def test_what_a_line_stands_for(list_format: ListFormat, line: str, must: str, must_not: str) -> None:
    names = name_set(line, list_format)
    assert names.report.used == 1
    assert [name for name in must.split() if not is_listed(names, name)] == []
    assert [name for name in must_not.split() if is_listed(names, name)] == []


@pytest.mark.parametrize(
    ("list_format", "line", "reason"),
    [
        ("hosts", "127.0.0.1 localhost localhost.localdomain", Reason.LOCAL),
        ("hosts", "255.255.255.255 broadcasthost", Reason.LOCAL),
        ("hosts", "ff02::1 ip6-allnodes", Reason.LOCAL),
        ("hosts", "0.0.0.0 0.0.0.0", Reason.ADDRESS),
        ("hosts", "0.0.0.0 bad..example", Reason.NAME),
        ("hosts", "0.0.0.0", Reason.SYNTAX),
        ("hosts", "example.com", Reason.SYNTAX),
        ("hosts", "not.an.address example.com", Reason.SYNTAX),
        ("dnsmasq", "bogus-nxdomain=192.0.2.1", Reason.DIRECTIVE),
        ("dnsmasq", "no-resolv", Reason.DIRECTIVE),
        ("dnsmasq", "server=192.0.2.1", Reason.DIRECTIVE),
        ("dnsmasq", "ipset=/example.com/set", Reason.DIRECTIVE),
        ("dnsmasq", "address=/example.com/nonsense", Reason.SYNTAX),
        ("dnsmasq", "server=/bad..example/192.0.2.1", Reason.NAME),
        ("dnsmasq", "server=//192.0.2.1", Reason.LOCAL),
        ("dnsmasq", "server=/192.0.2.1/192.0.2.1", Reason.ADDRESS),
        ("dnsmasq", "||example.com^", Reason.SYNTAX),
        ("domains", "include:other", Reason.DIRECTIVE),
        ("domains", "192.0.2.1", Reason.ADDRESS),
        ("domains", "2001:db8::1", Reason.ADDRESS),
        ("domains", "exam ple.com", Reason.SYNTAX),
        ("domains", "http://example.com/", Reason.NAME),
        ("domains", "||example.com^", Reason.NAME),
        ("domains", "keyword:a b", Reason.SYNTAX),
        ("domains", "keyword:", Reason.NAME),
        ("domains", "regexp:(", Reason.REGEXP),
        ("domains", "full:bad..example", Reason.NAME),
    ],
)
def test_why_a_line_is_left_out(list_format: ListFormat, line: str, reason: Reason) -> None:
    assert DIALECTS[list_format].parse(line) is reason


@pytest.mark.parametrize("list_format", ["hosts", "dnsmasq", "domains"])
def test_comments_say_nothing(list_format: ListFormat) -> None:
    assert DIALECTS[list_format].parse("# comment") is None
    assert DIALECTS[list_format].parse("") is None


@pytest.mark.parametrize(
    ("lines", "name", "is_on"),
    [
        ("server=/example.com/192.0.2.1\nserver=/www.example.com/#", "a.www.example.com", False),
        ("server=/example.com/192.0.2.1\nserver=/www.example.com/#", "example.com", True),
        ("server=/example.com/#\nserver=/www.example.com/192.0.2.1", "a.www.example.com", True),
        ("server=/*example.com/#\nserver=/example.com/192.0.2.1", "www.example.com", True),
        ("server=/*example.com/#\nserver=/example.com/192.0.2.1", "evilexample.com", False),
    ],
)
def test_in_dnsmasq_the_longest_domain_decides(lines: str, name: str, is_on: bool) -> None:
    assert is_listed(name_set(lines, "dnsmasq"), name) == is_on


@pytest.mark.parametrize(
    ("list_format", "lines"),
    [
        ("hosts", "192.0.2.1 nas.example\n2001:db8::1 nas.example"),
        ("dnsmasq", "address=/nas.example/192.0.2.1\naddress=/nas.example/2001:db8::1"),
    ],
)
def test_addresses_of_a_name_are_answered_together(list_format: ListFormat, lines: str) -> None:
    match = lookup(name_set(lines, list_format), "nas.example")
    assert match is not None
    assert match.rewrite == Rewrite(
        NOERROR, ((A, bytes((192, 0, 2, 1))), (AAAA, bytes.fromhex("20010db8000000000000000000000001")))
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "127.0.0.53", "::", "::1"])
def test_an_address_that_means_nothing_is_no_answer(address: str) -> None:
    match = lookup(name_set(f"{address} ads.example", "hosts"), "ads.example")
    assert match is not None
    assert match.rewrite is None


@pytest.mark.parametrize(
    ("file", "list_format", "used", "skipped"),
    [
        ("hosts", "hosts", 5, {Reason.LOCAL: 3, Reason.ADDRESS: 1, Reason.SYNTAX: 1}),
        ("dnsmasq.conf", "dnsmasq", 7, {Reason.DIRECTIVE: 2, Reason.LOCAL: 1}),
        ("domains.txt", "domains", 9, {Reason.DIRECTIVE: 1, Reason.ADDRESS: 1, Reason.SYNTAX: 1}),
    ],
)
def test_small_lists_of_everything(
    file: str, list_format: ListFormat, used: int, skipped: dict[Reason, int]
) -> None:
    report = name_set((DATA / file).read_bytes(), list_format).report
    assert (report.used, report.skipped) == (used, skipped)
    assert report.used + report.comments + report.unusable == report.lines
