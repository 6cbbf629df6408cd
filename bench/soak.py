"""Full rate for a long time, with a reload every ten seconds: nothing may grow. `python -m bench.soak [SECONDS]`.

Half an hour unless told otherwise. Exits 1 where memory, descriptors or latency at the end are more than at the
beginning, or a question of a calm moment was lost.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.load import flood, once, paced
from bench.process import Process, await_answer, running
from bench.scenarios.reload import Reloading, write_config, write_names
from bench.upstreams import Behaviour, scripted_upstreams
from bench.workspace import Workspace, free_port, own_workspace

SECONDS = 1800.0
RELOAD_EVERY = 10.0  # seconds
FULL_RATE = 12.0  # seconds of each window
CALM_RATE, CALM = 2_000, 3.0  # questions a second, and seconds of each window in which latency is looked at
WARM_RATE = 1_000
MORE_MEMORY = 1.05, 4e6  # times, and octets beside that: the allocator's own ups and downs
MORE_DESCRIPTORS = 2
MORE_LATENCY = 3.0, 5.0  # times, and ms: other work of the machine


@dataclass(frozen=True, slots=True)
class Sample:
    """The server after one window."""

    resident: float  # octets
    descriptors: int
    p99_ms: float
    rate: float  # answers a second at full rate
    lost: int  # in the calm part


def objections(samples: Sequence[Sample]) -> list[str]:
    """What has grown from the first third of the windows to the last one.

    The very first, which warms up, is left out.
    """
    third = max(1, (len(samples) - 1) // 3)
    early, late = samples[1 : 1 + third] or samples, samples[-third:]
    found = []
    before, after = (median(sample.resident for sample in part) for part in (early, late))
    if after > before * MORE_MEMORY[0] + MORE_MEMORY[1]:
        found.append(f"memory grew from {before / 1e6:.1f} to {after / 1e6:.1f} MB")
    open_before, open_after = (max(sample.descriptors for sample in part) for part in (early, late))
    if open_after > open_before + MORE_DESCRIPTORS:
        found.append(f"descriptors grew from {open_before} to {open_after}")
    slow_before, slow_after = (median(sample.p99_ms for sample in part) for part in (early, late))
    if slow_after > slow_before * MORE_LATENCY[0] + MORE_LATENCY[1]:
        found.append(f"p99 grew from {slow_before:.2f} to {slow_after:.2f} ms")
    lost = sum(sample.lost for sample in samples)
    if lost:
        found.append(f"{lost} questions were lost at {CALM_RATE} a second")
    return found


def windows(workspace: Workspace, seconds: float) -> Iterator[Sample]:
    """Load one server for so long; a sample after each window."""
    folder = workspace.subfolder("soak")
    with scripted_upstreams(workspace, [Behaviour(0.02), Behaviour(0.02)]) as upstreams:
        port, core, log = free_port(), workspace.cores.client, folder / "log"
        config = write_config(workspace, folder, upstreams, port, str(folder))
        each, many = write_names(folder)
        command = [sys.executable, "-m", "smartdoh", "serve", "--config", str(config)]
        with running("smartdoh", command, workspace.cores.server, log) as server:
            await_answer(server, port, "ready.example.com")
            once(core, port, each, WARM_RATE)
            with Reloading(server, log, RELOAD_EVERY):
                for _ in range(max(2, round(seconds / (FULL_RATE + CALM)))):
                    yield _window(server, core, port, many)


def _window(server: Process, core: int, port: int, names: Path) -> Sample:
    full = flood(core, port, names, FULL_RATE)
    calm = paced(core, port, names, CALM_RATE, CALM)
    server.check_alive()
    return Sample(
        resident=server.usage().resident_bytes,
        descriptors=len(os.listdir(f"/proc/{server.process.pid}/fd")),
        p99_ms=1e3 * calm.latency(0.99),
        rate=full.rate,
        lost=calm.lost,
    )


def main() -> int:
    """Soak, print each window; the exit status."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    samples: list[Sample] = []
    with own_workspace() as workspace:
        for sample in windows(workspace, seconds):
            samples.append(sample)
            print(
                f"{sample.rate:9,.0f} answers/s  {sample.resident / 1e6:6.1f} MB  {sample.descriptors} descriptors  "
                f"p99 {sample.p99_ms:.2f} ms  lost {sample.lost}",
                flush=True,
            )
    found = objections(samples)
    print("\n".join(found) or "nothing grew")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
