"""The clock of the file on disk: whatever is done to the date, nothing grows younger."""

import math
import struct
from pathlib import Path

import pytest

from smartdoh.cache import steady
from smartdoh.cache.steady import SteadyClock, this_boot

BOOT_ID, OTHER_BOOT = "b" * 36, "c" * 36
DAY = 86_400.0


class Hands:
    """A boot clock and a wall clock, to be moved together or apart."""

    def __init__(self, boot: float = 100.0, wall: float = 1e9) -> None:
        self.boot, self.wall = boot, wall

    def pass_(self, seconds: float) -> None:
        self.boot += seconds
        self.wall += seconds

    def clock(self, boot_id: str = BOOT_ID, saved: bytes | None = None) -> SteadyClock:
        clock = SteadyClock(lambda: self.boot, lambda: self.wall, boot_id)
        clock.resume(saved)
        return clock


def test_it_begins_with_the_date_and_goes_on_with_the_boot_clock() -> None:
    hands = Hands()
    clock = hands.clock()
    assert clock() == 1e9
    hands.pass_(60)
    assert clock() == 1e9 + 60


@pytest.mark.parametrize("jump", [-365 * DAY, -3600.0, 3600.0, 365 * DAY])
def test_a_new_date_in_a_run_changes_nothing(jump: float) -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall += jump
    hands.pass_(10)
    assert clock() == 1e9 + 10


@pytest.mark.parametrize("boot_id", [BOOT_ID, OTHER_BOOT, ""])
def test_between_two_runs_the_wall_clock_counts(boot_id: str) -> None:
    hands = Hands()
    saved = hands.clock().save()
    hands.pass_(300)
    if boot_id != BOOT_ID:
        hands.boot = 5.0
    assert hands.clock(boot_id, saved)() == 1e9 + 300


def test_a_clock_set_back_while_the_machine_ran_does_not_hide_what_passed() -> None:
    hands = Hands()
    saved = hands.clock().save()
    hands.pass_(300)
    hands.wall -= DAY
    assert hands.clock(BOOT_ID, saved)() == 1e9 + 300


def test_a_clock_set_back_over_a_boot_counts_as_no_time() -> None:
    hands = Hands()
    saved = hands.clock().save()
    hands.boot, hands.wall = 1.0, 1e9 - DAY
    clock = hands.clock(OTHER_BOOT, saved)
    assert clock() == 1e9
    hands.pass_(60)
    assert clock() == 1e9 + 60, "and from there it goes on"


def test_a_clock_set_forward_between_two_runs_ends_lives_early() -> None:
    hands = Hands()
    saved = hands.clock().save()
    hands.wall += DAY
    assert hands.clock(BOOT_ID, saved)() == 1e9 + DAY


def test_a_date_that_was_wrong_for_a_run_does_not_end_all_lives() -> None:
    """A router without a battery starts in 1970; its clock is set after the first commits."""
    hands = Hands(wall=5.0)
    clock = hands.clock()
    hands.wall = 1.7e9
    hands.pass_(60)
    saved = clock.save()
    hands.pass_(30)
    assert hands.clock(BOOT_ID, saved)() == 5.0 + 90


@pytest.mark.parametrize(
    "saved",
    [b"", b"short", bytes(100), struct.pack("!36sddd", b"b" * 36, math.nan, 0, 0)],
)
def test_nonsense_is_not_gone_on_from(saved: bytes) -> None:
    assert Hands().clock(BOOT_ID, saved)() == 1e9


def test_the_boot_has_one_name_whoever_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "boot_id"
    file.write_text("f83716dd-79c3-4c52-9953-7ac659b81d8a\n")
    monkeypatch.setattr(steady, "BOOT_ID", file)
    assert this_boot({}) == this_boot({"BOOT_ID": "f83716dd79c34c5299537ac659b81d8a"})
    monkeypatch.setattr(steady, "BOOT_ID", tmp_path / "hidden")
    assert this_boot({}) == ""
    assert this_boot({"BOOT_ID": "f83716dd79c34c5299537ac659b81d8a"})
