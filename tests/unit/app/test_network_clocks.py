"""What two looks at the clocks say."""

from __future__ import annotations

import pytest

from smartdoh.app.network.clocks import Clocks, happened

START = Clocks(wall=1_000_000.0, running=5_000.0, since_boot=9_000.0)
HOUR, YEAR = 3_600.0, 31_536_000.0


def later(wall: float, running: float, since_boot: float) -> Clocks:
    return Clocks(START.wall + wall, START.running + running, START.since_boot + since_boot)


@pytest.mark.parametrize("late", [0.0, 0.4, 2.9])
def test_nothing_happened(late: float) -> None:
    """A second went by, or somewhat more where the loop was busy."""
    assert happened(START, later(1 + late, 1 + late, 1 + late)) is None


@pytest.mark.parametrize("slewed", [-4.0, 0.02, 4.0])
def test_a_small_correction_of_the_date_is_none(slewed: float) -> None:
    assert happened(START, later(1 + slewed, 1, 1)) is None


@pytest.mark.parametrize("jump", [HOUR, -HOUR, YEAR, -YEAR])
def test_the_date_was_set(jump: float) -> None:
    found = happened(START, later(1 + jump, 1, 1))
    assert found is not None
    assert (found.seconds, found.breaks_connections) == (jump, False)


def test_sleep_is_time_in_which_nothing_ran() -> None:
    found = happened(START, later(HOUR, 1, HOUR))
    assert found is not None
    assert (found.what, found.seconds, found.breaks_connections) == ("the machine slept", HOUR - 1, True)


def test_a_process_that_was_stopped() -> None:
    found = happened(START, later(10, 10, 10))
    assert found is not None
    assert (found.what, found.breaks_connections) == ("the process was stopped", True)
