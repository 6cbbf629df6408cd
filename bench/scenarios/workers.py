"""More than one worker: hits with 1, 2, 4 ... of them, each on a core of its own as far as there are cores."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import names
from bench.errors import BenchError
from bench.load import Shape, flood, once
from bench.memory_upstream import MemoryUpstream, memory_upstream
from bench.peers import OURS, Peer
from bench.scenarios.base import COST, FAILED, Measure, Reading, Scenario, flood_reading, serving
from bench.workspace import Cores, Workspace, usable_cores

FILL_RATE = 2_000
FILLS = 6  # the kernel deals questions out by the client's port: each worker has to have seen each name
SHAPE = Shape(sockets=64, outstanding=400)


def worker_counts(cores: int) -> list[int]:
    """1, 2, 4 ... up to the number of cores."""
    return [1 << power for power in range(cores.bit_length()) if 1 << power <= cores]


def cores_for(workers: int, usable: list[int], chosen: Cores) -> list[int]:
    """Cores for the workers: the client's is the last to be shared."""
    others = [core for core in usable if core != chosen.client]
    return [*others, chosen.client][:workers]


def _check_offered(folder: Path) -> None:
    """Raises BenchError where the program does not know `[server] workers`."""
    config = folder / "workers.toml"
    config.write_text(
        '[server]\nworkers = 2\n[groups.direct]\nupstreams = ["https://127.0.0.1:1/dns-query"]\n'
        '[cache]\ndir = "none"\n'
    )
    command = [sys.executable, "-m", "smartdoh", "check", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"not offered ({' '.join(done.stderr.split())[:100]})")


def _measure(
    workspace: Workspace, upstream: MemoryUpstream, peer: Peer, workers: int, _round: int
) -> Reading:
    if peer.name == OURS and workers > 1:
        _check_offered(workspace.folder)
    listed, core = names.repeated(workspace.folder), workspace.cores.client
    with serving(
        workspace,
        peer,
        (upstream.endpoint,),
        over_doh=not peer.speaks_plain,
        workers=workers,
        cores=cores_for(workers, usable_cores(), workspace.cores),
    ) as (server, port):
        for _ in range(2 if workers == 1 else FILLS):
            once(core, port, listed, FILL_RATE, SHAPE)
        return flood_reading(
            workspace,
            server,
            upstream,
            lambda: flood(core, port, listed, workspace.lengths.flood_seconds, SHAPE),
        )


@contextmanager
def _contenders(workspace: Workspace, peers: list[Peer]) -> Iterator[dict[str, Measure]]:
    with memory_upstream(workspace) as upstream:
        yield {
            f"{peer.name}, {workers} worker{'s' if workers > 1 else ''}": partial(
                _measure, workspace, upstream, peer, workers
            )
            for peer in peers
            if peer.has_workers
            for workers in worker_counts(len(usable_cores()))
        }


SCENARIO = Scenario(
    "workers",
    f"{names.REPEATED_NAMES:,} names, all cached, by the number of workers",
    (*COST, FAILED),
    _contenders,
    bases=("unbound, 1 worker",),
)
