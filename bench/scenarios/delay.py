"""What a server adds to an upstream that answers after 20 ms, at 1,000 questions a second.

The upstream notes how long it held each question. What the client waited for that question beyond it was added: by
the server, by TLS and HTTP on both sides, and by the client's own plain DNS.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import names
from bench.load import once, paced, quantile
from bench.peers import Peer
from bench.scenarios.base import FAILED, Measure, Metric, Reading, Scenario, serving
from bench.upstreams import Behaviour, ScriptedUpstreams, scripted_upstreams
from bench.workspace import Workspace

DELAY = 0.020  # seconds
RATE_ASKED = 1_000  # questions a second
WARM_UP = 500  # questions

ADDED_P50 = Metric("added_p50_ms", "added p50", "ms", digits=3)
ADDED_P99 = Metric("added_p99_ms", "added p99", "ms", digits=3)
HELD_P50 = Metric("held_p50_ms", "upstream held p50", "ms", digits=3, is_judged=False)
HELD_P99 = Metric("held_p99_ms", "upstream held p99", "ms", digits=3, is_judged=False)


def _measure(workspace: Workspace, upstreams: ScriptedUpstreams, peer: Peer, round_: int) -> Reading:
    core, seconds = workspace.cores.client, workspace.lengths.paced_seconds
    warm_up = names.fresh(workspace.folder, f"w{round_}", WARM_UP)
    asked = names.fresh(workspace.folder, f"d{round_}", int(2 * RATE_ASKED * seconds))
    with serving(workspace, peer, upstreams.endpoints, over_doh=True) as (_, port):
        once(core, port, warm_up, RATE_ASKED)
        upstreams.take_counters()
        load = paced(core, port, asked, RATE_ASKED, seconds)
        (counted,) = upstreams.take_counters()
    added = [latency - counted.held[name] for name, latency in load.answered] + load.losses()
    held = list(counted.held.values())
    return {
        "added_p50_ms": 1e3 * quantile(added, 0.50),
        "added_p99_ms": 1e3 * quantile(added, 0.99),
        "held_p50_ms": 1e3 * quantile(held, 0.50),
        "held_p99_ms": 1e3 * quantile(held, 0.99),
        "failed_percent": 100 * (load.sent - load.answers) / load.sent,
    }


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    able = [peer for peer in peers if peer.speaks_doh and peer.speaks_http2]
    with scripted_upstreams(workspace, [Behaviour(DELAY)]) as upstreams:
        yield {peer.name: partial(_measure, workspace, upstreams, peer) for peer in able}


SCENARIO = Scenario(
    "delay",
    f"an upstream that takes {DELAY * 1e3:g} ms, {RATE_ASKED:,} questions/s",
    (ADDED_P50, ADDED_P99, HELD_P50, HELD_P99, FAILED),
    _contenders,
)
