"""Durations: every form, every refusal, and the way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartdoh.config.durations import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30.0),
        ("5m", 300.0),
        ("24h", 86_400.0),
        ("7d", 604_800.0),
        ("0s", 0.0),
        ("0ms", 0.0),
        ("1.8s", 1.8),
        ("0.001ms", 0.000001),
        ("1.5h", 5_400.0),
        ("0.25d", 21_600.0),
        ("007s", 7.0),
        ("3650d", LONGEST),
    ],
)
def test_every_form_of_a_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "5 s", " 5s", "5s ", "5s\n", "-5s", "+5s", "5S", "5sec", "1h30m", ".5s", "5.s",
     "1.2345s", "1e3s", "٥s", "5w", "1,5s", "infs", "nans", "1234567890123s"],
)  # fmt: skip
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a duration$"):
        parse_duration(text)


def test_a_duration_is_at_most_ten_years() -> None:
    with pytest.raises(ValueError, match=r"^is too long$"):
        parse_duration("3651d")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.5, "500ms"),
        (1.8, "1800ms"),
        (0.0125, "12.5ms"),
        (30.0, "30s"),
        (90.0, "90s"),
        (300.0, "5m"),
        (3_600.0, "1h"),
        (86_400.0, "1d"),
        (604_800.0, "7d"),
    ],
)
def test_a_duration_is_shown_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(
    st.integers(0, 300_000_000),
    st.sampled_from(["", ".0", ".5", ".25", ".001", ".999"]),
    st.sampled_from(["ms", "s", "m", "h", "d"]),
)
def test_there_and_back(number: int, fraction: str, unit: str) -> None:
    try:
        seconds = parse_duration(f"{number}{fraction}{unit}")
    except ValueError as error:
        assert str(error) == "is too long"  # noqa: PT017 - which of the two refusals it is, is the point
        return
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.text())
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        assert 0 <= parse_duration(text) <= LONGEST
    except ValueError as error:
        assert str(error) in ("is not a duration", "is too long")  # noqa: PT017
