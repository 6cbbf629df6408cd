"""URLs of upstreams, proxies and lists: their normal form, and every reason to refuse one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.config.urls import ProxyUrl, UpstreamUrl, parse_list_url, parse_proxy, parse_upstream


@pytest.mark.parametrize(
    ("text", "url", "host", "port", "is_address"),
    [
        ("https://1.1.1.1/dns-query", "https://1.1.1.1/dns-query", "1.1.1.1", 443, True),
        ("https://1.1.1.1", "https://1.1.1.1/dns-query", "1.1.1.1", 443, True),
        ("https://1.1.1.1:443/", "https://1.1.1.1/", "1.1.1.1", 443, True),
        ("https://1.1.1.1:8443", "https://1.1.1.1:8443/dns-query", "1.1.1.1", 8443, True),
        ("https://[2620:FE::FE]/q", "https://[2620:fe::fe]/q", "2620:fe::fe", 443, True),
        ("https://[::1]:8443/q", "https://[::1]:8443/q", "::1", 8443, True),
        ("HTTPS://Dns.Google./dns-query", "https://dns.google/dns-query", "dns.google", 443, False),
        ("https://dns.nextdns.io/Ab12Cd", "https://dns.nextdns.io/Ab12Cd", "dns.nextdns.io", 443, False),
        ("https://d.example?token=a", "https://d.example/dns-query?token=a", "d.example", 443, False),
        ("https://my_router/q", "https://my_router/q", "my_router", 443, False),
        ("https://1.1.1.1:/q", "https://1.1.1.1/q", "1.1.1.1", 443, True),
    ],
)
def test_upstreams(text: str, url: str, host: str, port: int, is_address: bool) -> None:
    upstream = parse_upstream(text)
    assert upstream == UpstreamUrl(url, host, port, is_address)
    assert str(upstream) == url
    assert parse_upstream(url) == upstream


NO_HOST = "has a host that is neither a name nor an address"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an https URL"),
        ("1.1.1.1", "is not an https URL"),
        ("https:/1.1.1.1", "is not an https URL"),
        ("ftp://1.1.1.1", "is not an https URL"),
        ("tls://1.1.1.1", "is not an https URL"),
        ("https://1.1.1.1/a b", "is not an https URL"),
        ("https://1.1.1.1/\n", "is not an https URL"),
        ("https://1.1.1.1/\t", "is not an https URL"),
        ("https://bücher.example/", "is not an https URL"),
        ("https://2606::1111/dns-query", "is not an https URL"),
        ("https://1.1.1.1:port/", "is not an https URL"),
        ("https://[::1/", "is not an https URL"),
        ("https://a@b@c/", "is not an https URL"),
        ("http://1.1.1.1/dns-query", "is not encrypted"),
        ("https://", "has no host"),
        ("https:///dns-query", "has no host"),
        ("https://:443/", "has no host"),
        ("https://user@1.1.1.1/", "has a user name or password"),
        ("https://user:pw@1.1.1.1/", "has a user name or password"),
        ("https://1.1.1.1/#x", "has a fragment"),
        ("https://1.1.1.1#", "has a fragment"),
        ("https://1.1.1.1/dns-query{?dns}", "holds a URI template; write it without the braces"),
        ("https://1.1.1/", NO_HOST),
        ("https://300.1.1.1/", NO_HOST),
        ("https://16843009/", NO_HOST),
        ("https://0x01010101/", NO_HOST),
        ("https://a..b/", NO_HOST),
        ("https://a b/", "is not an https URL"),
        ("https://a%20b/", NO_HOST),
        ("https://[fe80::1%25eth0]/", NO_HOST),
        ("https://[1.1.1.1]/", NO_HOST),
        (f"https://{'a' * 64}.example/", NO_HOST),
        ("https://1.1.1.1:0/", "has a port outside 1 to 65535"),
        ("https://1.1.1.1:65536/", "has a port outside 1 to 65535"),
    ],
)
def test_what_is_no_upstream(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$".replace("?", r"\?")):
        parse_upstream(text)


@pytest.mark.parametrize(
    ("text", "url", "port", "is_address", "resolves_names"),
    [
        ("http://192.168.5.8:7899", "http://192.168.5.8:7899", 7899, True, True),
        ("http://proxy.example", "http://proxy.example:80", 80, False, True),
        ("https://proxy.example/", "https://proxy.example:443", 443, False, True),
        ("socks5://127.0.0.1", "socks5://127.0.0.1:1080", 1080, True, False),
        ("socks5h://127.0.0.1:9050", "socks5h://127.0.0.1:9050", 9050, True, True),
        ("SOCKS5H://[::1]", "socks5h://[::1]:1080", 1080, True, True),
        ("socks5://me:p%40ss@10.0.0.1", "socks5://me:p%40ss@10.0.0.1:1080", 1080, True, False),
    ],
)
def test_proxies(text: str, url: str, port: int, is_address: bool, resolves_names: bool) -> None:
    proxy = parse_proxy(text)
    assert (proxy.url, proxy.port) == (url, port)
    assert (proxy.is_address, proxy.resolves_names) == (is_address, resolves_names)
    assert parse_proxy(proxy.url) == proxy


def test_a_proxys_password_is_in_its_url_alone() -> None:
    proxy = parse_proxy("http://me:secret@[::1]:8080")
    assert proxy == ProxyUrl("http://me:secret@[::1]:8080", "http", "::1", 8080, True, True)
    assert str(proxy) == "http://[::1]:8080"
    assert "secret" not in repr(proxy)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("127.0.0.1:1080", "is not a proxy URL"),
        ("ftp://x", "is not a proxy URL"),
        ("socks4://1.1.1.1", "is not a proxy URL"),
        ("socks5://", "has no host"),
        ("socks5://1.1.1.1/path", "has more than a host and a port"),
        ("http://1.1.1.1/?q", "has more than a host and a port"),
        ("http://1.1.1.1#", "has more than a host and a port"),
        ("http://1.1.1.1:99999", "has a port outside 1 to 65535"),
        ("http://1.1.1", NO_HOST),
    ],
)
def test_what_is_no_proxy(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        parse_proxy(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://lists.example/ads.txt", "is not encrypted"),
        ("file:///etc/passwd", "has no host"),
        ("https://u:p@lists.example/", "has a user name or password"),
        ("https://lists.example:0/", "has a port outside 1 to 65535"),
    ],
)
def test_what_is_no_list_url(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        parse_list_url(text)


def test_a_list_url_is_kept_as_it_was_written() -> None:
    assert parse_list_url("https://Lists.example/A?b=c") == "https://Lists.example/A?b=c"


@given(st.text(alphabet="htps:/[]@?#.%0123456789abcxo{} ", max_size=40).map("https://".__add__) | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_upstream, parse_proxy, parse_list_url):
        try:
            assert parse(text)
        except ValueError as error:
            assert str(error).startswith(("is ", "has ", "holds "))  # noqa: PT017
