"""AutoProxy's rules: which names each kind of line stands for, and which lines stand for none."""

from __future__ import annotations

import base64

import pytest

from smartdoh.rules.lists import Reason
from smartdoh.rules.lists.dialects import autoproxy
from tests.lists import DATA, is_listed, lookup, name_set

# A line, names that it must match, names that it must not.
LINES = [
    ("||example.com", "example.com www.example.com a.b.example.com", "evilexample.com com example.com.test"),
    ("||example.com/", "example.com www.example.com", "evilexample.com"),
    ("||example.com^", "example.com www.example.com", "evilexample.com"),
    ("||EXAMPLE.com", "example.com", "evilexample.com"),
    ("||example.com:8080", "example.com", "8080.test"),
    ("||example.com/path/sub.test/*", "example.com www.example.com", "sub.test path"),
    ("||bücher.example", "xn--bcher-kva.example a.xn--bcher-kva.example", "bcher.example"),
    ("||xn--bcher-kva.example", "bücher.example", "bcher.example"),
    ("||straße.example", "xn--strae-oqa.example", "strasse.example"),
    ("||cdn*.example.com", "cdn1.example.com cdn.example.com x.cdn-2.example.com", "acdn.example.com example.com"),
    ("||a*b.example.com", "ab.example.com a.x.b.example.com", "xb.example.com a.example.com"),
    ("||*.example.com", "www.example.com a.b.example.com", "example.com evilexample.com"),
    ("||addons.example/*-*/x/*", "addons.example", "x.test"),
    ("|http://example.com", "example.com", "www.example.com evilexample.com example.com.test"),
    ("|https://example.com/", "example.com", "www.example.com evilexample.com"),
    ("|http://example.com/news", "example.com", "news www.example.com"),
    ("|http://example.com:81/x", "example.com", "www.example.com"),
    ("|https://cdn*.example.com/", "cdn1.example.com cdn.example.com", "x.cdn1.example.com example.com"),
    ("|http://*.example.com/", "www.example.com a.b.example.com", "example.com"),
    ("|http://cdn.", "cdn.example cdn.test", "acdn.example cdnx.example"),
    ("http://example.com", "example.com", "www.example.com"),
    ("example.com", "example.com www.example.com", "evilexample.com example.com.test"),
    (".example.com", "example.com www.example.com", "evilexample.com"),
    ("example.com/path", "example.com www.example.com", "path evilexample.com"),
    ("*.example.com/*", "www.example.com", "evilexample.com"),
    ("img*.example.com", "img1.example.com", "timg.example.com example.com"),
    ("example*", "example.com evilexample.test", "exampl.test"),
    ("freenet", "freenet.example www.freenetproject.example", "freene.example"),
    (r"/^https?:\/\/[^\/]+blogspot\.(.*)/", "x.blogspot.de www.blogspot.com", "blogspot.com blogspotx.com"),
    (r"/^https?:\/\/([^.\/]+\.)*example\.(com|net)\//", "a.example.net example.com", "example.org evilexample.com"),
    (r"/ads[0-9]+\./", "ads12.example x.ads1.example", "ads.example"),
    (r"/^(https?:\/\/)?img\./", "img.example", "ximg.example x.img.example"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "must", "must_not"), LINES, ids=[line for line, _, _ in LINES])
def test_what_a_line_stands_for(line: str, must: str, must_not: str) -> None:
    names = name_set(line, "autoproxy")
    assert names.report.used == 1
    assert [name for name in must.split() if not is_listed(names, name)] == []
    assert [name for name in must_not.split() if is_listed(names, name)] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("|http://192.0.2.1/", Reason.ADDRESS),
        ("||192.0.2.1", Reason.ADDRESS),
        ("|http://[2001:db8::1]/", Reason.ADDRESS),
        ("/some/path/example.com", Reason.PATH),
        ("q=example.com", Reason.PATH),
        ("search?q=example", Reason.PATH),
        ("%2Fexample.com", Reason.PATH),
        ("word/example.com", Reason.PATH),
        ("@@||example.com/path", Reason.PATH),
        ("@@|http://example.com:8080", Reason.PATH),
        (r"/^https?:\/\/example\.com\/search\?q=/", Reason.PATH),
        (r"/^https?:\/\/[^\/]+\/\d+/", Reason.PATH),
        (r"/^https?:\/\/(?=a)b\.example/", Reason.REGEXP),
        (r"@@/^https?:\/\/[a-z]+\.example$", Reason.REGEXP),
        ("/(a/", Reason.REGEXP),
        ("/" + "a" * 1001 + "/", Reason.REGEXP),
        ("||exa mple.com", Reason.NAME),
        ("||-.example..com", Reason.NAME),
        ("||" + "a" * 64 + ".com", Reason.NAME),
        ("|http://", Reason.SYNTAX),
    ],
)
def test_why_a_line_is_left_out(line: str, reason: Reason) -> None:
    assert autoproxy.parse(line) is reason


@pytest.mark.parametrize(
    "line", ["", "! a comment", "[AutoProxy 0.2.9]", "!####Whitelist Start####", "# too"]
)
def test_comments_say_nothing(line: str) -> None:
    assert autoproxy.parse(line) is None


def test_an_exception_wins_wherever_it_stands() -> None:
    """The ancestor stopped at the word Whitelist; what follows it are rules like all others."""
    names = name_set("@@||a.example\n!###Whitelist Start###\n||example\n@@||b.example\n", "autoproxy")
    for name, line in (("a.example", 1), ("x.b.example", 4)):
        match = lookup(names, name)
        assert match is not None
        assert (match.is_exception, match.line) == (True, line)
    assert is_listed(names, "c.example")


def test_the_line_that_decides_is_the_most_specific() -> None:
    names = name_set("||example.com\n||www.example.com\n||example.com\n", "autoproxy")
    found = [lookup(names, name) for name in ("example.com", "www.example.com", "a.www.example.com")]
    assert [match.line for match in found if match] == [1, 2, 2]


def test_base64_and_plain_are_one_list() -> None:
    plain = (DATA / "autoproxy.txt").read_bytes()
    encoded = base64.encodebytes(plain)
    report = name_set(plain, "autoproxy").report
    again = name_set(encoded, "autoproxy").report
    assert (report.lines, report.used, report.skipped) == (again.lines, again.used, again.skipped)
    assert report.used > 0


@pytest.mark.parametrize("text", ["google", "abcd", "example", "Z29vZ2xl\n\x01"])
def test_a_word_is_not_taken_for_base64(text: str) -> None:
    """`google` is made of letters of base64, and decodes to no text."""
    assert name_set(text, "autoproxy").report.lines >= 1
    assert is_listed(name_set("google", "autoproxy"), "www.google.com")
