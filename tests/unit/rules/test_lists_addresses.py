"""Lists of addresses: each line accounted for, and an address found in the networks it is in."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.rules.lists import NameSet, Reason, compile_list, compiled_path, key_of, open_list
from smartdoh.rules.lists.dialects.addresses import address_key, parse
from smartdoh.wire.names import from_text

LIST = Path(__file__).parents[2] / "data/lists/bogus-nxdomain.conf"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> NameSet:
    """The list of tests/data, compiled."""
    file = tmp_path_factory.mktemp("addresses") / "bogus.conf"
    file.write_bytes(LIST.read_bytes())
    compile_list(file, "addresses", compiled_path(file))
    return open_list(file, "addresses", compiled_path(file))


def line_of(names: NameSet, text: str) -> int:
    match = names.match_key(address_key(ip_address(text).packed))
    return match.line if match is not None else 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("198.51.100.7", 2),
        ("198.51.100.6", 0),
        ("198.51.100.8", 0),
        ("198.51.100.64", 3),
        ("198.51.100.127", 3),
        ("198.51.100.128", 0),
        ("2001:db8:bad::1", 4),
        ("2001:db8:bae::1", 0),
        ("203.0.113.99", 5),
        ("192.0.2.1", 0),
    ],
)
def test_an_address_is_in_its_networks(names: NameSet, text: str, line: int) -> None:
    assert line_of(names, text) == line


def test_every_line_is_accounted_for(names: NameSet) -> None:
    report = names.report
    assert (report.lines, report.used, report.comments) == (8, 4, 1)
    assert report.skipped == {Reason.DIRECTIVE: 1, Reason.SYNTAX: 2}


@given(st.ip_addresses(), st.ip_addresses(), st.data())
def test_keys_say_what_networks_say(one: object, other: object, data: st.DataObject) -> None:
    address = ip_address(str(one))
    network = ip_network(
        f"{other}/{data.draw(st.integers(1, ip_address(str(other)).max_prefixlen))}", strict=False
    )
    parsed = parse(str(network))
    assert isinstance(parsed, list)
    (rule,) = parsed
    assert rule.key is not None
    for each in (address, network.network_address, network.broadcast_address):
        assert address_key(each.packed).startswith(rule.key) == (
            each.version == network.version and each in network
        )


@given(st.ip_addresses())
def test_no_name_has_the_key_of_an_address(address: object) -> None:
    key = address_key(ip_address(str(address)).packed)
    assert not key.endswith(b".")
    assert key_of(from_text("4.example.com")).endswith(b".")
