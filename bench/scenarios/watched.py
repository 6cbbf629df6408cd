"""Hits while somebody looks on: metrics, the log of questions, the live view, each alone and all at once.

What answers has its core to itself. What smartdoh starts besides, the process that writes the log, runs on the load
generator's: with two cores there is no third.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from bench import names
from bench.cpu import others_of_session, usage_of_process
from bench.load import flood, once
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.onlookers import Onlooker, scraper, viewer
from bench.peers import OURS, Peer
from bench.process import Process
from bench.scenarios.base import COST, FAILED, Measure, Metric, Reading, Scenario, flood_reading, serving
from bench.workspace import Workspace, free_port

FILL_RATE = 2_000
OFF = "off"


@dataclass(frozen=True, slots=True)
class Watched:
    """What is switched on."""

    metrics: bool = False
    query_log: bool = False
    live: bool = False

    def config(self, port: int) -> str:
        """Tables for smartdoh.toml; `port` is for the metrics."""
        metrics = f'[metrics]\nlisten = "127.0.0.1:{port}"\n' if self.metrics else ""
        return metrics + ('[query_log]\nenabled = true\ndir = "."\n' if self.query_log else "")


WATCHED = {
    OFF: Watched(),
    "metrics": Watched(metrics=True),
    "query log": Watched(query_log=True),
    "live view": Watched(live=True),
    "all of it": Watched(metrics=True, query_log=True, live=True),
}
OWN = Metric("own_us", "CPU each, where it is answered", "µs", digits=2, has_ratio=True)


def _onlookers(watched: Watched, server: Process, port: int) -> Sequence[Onlooker]:
    config = server.log.parent / "smartdoh.toml"
    return [
        *([scraper(port)] if watched.metrics else []),
        *([viewer(config, dict(os.environ))] if watched.live else []),
    ]


def _move_the_rest(workspace: Workspace, server: Process) -> None:
    """All but the process that answers go to the client's core."""
    for pid in others_of_session(server.process.pid):
        os.sched_setaffinity(pid, {workspace.cores.client})


def _measure(
    workspace: Workspace, upstream: MemoryUpstream, peer: Peer, watched: Watched, _round: int
) -> Reading:
    told_at, listed, core = free_port(), names.repeated(workspace.folder), workspace.cores.client
    with ExitStack() as stack:
        server, port = stack.enter_context(
            serving(workspace, peer, (upstream.endpoint,), over_doh=True, besides=watched.config(told_at))
        )
        for _ in range(2):
            once(core, port, listed, FILL_RATE)
        for onlooker in _onlookers(watched, server, told_at):
            stack.enter_context(onlooker.looking())
        _move_the_rest(workspace, server)
        before = usage_of_process(server.process.pid)
        seconds = workspace.lengths.flood_seconds
        reading = flood_reading(workspace, server, upstream, lambda: flood(core, port, listed, seconds))
        used = usage_of_process(server.process.pid).cpu_seconds - before.cpu_seconds
        answers = reading["rate"] * seconds
        return {**reading, "own_us": 1e6 * used / answers}


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        yield {
            name: partial(_measure, workspace, upstream, peer, watched)
            for peer in peers
            if peer.name == OURS
            for name, watched in WATCHED.items()
        }


SCENARIO = Scenario(
    "watched",
    f"{names.REPEATED_NAMES:,} names, all cached, while somebody looks on",
    (*COST, OWN, FAILED),
    _contenders,
    bases=(OFF,),
)
