"""What a scenario is, and how a server is put in place for one measurement."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench.errors import BenchError
from bench.load import Load
from bench.memory_upstream import MemoryUpstream
from bench.peers import LIMIT, Part, Peer
from bench.process import Process, await_answer, running
from bench.sites import Endpoint, Site
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
    has_ratio: bool = False
    """Whether it is also printed as a ratio to the peer and to the limit."""
    is_judged: bool = True
    """Whether a change is better or worse: how busy a core was is neither."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A measurement of several contenders that take turns while `contenders` is open."""

    name: str
    title: str
    metrics: tuple[Metric, ...]
    contenders: Callable[[Workspace, list[Peer]], AbstractContextManager[dict[str, Measure]]]
    parts: frozenset[Part] = frozenset({"server"})
    """Which of the peers it is given."""
    bases: tuple[str, ...] = ("unbound", LIMIT)
    """The contenders that ratios are to, where they were measured."""
    most_rounds: int | None = None
    """For those that take minutes, or count rather than time."""


RATE = Metric("rate", "answers", "1/s", more_is_better=True, digits=0, has_ratio=True)
CPU = Metric("cpu_us", "CPU each", "µs", digits=2, has_ratio=True)
USER = Metric("user_us", "user", "µs", digits=2)
SYSTEM = Metric("system_us", "system", "µs", digits=2)
BUSY = Metric("busy_percent", "its core busy", "%", digits=0, is_judged=False)
GENERATOR = Metric("generator_percent", "generator's", "%", digits=0, is_judged=False)
COST = (RATE, CPU, USER, SYSTEM, BUSY, GENERATOR)
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
    workers: int = 1,
    cores: Sequence[int] = (),
    besides: str = "",
) -> Iterator[tuple[Process, int]]:
    """A fresh server on its core (or on `cores`) that has answered once, and the port it listens on."""
    folder = workspace.subfolder(peer.name)
    site = Site(
        folder=folder,
        port=free_port(),
        upstreams=upstreams,
        over_doh=over_doh,
        ca_file=workspace.certificates.ca_file,
        cache_entries=min(cache_entries, peer.most_entries),
        workers=workers,
        besides=besides,
    )
    pinned = cores or (workspace.cores.server,)
    with running(peer.name, peer.command(site), pinned, folder / "log") as server:
        await_answer(server, site.port, ready_name)
        yield server, site.port


def flood_reading(
    workspace: Workspace, server: Process, upstream: MemoryUpstream, flood: Callable[[], Load]
) -> Reading:
    """Rate and CPU time per answer of one flood; a core that is not busy waited for the client or the upstream."""
    before, behind = server.usage(), upstream.cpu_seconds()
    load = flood()
    after, behind = server.usage(), upstream.cpu_seconds() - behind
    if not load.answers:
        raise BenchError(f"{server.name} gave no good answer: {load.rcodes}")
    return {
        "rate": load.rate,
        "cpu_us": 1e6 * (after.cpu_seconds - before.cpu_seconds) / load.answers,
        "user_us": 1e6 * (after.user_seconds - before.user_seconds) / load.answers,
        "system_us": 1e6 * (after.system_seconds - before.system_seconds) / load.answers,
        "busy_percent": 100 * (after.cpu_seconds - before.cpu_seconds) / load.seconds,
        "generator_percent": 100 * _generator_share(workspace, load.cpu_seconds, behind, load.seconds),
        "failed_percent": 100 * (load.sent - load.answers) / load.sent,
    }


def _generator_share(workspace: Workspace, client: float, upstream: float, seconds: float) -> float:
    """How busy the busiest core was that asks the questions or answers the server's own."""
    if workspace.cores.client == workspace.cores.upstream:
        return (client + upstream) / seconds
    return max(client, upstream) / seconds


def latency_reading(load: Load) -> Reading:
    return {"p50_ms": 1e3 * load.latency(0.50), "p99_ms": 1e3 * load.latency(0.99)}
