"""Endpoints, networks, and whether an address is our own."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.config.addresses import Endpoint, is_own, parse_endpoint, parse_network


@pytest.mark.parametrize(
    ("text", "host", "port", "shown"),
    [
        ("127.0.0.1:5553", "127.0.0.1", 5553, "127.0.0.1:5553"),
        ("1.1.1.1", "1.1.1.1", 53, "1.1.1.1:53"),
        ("[::1]:53", "::1", 53, "[::1]:53"),
        ("[2620:FE:0::fe]", "2620:fe::fe", 53, "[2620:fe::fe]:53"),
        ("0.0.0.0:65535", "0.0.0.0", 65535, "0.0.0.0:65535"),
        ("[fe80::1%eth0]:53", "fe80::1%eth0", 53, "[fe80::1%eth0]:53"),
    ],
)
def test_endpoints(text: str, host: str, port: int, shown: str) -> None:
    endpoint = parse_endpoint(text)
    assert endpoint == Endpoint(host, port)
    assert str(endpoint) == shown
    assert parse_endpoint(shown) == endpoint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an address"),
        ("localhost:53", "is not an address"),
        ("1.1.1:53", "is not an address"),
        ("256.1.1.1:53", "is not an address"),
        ("[1.1.1.1]:53", "is not an address"),
        ("[]:53", "is not an address"),
        ("1.1.1.1:", "is not an address"),
        ("1.1.1.1:dns", "is not an address"),
        ("1.1.1.1 :53", "is not an address"),
        ("[::1]53", "is not an address"),
        ("::1", "is an IPv6 address without brackets"),
        ("::1:5353", "is an IPv6 address without brackets"),
        ("1.1.1.1:0", "has a port outside 1 to 65535"),
        ("1.1.1.1:65536", "has a port outside 1 to 65535"),
        ("1.1.1.1:" + "9" * 5000, "has a port outside 1 to 65535"),
        ("[::1]:0", "has a port outside 1 to 65535"),
    ],
)
def test_what_is_no_endpoint(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$"):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.168.1.7/24", "192.168.1.0/24"),
        ("192.168.1.7", "192.168.1.7/32"),
        ("::1", "::1/128"),
        ("fd00::/8", "fd00::/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_networks(text: str, network: str) -> None:
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize(
    "text", ["", "all", "10.0.0.0/33", "10/8", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1", "[::1]"]
)
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a network$"):
        parse_network(text)


@pytest.mark.parametrize(
    ("host", "port", "listening", "own"),
    [
        ("127.0.0.1", 53, "127.0.0.1:53", True),
        ("127.0.0.1", 443, "127.0.0.1:53", False),
        ("127.0.0.2", 53, "127.0.0.1:53", False),
        ("127.0.0.2", 53, "0.0.0.0:53", True),
        ("192.168.1.2", 53, "192.168.1.2:53", True),
        ("192.168.1.3", 53, "0.0.0.0:53", False),
        ("0.0.0.0", 53, "127.0.0.1:53", True),
        ("::1", 53, "[::]:53", True),
        ("127.0.0.1", 53, "[::]:53", True),
        ("::ffff:127.0.0.1", 53, "127.0.0.1:53", True),
        ("localhost", 53, "127.0.0.1:53", True),
        ("dns.example", 53, "127.0.0.1:53", False),
        ("0.0.0.0", 53, "192.168.1.2:53", False),
    ],
)
def test_own_addresses(host: str, port: int, listening: str, own: bool) -> None:
    assert is_own(host, port, [parse_endpoint(listening)]) is own


@given(st.text(alphabet="0123456789abcdef:.[]%/ x") | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_endpoint, parse_network):
        try:
            parse(text)
        except ValueError as error:
            assert str(error).startswith(("is ", "has "))  # noqa: PT017
