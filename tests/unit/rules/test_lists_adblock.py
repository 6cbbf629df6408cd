"""AdGuard's rules for DNS: masks, modifiers, and which of several rules decides."""

from __future__ import annotations

import pytest

from smartdoh.model import Rewrite
from smartdoh.rules.lists import Reason
from smartdoh.rules.lists.dialects import adblock
from smartdoh.wire.codes import AAAA, HTTPS, MX, NOERROR, NXDOMAIN, PTR, REFUSED, SRV, TXT, A
from smartdoh.wire.names import from_text
from tests.lists import DATA, is_listed, lookup, name_set

LINES = [
    ("||example.org^", "example.org www.example.org", "evilexample.org org example.org.test"),
    ("||example.org", "example.org test.example.org", "testexample.org"),
    ("||Example.ORG^", "example.org", "org"),
    ("||bücher.example^", "xn--bcher-kva.example", "bcher.example"),
    ("example.org", "example.org", "www.example.org"),
    ("example.org # why", "example.org", "www.example.org"),
    ("|example.org^", "example.org", "www.example.org example.org.test"),
    ("|example", "example.org", "test.example"),
    ("ample.org|", "example.org ample.org", "example.org.com"),
    ("example.org^", "example.org evilexample.org", "example.org.test"),
    ("://example.org^", "example.org", "www.example.org"),
    ("|https://example.org^", "example.org", "www.example.org"),
    ("||ads-", "ads-1.example x.ads-2.example", "bads-1.example"),
    ("||ad*.example.org^", "ad1.example.org adx.y.example.org", "bad.example.org example.org"),
    ("*.example.org^", "www.example.org", "example.org evilexample.org"),
    ("||*.example.org^", "www.example.org", "example.org"),
    ("-banner.", "x-banner.example", "banner.example"),
    ("*", "example.org org", ""),
    ("||*^", "example.org org", ""),
    ("*$denyallow=com|net", "example.org", "example.com com a.example.net"),
    ("||example.org^$denyallow=sub.example.org", "example.org x.example.org", "sub.example.org a.sub.example.org"),
    ("/example.*/", "myexamples.test example.com", "exampl.test"),
    (r"/^ad[0-9]+\.example\.(com|net)$/", "ad1.example.com ad22.example.net", "ad.example.com x.ad1.example.com"),
    ("/EXAMPLE[0-9]/", "example1.test", "example.test"),
    ("/example/$important", "example.test", "test"),
    ("0.0.0.0 example.org", "example.org", "www.example.org"),
    ("127.0.0.1 example.org a.example # why", "example.org a.example", "www.example.org"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "must", "must_not"), LINES, ids=[line for line, _, _ in LINES])
def test_what_a_rule_blocks(line: str, must: str, must_not: str) -> None:
    names = name_set(line, "adblock")
    assert names.report.used == 1
    assert [name for name in must.split() if not is_listed(names, name)] == []
    assert [name for name in must_not.split() if is_listed(names, name)] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("||example.org/path^", Reason.PATH),
        ("||example.org^$third-party", Reason.MODIFIER),
        ("||example.org^$important,script", Reason.MODIFIER),
        ("||example.org^$client=192.0.2.1", Reason.MODIFIER),
        ("||example.org^$ctag=device_tv", Reason.MODIFIER),
        ("||example.org^$dnstype=NONSENSE", Reason.SYNTAX),
        ("||example.org^$denyallow=", Reason.SYNTAX),
        ("||example.org^$dnsrewrite=", Reason.SYNTAX),
        ("||example.org^$dnsrewrite=NOERROR;A;nonsense", Reason.SYNTAX),
        ("||example.org^$dnsrewrite=NOERROR;LOC;x", Reason.SYNTAX),
        ("example.org##.banner", Reason.COSMETIC),
        ("example.org#@#.banner", Reason.COSMETIC),
        ("example.org#%#//scriptlet('x')", Reason.COSMETIC),
        ("example.org#$#body { x }", Reason.COSMETIC),
        ("example.org$$script[x]", Reason.COSMETIC),
        ("||192.0.2.1^", Reason.ADDRESS),
        ("192.0.2.1", Reason.ADDRESS),
        ("127.0.0.1 localhost", Reason.LOCAL),
        ("localhost", Reason.LOCAL),
        ("/(?!x)y/", Reason.REGEXP),
        ("||^", Reason.SYNTAX),
        ("||exam ple.org^", Reason.NAME),
    ],
)
def test_why_a_rule_is_left_out(line: str, reason: Reason) -> None:
    assert adblock.parse(line) is reason


@pytest.mark.parametrize("line", ["! comment", "# comment", "#", "[Adblock Plus 2.0]", "", "##.banner"])
def test_comments_say_nothing(line: str) -> None:
    assert adblock.parse(line) is None


@pytest.mark.parametrize(
    ("rules", "is_exception", "line"),
    [
        ("||example.org^\n@@||example.org^", True, 2),
        ("||www.example.org^\n@@||example.org^", True, 2),
        ("||example.org^$important\n@@||example.org^", False, 1),
        ("||example.org^$important\n@@||example.org^$important", True, 2),
        ("@@||example.org^\n/example/$important", False, 2),
        ("||example.org^\n@@||example.org^$badfilter\n@@||example.org^", False, 1),
        ("||example.org^\n@@||example.org^$dnstype=AAAA", False, 1),
        ("0.0.0.0 www.example.org\n@@||example.org^", True, 2),
        ("192.0.2.1 www.example.org\n@@||example.org^", True, 2),
        ("||example.org^\nwww.example.org", False, 2),
    ],
)
def test_which_of_several_rules_decides(rules: str, is_exception: bool, line: int) -> None:
    match = lookup(name_set(rules, "adblock"), "www.example.org")
    assert match is not None
    assert (match.is_exception, match.line) == (is_exception, line)


@pytest.mark.parametrize(
    ("rules", "disabled"),
    [
        ("||example.org^\n||example.org^$badfilter", 1),
        ("||example.org^$important,dnstype=A\n||example.org^$dnstype=A,badfilter,important", 1),
        ("||example.org^\n||example.org^$important,badfilter", 0),
        ("/ex.*/\n/ex.*/$badfilter", 1),
        ("||example.org^\n! ||example.org^$badfilter", 0),
    ],
)
def test_badfilter_switches_off_the_same_rule(rules: str, disabled: int) -> None:
    report = name_set(rules, "adblock").report
    assert report.skipped.get(Reason.DISABLED, 0) == disabled
    assert report.used + report.comments + report.unusable == report.lines == 2


@pytest.mark.parametrize(
    ("modifier", "asked", "not_asked"),
    [
        ("dnstype=AAAA", [AAAA], [A, HTTPS]),
        ("dnstype=aaaa|HTTPS", [AAAA, HTTPS], [A]),
        ("dnstype=~A|~AAAA", [HTTPS, TXT], [A, AAAA]),
        ("dnstype=~A|HTTPS", [HTTPS], [A, AAAA]),
        ("dnstype=TYPE65", [HTTPS], [A]),
    ],
)
def test_dnstype(modifier: str, asked: list[int], not_asked: list[int]) -> None:
    names = name_set(f"||example.org^${modifier}", "adblock")
    assert all(is_listed(names, "example.org", qtype) for qtype in asked)
    assert not any(is_listed(names, "example.org", qtype) for qtype in not_asked)


V4, V6 = bytes((192, 0, 2, 1)), bytes.fromhex("20010db8000000000000000000000001")
TARGET = from_text("example.net")


@pytest.mark.parametrize(
    ("value", "rewrite"),
    [
        ("192.0.2.1", Rewrite(NOERROR, ((A, V4),))),
        ("2001:db8::1", Rewrite(NOERROR, ((AAAA, V6),))),
        ("example.net", Rewrite(NOERROR, target=TARGET)),
        ("REFUSED", Rewrite(REFUSED)),
        ("NXDOMAIN;;", Rewrite(NXDOMAIN)),
        ("NOERROR", Rewrite(NOERROR)),
        ("NOERROR;;", Rewrite(NOERROR)),
        ("NOERROR;A;192.0.2.1", Rewrite(NOERROR, ((A, V4),))),
        ("NOERROR;CNAME;example.net", Rewrite(NOERROR, target=TARGET)),
        ("NOERROR;PTR;example.net.", Rewrite(NOERROR, ((PTR, TARGET),))),
        ("NOERROR;MX;32 example.net", Rewrite(NOERROR, ((MX, b"\0\x20" + TARGET),))),
        ("NOERROR;TXT;hello_world", Rewrite(NOERROR, ((TXT, b"\x0bhello_world"),))),
        ("NOERROR;SRV;10 60 8080 example.net", Rewrite(NOERROR, ((SRV, b"\0\x0a\0\x3c\x1f\x90" + TARGET),))),
        (
            "NOERROR;HTTPS;32 example.net alpn=h3",
            Rewrite(NOERROR, ((HTTPS, b"\0\x20" + TARGET + b"\0\x01\0\x03\x02h3"),)),
        ),
    ],
)
def test_dnsrewrite(value: str, rewrite: Rewrite) -> None:
    match = lookup(name_set(f"||example.org^$dnsrewrite={value}", "adblock"), "www.example.org")
    assert match is not None
    assert match.rewrite == rewrite


@pytest.mark.parametrize(
    ("rules", "rewrite"),
    [
        (
            "||example.org^$dnsrewrite=192.0.2.1\n||example.org^$dnsrewrite=NOERROR;AAAA;2001:db8::1",
            Rewrite(NOERROR, ((A, V4), (AAAA, V6))),
        ),
        (
            "||example.org^$dnsrewrite=192.0.2.1\n||example.org^$dnsrewrite=example.net",
            Rewrite(0, target=TARGET),
        ),
        ("||example.org^$dnsrewrite=192.0.2.1\n||example.org^$dnsrewrite=REFUSED", Rewrite(REFUSED)),
        ("||example.org^$dnsrewrite=192.0.2.1\n@@||example.org^", Rewrite(NOERROR, ((A, V4),))),
        (
            "||example.org^$dnsrewrite=192.0.2.1\n||example.org^$dnsrewrite=REFUSED\n"
            "@@||example.org^$dnsrewrite=REFUSED",
            Rewrite(NOERROR, ((A, V4),)),
        ),
        ("||example.org^$dnsrewrite=192.0.2.1\n@@||example.org^$dnsrewrite", None),
        (
            "||example.org^$dnsrewrite=192.0.2.1,important\n@@||example.org^$dnsrewrite",
            Rewrite(NOERROR, ((A, V4),)),
        ),
        ("$dnstype=A,denyallow=example.com,dnsrewrite=NOERROR;;", Rewrite(NOERROR)),
        ("192.0.2.1 www.example.org", Rewrite(NOERROR, ((A, V4),))),
    ],
)
def test_which_of_several_rewrites_are_answered(rules: str, rewrite: Rewrite | None) -> None:
    match = lookup(name_set(rules, "adblock"), "www.example.org")
    assert (match.rewrite if match else None) == rewrite


def test_a_lifted_rewrite_leaves_the_plain_rule_in_force() -> None:
    rules = "||example.org^\n||example.org^$dnsrewrite=192.0.2.1\n@@||example.org^$dnsrewrite"
    match = lookup(name_set(rules, "adblock"), "example.org")
    assert match is not None
    assert (match.line, match.is_exception, match.rewrite) == (1, False, None)


def test_a_small_list_of_everything() -> None:
    names = name_set((DATA / "adblock.txt").read_bytes(), "adblock")
    report = names.report
    assert report.used + report.comments + report.unusable == report.lines
    assert report.skipped == {Reason.MODIFIER: 2, Reason.COSMETIC: 1, Reason.PATH: 1, Reason.DISABLED: 1}
    assert is_listed(names, "x.ads.example")
    assert not is_listed(names, "good.ads.example")
    assert not is_listed(names, "off.example")
