"""The figures of a run as values, and as the JSON that is kept in bench/results/."""

import datetime
import json
import os
import platform
import re
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.peers import Build, Peer, fastpath_build
from bench.scenarios.base import GENERATOR, Metric, Reading, Scenario
from bench.workspace import usable_cores

FOLDER = Path(__file__).parent / "results"
SATURATED = 95.0  # percent of its core: from there on the load generator may be what limits the rate


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one contender over all rounds."""

    median: float
    low: float
    high: float
    rounds: tuple[float, ...] = ()
    """What each round gave, in their order; empty in results that did not keep it."""

    @classmethod
    def over(cls, values: list[float]) -> "Figure":
        return cls(statistics.median(values), min(values), max(values), tuple(values))

    def over_base(self, base: "Figure") -> "Figure":
        """This one as a ratio to another, round by round: what drifts on the machine drifts in both."""
        pairs = list(zip(self.rounds, base.rounds, strict=False)) or [(self.median, base.median)]
        return Figure.over([ours / theirs if theirs else 0.0 for ours, theirs in pairs])


@dataclass(frozen=True, slots=True)
class Environment:
    """What the figures depend on; nothing that names the machine."""

    cpu: str
    cores: int
    kernel: str
    python: str
    versions: dict[str, str]
    fastpath: Build = "python"
    """What `smartdoh` ran on in this run; the Python one, where it is another, has its own rows."""
    load: float = 0.0
    """The machine's load average over the minute before the run: what else it had to do."""

    @property
    def machine(self) -> str:
        """The kind of machine: figures of another kind are compared by their ratios alone."""
        return f"{self.cpu}, {self.cores} cores"


@dataclass(slots=True)
class ScenarioResults:
    """All figures of one scenario: `figures[contender][metric key]`; `failures` says why one has none."""

    title: str
    metrics: tuple[Metric, ...]
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    ratios: dict[str, dict[str, dict[str, Figure]]] = field(default_factory=dict)
    """`ratios[contender][metric key][base]`, of the metrics that have them."""

    def is_limited(self, contender: str) -> bool:
        """Whether the load generator's core was full, so that the rate says less than CPU time an answer."""
        busy = self.median(contender, GENERATOR.key)
        return busy is not None and busy > SATURATED

    def median(self, contender: str, key: str) -> float | None:
        """None where that contender was not measured."""
        figure = self.figures.get(contender, {}).get(key)
        return None if figure is None else figure.median


@dataclass(slots=True)
class Results:
    """One run."""

    date: str
    rounds: int
    environment: Environment
    scenarios: dict[str, ScenarioResults] = field(default_factory=dict)

    def to_json(self) -> str:
        text = json.dumps(asdict(self), indent=1)
        return (
            re.sub(r"\[\s+([-\d.,eE\s]+?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> "Results":
        raw = json.loads(text)
        return cls(
            date=raw["date"],
            rounds=raw["rounds"],
            environment=Environment(**raw["environment"]),
            scenarios={name: _scenario(found) for name, found in raw["scenarios"].items()},
        )


def _scenario(raw: dict[str, Any]) -> ScenarioResults:
    return ScenarioResults(
        title=raw["title"],
        metrics=tuple(Metric(**metric) for metric in raw["metrics"]),
        figures={contender: _figures(figures) for contender, figures in raw["figures"].items()},
        failures=raw["failures"],
        bases=tuple(raw.get("bases", ())),
        ratios={
            contender: {key: _figures(ratios) for key, ratios in found.items()}
            for contender, found in raw.get("ratios", {}).items()
        },
    )


def _figures(raw: dict[str, Any]) -> dict[str, Figure]:
    return {
        key: Figure(found["median"], found["low"], found["high"], tuple(found.get("rounds", ())))
        for key, found in raw.items()
    }


def summarise(scenario: Scenario, readings: dict[str, list[Reading]]) -> ScenarioResults:
    """Medians, lows and highs of the rounds that each contender came through, and their ratios to the bases."""
    figures = {
        contender: {
            metric.key: Figure.over([reading[metric.key] for reading in rounds])
            for metric in scenario.metrics
        }
        for contender, rounds in readings.items()
        if rounds
    }
    bases = tuple(base for base in scenario.bases if base in figures)
    ratios = {
        contender: {
            metric.key: {base: found[metric.key].over_base(figures[base][metric.key]) for base in bases}
            for metric in scenario.metrics
            if metric.has_ratio
        }
        for contender, found in figures.items()
    }
    return ScenarioResults(scenario.title, scenario.metrics, figures, bases=bases, ratios=ratios)


def describe_environment(peers: Iterable[Peer]) -> Environment:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return Environment(
        cpu=found[1] if found else platform.machine(),
        cores=len(usable_cores()),
        kernel=platform.release().split("-")[0],
        python=platform.python_version(),
        versions={peer.name: peer.version() for peer in peers},
        fastpath=fastpath_build(),
        load=round(os.getloadavg()[0], 2),
    )


def start_results(peers: Iterable[Peer], rounds: int) -> Results:
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return Results(today, rounds, describe_environment(peers))


def default_name(results: Results) -> str:
    """`2026-01-31-amd-epyc-2-cores.json`: the day and the kind of machine."""
    cpu = re.sub(r"[^a-z0-9]+", "-", results.environment.cpu.lower()).strip("-")
    return f"{results.date}-{cpu}-{results.environment.cores}-cores.json"


def load_results(path: Path) -> Results:
    try:
        return parse_results(path.read_text(), str(path))
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from error


def parse_results(text: str, where: str) -> Results:
    """`where` is for the message, should it not be results."""
    try:
        return Results.from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{where}: not a file of results ({error!r})") from error
