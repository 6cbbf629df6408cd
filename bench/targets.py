"""The figures smartdoh is meant to reach, each as a check over the results of a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.results import Results

OURS = "smartdoh"

HIT_RATE_OF_UNBOUND = 0.45
HIT_CPU_OF_UNBOUND = 6.0 / 2.6  # µs of CPU an answer, where unbound takes 2.6
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
    """The peer whose figure the measured one is divided by."""


TARGETS = (
    _Target("hit", "rate, of unbound's", "rate", HIT_RATE_OF_UNBOUND, at_least=True, of="unbound"),
    _Target("hit", "CPU, of unbound's", "cpu_us", HIT_CPU_OF_UNBOUND, of="unbound"),
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
    _Target("zipf", "hits, of FIFO's", "hit_percent", 1.0, at_least=True, of="FIFO"),
)


def checks(results: Results) -> Iterator[Check]:
    """One check for each target whose figures were measured."""
    for target in TARGETS:
        found = results.scenarios.get(target.scenario)
        ours = found.median(OURS, target.key) if found else None
        base = found.median(target.of, target.key) if found and target.of else 1.0
        if ours is not None and base:
            yield Check(target.scenario, target.what, ours / base, target.limit, target.at_least)
