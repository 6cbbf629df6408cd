"""The cache on disk: five million answers stored, a restart, hits from there, and hits from memory while it is written.

`python -m bench.scenarios.disk [ANSWERS]` runs this alone. It takes minutes and 1.5 GB: other runs have
it with --full alone.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import names
from bench.alone import measure_alone
from bench.disk_fill import GROUP, fill, name_of
from bench.errors import BenchError
from bench.load import once, paced
from bench.peers import Peer
from bench.process import await_answer, running
from bench.scenarios.base import Measure, Metric, Reading, Scenario
from bench.workspace import Workspace, free_port

ANSWERS = 5_000_000
NOBODY = "https://127.0.0.1:1/dns-query"  # an upstream that cannot be asked: what is answered is from disk
WARM_ASKED = 20_000  # names asked from disk
HIT_RATE = 5_000  # questions a second for names in memory
KEPT_RATE = 10_000  # new answers a second at the same time, as many as one core can fetch; each is written
ROUNDS = 5  # of hits with and without a disk, in turns

METRICS = (
    Metric("store_s", "stored in", "s"),
    Metric("store_us", "CPU each", "µs"),
    Metric("file_gb", "file", "GB", digits=2),
    Metric("warm_ms", "restart to warm answer", "ms", digits=0),
    Metric("warm_mb", "resident then", "MB"),
    Metric("disk_us", "CPU of a hit on disk", "µs"),
    Metric("asked_mb", f"resident, {WARM_ASKED:,} hits later", "MB"),
    Metric("p99_off_ms", "p99 of hits, no disk", "ms", digits=3),
    Metric("p99_on_ms", "p99 while it writes", "ms", digits=3),
)


def _config(folder: Path, *, port: int, url: str, directory: Path | str, ca_file: Path) -> Path:
    file = folder / "smartdoh.toml"
    file.write_text(
        f'[listen]\ndns = ["127.0.0.1:{port}"]\n'
        f'[groups.{GROUP}]\nupstreams = ["{url}"]\nfastest_ip = "off"\nca_file = "{ca_file}"\n'
        f'[cache]\nmemory_entries = 100_000\ndir = "{directory}"\n'
    )
    return file


def _command(config_file: Path) -> list[str]:
    return [sys.executable, "-m", "smartdoh", "serve", "--config", str(config_file)]


def _stored(workspace: Workspace, answers: int) -> Reading:
    folder = workspace.subfolder("kept")
    port = free_port()
    config_file = _config(
        folder, port=port, url=NOBODY, directory=folder, ca_file=workspace.certificates.ca_file
    )
    filled = fill(config_file, answers)
    size = sum(file.stat().st_size for file in folder.glob("cache.lmdb*"))
    reading = {
        "store_s": filled.seconds,
        "store_us": 1e6 * filled.cpu_seconds / answers,
        "file_gb": size / 1e9,
    }
    asked = folder / "asked.txt"
    step = max(1, answers // WARM_ASKED)
    asked.write_text("".join(f"{name_of(number)} A\n" for number in range(1, answers, step)))
    with running("smartdoh", _command(config_file), workspace.cores.server, folder / "log") as server:
        reading["warm_ms"] = 1e3 * await_answer(server, port, name_of(answers // 2))
        before = server.usage()
        reading["warm_mb"] = before.resident_bytes / 1e6
        load = once(workspace.cores.client, port, asked)
        after = server.usage()
        if load.answers < load.sent:
            raise BenchError(f"{load.sent - load.answers} of {load.sent} names are not answered from disk")
        reading["disk_us"] = 1e6 * (after.cpu_seconds - before.cpu_seconds) / load.answers
        reading["asked_mb"] = after.resident_bytes / 1e6
    return reading


def _p99_under_writes(workspace: Workspace, directory: Path | str, tag: str) -> float:
    """p99 of hits from memory (seconds) while more new answers come than any upstream could give."""
    folder, core = workspace.subfolder(f"hits-{tag}"), workspace.cores.client
    hits = names.repeated(folder)
    port = free_port()
    config_file = _config(
        folder, port=port, url=NOBODY, directory=directory, ca_file=workspace.certificates.ca_file
    )
    answered_here = folder / "overrides.json"
    answered_here.write_text('{"repeated.example.com": "203.0.113.7"}')
    with config_file.open("a") as file:
        file.write(f'[routing]\noverrides = "{answered_here}"\n')
    command = [sys.executable, "-m", "bench.disk_busy", str(config_file), str(KEPT_RATE)]
    with running("smartdoh", command, workspace.cores.server, folder / "log") as server:
        await_answer(server, port, "h0.repeated.example.com")
        once(core, port, hits, HIT_RATE)
        load = paced(core, port, hits, HIT_RATE, workspace.lengths.paced_seconds)
    return load.latency(0.99)


def _measure(workspace: Workspace, answers: int, number: int) -> Reading:
    reading = _stored(workspace, answers)
    on, off = [], []
    for turn in range(ROUNDS):
        tag = f"{number}-{turn}"
        off.append(_p99_under_writes(workspace, "none", f"off-{tag}"))
        on.append(_p99_under_writes(workspace, workspace.subfolder(f"disk-{tag}"), f"on-{tag}"))
    return reading | {
        "p99_off_ms": 1e3 * sorted(off)[ROUNDS // 2],
        "p99_on_ms": 1e3 * sorted(on)[ROUNDS // 2],
    }


@contextmanager
def _contenders(
    workspace: Workspace, _peers: list[Peer], answers: int = ANSWERS
) -> Iterator[dict[str, Measure]]:
    yield {"smartdoh": partial(_measure, workspace, answers)}


SCENARIO = Scenario("disk", f"{ANSWERS:,} answers on disk", METRICS, _contenders)


def main() -> None:
    """Measure once and print."""
    answers = int(sys.argv[1]) if len(sys.argv) > 1 else ANSWERS
    scenario = Scenario("disk", f"{answers:,} answers on disk", METRICS, _contenders)
    measure_alone(scenario, lambda workspace: _contenders(workspace, [], answers))


if __name__ == "__main__":
    main()
