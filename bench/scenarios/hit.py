"""Hits: names that were all asked before, from each server's cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import names
from bench.errors import BenchError
from bench.load import flood, once, paced
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import Peer
from bench.scenarios.base import (
    BUSY,
    CPU,
    FAILED,
    P50,
    P99,
    RATE,
    USER,
    Measure,
    Reading,
    Scenario,
    flood_reading,
    latency_reading,
    serving,
)
from bench.workspace import Workspace

PACED_RATE = 5_000  # questions a second for the latencies: a load that no server here feels
FILL_RATE = 2_000
CACHE_ENTRIES = 10_000


def _measure(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, _round: int) -> Reading:
    listed = names.repeated(workspace.folder)
    core, lengths = workspace.cores.client, workspace.lengths
    endpoints = (upstream.endpoint,)
    over_doh = not peer.speaks_plain
    with serving(workspace, peer, endpoints, over_doh=over_doh, cache_entries=CACHE_ENTRIES) as (
        server,
        port,
    ):
        for _ in range(2):
            once(core, port, listed, FILL_RATE)
        asked = upstream.questions()
        reading = flood_reading(server, lambda: flood(core, port, listed, lengths.flood_seconds))
        reading |= latency_reading(paced(core, port, listed, PACED_RATE, lengths.paced_seconds))
        if upstream.questions() - asked > names.REPEATED_NAMES:
            raise BenchError(f"{peer.name} asked its upstream during the hits: it does not keep all names")
    return reading


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        yield {peer.name: partial(_measure, workspace, upstream, peer) for peer in peers}


SCENARIO = Scenario(
    "hit",
    f"{names.REPEATED_NAMES:,} names, all cached",
    (RATE, CPU, USER, BUSY, P50, P99, FAILED),
    _contenders,
)
