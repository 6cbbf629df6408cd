"""The realistic mix: how long hits and misses wait, apart, and hits while many misses are in flight.

In `mix` an answer that came sooner than the upstream could have given it is a hit. In `busy` two dnsperfs run: one asks
names that are cached, the other names that nobody asked before, so each latency is known to be a hit's or a miss's.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bench import mixture
from bench.errors import BenchError
from bench.load import Load, Shape, flood, once, paced, quantile
from bench.memory_upstream import MIXED_READY, MemoryUpstream, mixed_upstream
from bench.peers import Peer
from bench.scenarios.base import FAILED, Measure, Metric, Reading, Scenario, serving
from bench.workspace import Workspace

RATE_ASKED = 5_000  # questions a second, of the mix
WARM_UP_RATE = 20_000  # questions a second before those that count
WARM_UP_SECONDS = 5.0
WARM_UP_SHAPE = Shape(
    sockets=4, outstanding=2_000
)  # an upstream of 42 ms: 100 in flight would be 2,400 a second
HIT_RATE = 5_000  # questions a second for cached names, beside
MISS_RATE = 5_000  # as many for new ones
LASTING = 1_000  # cached names
LEAD = 1.0  # seconds that the misses begin before the hits and end after them
CACHE_ENTRIES = 1_000_000

HITS = Metric("hit_percent", "hits", "%", more_is_better=True)
HIT_P50 = Metric("hit_p50_ms", "hits: p50", "ms", digits=3)
HIT_P99 = Metric("hit_p99_ms", "hits: p99", "ms", digits=3)
MISS_P50 = Metric("miss_p50_ms", "misses: p50", "ms")
MISS_P99 = Metric("miss_p99_ms", "misses: p99", "ms")
ADDED_P50 = Metric("added_p50_ms", "added p50", "ms", digits=2)
ADDED_P99 = Metric("added_p99_ms", "added p99", "ms", digits=2)
MISSES = Metric("misses", "misses", "1/s", digits=0, is_judged=False)
REQUESTS = Metric("requests", "requests/question", "", digits=3)

Answered = list[tuple[str, float]]
"""Names and latencies, in seconds."""


def divided(answered: Answered) -> tuple[list[float], Answered]:
    """The latencies of the hits; the misses with their names. The upstream never answers before its delay is over."""
    hits: list[float] = []
    misses: Answered = []
    for name, latency in answered:
        if latency < mixture.delay_of(name):
            hits.append(latency)
        else:
            misses.append((name, latency))
    return hits, misses


def _waits(hits: list[float], misses: Answered, lost: list[float]) -> Reading:
    """A lost question counts as the slowest of the misses."""
    latencies = [latency for _, latency in misses] + lost
    added = [latency - mixture.delay_of(name) for name, latency in misses] + lost
    return {
        "hit_p50_ms": 1e3 * quantile(hits, 0.50),
        "hit_p99_ms": 1e3 * quantile(hits, 0.99),
        "miss_p50_ms": 1e3 * quantile(latencies, 0.50),
        "miss_p99_ms": 1e3 * quantile(latencies, 0.99),
        "added_p50_ms": 1e3 * quantile(added, 0.50),
        "added_p99_ms": 1e3 * quantile(added, 0.99),
    }


def _measure_mix(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, round_: int) -> Reading:
    core, seconds = workspace.cores.client, workspace.lengths.mix_seconds
    warm_up = mixture.mixed(workspace.folder, 2 * round_, int(WARM_UP_RATE * WARM_UP_SECONDS))
    asked = mixture.mixed(workspace.folder, 2 * round_ + 1, int(1.2 * RATE_ASKED * seconds))
    with _serving(workspace, upstream, peer) as port:
        flood(core, port, warm_up, WARM_UP_SECONDS, WARM_UP_SHAPE, WARM_UP_RATE)
        before = upstream.questions()
        load = paced(core, port, asked, RATE_ASKED, seconds, mixture.GOOD)
        requests = upstream.questions() - before
    hits, misses = divided(load.answered)
    return {
        "hit_percent": 100 * len(hits) / load.sent,
        **_waits(hits, misses, load.losses()),
        "requests": requests / load.sent,
        "failed_percent": 100 * (load.sent - load.answers) / load.sent,
    }


def _measure_busy(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, round_: int) -> Reading:
    core, seconds = workspace.cores.client, workspace.lengths.mix_seconds
    lasting = mixture.lasting(workspace.folder, LASTING)
    unseen = mixture.unseen(workspace.folder, round_, int(1.2 * MISS_RATE * (seconds + 2 * LEAD)))
    with _serving(workspace, upstream, peer) as port:
        for _ in range(2):
            once(core, port, lasting, HIT_RATE)
        beside = _Beside(lambda: paced(core, port, unseen, MISS_RATE, seconds + 2 * LEAD, mixture.GOOD))
        time.sleep(LEAD)
        hits = paced(core, port, lasting, HIT_RATE, seconds)
        misses = beside.load()
    if misses.answers < misses.sent / 2:
        raise BenchError(
            f"{peer.name} answered {misses.answers:,} of {misses.sent:,} misses at {MISS_RATE:,}/s"
        )
    failed = hits.sent - hits.answers + misses.sent - misses.answers
    return {
        "misses": misses.rate,
        **_waits([latency for _, latency in hits.answered] + hits.losses(), misses.answered, misses.losses()),
        "failed_percent": 100 * failed / (hits.sent + misses.sent),
    }


class _Beside:
    """A load that runs beside another; an error in it comes out where its result is taken."""

    def __init__(self, run: Callable[[], Load]) -> None:
        self._found: list[Load | BenchError] = []
        self._thread = threading.Thread(target=self._keep, args=(run,))
        self._thread.start()

    def _keep(self, run: Callable[[], Load]) -> None:
        try:
            self._found.append(run())
        except BenchError as error:
            self._found.append(error)

    def load(self) -> Load:
        self._thread.join()
        (found,) = self._found
        if isinstance(found, BenchError):
            raise found
        return found


@contextmanager
def _serving(workspace: Workspace, upstream: MemoryUpstream, peer: Peer) -> Iterator[int]:
    with serving(
        workspace,
        peer,
        (upstream.endpoint,),
        over_doh=peer.speaks_doh,
        cache_entries=CACHE_ENTRIES,
        ready_name=MIXED_READY,
    ) as (_, port):
        yield port


@contextmanager
def _contenders(
    measure: Callable[[Workspace, MemoryUpstream, Peer, int], Reading],
    workspace: Workspace,
    peers: list[Peer],
) -> Iterator[dict[str, Measure]]:
    with mixed_upstream(workspace) as upstream:
        yield {peer.name: partial(measure, workspace, upstream, peer) for peer in peers}


WAITS = (HIT_P50, HIT_P99, MISS_P50, MISS_P99, ADDED_P50, ADDED_P99)
MIX = Scenario(
    "mix",
    f"{RATE_ASKED:,} questions/s, Zipf(1) over {mixture.NAMES:,} names, TTLs 5 s to 1 h, upstream 5 to 80 ms",
    (HITS, *WAITS, REQUESTS, FAILED),
    partial(_contenders, _measure_mix),
)
BUSY = Scenario(
    "busy",
    f"{HIT_RATE:,} hits/s beside {MISS_RATE:,} misses/s, upstream 5 to 80 ms",
    (MISSES, *WAITS, FAILED),
    partial(_contenders, _measure_busy),
)
