"""Record data from text, with dnspython as the oracle."""

from __future__ import annotations

import dns.rdata
import dns.rdatatype
import pytest

from smartdoh.rules.lists.rdata import rdata_of


@pytest.mark.parametrize(
    ("rtype", "text"),
    [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("PTR", "host.example."),
        ("MX", "10 mail.example."),
        ("TXT", "hello_world"),
        ("TXT", '"two words"'),
        ("SRV", "10 60 8080 host.example."),
        ("SVCB", "1 . alpn=h2,h3"),
        ("HTTPS", "1 svc.example. alpn=h3 port=8443 no-default-alpn"),
        ("HTTPS", "1 . ipv6hint=2001:db8::1,2001:db8::2 ipv4hint=192.0.2.1 alpn=h3"),
        ("HTTPS", "1 . mandatory=alpn,port alpn=h3 port=443"),
        ("HTTPS", "1 . ech=AAQAAAAA key65000=abc"),
        ("SVCB", "1 dns.example. alpn=h2 dohpath=/dns-query{?dns}"),
        ("HTTPS", "0 alias.example."),
    ],
)
def test_it_is_what_dnspython_writes(rtype: str, text: str) -> None:
    expected = dns.rdata.from_text("IN", rtype, text).to_wire()
    assert rdata_of(rtype, text) == (dns.rdatatype.from_text(rtype), expected)


@pytest.mark.parametrize(
    ("rtype", "text"),
    [
        ("A", "2001:db8::1"),
        ("AAAA", "192.0.2.1"),
        ("A", ""),
        ("MX", "mail.example."),
        ("MX", "70000 mail.example."),
        ("MX", "-1 mail.example."),
        ("SRV", "1 2 host.example."),
        ("PTR", "bad..example"),
        ("HTTPS", ""),
        ("HTTPS", "1"),
        ("HTTPS", "1 . nonsense=1"),
        ("HTTPS", "1 . alpn="),
        ("HTTPS", "1 . alpn=h2 alpn=h3"),
        ("HTTPS", "1 . port=x"),
        ("HTTPS", "1 . no-default-alpn=1"),
        ("HTTPS", "1 . ech=!"),
        ("HTTPS", "1 . key70000=x"),
        ("LOC", "x"),
    ],
)
def test_what_is_no_data(rtype: str, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        rdata_of(rtype, text)


def test_long_text_is_several_strings() -> None:
    _, data = rdata_of("TXT", "x" * 300)
    assert data == b"\xff" + b"x" * 255 + b"\x2d" + b"x" * 45
