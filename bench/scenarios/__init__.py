"""The scenarios, in the order in which they run."""

from bench.scenarios import delay, hedge, hit, memory, miss, start, zipf
from bench.scenarios.base import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    hit.SCENARIO,
    miss.SCENARIO,
    delay.SCENARIO,
    hedge.SCENARIO,
    start.SCENARIO,
    memory.SCENARIO,
    zipf.SCENARIO,
)
