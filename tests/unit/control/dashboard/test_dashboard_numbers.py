"""Numbers as people read them."""

import pytest

from smartdoh.control.dashboard.parts import numbers, times


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.count(0), "0"),
        (numbers.count(9812), "9,812"),
        (numbers.count(12_400), "12.4 k"),
        (numbers.count(3_100_000), "3.1 M"),
        (numbers.rate(0), "0"),
        (numbers.rate(0.42), "0.4"),
        (numbers.rate(5012), "5,012"),
        (numbers.share(0.9342), "93.4%"),
        (numbers.ms(None), "–"),
        (numbers.ms(0.42), "0.4 ms"),
        (numbers.ms(23.4), "23 ms"),
        (numbers.ms(1234), "1.2 s"),
        (numbers.octets(512), "512 B"),
        (numbers.octets(3_565_158), "3.4 MiB"),
        (numbers.seconds(0), "0 s"),
        (numbers.seconds(41.9), "41 s"),
        (numbers.seconds(185), "3 min 5 s"),
        (numbers.seconds(3600), "1 h"),
        (numbers.seconds(187_200), "2 d 4 h"),
    ],
)
def test_numbers(shown: str, expected: str) -> None:
    assert shown == expected


def test_times() -> None:
    assert times.epoch(5) == 5.0
    assert times.epoch("1970-01-01T00:00:05.500Z") == 5.5
