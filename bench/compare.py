"""What got slower or faster between two runs, by row."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.peers import OURS, TWIN
from bench.results import Figure, Results, ScenarioResults
from bench.scenarios.base import RATE, Metric

NOISE = 0.03  # a change of the median by less is taken for noise, whatever the rounds say
FEW_ROUNDS = (
    3  # with fewer, the lowest and the highest round do not show the noise, and this much may be noise:
)
NOISE_OF_FEW = 0.10


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that differs by more than noise; where `base` is named, it is a ratio to that contender's."""

    scenario: str
    contender: str
    metric: Metric
    before: float
    after: float
    base: str = ""

    @property
    def is_worse(self) -> bool:
        return (self.after < self.before) == self.metric.more_is_better

    @property
    def percent(self) -> float:
        """Infinite where there was none before."""
        return 100 * (self.after / self.before - 1) if self.before else float("inf")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, side by side."""

    compared: int
    """Figures that both runs have."""
    changes: tuple[Change, ...]

    @property
    def worse(self) -> list[Change]:
        return [change for change in self.changes if change.is_worse]


@dataclass(frozen=True, slots=True)
class _Pair:
    """The same figure of both runs."""

    scenario: str
    contender: str
    metric: Metric
    before: Figure
    after: Figure
    base: str = ""

    def differs(self) -> bool:
        """More than noise: by a part of the median, and no round of one lies among the rounds of the other."""
        before, after = self.before, self.after
        if after.low <= before.high and before.low <= after.high:
            return False
        if before.median == 0:
            return after.median >= float(10**-self.metric.digits)
        rounds = min(len(before.rounds), len(after.rounds))
        noise = NOISE if rounds >= FEW_ROUNDS else NOISE_OF_FEW
        return abs(after.median / before.median - 1) >= noise

    def change(self) -> Change:
        return Change(
            self.scenario, self.contender, self.metric, self.before.median, self.after.median, self.base
        )


def compare(before: Results, after: Results) -> Comparison:
    """All figures that both runs have, in the order of the second."""
    pairs = list(_pairs(before, after))
    return Comparison(len(pairs), tuple(pair.change() for pair in pairs if pair.differs()))


def _pairs(before: Results, after: Results) -> Iterator[_Pair]:
    is_same_machine = before.environment.machine == after.environment.machine
    for name, now in after.scenarios.items():
        was = before.scenarios.get(name)
        if was is None:
            continue
        for contender in now.figures:
            old = _name_in(before, after, was, contender)
            for pair in _of_row(name, contender, was, now, old):
                if pair.base or is_same_machine:
                    yield pair


def _name_in(before: Results, after: Results, was: ScenarioResults, contender: str) -> str:
    """What the contender was called before: the Python build, when there was no other, was `smartdoh`."""
    is_new = contender == TWIN and TWIN not in was.figures
    runs_python = before.environment.fastpath == "python" and after.environment.fastpath == "native"
    return OURS if is_new and runs_python else contender


def _of_row(
    scenario: str, contender: str, was: ScenarioResults, now: ScenarioResults, old: str
) -> Iterator[_Pair]:
    """Ratios where there are some, for they hold when the machine drifts; else what was measured."""
    is_limited = was.is_limited(old) or now.is_limited(contender)
    for metric in now.metrics:
        key = metric.key
        if not metric.is_judged or key not in was.figures.get(old, {}) or (is_limited and key == RATE.key):
            continue
        ratios = now.ratios.get(contender, {}).get(key, {})
        base = next((name for name in ratios if name in was.figures and name != contender), "")
        if base and key in was.figures[base]:
            before = was.figures[old][key].over_base(was.figures[base][key])
            yield _Pair(scenario, contender, metric, before, ratios[base], base)
        else:
            yield _Pair(scenario, contender, metric, was.figures[old][key], now.figures[contender][key])
