"""One scenario by itself, once: what the modules of long scenarios do when they are run."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.report import make_console, print_scenario
from bench.results import summarise
from bench.scenarios.base import Measure, Scenario
from bench.workspace import Workspace, own_workspace


def measure_alone(
    scenario: Scenario, contenders: Callable[[Workspace], AbstractContextManager[dict[str, Measure]]]
) -> None:
    """Measure these contenders once and print what came of it."""
    with own_workspace() as workspace, contenders(workspace) as measures:
        readings = {name: [measure(0)] for name, measure in measures.items()}
    print_scenario(make_console(), scenario.name, summarise(scenario, readings))
