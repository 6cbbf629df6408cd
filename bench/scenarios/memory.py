"""Resident memory with many answers in the cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import names
from bench.errors import BenchError
from bench.load import once
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import Peer
from bench.scenarios.base import Measure, Metric, Reading, Scenario, serving
from bench.workspace import Workspace

ANSWERS = 100_000
CACHE_ENTRIES = 200_000

EMPTY = Metric("empty_mb", "empty", "MB")
FULL = Metric("full_mb", "with all answers", "MB", has_ratio=True)
EACH = Metric("bytes_each", "an answer", "B", digits=0, has_ratio=True)


def _measure(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, _round: int) -> Reading:
    listed = names.fresh(workspace.folder, "kept", ANSWERS)
    core = workspace.cores.client
    over_doh = not peer.speaks_plain
    endpoints = (upstream.endpoint,)
    with serving(workspace, peer, endpoints, over_doh=over_doh, cache_entries=CACHE_ENTRIES) as (
        server,
        port,
    ):
        empty = server.usage().resident_bytes
        once(core, port, listed)
        full = server.usage().resident_bytes
        asked = upstream.questions()
        again = once(core, port, listed)
        if again.answers < ANSWERS or upstream.questions() - asked > ANSWERS / 100:
            raise BenchError(
                f"{peer.name} kept fewer than {ANSWERS:,} answers: asked again, it went upstream"
            )
    return {"empty_mb": empty / 1e6, "full_mb": full / 1e6, "bytes_each": (full - empty) / ANSWERS}


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        yield {
            peer.name: partial(_measure, workspace, upstream, peer)
            for peer in peers
            if peer.most_entries >= ANSWERS
        }


SCENARIO = Scenario(
    "memory", f"resident, with {ANSWERS:,} answers of one address each", (EMPTY, FULL, EACH), _contenders
)
