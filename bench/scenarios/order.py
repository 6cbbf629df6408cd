"""The scenarios, in the order in which they run: those of every run, and those that take minutes."""

from dataclasses import replace

from bench.scenarios import (
    delay,
    disk,
    hedge,
    hit,
    memory,
    miss,
    mix,
    querylog,
    reload,
    rules,
    start,
    watched,
    workers,
    zipf,
)
from bench.scenarios.base import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    hit.HIT,
    hit.SEVEN,
    hit.EDNS,
    hit.SKEWED,
    hit.TCP,
    miss.SCENARIO,
    mix.MIX,
    mix.BUSY,
    delay.SCENARIO,
    hedge.SCENARIO,
    start.SCENARIO,
    memory.SCENARIO,
    workers.SCENARIO,
    watched.SCENARIO,
    zipf.SCENARIO,
)


FULL: tuple[Scenario, ...] = (
    hit.MILLION,
    replace(rules.SCENARIO, most_rounds=1),
    replace(disk.SCENARIO, most_rounds=1),
    reload.SCENARIO,
    querylog.COSTS,
    querylog.SEARCH,
)
"""What takes minutes: in a run only when it is named, or with --full."""
