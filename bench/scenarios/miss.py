"""Misses: names that never repeat, forwarded over DoH to an upstream that answers from memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import names
from bench.errors import BenchError
from bench.load import flood, paced
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import Peer
from bench.scenarios.base import (
    COST,
    FAILED,
    P50,
    P99,
    Measure,
    Metric,
    Reading,
    Scenario,
    flood_reading,
    latency_reading,
    serving,
)
from bench.workspace import Workspace

PACED_RATE = 2_000  # questions a second for the latencies
ENOUGH_PER_SECOND = 60_000  # names a second: more than any forwarder here can use up
REQUESTS = Metric("requests", "requests/answer", "", digits=2)


def _measure(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, round_: int) -> Reading:
    core, lengths = workspace.cores.client, workspace.lengths
    flooded = names.fresh(workspace.folder, f"f{round_}", int(ENOUGH_PER_SECOND * lengths.flood_seconds))
    calm = names.fresh(workspace.folder, f"p{round_}", int(2 * PACED_RATE * lengths.paced_seconds))
    with serving(workspace, peer, (upstream.endpoint,), over_doh=True) as (server, port):
        asked = upstream.questions()
        reading = flood_reading(
            workspace, server, upstream, lambda: flood(core, port, flooded, lengths.flood_seconds)
        )
        answers = reading["rate"] * lengths.flood_seconds
        reading["requests"] = (upstream.questions() - asked) / answers
        if reading["requests"] < 0.95:
            raise BenchError(f"{peer.name} answered without asking the upstream: these were no misses")
        reading |= latency_reading(paced(core, port, calm, PACED_RATE, lengths.paced_seconds))
    return reading


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        yield {peer.name: partial(_measure, workspace, upstream, peer) for peer in peers if peer.speaks_doh}


SCENARIO = Scenario(
    "miss",
    "names never repeated, over DoH",
    (*COST, P50, P99, REQUESTS, FAILED),
    _contenders,
    bases=("dnsdist",),
)
