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
from bench.peers import Peer
from bench.scenarios.base import Metric, Reading, Scenario

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one contender over all rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def over(cls, values: list[float]) -> "Figure":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Environment:
    """What the figures depend on; nothing that names the machine."""

    cpu: str
    cores: int
    kernel: str
    python: str
    versions: dict[str, str]


@dataclass(slots=True)
class ScenarioResults:
    """All figures of one scenario: `figures[contender][metric key]`; `failures` says why one has none."""

    title: str
    metrics: tuple[Metric, ...]
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

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
        return json.dumps(asdict(self), indent=1) + "\n"

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
        figures={
            contender: {key: Figure(**figure) for key, figure in figures.items()}
            for contender, figures in raw["figures"].items()
        },
        failures=raw["failures"],
    )


def summarise(scenario: Scenario, readings: dict[str, list[Reading]]) -> ScenarioResults:
    """Medians, lows and highs of the rounds that each contender came through."""
    figures = {
        contender: {
            metric.key: Figure.over([reading[metric.key] for reading in rounds])
            for metric in scenario.metrics
        }
        for contender, rounds in readings.items()
        if rounds
    }
    return ScenarioResults(scenario.title, scenario.metrics, figures)


def describe_environment(peers: Iterable[Peer]) -> Environment:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return Environment(
        cpu=found[1] if found else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release().split("-")[0],
        python=platform.python_version(),
        versions={peer.name: peer.version() for peer in peers},
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
        return Results.from_json(path.read_text())
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path}: not a file of results ({error!r})") from error
