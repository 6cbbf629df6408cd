"""What counts as slower: by row, by ratio where there is one, and by more than the noise of both runs."""

from dataclasses import replace

import pytest

from bench.compare import compare
from tests.unit.bench.test_results import rates, reading, run_of


def test_less_rate_is_worse_and_more_is_better() -> None:
    before = run_of(rates(smartdoh=(100, 95, 105), dnsdist=(100, 95, 105)))
    after = run_of(rates(smartdoh=(70, 65, 75), dnsdist=(150, 140, 160)))
    changes = compare(before, after).changes
    found = {change.contender: (change.is_worse, round(change.percent)) for change in changes}
    assert found == {"smartdoh": (True, -30), "dnsdist": (False, 50)}
    assert [change.contender for change in compare(before, after).worse] == ["smartdoh"]


def test_more_cpu_time_is_worse() -> None:
    before = run_of({"smartdoh": [reading(9, cpu) for cpu in (5.0, 5.1, 5.2)]})
    after = run_of({"smartdoh": [reading(9, cpu) for cpu in (5.5, 5.6, 5.7)]})
    (change,) = compare(before, after).changes
    assert (change.metric.key, change.is_worse) == ("cpu_us", True)


def test_rounds_that_overlap_are_no_change() -> None:
    before, after = run_of(rates(smartdoh=(100, 70, 130))), run_of(rates(smartdoh=(80, 60, 90)))
    assert not compare(before, after).changes


@pytest.mark.parametrize(("rate", "differs"), [(96, True), (98, False)])
def test_three_rounds_show_a_change_of_three_percent(rate: float, differs: bool) -> None:
    before = run_of(rates(smartdoh=(100, 100, 100)))
    assert bool(compare(before, run_of(rates(smartdoh=(rate, rate, rate)))).changes) == differs


@pytest.mark.parametrize(("rate", "differs"), [(89, True), (91, False)])
def test_one_round_shows_a_change_of_ten(rate: float, differs: bool) -> None:
    before = run_of(rates(smartdoh=(100, 100, 100)))
    assert bool(compare(before, run_of(rates(smartdoh=(rate,)))).changes) == differs


def test_a_machine_that_was_slower_for_all_slowed_nobody() -> None:
    before = run_of(rates(smartdoh=(100, 99, 101), unbound=(100, 100, 100)))
    after = run_of(rates(smartdoh=(50, 49.5, 50.5), unbound=(50, 50, 50)))
    assert [change.contender for change in compare(before, after).changes] == ["unbound"]
    assert compare(before, after).changes[0].base == ""


def test_a_change_of_a_ratio_names_its_base() -> None:
    before = run_of(rates(smartdoh=(100, 99, 101), unbound=(100, 100, 100)))
    after = run_of(rates(smartdoh=(50, 49, 51), unbound=(100, 100, 100)))
    (change,) = compare(before, after).changes
    assert (change.contender, change.base, change.before, change.after) == ("smartdoh", "unbound", 1.0, 0.5)


def test_on_another_machine_only_ratios_are_compared() -> None:
    before = run_of(rates(smartdoh=(100, 100, 100), unbound=(100, 100, 100)))
    before.environment = replace(before.environment, cores=64)
    after = run_of(rates(smartdoh=(50, 50, 50), unbound=(20, 20, 20)))
    (change,) = compare(before, after).changes
    assert (change.contender, change.is_worse) == ("smartdoh", False)


def test_a_rate_that_the_generator_limited_is_not_compared() -> None:
    before = run_of({"smartdoh": [reading(100, busy=99)]})
    after = run_of({"smartdoh": [reading(50, busy=99)]})
    assert not compare(before, after).changes


def test_the_python_build_was_all_there_was_before() -> None:
    before = run_of(rates(smartdoh=(100, 100, 100)))
    after = run_of({"smartdoh": [reading(200)] * 3, "smartdoh-python": [reading(80)] * 3}, fastpath="native")
    found = {change.contender: change.is_worse for change in compare(before, after).changes}
    assert found == {"smartdoh": False, "smartdoh-python": True}


def test_what_there_was_none_of_and_how_busy_a_core_was() -> None:
    before = run_of({"smartdoh": [reading(100) | {"failed_percent": 0.0, "busy_percent": 50.0}] * 3})
    after = run_of({"smartdoh": [reading(100) | {"failed_percent": 2.0, "busy_percent": 90.0}] * 3})
    (change,) = compare(before, after).changes
    assert (change.metric.key, change.is_worse, change.percent) == ("failed_percent", True, float("inf"))


def test_scenarios_and_rows_of_one_run_alone_are_not_compared() -> None:
    before = run_of(rates(smartdoh=(100,)), name="miss")
    assert compare(before, run_of(rates(smartdoh=(10,)))).compared == 0
    assert compare(run_of(rates(dnss=(1,))), run_of(rates(smartdoh=(10,)))).compared == 0
