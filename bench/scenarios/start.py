"""The time from starting a server to its first answer."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import Peer
from bench.process import await_answer, running
from bench.scenarios.base import Measure, Metric, Reading, Scenario
from bench.sites import Site
from bench.workspace import Workspace, free_port

FIRST_NAME = "localhost"  # some answer it themselves, the others ask the upstream, which is there
START = Metric("start_ms", "start", "ms", digits=0, has_ratio=True)


def _start(workspace: Workspace, upstream: MemoryUpstream, peer: Peer) -> float:
    folder = workspace.subfolder(peer.name)
    site = Site(
        folder=folder,
        port=free_port(),
        upstreams=(upstream.endpoint,),
        over_doh=not peer.speaks_plain,
        ca_file=workspace.certificates.ca_file,
        cache_entries=10_000,
    )
    with running(peer.name, peer.command(site), workspace.cores.server, folder / "log") as server:
        return await_answer(server, site.port, FIRST_NAME)


def _measure(workspace: Workspace, upstream: MemoryUpstream, peer: Peer, _round: int) -> Reading:
    seconds = [_start(workspace, upstream, peer) for _ in range(workspace.lengths.starts)]
    return {"start_ms": 1e3 * statistics.median(seconds)}


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        yield {peer.name: partial(_measure, workspace, upstream, peer) for peer in peers}


SCENARIO = Scenario("start", "from exec to the first answer", (START,), _contenders)
