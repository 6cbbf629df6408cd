"""One run: every scenario, its contenders taking turns round by round."""

from collections.abc import Iterable

from rich.console import Console

from bench.errors import BenchError
from bench.peers import Peer
from bench.report import print_scenario
from bench.results import Results, ScenarioResults, start_results, summarise
from bench.scenarios.base import Measure, Reading, Scenario
from bench.workspace import Workspace


def _rounds(
    console: Console, measures: dict[str, Measure], rounds: int
) -> tuple[dict[str, list[Reading]], dict[str, str]]:
    """The readings of each contender, and for those that failed why; one that failed is not tried again."""
    readings: dict[str, list[Reading]] = {name: [] for name in measures}
    failures: dict[str, str] = {}
    with console.status("") as status:
        for number in range(rounds):
            for name, measure in measures.items():
                if name in failures:
                    continue
                status.update(f"round {number + 1} of {rounds}: {name}")
                try:
                    readings[name].append(measure(number))
                except BenchError as error:
                    failures[name] = str(error)
    return readings, failures


def _run_scenario(
    console: Console, workspace: Workspace, scenario: Scenario, peers: list[Peer], rounds: int
) -> ScenarioResults:
    suited = [peer for peer in peers if peer.part in scenario.parts]
    with scenario.contenders(workspace, suited) as measures:
        readings, failures = _rounds(console, measures, min(rounds, scenario.most_rounds or rounds))
    results = summarise(scenario, readings)
    results.failures.update(failures)
    return results


def run(
    console: Console, workspace: Workspace, scenarios: Iterable[Scenario], peers: list[Peer], rounds: int
) -> Results:
    """Measures and prints each scenario as it ends; one that cannot be put in place has no figures, and says why."""
    results = start_results(peers, rounds)
    for scenario in scenarios:
        try:
            found = _run_scenario(console, workspace, scenario, peers, rounds)
        except BenchError as error:
            found = ScenarioResults(scenario.title, scenario.metrics, failures={"all": str(error)})
        results.scenarios[scenario.name] = found
        print_scenario(console, scenario.name, found)
    return results
