"""SipHash-2-4 against the values that its authors give, and those of RFC 9018."""

import pytest

from smartdoh.fastpath.siphash import siphash24

KEY = bytes(range(16))


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, 0x726FDB47DD0E0E31),
        (1, 0x74F839C593DC67FD),
        (7, 0xAB0200F58B01D137),
        (8, 0x93F5F5799A932462),
        (15, 0xA129CA6149BE45E5),
        (63, 0x958A324CEB064572),
    ],
)
def test_the_values_of_its_authors(length: int, expected: int) -> None:
    assert siphash24(KEY, bytes(range(length))) == expected.to_bytes(8, "little")
