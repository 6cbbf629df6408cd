"""Reloads under load: what they cost those who ask, with and without the cache on disk, beside the same load without.

`python -m bench.scenarios.reload [SECONDS]` runs this alone. Three lists as in the scenario `rules` (SMARTDOH_DATA
names the folder of the real ones) are in force, a few thousand names are asked as often as names are, and SIGHUP
comes every few seconds. Everything is in the cache before it begins: each question to an upstream is a loss.
"""

import random
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path

from bench.alone import measure_alone
from bench.load import Load, once, paced, quantile
from bench.peers import Peer
from bench.process import Process, await_answer, running
from bench.scenarios.base import Measure, Metric, Reading, Scenario
from bench.scenarios.rules import three_lists
from bench.upstreams import Behaviour, ScriptedUpstreams, scripted_upstreams
from bench.workspace import Workspace, free_port

NAMES = 4_000
RATE = 5_000  # questions a second
SECONDS = 15.0
DELAY = 0.02  # seconds an upstream takes
WARM_RATE = 1_000  # questions a second before it begins
RULES = {
    "gfwlist.txt": 'group = "proxy"',
    "accelerated-domains.china.conf": 'group = "direct"',
    "adservers.hosts": 'action = "block"',
}

METRICS = (
    Metric("p50_ms", "p50", "ms", digits=3),
    Metric("p99_ms", "p99", "ms", digits=3),
    Metric("p999_ms", "p99.9", "ms", digits=2),
    Metric("most_ms", "slowest", "ms", digits=1),
    Metric("lost", "lost", "", digits=0),
    Metric("reloads", "reloads", "", more_is_better=True, digits=0),
    Metric("asked", "upstream questions", "", digits=0),
    Metric("connected", "upstream connections", "", digits=0),
)


def write_config(
    workspace: Workspace, folder: Path, upstreams: ScriptedUpstreams, port: int, directory: str
) -> Path:
    """The config of a run: two groups, three lists, a cache in memory or in `directory` too."""
    direct, proxy = (endpoint.url for endpoint in upstreams.endpoints)
    text = f'[listen]\ndns = ["127.0.0.1:{port}"]\n'
    for name, url in (("direct", direct), ("proxy", proxy)):
        text += f'[groups.{name}]\nupstreams = ["{url}"]\nfastest_ip = "off"\n'
        text += f'ca_file = "{workspace.certificates.ca_file}"\n'
    rules = []
    for number, (list_format, path) in enumerate(three_lists(folder)):
        text += f'[lists.l{number}]\nfile = "{path}"\nformat = "{list_format}"\n'
        rules.append(f'{{ list = "l{number}", {RULES[path.name]} }}')
    text += f'[routing]\ndefault = "direct"\nrules = [{", ".join(rules)}]\n'
    text += f'[cache]\nmemory_entries = 100_000\ndir = "{directory}"\n'
    file = folder / "smartdoh.toml"
    file.write_text(text)
    return file


def _listed(folder: Path) -> list[str]:
    """Names of the blocking list, taken evenly from all of it."""
    lines = (folder / "adservers.hosts").read_text("utf-8").splitlines()
    found = [line.split()[1] for line in lines if line.startswith("0.0.0.0 ")]
    return found[:: max(1, len(found) // (NAMES // 4))]


def write_names(folder: Path) -> tuple[Path, Path]:
    """Every name once, and the questions of a run: rank r has a weight of 1/(r+1). One in four is blocked."""
    blocked = _listed(folder)
    names = [
        blocked[n % len(blocked)]
        if n % 4 == 3
        else f"h{n}.{('example.com', 'baidu.com', 'google.com')[n % 4]}"
        for n in range(NAMES)
    ]
    weights = list(accumulate(1 / (rank + 1) for rank in range(NAMES)))
    drawn = random.Random(0).choices(names, cum_weights=weights, k=100_000)
    each, many = folder / "each.txt", folder / "many.txt"
    each.write_text("".join(f"{name} A\n" for name in names))
    many.write_text("".join(f"{name} A\n" for name in drawn))
    return each, many


class Reloading:
    """Sends SIGHUP every so often, while it is entered; 0 means never."""

    def __init__(self, server: Process, log: Path, every: float) -> None:
        self._server, self._log, self._every = server, log, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while self._every and not self._stop.wait(self._every):
            self._server.process.send_signal(signal.SIGHUP)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def done(self) -> int:
        """How many were carried out, as the log says."""
        return self._log.read_text(errors="replace").count("reloaded")


def _reading(load: Load) -> Reading:
    latencies = [*(latency for _, latency in load.answered), *load.losses()]
    return {
        "p50_ms": 1e3 * quantile(latencies, 0.5),
        "p99_ms": 1e3 * quantile(latencies, 0.99),
        "p999_ms": 1e3 * quantile(latencies, 0.999),
        "most_ms": 1e3 * max(latencies),
        "lost": load.sent - load.answers,
    }


def _measure(
    workspace: Workspace,
    upstreams: ScriptedUpstreams,
    seconds: float,
    every: float,
    on_disk: bool,
    number: int,
) -> Reading:
    folder = workspace.subfolder(f"reload-{every}-{on_disk}-{number}")
    port, core, log = free_port(), workspace.cores.client, folder / "log"
    config = write_config(workspace, folder, upstreams, port, str(folder) if on_disk else "none")
    each, many = write_names(folder)
    command = [sys.executable, "-m", "smartdoh", "serve", "--config", str(config)]
    with running("smartdoh", command, workspace.cores.server, log) as server:
        await_answer(server, port, "ready.example.com")
        once(core, port, each, WARM_RATE)
        once(core, port, many, RATE)
        upstreams.take_counters()
        reloading = Reloading(server, log, every)
        with reloading:
            load = paced(core, port, many, RATE, seconds)
        seen = upstreams.take_counters()
        return _reading(load) | {
            "reloads": reloading.done(),
            "asked": sum(counters.questions for counters in seen),
            "connected": sum(counters.connections for counters in seen),
        }


@contextmanager
def _contenders(
    workspace: Workspace, _peers: list[Peer], seconds: float = SECONDS
) -> Iterator[dict[str, Measure]]:
    with scripted_upstreams(workspace, [Behaviour(DELAY), Behaviour(DELAY)]) as upstreams:
        measure = partial(_measure, workspace, upstreams, seconds)
        yield {
            "no reload": partial(measure, 0, False),
            "every 3 s": partial(measure, 3.0, False),
            "every 3 s, on disk": partial(measure, 3.0, True),
            "five a second": partial(measure, 0.2, False),
        }


SCENARIO = Scenario("reload", f"{RATE:,} questions a second while it reloads", METRICS, _contenders)


def main() -> None:
    """Measure once and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    measure_alone(SCENARIO, lambda workspace: _contenders(workspace, [], seconds))


if __name__ == "__main__":
    main()
