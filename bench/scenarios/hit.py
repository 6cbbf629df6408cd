"""Hits: names that were all asked before, from each server's cache.

The scenarios differ in how many names there are, how often each is asked, and in which form the questions come.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import names
from bench.errors import BenchError
from bench.load import PLAIN, Shape, flood, once, paced
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import LIMIT, Part, Peer
from bench.process import Process
from bench.scenarios.base import (
    COST,
    FAILED,
    P50,
    P99,
    Measure,
    Reading,
    Scenario,
    flood_reading,
    latency_reading,
    serving,
)
from bench.workspace import Workspace

PACED_RATE = 5_000  # questions a second for the latencies: a load that no server here feels
FEW = 10_000  # names; as many and fewer are filled in slowly, for no server to lose any
FILL_RATE = 2_000
MOST_FORGOTTEN = 0.01  # of the names may be asked upstream again: two fills of 100,000 lose some datagrams
PARTS: frozenset[Part] = frozenset({"server", "twin", "limit"})
PIPELINED = Shape(transport="tcp", sockets=100, outstanding=1_000)  # ten in flight on each connection


@dataclass(frozen=True, slots=True)
class Hits:
    """What is asked in one of the scenarios."""

    name: str
    title: str
    count: int
    asked: Callable[[Path, int], Path] = names.repeated
    """The list for the flood, from its folder and the number of names."""
    shape: Shape = PLAIN
    with_latencies: bool = False
    is_filled_once: bool = False
    """Whether each server is started and filled one time, and measured in each round."""

    def suits(self, peer: Peer) -> bool:
        can_ask = self.shape.transport == "udp" or peer.speaks_tcp
        return can_ask and peer.most_entries >= self.count


Served = tuple[Process, int]
"""A server with all names in its cache, and its port."""


def _fill(workspace: Workspace, hits: Hits, port: int) -> None:
    """Twice: what got lost the first time is there after the second."""
    rate = FILL_RATE if hits.count <= FEW else 0
    shape = Shape(hits.shape.transport, hits.shape.dnssec, hits.shape.sockets)
    for _ in range(2):
        once(workspace.cores.client, port, names.repeated(workspace.folder, hits.count), rate, shape)


@contextmanager
def _filled(workspace: Workspace, upstream: MemoryUpstream, hits: Hits, peer: Peer) -> Iterator[Served]:
    over_doh, entries = not peer.speaks_plain, max(2 * hits.count, FEW)
    with serving(workspace, peer, (upstream.endpoint,), over_doh=over_doh, cache_entries=entries) as served:
        if peer.part != "limit":
            _fill(workspace, hits, served[1])
        yield served


def _read(workspace: Workspace, upstream: MemoryUpstream, hits: Hits, served: Served) -> Reading:
    server, port = served
    core, lengths = workspace.cores.client, workspace.lengths
    listed, before = hits.asked(workspace.folder, hits.count), upstream.questions()
    reading = flood_reading(
        workspace, server, upstream, lambda: flood(core, port, listed, lengths.flood_seconds, hits.shape)
    )
    if hits.with_latencies:
        reading |= latency_reading(paced(core, port, listed, PACED_RATE, lengths.paced_seconds))
    asked = upstream.questions() - before
    if asked > max(MOST_FORGOTTEN * hits.count, names.REPEATED_NAMES):
        raise BenchError(f"{server.name} asked its upstream {asked:,} times: it does not keep all names")
    return reading


def _measure(workspace: Workspace, upstream: MemoryUpstream, hits: Hits, peer: Peer, _round: int) -> Reading:
    with _filled(workspace, upstream, hits, peer) as served:
        return _read(workspace, upstream, hits, served)


def _measure_again(
    open_servers: ExitStack,
    served: dict[str, Served],
    workspace: Workspace,
    upstream: MemoryUpstream,
    hits: Hits,
    peer: Peer,
    _round: int,
) -> Reading:
    if peer.name not in served:
        served[peer.name] = open_servers.enter_context(_filled(workspace, upstream, hits, peer))
    return _read(workspace, upstream, hits, served[peer.name])


@contextmanager
def _contenders(hits: Hits, workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    served: dict[str, Served] = {}
    with memory_upstream(workspace) as upstream, ExitStack() as open_servers:
        measure: Callable[..., Reading] = _measure
        if hits.is_filled_once:
            measure = partial(_measure_again, open_servers, served)
        yield {
            peer.name: partial(measure, workspace, upstream, hits, peer) for peer in peers if hits.suits(peer)
        }


def _scenario(hits: Hits, *, base: str = "unbound") -> Scenario:
    latencies = (P50, P99) if hits.with_latencies else ()
    return Scenario(
        hits.name,
        hits.title,
        (*COST, *latencies, FAILED),
        partial(_contenders, hits),
        parts=PARTS,
        bases=(base, LIMIT),
    )


HIT = _scenario(Hits("hit", "1,000 names, all cached", 1_000, with_latencies=True))
SEVEN = _scenario(Hits("hit-7", "7 names, all cached", 7))
EDNS = _scenario(
    Hits("hit-edns", "1,000 names, all cached, EDNS and DO in each question", 1_000, shape=Shape(dnssec=True))
)
SKEWED = _scenario(
    Hits("hit-zipf", "100,000 names, all cached, asked by Zipf(1)", 100_000, asked=names.skewed)
)
TCP = _scenario(
    Hits("hit-tcp", "1,000 names, all cached, 100 TCP connections, pipelined", 1_000, shape=PIPELINED),
    base="dnsdist",
)
MILLION = _scenario(
    Hits(
        "hit-million",
        "1,000,000 names, all cached, asked evenly",
        1_000_000,
        asked=names.shuffled,
        is_filled_once=True,
    )
)
