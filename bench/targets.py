"""The figures smartdoh is meant to reach, each as a check over the results of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.peers import LIMIT, OURS, TWIN, Build
from bench.results import Results
from bench.scenarios.base import RATE

PYTHON_RATE_OF_UNBOUND = 0.45
PYTHON_CPU_OF_UNBOUND = 6.0 / 2.6  # µs of CPU an answer, where unbound takes 2.6
HIT_RATE_OF_UNBOUND = 1.05
HIT_RATE_OF_LIMIT = 0.90
HIT_CPU_OF_UNBOUND = 0.90
HIT_CPU_OF_LIMIT = 1.30
HIT_USER = 0.35  # µs
EDNS_CPU = 1.05  # of what the same costs without EDNS
MILLION_RATE_OF_UNBOUND = 1.0
TCP_RATE_OF_DNSDIST = 0.8
BUSY_HIT_P99 = 1.0  # ms, of hits beside 5,000 misses a second
ENTRY_BYTES = 350.0  # resident, for an answer of one address
MISS_RATE = 20_000  # answers a second
MISS_RATE_OF_PEERS = 1.1
MISS_CPU = 45.0  # µs
ADDED_P50 = 1.0  # ms
ADDED_P99 = 5.0  # ms
HEDGED_P995 = 150.0  # ms
HEDGED_REQUESTS = 1.10  # upstream requests a question
START = 600.0  # ms
FULL_MEMORY = 120.0  # MB, with 100,000 answers


@dataclass(frozen=True, slots=True)
class Check:
    """One target against what was measured."""

    scenario: str
    what: str
    measured: float
    limit: float
    at_least: bool = False
    is_limited: bool = False
    """Whether a load generator that was at its limit had a part in it."""

    @property
    def is_reached(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(frozen=True, slots=True)
class _Target:
    scenario: str
    what: str
    key: str
    limit: float
    at_least: bool = False
    of: str = ""
    """The contender whose figure the measured one is divided by."""
    of_scenario: str = ""
    """The scenario whose figure it is divided by."""
    build: Build | None = None
    """Where it is a target of one of smartdoh's builds."""


TARGETS = (
    _Target(
        "hit", "rate, of unbound's", "rate", HIT_RATE_OF_UNBOUND, at_least=True, of="unbound", build="native"
    ),
    _Target(
        "hit", "rate, of the limit's", "rate", HIT_RATE_OF_LIMIT, at_least=True, of=LIMIT, build="native"
    ),
    _Target("hit", "CPU, of unbound's", "cpu_us", HIT_CPU_OF_UNBOUND, of="unbound", build="native"),
    _Target("hit", "CPU, of the limit's", "cpu_us", HIT_CPU_OF_LIMIT, of=LIMIT, build="native"),
    _Target("hit", "user time an answer, µs", "user_us", HIT_USER, build="native"),
    _Target("hit-edns", "CPU, of that without EDNS", "cpu_us", EDNS_CPU, of_scenario="hit", build="native"),
    _Target(
        "hit-million",
        "rate, of unbound's",
        "rate",
        MILLION_RATE_OF_UNBOUND,
        at_least=True,
        of="unbound",
        build="native",
    ),
    _Target("hit-tcp", "rate, of dnsdist's", "rate", TCP_RATE_OF_DNSDIST, at_least=True, of="dnsdist"),
    _Target(
        "hit",
        "rate in Python, of unbound's",
        "rate",
        PYTHON_RATE_OF_UNBOUND,
        at_least=True,
        of="unbound",
        build="python",
    ),
    _Target(
        "hit", "CPU in Python, of unbound's", "cpu_us", PYTHON_CPU_OF_UNBOUND, of="unbound", build="python"
    ),
    _Target("busy", "p99 of hits, ms", "hit_p99_ms", BUSY_HIT_P99),
    _Target("miss", "answers a second", "rate", MISS_RATE, at_least=True),
    _Target("miss", "rate, of dnss's", "rate", MISS_RATE_OF_PEERS, at_least=True, of="dnss"),
    _Target("miss", "rate, of smartdns's", "rate", MISS_RATE_OF_PEERS, at_least=True, of="smartdns"),
    _Target("miss", "CPU an answer, µs", "cpu_us", MISS_CPU),
    _Target("delay", "added p50, ms", "added_p50_ms", ADDED_P50),
    _Target("delay", "added p99, ms", "added_p99_ms", ADDED_P99),
    _Target("hedge", "p99.5, ms", "p995_ms", HEDGED_P995),
    _Target("hedge", "requests a question", "requests", HEDGED_REQUESTS),
    _Target("start", "to the first answer, ms", "start_ms", START),
    _Target("memory", "100,000 answers, MB", "full_mb", FULL_MEMORY),
    _Target("memory", "an answer, bytes", "bytes_each", ENTRY_BYTES, build="native"),
    _Target("zipf", "hits, of FIFO's", "hit_percent", 1.0, at_least=True, of="FIFO"),
)


def checks(results: Results) -> Iterator[Check]:
    """One check for each target whose figures were measured."""
    for target in TARGETS:
        ours = _contender(target, results.environment.fastpath)
        if ours is None:
            continue
        measured = _median(results, target.scenario, ours, target.key)
        base = 1.0
        if target.of or target.of_scenario:
            scenario = target.of_scenario or target.scenario
            base = _median(results, scenario, target.of or ours, target.key) or 0.0
        if measured is not None and base:
            limited = _is_limited(results, target, ours)
            yield Check(target.scenario, target.what, measured / base, target.limit, target.at_least, limited)


def _contender(target: _Target, runs: Build) -> str | None:
    """Whose figure is judged; None where the build that the target is of was not measured."""
    if target.build is None or target.build == runs:
        return OURS
    return TWIN if target.build == "python" else None


def _median(results: Results, scenario: str, contender: str, key: str) -> float | None:
    found = results.scenarios.get(scenario)
    return found.median(contender, key) if found else None


def _is_limited(results: Results, target: _Target, ours: str) -> bool:
    found = results.scenarios[target.scenario]
    return target.key == RATE.key and any(found.is_limited(name) for name in (ours, target.of))
