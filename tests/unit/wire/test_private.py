"""Which addresses are no public host's."""

# ruff: noqa: SIM905 - a table of words

from ipaddress import ip_address

import pytest

from smartdoh.wire.private import is_private

PRIVATE = """
    0.0.0.0 0.1.2.3 127.0.0.1 127.255.255.255 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1
    192.168.255.255 169.254.0.1 169.254.169.254 100.64.0.1 100.127.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:192.168.1.1 ::ffff:0.0.0.0 ::192.168.1.1 64:ff9b::10.0.0.1
    64:ff9b:1::8.8.8.8 fe80::1 febf::1 fec0::1 feff::1 fc00::1 fd00::1 fdff:ffff::1
""".split()
PUBLIC = """
    1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 126.255.255.255 128.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255
    192.169.0.0 169.253.255.255 169.255.0.0 100.63.255.255 100.128.0.0 192.0.2.1 224.0.0.1
    2001:db8::1 2606:4700::1111 2000:: 3fff::1 2002:c0a8:101::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 ff02::1 fe00::1 fbff::1
""".split()


@pytest.mark.parametrize("text", PRIVATE)
def test_private(text: str) -> None:
    assert is_private(ip_address(text).packed)


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    assert not is_private(ip_address(text).packed)
