"""Results as values: summaries, JSON, comparison, targets, and where a picture comes from."""

from pathlib import Path

import pytest

from bench.compare import changes
from bench.errors import BenchError
from bench.plot import draw
from bench.results import Environment, Figure, Results, ScenarioResults, default_name, load_results
from bench.scenarios import SCENARIOS
from bench.scenarios.base import CPU, RATE
from bench.targets import TARGETS, checks


def run_of(**rates: tuple[float, float, float]) -> Results:
    environment = Environment("AMD EPYC (TM) 9", 2, "6.1.0", "3.11.7", {"unbound": "1.17.1-2"})
    figures = {name: {"rate": Figure(*rate), "cpu_us": Figure(5, 5, 5)} for name, rate in rates.items()}
    scenario = ScenarioResults("cached", (RATE, CPU), figures, {"dnss": "it ended"})
    return Results("2026-01-31", 3, environment, {"hit": scenario})


def test_json_and_back() -> None:
    results = run_of(smartdoh=(3.0, 2.0, 4.0))
    assert Results.from_json(results.to_json()) == results


def test_a_figure_is_median_low_and_high() -> None:
    assert Figure.over([5.0, 1.0, 2.0]) == Figure(2.0, 1.0, 5.0)


def test_the_name_of_the_file_tells_the_kind_of_machine() -> None:
    assert default_name(run_of()) == "2026-01-31-amd-epyc-tm-9-2-cores.json"


@pytest.mark.parametrize("text", ["", "[]", '{"date": "2026-01-31"}'])
def test_a_file_that_holds_no_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(BenchError, match="not a file of results"):
        load_results(path)


def test_a_missing_file_of_results(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No such file"):
        load_results(tmp_path / "none.json")


def test_less_rate_is_worse_and_more_is_better() -> None:
    before = run_of(smartdoh=(100, 95, 105), unbound=(100, 95, 105))
    after = run_of(smartdoh=(70, 65, 75), unbound=(150, 140, 160))
    found = {change.contender: (change.is_worse, round(change.percent)) for change in changes(before, after)}
    assert found == {"smartdoh": (True, -30), "unbound": (False, 50)}


def test_rounds_that_overlap_are_no_change() -> None:
    assert not list(changes(run_of(smartdoh=(100, 70, 130)), run_of(smartdoh=(80, 60, 90))))


def test_targets_relative_to_a_peer() -> None:
    reached = {
        check.what: check.is_reached
        for check in checks(run_of(smartdoh=(46, 40, 50), unbound=(100, 99, 101)))
    }
    assert reached == {"rate, of unbound's": True, "CPU, of unbound's": True}
    missed = {
        check.what: check.is_reached
        for check in checks(run_of(smartdoh=(44, 40, 50), unbound=(100, 99, 101)))
    }
    assert missed["rate, of unbound's"] is False


def test_no_check_without_its_peer() -> None:
    assert not list(checks(run_of(smartdoh=(46, 40, 50))))


def test_every_target_names_a_metric_that_is_measured() -> None:
    measured = {(scenario.name, metric.key) for scenario in SCENARIOS for metric in scenario.metrics}
    assert {(target.scenario, target.key) for target in TARGETS} <= measured


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "img" / "plot.png"
    assert draw(run_of(smartdoh=(3.0, 2.0, 4.0)), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_no_picture_of_no_figures(tmp_path: Path) -> None:
    assert not draw(run_of(), tmp_path / "plot.png")
