"""Two upstreams of which one stalls now and then: what the slowest questions wait, and what that costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import names
from bench.load import once, paced
from bench.peers import Peer
from bench.scenarios.base import FAILED, Measure, Metric, Reading, Scenario, serving
from bench.upstreams import Behaviour, ScriptedUpstreams, scripted_upstreams
from bench.workspace import Workspace

FASTER = 0.008  # seconds, of the upstream that stalls: the one a server that looks for speed will like best
SLOWER = 0.012  # seconds, of the other
STALL = 1.0  # seconds
STALL_EVERY = 100  # one question in so many of the first upstream stalls
RATE_ASKED = 500  # questions a second
WARM_UP = 1_000  # questions, for the server to learn how fast its upstreams are

P50 = Metric("p50_ms", "p50", "ms")
P99 = Metric("p99_ms", "p99", "ms")
P995 = Metric("p995_ms", "p99.5", "ms")
REQUESTS = Metric("requests", "requests/question", "", digits=3)
STALLED = Metric("stalled", "stalled", "", digits=0, is_judged=False)


def _measure(workspace: Workspace, upstreams: ScriptedUpstreams, peer: Peer, round_: int) -> Reading:
    core, seconds = workspace.cores.client, workspace.lengths.hedge_seconds
    warm_up = names.fresh(workspace.folder, f"w{round_}", WARM_UP)
    asked = names.fresh(workspace.folder, f"s{round_}", int(2 * RATE_ASKED * seconds))
    with serving(workspace, peer, upstreams.endpoints, over_doh=True) as (_, port):
        once(core, port, warm_up, RATE_ASKED)
        upstreams.take_counters()
        load = paced(core, port, asked, RATE_ASKED, seconds)
        counted = upstreams.take_counters()
    return {
        "p50_ms": 1e3 * load.latency(0.50),
        "p99_ms": 1e3 * load.latency(0.99),
        "p995_ms": 1e3 * load.latency(0.995),
        "requests": sum(upstream.questions for upstream in counted) / load.sent,
        "stalled": float(sum(upstream.stalled for upstream in counted)),
        "failed_percent": 100 * (load.sent - load.answers) / load.sent,
    }


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    able = [peer for peer in peers if peer.asks_several and peer.speaks_http2]
    behaviours = [Behaviour(FASTER, STALL_EVERY, STALL), Behaviour(SLOWER)]
    with scripted_upstreams(workspace, behaviours) as upstreams:
        yield {peer.name: partial(_measure, workspace, upstreams, peer) for peer in able}


SCENARIO = Scenario(
    "hedge",
    f"two upstreams, one stalling {100 / STALL_EVERY:g}% of its questions for {STALL:g} s",
    (P50, P99, P995, REQUESTS, STALLED, FAILED),
    _contenders,
)
