"""What got slower or faster between two runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.results import Figure, Results
from bench.scenarios.base import Metric

NOISE = 0.10  # a change of the median by less is taken for noise


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that differs by more than noise."""

    scenario: str
    contender: str
    metric: Metric
    before: float
    after: float

    @property
    def is_worse(self) -> bool:
        return (self.after < self.before) == self.metric.more_is_better

    @property
    def percent(self) -> float:
        return 100 * (self.after / self.before - 1)


def _differs(before: Figure, after: Figure) -> bool:
    """More than noise, and the rounds of the two runs do not overlap."""
    if before.median == 0 or abs(after.median / before.median - 1) < NOISE:
        return False
    return after.low > before.high or after.high < before.low


def changes(before: Results, after: Results) -> Iterator[Change]:
    """All changes of figures that both runs have, in the order of the second."""
    for name, scenario in after.scenarios.items():
        old = before.scenarios.get(name)
        if old is None:
            continue
        for contender, figures in scenario.figures.items():
            for metric in scenario.metrics:
                was = old.figures.get(contender, {}).get(metric.key)
                now = figures[metric.key]
                if was is not None and _differs(was, now):
                    yield Change(name, contender, metric, was.median, now.median)
