"""Results as values: summaries, ratios, JSON, targets, tables, and where a picture comes from."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.compare import compare
from bench.errors import BenchError
from bench.markdown import render
from bench.peers import Build
from bench.plot import draw
from bench.results import (
    Environment,
    Figure,
    Results,
    default_name,
    load_results,
    parse_results,
    summarise,
)
from bench.rows import heads, rows
from bench.scenarios import hit
from bench.scenarios.base import COST, FAILED, P50, P99, Reading, Scenario
from bench.scenarios.order import FULL, SCENARIOS
from bench.targets import TARGETS, checks

KEYS = [metric.key for metric in (*COST, P50, P99, FAILED)]


def scenario(name: str = "hit") -> Scenario:
    return replace(hit.HIT, name=name, title="cached")


def reading(rate: float, cpu: float = 5.0, busy: float = 50.0) -> Reading:
    return dict.fromkeys(KEYS, 1.0) | {"rate": rate, "cpu_us": cpu, "generator_percent": busy}


def run_of(readings: dict[str, list[Reading]], *, fastpath: Build = "python", name: str = "hit") -> Results:
    environment = Environment(
        "AMD EPYC (TM) 9", 2, "6.1.0", "3.11.7", {"unbound": "1.17.1-2"}, fastpath=fastpath
    )
    found = summarise(scenario(), readings)
    found.failures["dnss"] = "it ended"
    return Results("2026-01-31", 3, environment, {name: found})


def rates(**contenders: tuple[float, ...]) -> dict[str, list[Reading]]:
    return {name: [reading(rate) for rate in found] for name, found in contenders.items()}


def test_json_and_back() -> None:
    results = run_of(rates(smartdoh=(3.0, 2.0, 4.5), unbound=(1.0, 2.0, 3.0)))
    assert Results.from_json(results.to_json()) == results


def test_the_rounds_of_a_figure_stand_on_one_line() -> None:
    assert '"rounds": [3.0, 2.0, 4.5]' in run_of(rates(smartdoh=(3.0, 2.0, 4.5))).to_json()


def test_results_of_before_there_were_rounds_and_ratios() -> None:
    text = """{"date": "2026-01-31", "rounds": 2, "environment": {"cpu": "x", "cores": 2, "kernel": "6", "python": "3",
        "versions": {}}, "scenarios": {"hit": {"title": "cached", "metrics": [{"key": "rate", "title": "answers",
        "unit": "1/s", "more_is_better": true, "digits": 0}], "figures": {"smartdoh": {"rate": {"median": 2,
        "low": 1, "high": 3}}}, "failures": {}}}}"""
    results = parse_results(text, "old")
    assert results.environment.fastpath == "python"
    assert results.scenarios["hit"].figures["smartdoh"]["rate"] == Figure(2, 1, 3)
    assert not results.scenarios["hit"].ratios


def test_a_figure_is_median_low_and_high() -> None:
    assert Figure.over([5.0, 1.0, 2.0]) == Figure(2.0, 1.0, 5.0, (5.0, 1.0, 2.0))


def test_ratios_are_taken_round_by_round() -> None:
    found = run_of(rates(smartdoh=(10, 40, 90), unbound=(20, 80, 100))).scenarios["hit"]
    assert found.ratios["smartdoh"]["rate"]["unbound"] == Figure(0.5, 0.5, 0.9, (0.5, 0.5, 0.9))


def test_ratios_are_to_contenders_that_were_measured() -> None:
    assert run_of(rates(smartdoh=(10,), unbound=(20,))).scenarios["hit"].bases == ("unbound",)
    assert run_of(rates(smartdoh=(10,), echo=(20,))).scenarios["hit"].bases == ("echo",)


def test_a_full_generator_limits_the_rate() -> None:
    found = run_of({"smartdoh": [reading(9, busy=95.5)], "unbound": [reading(9, busy=94.5)]}).scenarios["hit"]
    assert found.is_limited("smartdoh")
    assert not found.is_limited("unbound")
    assert {row.name: row.cells[0] for row in rows(found)} == {"smartdoh": "9*", "unbound": "9"}


def test_rows_have_a_cell_for_each_head() -> None:
    found = run_of(rates(smartdoh=(1, 2), unbound=(2, 3), echo=(4, 4))).scenarios["hit"]
    titles = heads(found)
    assert titles[:3] == ["answers, 1/s", "of unbound's", "of the limit's"]
    assert {len(row.cells) for row in rows(found)} == {len(titles)}
    assert next(rows(found)).cells[:3] == ["2 (1-2)", "0.58", "0.38"]


def test_the_name_of_the_file_tells_the_kind_of_machine() -> None:
    assert default_name(run_of({})) == "2026-01-31-amd-epyc-tm-9-2-cores.json"


@pytest.mark.parametrize("text", ["", "[]", '{"date": "2026-01-31"}'])
def test_a_file_that_holds_no_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(BenchError, match="not a file of results"):
        load_results(path)


def test_a_missing_file_of_results(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No such file"):
        load_results(tmp_path / "none.json")


def verdicts(results: Results) -> dict[str, bool]:
    return {check.what: check.is_reached for check in checks(results)}


def test_targets_of_the_python_build_relative_to_a_peer() -> None:
    reached = {"rate in Python, of unbound's": True, "CPU in Python, of unbound's": True}
    assert verdicts(run_of(rates(smartdoh=(46,), unbound=(100,)))) == reached
    missed = verdicts(run_of(rates(smartdoh=(44,), unbound=(100,))))
    assert missed == reached | {"rate in Python, of unbound's": False}


def test_targets_of_both_builds() -> None:
    found = verdicts(
        run_of(
            {
                "smartdoh": [reading(106, 4.4)],
                "smartdoh-python": [reading(44)],
                "unbound": [reading(100)],
                "echo": [reading(110, 3.5)],
            },
            fastpath="native",
        )
    )
    assert found == {
        "rate, of unbound's": True,
        "rate, of the limit's": True,
        "CPU, of unbound's": True,
        "CPU, of the limit's": True,
        "user time an answer, µs": False,
        "rate in Python, of unbound's": False,
        "CPU in Python, of unbound's": True,
    }


def test_a_target_over_two_scenarios() -> None:
    results = run_of({"smartdoh": [reading(1, 4.0)]}, fastpath="native")
    results.scenarios["hit-edns"] = summarise(scenario("hit-edns"), {"smartdoh": [reading(1, 4.4)]})
    (found,) = [check for check in checks(results) if check.scenario == "hit-edns"]
    assert (round(found.measured, 3), found.is_reached) == (1.1, False)


def test_a_verdict_says_when_the_generator_was_the_limit() -> None:
    full = {"smartdoh": [reading(90, busy=99)], "unbound": [reading(100)]}
    assert [check.is_limited for check in checks(run_of(full))] == [True, False]


def test_no_check_without_its_peer() -> None:
    assert not list(checks(run_of(rates(smartdoh=(46,)))))


def test_every_target_names_a_metric_that_is_measured() -> None:
    measured = {(found.name, metric.key) for found in (*SCENARIOS, *FULL) for metric in found.metrics}
    assert {(target.scenario, target.key) for target in TARGETS} <= measured
    named = {target.of_scenario for target in TARGETS} - {""}
    assert named <= {found.name for found in SCENARIOS}


def test_no_two_scenarios_have_one_name() -> None:
    names = [found.name for found in (*SCENARIOS, *FULL)]
    assert len(set(names)) == len(names)


def test_markdown_has_every_table_and_is_one() -> None:
    before = run_of(rates(smartdoh=(100, 99, 101), unbound=(100, 99, 101)))
    after = run_of({"smartdoh": [reading(70, busy=99)], "unbound": [reading(100)]})
    text = render(after, before, compare(before, after))
    for line in ("## hit: cached", "## Figures to reach", "## Changes", "- dnss has no figures: it ended"):
        assert f"\n{line}" in text
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    for table in tables:
        assert len({line.count("|") for line in table}) == 1
    assert "| smartdoh | 70\\* | 0.70 |" in text


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "img" / "plot.png"
    results = run_of(rates(smartdoh=(3.0, 2.0, 4.0), unbound=(1.0,), echo=(4.0,)))
    results.scenarios["hit-7"] = summarise(scenario("hit-7"), rates(smartdoh=(3.0,), unbound=(2.0,)))
    assert draw(results, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_no_picture_of_no_figures(tmp_path: Path) -> None:
    assert not draw(run_of({}), tmp_path / "plot.png")
