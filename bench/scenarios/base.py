"""What a scenario is, and how a server is put in place for one measurement."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench.errors import BenchError
from bench.load import Load
from bench.peers import Endpoint, Peer, Site
from bench.process import Process, await_answer, running
from bench.workspace import Workspace, free_port

Reading = dict[str, float]
"""One round of one contender: a value for each metric's key."""

Measure = Callable[[int], Reading]
"""Measures one contender once; the argument is the number of the round."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A column: what is measured, in which unit, and which way is better."""

    key: str
    title: str
    unit: str
    more_is_better: bool = False
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """A measurement of several contenders that take turns while `contenders` is open."""

    name: str
    title: str
    metrics: tuple[Metric, ...]
    contenders: Callable[[Workspace, list[Peer]], AbstractContextManager[dict[str, Measure]]]


RATE = Metric("rate", "answers", "1/s", more_is_better=True, digits=0)
CPU = Metric("cpu_us", "CPU each", "µs", digits=2)
USER = Metric("user_us", "of it user", "µs", digits=2)
BUSY = Metric("busy_percent", "its core busy", "%", more_is_better=True, digits=0)
P50 = Metric("p50_ms", "p50", "ms", digits=3)
P99 = Metric("p99_ms", "p99", "ms", digits=3)
FAILED = Metric("failed_percent", "failed", "%", digits=2)


@contextmanager
def serving(
    workspace: Workspace,
    peer: Peer,
    upstreams: tuple[Endpoint, ...],
    *,
    over_doh: bool,
    cache_entries: int = 200_000,
    ready_name: str = "ready.example.com",
) -> Iterator[tuple[Process, int]]:
    """A fresh server on its core that has answered once, and the port it listens on."""
    folder = workspace.subfolder(peer.name)
    site = Site(
        folder=folder,
        port=free_port(),
        upstreams=upstreams,
        over_doh=over_doh,
        ca_file=workspace.certificates.ca_file,
        cache_entries=min(cache_entries, peer.most_entries),
    )
    with running(peer.name, peer.command(site), workspace.cores.server, folder / "log") as server:
        await_answer(server, site.port, ready_name)
        yield server, site.port


def flood_reading(server: Process, flood: Callable[[], Load]) -> Reading:
    """Rate and CPU time per answer of one flood; a core that is not busy waited for the client or the upstream."""
    before = server.usage()
    started = time.perf_counter()
    load = flood()
    seconds = time.perf_counter() - started
    after = server.usage()
    if not load.answers:
        raise BenchError(f"{server.name} gave no good answer: {load.rcodes}")
    return {
        "rate": load.rate,
        "cpu_us": 1e6 * (after.cpu_seconds - before.cpu_seconds) / load.answers,
        "user_us": 1e6 * (after.user_seconds - before.user_seconds) / load.answers,
        "busy_percent": 100 * (after.cpu_seconds - before.cpu_seconds) / seconds,
        "failed_percent": 100 * (load.sent - load.answers) / load.sent,
    }


def latency_reading(load: Load) -> Reading:
    return {"p50_ms": 1e3 * load.latency(0.50), "p99_ms": 1e3 * load.latency(0.99)}
