"""What a soak objects to."""

from dataclasses import replace

import pytest

from bench.soak import Sample, objections

CALM = Sample(resident=60e6, descriptors=20, p99_ms=0.8, rate=150_000.0, lost=0)


def test_a_server_that_stays_as_it_is_is_fine() -> None:
    assert objections([replace(CALM, resident=40e6), *[CALM] * 9]) == []
    assert objections([CALM, CALM]) == []


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"resident": 90e6}, "memory grew from 60.0 to 90.0 MB"),
        ({"descriptors": 40}, "descriptors grew from 20 to 40"),
        ({"p99_ms": 20.0}, "p99 grew from 0.80 to 20.00 ms"),
    ],
)
def test_what_is_more_at_the_end_than_at_the_beginning_is_told(worse: dict[str, float], words: str) -> None:
    late = replace(CALM, **worse)  # type: ignore[arg-type]
    assert objections([CALM] * 6 + [late] * 4) == [words]
    assert objections([late, *[CALM] * 9]) == [], "the first window warms up"


def test_a_lost_question_is_told_wherever_it_was() -> None:
    assert objections([replace(CALM, lost=2), *[CALM] * 5]) == ["2 questions were lost at 2000 a second"]
